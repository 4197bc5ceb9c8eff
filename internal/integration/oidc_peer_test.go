// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// peerProvider is npm's oidc-provider, at which people log in by any name.
type peerProvider struct {
	t      *testing.T
	issuer string
	in     io.Writer
	out    *bufio.Scanner
}

// newPeerProvider starts one that knows the site of that origin, and is called
// corp there.
func newPeerProvider(t *testing.T, origin string) *peerProvider {
	t.Helper()
	node, dir := nodePeers(t)
	cmd := exec.CommandContext(t.Context(), node, "oidc-provider.js", origin, "corp")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	p := &peerProvider{t: t, in: in, out: bufio.NewScanner(out)}
	p.issuer, _ = p.answer()["issuer"].(string)
	return p
}

// answer reads the next line of JSON, and passes over what else is printed.
func (p *peerProvider) answer() (answer map[string]any) {
	p.t.Helper()
	for p.out.Scan() {
		if json.Unmarshal(p.out.Bytes(), &answer) == nil {
			return answer
		}
	}
	p.t.Fatalf("the provider ended: %v", p.out.Err())
	return nil
}

// rotate has the provider sign by another key, and publish it alone.
func (p *peerProvider) rotate() {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "{\"do\":\"rotate\"}\n"); err != nil {
		p.t.Fatal(err)
	}
	p.answer()
}

// lines are those of the Caddyfile.
func (p *peerProvider) lines(more string) string {
	return "provider corp keycloak {\nlabel Corp\nissuer " + p.issuer + "\nclient_id site\nclient_secret \"a secret of the site that is long enough\"\n" +
		"allow_http\nallow_internal loopback\n" + more + "\n}\n"
}

// servePeer serves a site with a login at npm's oidc-provider; more are lines of
// the endpoint.
func servePeer(t *testing.T, more string) (s *server, p *peerProvider, site string) {
	t.Helper()
	// The provider knows the site, and the site the provider.
	listen := port(freeAddress(t))
	site = "http://localhost:" + listen
	p = newPeerProvider(t, site)
	s = serve(t, strings.NewReplacer("%s", p.lines("")+more, "{{site}}", "http://:"+listen).Replace(oidcSite))
	s.URL = "http://127.0.0.1:" + listen
	s.awaitStore()
	return s, p, site
}

// follow goes where answers lead, through the forms of the provider, until the
// site answers anything but a redirection.
func (v *visit) follow(site, location, name string) (string, reply) {
	v.t.Helper()
	form := url.Values(nil)
	for range 20 {
		got := v.askAt(location, form)
		form = nil
		next := got.Header.Get("Location")
		_, refreshed, _ := strings.Cut(got.Header.Get("Refresh"), "url=")
		switch hidden := regexp.MustCompile(`action="([^"]+)"><input type="hidden" name="xsrf" value="(\w+)"`).FindStringSubmatch(got.Body); {
		case next != "":
		case refreshed != "":
			next = refreshed
		case hidden != nil:
			next, form = hidden[1], url.Values{"xsrf": {hidden[2]}, "logout": {"yes"}}
		case strings.Contains(got.Body, "at the provider") || strings.Contains(got.Body, "<h1>Consent"):
			next, form = location, url.Values{"login": {name}, "ok": {"1"}}
		default:
			return location, got
		}
		from, err := url.Parse(location)
		if err != nil {
			v.t.Fatal(err)
		}
		to, err := from.Parse(next)
		if err != nil {
			v.t.Fatal(err)
		}
		location = to.String()
	}
	v.t.Fatalf("redirected in circles at %s", location)
	return "", reply{}
}

// TestOIDC_peer logs in and out at a provider of others, while it changes its keys.
func TestOIDC_peer(t *testing.T) {
	s, p, site := servePeer(t, "")
	v := s.visit()
	for round := range 2 {
		at, got := v.follow(site, site+"/wiki?page=1", "dora")
		if at != site+"/wiki?page=1" || got.Status != 200 || got.forwarded(t).Header.Get("Remote-User") != "dora" {
			t.Fatalf("round %d: the login ends at %s with %d: %s", round, at, got.Status, got.Body)
		}
		if round == 0 {
			p.rotate()
		}
		page := v.askAt(site+"/auth/logout/", nil)
		token := hiddenToken.FindStringSubmatch(page.Body)
		if token == nil {
			t.Fatalf("the logout page: %d %s", page.Status, page.Body)
		}
		left := v.askAt(site+"/auth/logout/", url.Values{"csrfmiddlewaretoken": {token[1]}, "next": {"/auth/logout/"}})
		if round == 1 {
			_, back := v.follow(site, endThere(t, left).String(), "")
			if !strings.Contains(back.Body, "You are logged out.") {
				t.Errorf("after the logout at the provider: %d %s", back.Status, back.Body)
			}
			// It asks again who is there.
			if at, got := v.follow(site, site+"/wiki", "emil"); got.forwarded(t).Header.Get("Remote-User") != "emil" {
				t.Errorf("logged out there, the next login ends at %s as %s", at, got.Body)
			}
		}
	}
}

// TestOIDC_peerBackchannel has a logout at the provider end the sessions of other browsers
// of the same login there.
func TestOIDC_peerBackchannel(t *testing.T) {
	s, p, site := servePeer(t, "")
	v := s.visit()
	if _, got := v.follow(site, site+"/wiki", "dora"); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	other := s.visit()
	if _, got := other.follow(site, site+"/wiki", "emil"); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	// Somebody logs out there, by whatever leads to it; the site is told.
	v.follow(site, p.issuer+"/session/end", "")
	if found := s.logs.await("logged out at the provider", 1); found[0]["ended"] != 1.0 || found[0]["provider"] != "corp" {
		t.Errorf("the log says %v", found)
	}
	if got := v.askAt(site+"/wiki", nil); got.Status != 302 {
		t.Errorf("the session is %d", got.Status)
	}
	if got := other.askAt(site+"/wiki", nil); got.Status != 200 {
		t.Errorf("somebody else's session is %d", got.Status)
	}
}

// askAt asks an absolute address, with a form if there is one.
func (v *visit) askAt(address string, form url.Values) reply {
	v.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	return readReply(v.t, response)
}
