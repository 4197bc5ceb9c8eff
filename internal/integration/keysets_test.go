// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// Keys are fetched when a configuration is started, without a request, and
// once for all sites; not when it is only adapted or provisioned.
func TestKeySets_start(t *testing.T) {
	idp := idptest.New(t)
	lines := "authenticate jwt {\nissuer " + idp.Issuer() + "\naudience api\n" + local + "}"
	site := whoamiSite(lines) + "\n" + strings.Replace(whoamiSite(lines), "{{site}}", "{{site2}}", 1)
	sh := newShell(t, "{\nadmin {{admin}}\nhttp_port 0\nauto_https off\n}\n"+strings.NewReplacer("{{site}}", "http://a.test", "{{site2}}", "http://b.test").Replace(site))
	for _, args := range []string{"adapt --config Caddyfile", "validate --config Caddyfile"} {
		if out, err := sh.command(args).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	if metadata, keys := idp.Fetches(); metadata+keys != 0 {
		t.Errorf("%d and %d fetches without a start", metadata, keys)
	}
	s := serve(t, site)
	s.await("the keys", func() bool { _, keys := idp.Fetches(); return keys > 0 })
	for range 3 {
		s.reload(site + "\n# again")
	}
	s.get("/", bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api"}))).expect(t, 200, "-", "*")
	if metadata, keys := idp.Fetches(); metadata != 1 || keys != 1 {
		t.Errorf("%d and %d fetches for two sites and three reloads", metadata, keys)
	}
}

// Ten thousand tokens of keys that do not exist have one fetch made, and good
// tokens do not notice.
func TestKeySets_unknownKeys(t *testing.T) {
	idp := idptest.New(t)
	s := serve(t, jwtSite(idp))
	claims := map[string]any{"sub": "u", "aud": "api"}
	line := bearerToken(idp.Sign(claims))
	s.get("/", line).expect(t, 200, "-", "*")
	_, before := idp.Fetches()

	// Nobody has to sign: the kid is looked at before the signature.
	_, rest, _ := strings.Cut(idp.Sign(claims), ".")
	ask := func(client *http.Client, line string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		r.Header.Set("Authorization", strings.TrimPrefix(line, "Authorization: "))
		answer, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	p99 := func() time.Duration {
		own := client(t)
		var took []time.Duration
		for len(took) < 500 {
			began := time.Now()
			if status := ask(own, line); status != http.StatusOK {
				t.Errorf("a good token is answered %d", status)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	alone := p99()

	began := time.Now()
	var flood, good sync.WaitGroup
	for worker := range 2 {
		own := client(t)
		flood.Go(func() {
			for i := range 5000 {
				header := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","typ":"JWT","kid":"%d-%d"}`, worker, i))
				if status := ask(own, bearerToken(header+"."+rest)); status != http.StatusUnauthorized {
					t.Errorf("a token of no key is answered %d", status)
				}
			}
		})
	}
	good.Go(func() {
		t.Logf("99 of 100 good tokens take at most %v, and %v among those of no key", alone, p99())
	})
	flood.Wait()
	good.Wait()
	// One in half a minute, on however slow a machine.
	if _, after := idp.Fetches(); after < before+1 || after > before+1+int(time.Since(began)/(30*time.Second)) {
		t.Errorf("%d fetches for ten thousand unknown keys", after-before)
	}
}

// What fetches ends with the last configuration that wants it.
func TestKeySets_reloads(t *testing.T) {
	s := serve(t, "{{site}} {\nrest_auth {\nauthenticate token\n}\nrespond ok\n}")
	s.get("/")
	before := runtime.NumGoroutine()
	for range 10 {
		idp := idptest.New(t)
		s.reload(jwtSite(idp))
		s.get("/", bearerToken(idp.Sign(map[string]any{"sub": "u", "aud": "api"}))).expect(t, 200, "-", "*")
		idp.Close()
	}
	s.reload("{{site}} {\nrest_auth {\nauthenticate token\n}\nrespond ok\n}")
	s.await("goroutines to end", func() bool { return runtime.NumGoroutine() <= before+3 })
}

// What an operator sees, in the log, by the command and by the metrics.
func TestKeySets_operator(t *testing.T) {
	up, down := idptest.New(t), idptest.New(t)
	down.Fail(idptest.HTML)
	asked := newIntrospector(t)
	s := serve(t, "{\n{{global}}\nmetrics\nrest_auth {\n{{store}}\n}\n}\n"+whoamiSite("authenticate jwt {\nissuer "+up.Issuer()+"\nissuer "+down.Issuer()+
		"\naudience api\nuser_prefix off\n"+local+"}\n"+asked.lines("audience api", "user_prefix off")))
	sh := newShell(t, "")
	issuers := func(args string) string {
		out, err := sh.command("rest-auth issuers --address " + s.Admin + args).Output()
		if err != nil {
			t.Error(err)
		}
		return string(out)
	}
	s.await("both to be asked", func() bool {
		list := issuers("")
		return strings.Contains(list, " good ") && strings.Contains(list, " down ")
	})
	list := issuers("")
	for _, want := range append(up.KeyIDs(), "SOURCE", up.Issuer(), down.Issuer(), "issuer ", "metadata ", asked.URL, "introspection  idle", "no JSON object", "/.well-known/openid-configuration") {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not in\n%s", want, list)
		}
	}
	for _, want := range []string{`"kid": "` + up.KeyIDs()[0] + `"`, `"state": "down"`, `"PS512"`, `"fetched": "2`} {
		if list := issuers(" --json"); !strings.Contains(list, want) {
			t.Errorf("%q is not in\n%s", want, list)
		}
	}
	if out, err := sh.command("rest-auth issuers --offline").CombinedOutput(); err == nil || !strings.Contains(string(out), "only a running Caddy") {
		t.Errorf("%v: %s", err, out)
	}
	exposed := s.send(http.MethodGet, "http://"+s.Admin+"/metrics", nil).Body
	for _, want := range []string{
		`caddy_rest_auth_issuer_up{document="keys",source="` + up.Issuer() + `"} 1`,
		`caddy_rest_auth_issuer_up{document="keys",source="` + down.Issuer() + `"} 0`,
		`caddy_rest_auth_issuer_fetches_total{document="metadata",result="ok",source="` + up.Issuer() + `"} 1`,
	} {
		if !strings.Contains(exposed, want+"\n") {
			t.Errorf("%s is not in\n%s", want, exposed)
		}
	}
	if got := s.send(http.MethodDelete, "http://"+s.Admin+"/rest_auth/issuers", nil); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE is answered %d", got.Status)
	}
	if !strings.Contains(s.logs.text(), "fetching keys failed; credentials that need it are answered 503") {
		t.Error("the log does not say it")
	}
	// A key that was given away is good no more as soon as the operator says so.
	line := bearerToken(up.Sign(map[string]any{"sub": "u", "aud": "api"}))
	s.get("/", line).expect(t, 200, "-", "*")
	up.Rotate()
	s.get("/", line).expect(t, 200, "-", "*")
	metadata, _ := up.Fetches()
	if list := issuers(" --fetch"); !strings.Contains(list, up.KeyIDs()[0]) {
		t.Errorf("the new key is not in\n%s", list)
	}
	if now, _ := up.Fetches(); now != metadata+1 {
		t.Errorf("the metadata, which may say that the keys have moved, was fetched %d times", now-metadata)
	}
	s.get("/", line).expect(t, 401, bearerInvalid, invalidToken)

	down.Heal()
	s.await("the other to heal", func() bool { return !strings.Contains(issuers(""), " down ") })
	if !strings.Contains(s.logs.text(), "fetched keys again") {
		t.Error("the log does not say that it is over")
	}
}
