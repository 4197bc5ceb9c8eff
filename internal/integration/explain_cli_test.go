// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExplainGolden compares what people get to read, who read it at night.
func TestExplainGolden(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	site2 := "http://127.0.0.1:" + strings.TrimPrefix(s.vars["{{site2}}"], "http://:")
	for name, row := range map[string]struct {
		method, url string
		lines       []string
	}{
		"allowed": {"GET", s.URL + "/plain?page=2", []string{
			token("token-alice"), "Cookie: sessionid=canary", "Remote-User: root", "Remote_User: root", "Accept: text/html",
		}},
		"anonymous":       {"GET", s.URL + "/lenient", []string{token("wrong")}},
		"unauthenticated": {"GET", s.URL + "/plain", nil},
		"failed":          {"GET", s.URL + "/plain", []string{token("wrong-and-long")}},
		"inactive":        {"GET", s.URL + "/plain", []string{token("token-gone")}},
		"twice":           {"GET", s.URL + "/plain", []string{token("token-alice"), token("token-bob")}},
		"denied":          {"GET", s.URL + "/tree", []string{token("token-alice")}},
		"two_handlers":    {"DELETE", s.URL + "/two", []string{token("token-alice")}},
		"left_out":        {"GET", s.URL + "/matched/public", []string{"Remote-User: root"}},
		"unguarded":       {"GET", s.URL + "/open", nil},
		"nobody":          {"GET", s.URL + "/nowhere", nil},
		"unavailable":     {"GET", s.URL + "/broken", nil},
		"preflight":       {"OPTIONS", s.URL + "/cors", []string{"Origin: https://app.example", "Access-Control-Request-Method: PUT"}},
		"not_run":         {"GET", s.URL + "/mystery", nil},
		"error_route":     {"GET", site2 + "/", nil},
		"named":           {"GET", s.URL + "/named", []string{token("token-bob")}},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.askToExplain(s.question(row.method, row.url, row.lines...), "Accept: text/plain").Body
			got = strings.NewReplacer(port(strings.TrimPrefix(s.URL, "http://")), "PORT", port(strings.TrimPrefix(site2, "http://")), "PORT2", s.echo.address, "UPSTREAM").Replace(got)
			got = regexp.MustCompile(`store:[0-9A-Z]{26}`).ReplaceAllString(got, "store:KEY")
			got = regexp.MustCompile(`srv[01] `).ReplaceAllString(got, "srvN ") // by the order of the ports
			file := filepath.Join("explain", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(readText(t, file), got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestCLIExplain(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	sh := newShell(t, "")
	sh.admin = s.Admin
	sh.write("headers", "authorization: Token token-alice\r\n\nAccept: */*\n")
	explain := "explain --address $ADMIN --url " + s.URL
	here := s.explain("GET", "/plain").Server
	sh.run(
		step{args: explain + "/tree -X POST -H $ATheaders", out: "^403 Forbidden, refused: alice is known(.|\\n)*POST http(.|\\n)*NO  staff"},
		step{args: explain + "/plain -H - --json", stdin: "Authorization: Token token-alice", out: `"verdict": "allowed"`},
		step{args: "explain --address $ADMIN --url https://api.example.com/plain --server " + here, out: "^401 Unauthorized, refused: no credentials(.|\\n)*as plain HTTP"},
		step{args: explain + "/client --from 192.0.2.7:4711", out: "^403 Forbidden(.|\\n)*from +192.0.2.7:4711"},
		step{args: explain + "/plain -H Authorization:@Token@canary", fails: true, out: `^\z`, err: "-H number 1 is a credential"},
		step{args: explain + "/plain --server nowhere", fails: true, err: "there are srv0 \\("},
		step{args: "explain --address $ADMIN", fails: true, err: "--url is missing"},
		step{args: "explain --offline --url http://x/", fails: true, err: "only a running Caddy"},
	)
}
