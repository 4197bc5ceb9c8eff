// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustRules(t *testing.T, lines ...HeaderUp) *headerRules {
	t.Helper()
	rules, err := newHeaderRules(lines)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// Whatever spelling of a name that is set here a client sends, none of it is
// left: not one that CGI, WSGI or PHP would read as the same.
func TestStrip_anySpelling(t *testing.T) {
	rules := mustRules(t, HeaderUp{Name: "Remote-User", Value: "x"}, HeaderUp{Name: "X-Auth-Groups", Value: "y"})
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"remote-user", "x-auth-groups"}).Draw(t, "name")
		spelled := []byte(name)
		for i, c := range spelled {
			switch {
			case c == '-':
				spelled[i] = rapid.SampledFrom([]byte("-_.~!*'+^`|#$%&")).Draw(t, "separator")
			case rapid.Bool().Draw(t, "upper"):
				spelled[i] = c - 'a' + 'A'
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header[string(spelled)] = []string{"mallory", "twice"}
		r.Header["X-Other"] = []string{"stays"}
		rules.strip(r)
		if len(r.Header) != 1 || r.Header.Get("X-Other") != "stays" {
			t.Fatalf("after strip of %q: %v", spelled, r.Header)
		}
	})
}

func TestStrip_connection(t *testing.T) {
	rules := mustRules(t, HeaderUp{Name: "Remote-User", Value: "x"})
	tests := map[string]struct{ lines, want []string }{
		"not ours":           {[]string{"keep-alive, X-Trace"}, []string{"keep-alive, X-Trace"}},
		"ours alone":         {[]string{"Remote-User"}, nil},
		"ours among others":  {[]string{"close, Remote-User, X-Trace"}, []string{"close, X-Trace"}},
		"ours in lower case": {[]string{"close,remote-user"}, []string{"close"}},
		"ours as an alias":   {[]string{"close, remote_user"}, []string{"close"}},
		"several lines":      {[]string{"close", " REMOTE-USER ", "upgrade"}, []string{"close", "upgrade"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Connection": test.lines}
			rules.stripConnection(header)
			if got := header["Connection"]; strings.Join(got, "|") != strings.Join(test.want, "|") {
				t.Errorf("Connection = %q, want %q", got, test.want)
			}
		})
	}
}

// net/http adds the trailers that arrived at the end of the body.
func TestStrip_trailersAtTheEndOfTheBody(t *testing.T) {
	rules := mustRules(t, HeaderUp{Name: "Remote-User", Value: "x"})
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Trailer = http.Header{"Remote-User": nil, "X-Checksum": nil}
	r.Body = io.NopCloser(&lateTrailers{r.Trailer, strings.NewReader("body")})
	rules.strip(r)
	if _, announced := r.Trailer["Remote-User"]; announced {
		t.Error("the announcement is still there")
	}
	if body, err := io.ReadAll(r.Body); err != nil || string(body) != "body" {
		t.Fatalf("reading the body: %q, %v", body, err)
	}
	if len(r.Trailer) != 1 || r.Trailer.Get("X-Checksum") != "1" {
		t.Errorf("trailers are %v", r.Trailer)
	}
}

type lateTrailers struct {
	trailer http.Header
	*strings.Reader
}

func (l *lateTrailers) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err == io.EOF {
		l.trailer["Remote-User"] = []string{"mallory"}
		l.trailer["REMOTE_USER"] = []string{"mallory"}
		l.trailer["X-Checksum"] = []string{"1"}
	}
	return n, err
}

func TestHeaderRules_refused(t *testing.T) {
	tests := map[string]struct {
		lines []HeaderUp
		want  string
	}{
		"no name":        {[]HeaderUp{{Value: "x"}}, "'' is not a header name"},
		"a blank":        {[]HeaderUp{{Name: "Remote User", Value: "x"}}, "'Remote User' is not a header name"},
		"a colon":        {[]HeaderUp{{Name: "Remote-User:", Value: "x"}}, "'Remote-User:' is not a header name"},
		"no value":       {[]HeaderUp{{Name: "Remote-User"}}, "Remote-User has no value"},
		"both":           {[]HeaderUp{{Name: "Remote-User", Value: "x", Delete: true}}, "Remote-User is both set and deleted"},
		"both, two ways": {[]HeaderUp{{Name: "Remote-User", Value: "x"}, {Name: "remote_user", Delete: true}}, "Remote-User is both set and deleted"},
		"a new line":     {[]HeaderUp{{Name: "Remote-User", Value: "a\nb"}}, "Remote-User: the value has control characters"},
		"the host":       {[]HeaderUp{{Name: "host", Value: "x"}}, "Host cannot be changed here"},
		"framing":        {[]HeaderUp{{Name: "transfer_encoding", Delete: true}}, "Transfer_encoding cannot be changed here"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := newHeaderRules(test.lines); err == nil || err.Error() != test.want {
				t.Errorf("newHeaderRules(%v) = %v, want %s", test.lines, err, test.want)
			}
		})
	}
}
