// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

// jwtProject makes the bookshop's clients come with tokens of simplejwt.
var jwtProject = map[string]string{
	"bookshop/settings.py": `
from datetime import timedelta

SECRET_KEY = "Zq3x8Vt1Lw6Yb9Rn4Kc7Hd2Jf5Ms0PgUaEoTiXvQ"
INSTALLED_APPS += ["rest_framework_simplejwt.token_blacklist"]
REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"] = ["rest_framework_simplejwt.authentication.JWTAuthentication"]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}
`,
	"bookshop/urls.py": `
from rest_framework_simplejwt import views as jwt

urlpatterns += [
    path("api/token/", jwt.TokenObtainPairView.as_view()),
    path("api/token/refresh/", jwt.TokenRefreshView.as_view()),
]
`,
}

// TestMove_jwt takes the steps of docs/from-django.md by which a project of
// simplejwt and Entra ID moves, with its tokens.
func TestMove_jwt(t *testing.T) {
	needPython(t, "rest_framework_simplejwt")
	page := readText(t, filepath.Join(repository, "docs/from-django.md"))
	_, section, _ := strings.Cut(page, "\n## Moving simplejwt and Entra ID\n")
	section, _, _ = strings.Cut(section, "\n## ")
	steps := regexp.MustCompile(`(?m)^\*\*\d+\. `).Split(section, -1)
	if len(steps) != 6 {
		t.Fatalf("%d steps", len(steps)-1)
	}
	idp := entratest.New(t)
	m := newBookshop(t, jwtProject)
	_, simplejwt, _ := strings.Cut(first(t, steps[0], "python"), "settings.py\n")
	if simplejwt, _, _ = strings.Cut(simplejwt, "ENTRA_AUTH"); !strings.Contains(jwtProject["bookshop/settings.py"], simplejwt) {
		t.Errorf("the project's settings are not what the page says: %s", simplejwt)
	}
	m.writeCaddyfile("api.example.com {\nreverse_proxy unix//run/bookshop/gunicorn.sock\n}\n")
	m.start()

	type pair struct{ Refresh, Access string }
	var both pair
	old := m.post(t, "/api/token/", `{"username":"alice","password":"password of alice"}`, 200, &pair{})
	m.post(t, "/api/token/refresh/", `{"refresh":"`+old.(*pair).Refresh+`"}`, 200, &both)
	idle := m.post(t, "/api/token/", `{"username":"dave","password":"password of dave"}`, 200, &pair{}).(*pair)

	here := strings.NewReplacer("/etc/caddy/", m.dir+"/",
		"link upn", "link upn\nauthority "+idp.URL+"\nca_file "+idp.CAFile+"\nallow_internal loopback")
	for i, step := range steps[1:] {
		if i+1 == 3 {
			for _, text := range fences(page, "python") {
				if strings.HasPrefix(text, "# edge.py") || strings.HasPrefix(text, "# settings.py\nAUTHENTICATION_BACKENDS") {
					m.writePython(text)
				}
			}
		}
		if i+1 == 5 {
			_, lines, _ := strings.Cut(step, "\n```\n")
			lines, _, _ = strings.Cut(lines, "```")
			file, now := readText(t, filepath.Join(m.dir, "Caddyfile")), here.Replace("signing_key {file./etc/caddy/jwt.key}\n")
			if strings.Count(file, now) != 1 {
				t.Fatalf("%s is not in %s", now, file)
			}
			m.write("Caddyfile", strings.Replace(file, now, here.Replace(lines), 1))
		}
		m.take(here.Replace(step))
		m.me(t, both.Access, `{"user":"alice"}`)
	}
	m.me(t, entraUPN(idp, "erin", nil), `{"user":"erin"}`)
	m.post(t, "/api/token/refresh/", `{"refresh":"`+old.(*pair).Refresh+`"}`, 401, nil)
	m.post(t, "/api/token/refresh/", `{"refresh":"`+idle.Refresh+`"}`, 200, &both)
	m.me(t, both.Access, `{"user":"dave"}`)
	m.post(t, "/api/token/", `{"username":"bob","password":"password of bob"}`, 200, &both)
	m.me(t, both.Access, `{"user":"bob"}`)
}

// post sends JSON to the site, and reads the answer into what it is given.
func (m *move) post(t *testing.T, path, body string, status int, into any) any {
	t.Helper()
	got := over(t, "tcp", strings.TrimPrefix(m.url, "http://"), fmt.Sprintf(
		"POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, strings.TrimPrefix(m.url, "http://"), len(body), body))
	if got.Status != status {
		t.Fatalf("%s: %d %s, want %d", path, got.Status, got.Body, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(got.Body), into); err != nil {
			t.Fatal(err)
		}
	}
	return into
}

// me asks Django who it is that comes with a token.
func (m *move) me(t *testing.T, token, want string) {
	t.Helper()
	host := strings.TrimPrefix(m.url, "http://")
	got := over(t, "tcp", host, "GET /api/me/ HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\n\r\n")
	if got.Status != 200 || got.Body != want {
		t.Errorf("Django is told %d %s, want %s", got.Status, got.Body, want)
	}
}
