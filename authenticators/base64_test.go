// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

func TestDecodeBase64(t *testing.T) {
	tests := map[string]struct {
		want string
		ok   bool
	}{
		"":                     {"", true},
		"YWxpY2U6cHc=":         {"alice:pw", true},
		"YWxp!Y2U6cHc=":        {"alice:pw", true},
		"YWxp-Y2U_6cHc=":       {"alice:pw", true},
		"YWxpY2U6cHc=====":     {"alice:pw", true},
		"YWxpY2U6cHc=YWxp":     {"alice:pw", true},
		"YWxpY2U6cHd=":         {"alice:pw", true},
		"=YWxpY2U6cHc=":        {"alice:pw", true},
		"YWxpY2U6cH=c=":        {"alice:pw", true},
		"YW==":                 {"a", true},
		"Y=W==":                {"a", true},
		"YWxpY2U6cHc":          {"alice:pw", false},
		"YW=":                  {"a", false},
		"Y":                    {"", false},
		"=a=":                  {"", false},
		"foo":                  {"", false},
		"!!!!":                 {"", true},
		"====":                 {"", true},
		"\xff\xfe":             {"", true},
		"YWxp\x00Y2U6c\xffHc=": {"alice:pw", true},
	}
	for encoded, test := range tests {
		got, ok := decodeBase64(encoded)
		if ok != test.ok || ok && string(got) != test.want {
			t.Errorf("decodeBase64(%q) = %q, %v, want %q, %v", encoded, got, ok, test.want, test.ok)
		}
	}
}

func TestParseBasic_encodings(t *testing.T) {
	tests := map[string]struct{ name, password string }{
		"YWxpY2U6cHc=": {"alice", "pw"},
		"YWxpY2U6cDp3": {"alice", "p:w"},
		"YTpwOg==":     {"a", "p:"},
		"Og==":         {"", ""},
		"csOpbmE6w6k=": {"réna", "é"}, // UTF-8
		"culuYTrp":     {"réna", "é"}, // Latin-1
		"w6k66Q==":     {"Ã©", "é"},   // both, so Latin-1
		"7aCAOng=":     {"í\u00a0\u0080", "x"},
		"YQBiOng=":     {"a\x00b", "x"},
	}
	for encoded, want := range tests {
		name, password, ok := parseBasic(encoded)
		if !ok || name != want.name || password != want.password {
			t.Errorf("parseBasic(%q) = %q, %q, %v, want %q, %q", encoded, name, password, ok, want.name, want.password)
		}
	}
}

// referee decodes as BasicAuthentication of Django REST framework does.
const referee = `
import base64, binascii, sys
for line in sys.stdin:
    data = bytes.fromhex(line.strip())
    try:
        raw = base64.b64decode(data)
        try:
            text = raw.decode('utf-8')
        except UnicodeDecodeError:
            text = raw.decode('latin-1')
        name, password = text.split(':', 1)
        print('+' + name.encode().hex() + ':' + password.encode().hex())
    except (TypeError, ValueError, UnicodeDecodeError, binascii.Error):
        print('-')
`

// TestParseBasic_python asks CPython what random credentials mean.
func TestParseBasic_python(t *testing.T) {
	python := peertest.Python(t)
	// A seed that stays, so that a difference can be looked into.
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "AZaz09+/Oj6====-_!:\x00\xff\u00a0"
	var inputs []string
	for range 20_000 {
		input := make([]byte, random.IntN(14))
		for i := range input {
			input[i] = alphabet[random.IntN(len(alphabet))]
		}
		inputs = append(inputs, string(input))
	}
	for range 20_000 {
		input := make([]byte, 4*random.IntN(6))
		for i := range input {
			input[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.IntN(64)]
		}
		inputs = append(inputs, "Oj"+string(input)+"Og==", string(input)+"w6k6Og==")
	}
	var stdin bytes.Buffer
	for _, input := range inputs {
		fmt.Fprintln(&stdin, hex.EncodeToString([]byte(input)))
	}
	command := exec.CommandContext(t.Context(), python, "-c", referee)
	command.Stdin = &stdin
	out, err := command.Output()
	if err != nil {
		t.Fatalf("running python3: %v", err)
	}
	verdicts := strings.Fields(string(out))
	if len(verdicts) != len(inputs) {
		t.Fatalf("python3 judged %d of %d inputs", len(verdicts), len(inputs))
	}
	accepted := 0
	for i, input := range inputs {
		got := "-"
		if name, password, ok := parseBasic(input); ok {
			got = "+" + hex.EncodeToString([]byte(name)) + ":" + hex.EncodeToString([]byte(password))
			accepted++
		}
		if got != verdicts[i] {
			t.Errorf("parseBasic(%q) = %s, and python3 says %s", input, got, verdicts[i])
		}
	}
	if accepted < len(inputs)/10 || accepted > len(inputs)*9/10 {
		t.Errorf("%d of %d inputs were accepted, so this shows little", accepted, len(inputs))
	}
}
