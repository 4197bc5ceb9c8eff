// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
)

const sessionCaddyfile = `{
	admin {{admin}}
	persist_config off
	auto_https off
	default_bind 127.0.0.1
	rest_auth {
		store sqlite {{dir}}/rest_auth.db
	}
}
{{site}} {
	rest_auth_endpoints {
		session /auth/
	}
	rest_auth {
		authenticate session
	}
	respond "in"
}
`

func TestCLISessions(t *testing.T) {
	address := freeAddress(t)
	sh := newShell(t, strings.ReplaceAll(sessionCaddyfile, "{{site}}", "http://:"+port(address)))
	sh.start()
	s := &server{t: t, URL: "http://" + address}
	for _, name := range []string{"alice", "bob"} {
		sh.run(step{args: "user add " + name + " --address $ADMIN --password-stdin", stdin: "correct horse\n", err: "added user"})
	}
	login := func(name string) (*visit, string) {
		t.Helper()
		v := s.visit()
		csrf := v.ask("GET", "/auth/login/", "", asJSON).state(t).CSRF
		in := v.ask("POST", "/auth/login/", `{"username":"`+name+`","password":"correct horse"}`, asJSON, ofJSON, "X-CSRFToken: "+csrf, "User-Agent: Probe/1").state(t)
		return v, *in.Session
	}
	first, handle := login("alice")
	second, _ := login("alice")
	third, _ := login("bob")
	expect := func(v *visit, status int) {
		t.Helper()
		if got := v.ask("GET", "/", ""); got.Status != status {
			t.Errorf("a session is answered %d, want %d", got.Status, status)
		}
	}
	expect(first, 200)
	sh.run(
		step{args: "session list --address $ADMIN", out: `^HANDLE +USER +ADDRESS +BROWSER +CREATED +LAST USED +EXPIRES +STATUS
` + handle + ` +alice +127\.0\.0\.1 +Probe/1 +2\d{3}-.* +live\n.* alice .*\n.* bob .*\n\z`},
		step{args: "session list --user bob --address $ADMIN --json", out: `"user": "bob"`},
		step{args: "session list --user carol --address $ADMIN", fails: true, err: "there is no user 'carol'"},
		step{args: "session end --address $ADMIN", fails: true, err: "name handles, or say --all"},
		step{args: "session end x --all --address $ADMIN", fails: true, err: "either name handles"},
		step{args: "session end nothing --address $ADMIN", fails: true, err: "there is no session 'nothing'"},
		step{args: "session end " + first.cookie("sessionid") + " --address $ADMIN", fails: true, err: "a session is named by its handle|may be a secret"},
		step{args: "session end " + handle + " --address $ADMIN", out: `^\z`, err: "ended session " + handle},
	)
	expect(first, 403)
	expect(second, 200)
	sh.run(step{args: "session end --user alice --all --address $ADMIN", err: "ended 1 sessions of alice"})
	expect(second, 403)
	expect(third, 200)
	sh.run(
		step{args: "session end --all --offline --config Caddyfile", err: "ended 1 sessions of everybody"},
		step{args: "session list --address $ADMIN", out: `^HANDLE[A-Z ]*\n\z`},
	)
}
