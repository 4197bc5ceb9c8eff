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

// TestExplainGolden compares what the command writes for people, who read it at
// night.
func TestExplainGolden(t *testing.T) {
	s := serve(t, explainSite)
	s.seed()
	sh := newShell(t, "")
	sh.admin = s.Admin
	site2 := "http://127.0.0.1:" + strings.TrimPrefix(s.vars["{{site2}}"], "http://:")
	for name, row := range map[string]struct{ args, headers string }{
		"allowed":         {s.URL + "/plain?page=2 -H Remote-User:@root -H Remote_User:@root -H Accept:@text/html", "Authorization: Token token-alice\nCookie: sessionid=canary\n"},
		"anonymous":       {s.URL + "/lenient", "Authorization: Token wrong\n"},
		"unauthenticated": {s.URL + "/plain", ""},
		"failed":          {s.URL + "/plain", "Authorization: Token wrong-and-long\n"},
		"inactive":        {s.URL + "/plain", "Authorization: Token token-gone\n"},
		"twice":           {s.URL + "/plain", "Authorization: Token token-alice\nAuthorization: Token token-bob\n"},
		"denied":          {s.URL + "/tree", "Authorization: Token token-alice\n"},
		"two_handlers":    {s.URL + "/two -X DELETE", "Authorization: Token token-alice\n"},
		"left_out":        {s.URL + "/matched/public -H Remote-User:@root", ""},
		"unguarded":       {s.URL + "/open", ""},
		"nobody":          {s.URL + "/nowhere", ""},
		"unavailable":     {s.URL + "/broken", ""},
		"preflight":       {s.URL + "/cors -X OPTIONS -H Origin:@https://app.example -H Access-Control-Request-Method:@PUT", ""},
		"not_run":         {s.URL + "/mystery", ""},
		"error_route":     {site2 + "/", ""},
		"elsewhere":       {s.URL + "/client --from 192.0.2.7:4711", ""},
		"named":           {s.URL + "/named", "Authorization: Token token-bob\n"},
	} {
		t.Run(name, func(t *testing.T) {
			args := "explain --address $ADMIN --url " + row.args
			if row.headers != "" {
				args += " -H -"
			}
			got, _ := sh.exec(step{args: args, stdin: row.headers})
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
	sh.write("malformed", "Accept: */*\ncanary-without-a-name\n")
	explain := "explain --address $ADMIN --url " + s.URL
	here := s.explain("GET", "/plain").Server
	sh.run(
		step{args: explain + "/plain -H $ATheaders", out: "^allowed: alice, by token"},
		step{args: explain + "/plain -H $AT-", stdin: "Authorization: Token token-alice", out: "^allowed: alice, by token"},
		step{args: explain + "/plain -H $ATheaders --json", out: `"verdict": "allowed"`},
		step{args: "explain --address $ADMIN --url https://api.example.com/plain --server " + here, out: "^401 Unauthorized, refused: no credentials(.|\n)*as plain HTTP"},
		step{args: explain + "/plain -H Authorization:@Token@canary", fails: true, out: `^\z`, err: "-H number 1 is a credential"},
		step{args: explain + "/plain -H Accept:@x -H X-Api-Key:canary", fails: true, err: "-H number 2 is a credential"},
		step{args: explain + "/plain -H X-Custom:@cra_000000000000000000000000000000000000", fails: true, err: "-H number 1 is a credential"},
		step{args: explain + "/plain -H canary", fails: true, err: "-H number 1: must be a header"},
		step{args: explain + "/plain -H $ATmalformed", fails: true, err: "line 2: must be a header"},
		step{args: explain + "/plain -H $ATabsent", fails: true, err: "reading headers: open absent"},
		step{args: explain + "/plain --server nowhere", fails: true, err: "there are srv0 \\("},
		step{args: explain + "/plain --from canary", fails: true, err: "from: must be an IP address"},
		step{args: "explain --address $ADMIN --url canary", fails: true, err: "url: must begin with"},
		step{args: "explain --address $ADMIN", fails: true, err: "--url is missing"},
		step{args: "explain --offline --url http://x/", fails: true, err: "only a running Caddy"},
		step{args: "explain canary --address $ADMIN", fails: true, err: "unknown command"},
	)
	for _, args := range []string{"/plain -H canary", "/plain -H $ATmalformed", "/plain -H Authorization:@Token@canary", "/plain --from canary"} {
		if _, stderr := sh.exec(step{args: explain + args, fails: true}); strings.Contains(stderr, "canary") {
			t.Errorf("%s: the error repeats what may be a secret: %s", args, stderr)
		}
	}
}
