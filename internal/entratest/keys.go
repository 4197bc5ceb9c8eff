// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entratest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// Keys that the server publishes. Shared verifies the tokens of every tenant,
// OnlyFabrikam those of one, as the key of personal accounts does in the real
// one. NotPublished is nobody's.
const (
	Shared       = "shared"
	OnlyFabrikam = "fabrikam"
	NotPublished = "not-published"
)

// key is made once for all tests of a process, since it takes a while.
type key struct {
	private *rsa.PrivateKey
	x5c     string
	x5t     string
}

var (
	keysLock sync.Mutex
	keysMade = map[string]*key{}
)

func keyNamed(name string) *key {
	keysLock.Lock()
	defer keysLock.Unlock()
	if made, ok := keysMade[name]; ok {
		return made
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "accounts.accesscontrol.windows.net"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		panic(err)
	}
	thumbprint := sha256.Sum256(certificate) // nobody reads it
	made := &key{private, base64.StdEncoding.EncodeToString(certificate), base64.RawURLEncoding.EncodeToString(thumbprint[:20])}
	keysMade[name] = made
	return made
}

func (k *key) sign(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, k.private, hash, h.Sum(nil))
	if err != nil {
		panic(err)
	}
	return signature
}

// metadata answers with the document of a tenant, or of all of them.
func (s *Server) metadata(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tenant := r.PathValue("tenant")
		shared := tenant == "common" || tenant == "organizations"
		if !shared && !isTenant(tenant) {
			write(w, http.StatusBadRequest, map[string]any{
				"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant '" + tenant + "' not found.", "error_codes": []int{90002},
			})
			return
		}
		named := tenant
		if shared {
			named = "{tenantid}"
		}
		base := s.URL + "/" + tenant
		document := map[string]any{
			"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
			"subject_types_supported":               []string{"pairwise"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
			"http_logout_supported":                 true,
			"cloud_instance_name":                   "microsoftonline.com",
			"cloud_graph_host_name":                 "graph.windows.net",
			"msgraph_host":                          "graph.microsoft.com",
			"tenant_region_scope":                   nil,
		}
		if version == "1.0" {
			document["issuer"] = s.sts() + "/" + named + "/"
			document["jwks_uri"] = s.URL + "/common/discovery/keys"
			document["token_endpoint"] = base + "/oauth2/token"
			document["authorization_endpoint"] = base + "/oauth2/authorize"
			document["end_session_endpoint"] = base + "/oauth2/logout"
		} else {
			document["issuer"] = s.URL + "/" + named + "/v2.0"
			document["jwks_uri"] = base + "/discovery/v2.0/keys"
			document["token_endpoint"] = base + "/oauth2/v2.0/token"
			document["authorization_endpoint"] = base + "/oauth2/v2.0/authorize"
			document["end_session_endpoint"] = base + "/oauth2/v2.0/logout"
			document["device_authorization_endpoint"] = base + "/oauth2/v2.0/devicecode"
		}
		write(w, http.StatusOK, document)
	}
}

// keys answers with the keys of a tenant, or of all of them. Only those of v2.0
// say whose tokens they verify.
func (s *Server) keys(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tenant := r.PathValue("tenant")
		all := []map[string]any{}
		for id, bound := range map[string]string{Shared: "{tenantid}", OnlyFabrikam: Fabrikam} {
			s.Lock()
			hidden, bare := s.Hidden[id], s.Bare
			s.Unlock()
			// v1.0 has no keys of single tenants, nor those of personal accounts.
			ofOne := bound != "{tenantid}"
			if hidden || ofOne && (version == "1.0" || isTenant(tenant) && bound != tenant) {
				continue
			}
			k := keyNamed(id)
			jwk := map[string]any{
				"kty": "RSA", "use": "sig", "kid": id, "x5t": k.x5t, "x5c": []string{k.x5c},
				"n": base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()), "e": "AQAB",
			}
			if bare {
				delete(jwk, "x5c")
				delete(jwk, "x5t")
			}
			if version == "2.0" {
				jwk["issuer"] = s.URL + "/" + bound + "/v2.0"
				jwk["cloud_instance_name"] = "microsoftonline.com"
			}
			all = append(all, jwk)
		}
		write(w, http.StatusOK, map[string]any{"keys": all})
	}
}
