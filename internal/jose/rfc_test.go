// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// The payload of RFC 7515, appendices A.1 to A.3 and A.5.
const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

// rfcExamples are those of RFC 7515, RFC 7519, RFC 7797 and RFC 8037.
var rfcExamples = []struct {
	name, jwk, token string
	// parse is what Parse says. Those whose payload is a text are no JSON Web
	// Tokens: of them only the signature is verified.
	parse error
}{
	{
		"RFC 7515, A.1, and RFC 7519, 3.1",
		`{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`,
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + joe + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		nil,
	},
	{
		"RFC 7515, A.2",
		`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
		"eyJhbGciOiJSUzI1NiJ9." + joe + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
		nil,
	},
	{
		"RFC 7515, A.3",
		`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"eyJhbGciOiJFUzI1NiJ9." + joe + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
		nil,
	},
	{
		"RFC 7515, A.4, the payload a text",
		`{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}`,
		"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
		errJSON,
	},
	{
		"RFC 8037, A.4, the payload a text",
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
		errJSON,
	},
	{"RFC 7515, A.5, and RFC 7519, 6.1", "", "eyJhbGciOiJub25lIn0." + joe + ".", errUnsigned},
	{"RFC 7515, A.5, with a signature", "", "eyJhbGciOiJub25lIn0." + joe + ".AA", ErrAlgorithm},
	{"RFC 7515, E, critical", "", "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.AA", ErrCritical},
	{"RFC 7797, 4.1, unencoded", "", "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$.02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", ErrNotCompact},
	{"RFC 7797, 4.2, detached", "", "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", ErrCritical},
	{"RFC 7797, the payload encoded", "", "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.JC4wMg.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY", ErrCritical},
}

func TestRFCs(t *testing.T) {
	types := map[string]string{"H": "oct", "R": "RSA", "E": "EC"}
	for _, example := range rfcExamples {
		token, err := Parse(example.token)
		if !errors.Is(err, example.parse) {
			t.Errorf("%s: got %v, want %v", example.name, err, example.parse)
			continue
		}
		if example.jwk == "" {
			continue
		}
		var jwk jose.JSONWebKey
		if err := json.Unmarshal([]byte(example.jwk), &jwk); err != nil {
			t.Fatalf("%s: %v", example.name, err)
		}
		if token == nil {
			signed, signature, _ := cutLast(example.token)
			header, _, _ := strings.Cut(signed, ".")
			raw, _ := base64.RawURLEncoding.DecodeString(header)
			var h struct{ Alg string }
			if err := json.Unmarshal(raw, &h); err != nil {
				t.Fatal(err)
			}
			token = &Token{Alg: h.Alg, signed: signed}
			token.signature, _ = base64.RawURLEncoding.DecodeString(signature)
		} else {
			if issuer, _, err := token.String("iss"); issuer != "joe" || err != nil {
				t.Errorf("%s: got iss %q, %v", example.name, issuer, err)
			}
			if expires, _, err := token.Time("exp"); expires.Unix() != 1300819380 || err != nil {
				t.Errorf("%s: got exp %v, %v", example.name, expires, err)
			}
			if string(token.Raw("http://example.com/is_root")) != "true" {
				t.Errorf("%s: got %s", example.name, token.Payload)
			}
		}
		key := &keyset.Key{Type: types[token.Alg[:1]], Algorithms: []string{token.Alg}, Public: jwk.Key}
		if token.Alg == "EdDSA" {
			key.Type = "OKP"
		}
		if err := token.Verify([]*keyset.Key{key}); err != nil {
			t.Errorf("%s: %v", example.name, err)
		}
		token.signature[0] ^= 1
		if err := token.Verify([]*keyset.Key{key}); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, a bit flipped: %v", example.name, err)
		}
	}
}

// cutLast cuts the signature off.
func cutLast(token string) (signed, signature string, ok bool) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 {
		return token, "", false
	}
	return token[:at], token[at+1:], true
}
