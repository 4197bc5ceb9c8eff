// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes cert.pem and key.pem for localhost, which nobody trusts.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChromium_tls logs in where cookies are for TLS and for this host alone, and
// where a form has to say what page it is from.
func TestChromium_tls(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	s := serve(t, `{
{{global}}
rest_auth {
	{{store}}
	session {
		cookie __Host-sessionid
		csrf_cookie __Host-csrftoken
		login_url /auth/login/
	}
}
}
https://localhost:{{port}} {
	tls `+filepath.Join(dir, "cert.pem")+" "+filepath.Join(dir, "key.pem")+strings.TrimPrefix(strings.NewReplacer("%s", "", "login_url /auth/login/", "").Replace(loginSite), "\n{{site}} {"))
	s.seed()
	site := "https://localhost:" + s.vars["{{port}}"]

	b := chromium(t)
	b.open(site + "/wiki")
	b.fill("#username", "alice")
	b.fill("#password", "wrong")
	b.submit("button")
	if got := b.text("[role=alert]"); got != wrongLogin {
		t.Errorf("a wrong password: %d %q", b.status(), got)
	}
	b.fill("#password", "pw")
	b.submit("button")
	if got := b.text("body"); b.url() != site+"/wiki" || !strings.Contains(got, `"Remote-User":["alice"]`) {
		t.Errorf("logged in, at %s: %s", b.url(), got)
	}
	var cookies []struct {
		Name             string
		Secure, HTTPOnly bool
		SameSite         string
	}
	b.do(http.MethodGet, "/cookie", nil, &cookies)
	if len(cookies) != 2 {
		t.Errorf("cookies: %+v", cookies)
	}
	for _, cookie := range cookies {
		if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || cookie.SameSite != "Lax" || cookie.HTTPOnly != (cookie.Name == "__Host-sessionid") {
			t.Errorf("cookie %+v", cookie)
		}
	}
	b.open(site + "/auth/sessions/")
	b.submit("tbody button")
	if b.url() != site+"/auth/logout/" || b.text("h1") != "Logged out" {
		t.Errorf("after ending one's own session: %s %q", b.url(), b.text("h1"))
	}

	// Who does not say where a form is from is nobody's page.
	visitor := client(t)
	visitor.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	for referer, want := range map[string]string{
		"":                      "CSRF Failed: Referer checking failed - no Referer.",
		"http://localhost/":     "CSRF Failed: Referer checking failed - Referer is insecure while host is secure.",
		"https://evil.example/": "CSRF Failed: Referer checking failed - https://evil.example/ does not match any trusted origins.",
		site + "/auth/login/":   "CSRF Failed: CSRF cookie not set.",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site+"/auth/login/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if referer != "" {
			r.Header.Set("Referer", referer)
		}
		response, err := visitor.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		readReply(t, response).expect(t, http.StatusForbidden, "-", detail(want))
	}
}
