// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// TestParseCaddyfile holds the JSON of every permission. All of it loads.
func TestParseCaddyfile(t *testing.T) {
	tests := []struct{ input, want string }{
		{"allow_any", `{"permission":"allow_any"}`},
		{"authenticated", `{"permission":"authenticated"}`},
		{"staff", `{"permission":"staff"}`},
		{"superuser", `{"permission":"superuser"}`},
		{"read_only", `{"permission":"read_only"}`},
		{"authenticated_or_read_only", `{"permission":"authenticated_or_read_only"}`},
		{"user alice bob", `{"permission":"user","users":["alice","bob"]}`},
		{"group editors", `{"groups":["editors"],"permission":"group"}`},
		{"client app", `{"clients":["app"],"permission":"client"}`},
		{"scope a b", `{"permission":"scope","scopes":["a","b"]}`},
		{"read_write_scope", `{"permission":"read_write_scope"}`},
		{
			"read_write_scope a {\nread_scope r\nwrite_scope w\n}",
			`{"permission":"read_write_scope","read_scope":"r","scopes":["a"],"write_scope":"w"}`,
		},
		{
			"resource_scope music {\nread_scope r\nwrite_scope w\ncode c\n}",
			`{"code":"c","permission":"resource_scope","read_scope":"r","scopes":["music"],"write_scope":"w"}`,
		},
		{"authenticated_or_scope a", `{"permission":"authenticated_or_scope","scopes":["a"]}`},
		{
			"method_scopes {\nGET a b|c\nGET d\nPOST e | f g\nmessage m\n}",
			`{"message":"m","methods":{"GET":[["a","b"],["c"],["d"]],"POST":[["e"],["f","g"]]},"permission":"method_scopes"}`,
		},
		{"model blog.post", `{"model":"blog.post","permission":"model"}`},
		{
			"model blog.post anonymous_read {\nmessage m\n}",
			`{"anonymous_read":true,"message":"m","model":"blog.post","permission":"model"}`,
		},
		{"model blog.post view", `{"model":"blog.post","permission":"model","view":true}`},
		{"match path /x/* /y", `{"match":[{"path":["/x/*","/y"]}],"permission":"match"}`},
		{
			"match {\nremote_ip private_ranges\nmethod GET\ncode c\n}",
			`{"code":"c","match":[{"method":["GET"],"remote_ip":{"ranges":["192.168.0.0/16","172.16.0.0/12","10.0.0.0/8","127.0.0.1/8","fd00::/8","::1"]}}],"permission":"match"}`,
		},
		{"match expression `path('/x')`", `{"match":[{"expression":"path('/x')"}],"permission":"match"}`},
		{"match `path('/x')` {\ncode c\n}", `{"code":"c","match":[{"expression":"path('/x')"}],"permission":"match"}`},
		{"any authenticated read_only", `{"permission":"any","permissions":[{"permission":"authenticated"},{"permission":"read_only"}]}`},
		{
			"any {\nauthenticated\nall {\nread_only\nscope books.read\n}\nuser alice\n}",
			`{"permission":"any","permissions":[{"permission":"authenticated"},` +
				`{"permission":"all","permissions":[{"permission":"read_only"},{"permission":"scope","scopes":["books.read"]}]},` +
				`{"permission":"user","users":["alice"]}]}`,
		},
		{
			"all staff read_only {\nmessage m\n}",
			`{"message":"m","permission":"all","permissions":[{"permission":"staff"},{"permission":"read_only"}]}`,
		},
		{
			"all {\nmessage m\nstaff {\nmessage inner\n}\n}",
			`{"message":"m","permission":"all","permissions":[{"message":"inner","permission":"staff"}]}`,
		},
		{"not group suspended", `{"negated":{"groups":["suspended"],"permission":"group"},"permission":"not"}`},
		{
			"not group suspended {\nmessage m\n}",
			`{"message":"m","negated":{"groups":["suspended"],"permission":"group"},"permission":"not"}`,
		},
		{"not {\nuser alice\ncode c\n}", `{"code":"c","negated":{"permission":"user","users":["alice"]},"permission":"not"}`},
		{
			"not any {\nstaff\ncode c\nuser alice\n}",
			`{"code":"c","negated":{"permission":"any","permissions":[{"permission":"staff"},{"permission":"user","users":["alice"]}]},"permission":"not"}`,
		},
		{"not not staff", `{"negated":{"negated":{"permission":"staff"},"permission":"not"},"permission":"not"}`},
		{
			"staff {\nmessage \"Staff only.\"\ncode staff_only\nbody `{\"n\": 12345678901234567890}`\n}",
			`{"body":{"n":"12345678901234567890"},"code":"staff_only","message":"Staff only.","permission":"staff"}`,
		},
		{"test_wrapper", `{"permission":"test_wrapper"}`},
	}
	seen := make(map[string]bool)
	for _, tt := range tests {
		got, err := adapt(tt.input)
		if err != nil {
			t.Errorf("%q: %v", tt.input, err)
			continue
		}
		if got != tt.want {
			t.Errorf("%q =\n%s, want\n%s", tt.input, got, tt.want)
		}
		mustLoad(t, got)
		seen[strings.Fields(tt.input)[0]] = true
	}
	for _, info := range caddy.GetModules(namespace) {
		if name := info.ID.Name(); !seen[name] && !strings.HasPrefix(name, "test_") {
			t.Errorf("no case for %s", name)
		}
	}
}

func TestRefusedCaddyfile(t *testing.T) {
	const hint = "each word after 'any' is a permission without arguments; a block takes others, one a line"
	tests := []struct{ input, want string }{
		{"nothing", "unknown permission 'nothing', at Caddyfile:1"},
		{`""`, "unknown permission '', at Caddyfile:1"},
		{"message hello", "unknown permission 'message'"},
		{"user", "wrong argument count or unexpected line ending after 'user', at Caddyfile:1"},
		{"user {\nmessage m\n}", "wrong argument count or unexpected line ending after 'user'"},
		{"staff bob", "wrong argument count or unexpected line ending after 'bob'"},
		{"staff {\n}", "empty block after 'staff', at Caddyfile:1"},
		{"user bob { }", "empty block after 'user'"},
		{"staff {\nmesage m\n}", "unrecognized subdirective 'mesage', at Caddyfile:2"},
		{"staff {\nmessage\n}", "wrong argument count or unexpected line ending after 'message', at Caddyfile:2"},
		{"staff {\nmessage a b\n}", "wrong argument count"},
		{"staff {\nmessage \"\"\n}", "'message' is empty"},
		{"staff {\nmessage a\nmessage b\n}", "'message' is given twice, at Caddyfile:3"},
		{"staff {\nbody `{\"a\":1}`\nbody `{\"a\":1}`\n}", "'body' is given twice, at Caddyfile:3"},
		{"staff {\ncode c {\nx\n}\n}", "unexpected block"},
		{"staff {\ncode c {\n}\n}", "unexpected block"},
		{"staff {\nbody text\n}", "reading body: decoding JSON: invalid character"},
		{"staff {\nbody `[1]`\n}", "reading body: it must be a JSON object with at least one member, at Caddyfile:2"},
		{"read_write_scope {\nread_scope a b\n}", "wrong argument count"},
		{"scope a {\nread_scope r\n}", "unrecognized subdirective 'read_scope'"},
		{"resource_scope {\nread_scope r\n}", "wrong argument count"},
		{"method_scopes", "'method_scopes' needs at least one method in its block"},
		{"method_scopes {\nmessage m\n}", "'method_scopes' needs at least one method in its block"},
		{"method_scopes GET a", "wrong argument count"},
		{"method_scopes {\nGET\n}", "wrong argument count or unexpected line ending after 'GET'"},
		{"method_scopes {\nget a\n}", "unrecognized subdirective 'get'"},
		{"method_scopes {\nGET a |\n}", "method GET has an alternative without scopes"},
		{"method_scopes {\nGET a || b\n}", "method GET has an alternative without scopes"},
		{"method_scopes {\nGET a {\nb\n}\n}", "unexpected block"},
		{"model", "wrong argument count or unexpected line ending after 'model', at Caddyfile:1"},
		{"model blog", "model 'blog': expected app_label.model_name, as blog.post, at Caddyfile:1"},
		{"model blog.post.title", "model 'blog.post.title': expected"},
		{"model blog.", "model 'blog.': expected"},
		{"model .post", "model '.post': expected"},
		{"model 1blog.post", "model '1blog.post': expected"},
		{"model blog.blog-post", "model 'blog.blog-post': expected"},
		{`model "blog.add post"`, "model 'blog.add post': expected"},
		{"model blog.BlogPost", "write blog.blogpost, at Caddyfile:1"},
		{"model blog.post read", "unknown word 'read' after the model, expected anonymous_read or view, at Caddyfile:1"},
		{"model blog.post view anonymous_read", "wrong argument count"},
		{"model blog.post {\nview\n}", "unrecognized subdirective 'view', at Caddyfile:2"},
		{"any model staff", "wrong argument count or unexpected line ending after 'model', at Caddyfile:1: " + hint},
		{"match", "'match' needs at least one matcher"},
		{"match {\nmessage m\n}", "'match' needs at least one matcher"},
		{"match nothing", "getting matcher module 'nothing'"},
		{"match not {\npath /x\n}", "a matcher on the line of 'match' has no block"},
		{"match {\nnot {\n}\n}", "empty block after 'not'"},
		{"any", "'any' needs at least one permission"},
		{"all {\nmessage m\n}", "'all' needs at least one permission"},
		{"any {\n}", "empty block after 'any'"},
		{"any user read_only", "wrong argument count or unexpected line ending after 'user', at Caddyfile:1: " + hint},
		{"any read_only nothing", "unknown permission 'nothing', at Caddyfile:1: " + hint},
		{"any not staff", "'not' needs a permission, at Caddyfile:1: " + hint},
		{"any staff {\nuser bob\n}", "unexpected 'user': the permissions of 'any' stand on its line or in its block, not in both, at Caddyfile:2"},
		{"any {\nstaff\nnothing\n}", "unknown permission 'nothing', at Caddyfile:3"},
		{"any {\nstaff {\n}\n}", "empty block after 'staff', at Caddyfile:2"},
		{"not", "'not' needs a permission"},
		{"not {\nmessage m\n}", "'not' needs a permission"},
		{"not {\nstaff\nsuperuser\n}", "unexpected 'superuser': 'not' takes one permission, at Caddyfile:3"},
		{"not staff superuser", "wrong argument count"},
		{"not user", "wrong argument count"},
		{"not user {\nmessage m\n}", "wrong argument count"},
		{"not staff {\nuser bob\n}", "unrecognized subdirective 'user'"},
		{"not {\n}", "empty block after 'not'"},
		{"test_stranger", "module rest_auth.permissions.test_stranger is not a Caddyfile unmarshaler"},
	}
	for _, tt := range tests {
		got, err := adapt(tt.input)
		if err == nil {
			t.Errorf("%q = %s, want an error with %q", tt.input, got, tt.want)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want an error with %q", tt.input, err, tt.want)
		}
	}
}

// TestEveryPermissionIsStrict sweeps each permission over numbers of arguments
// and over blocks.
func TestEveryPermissionIsStrict(t *testing.T) {
	// How many words a permission takes; -1 is any number.
	words := map[string][2]int{
		"allow_any": {0, 0}, "authenticated": {0, 0}, "staff": {0, 0}, "superuser": {0, 0},
		"read_only": {0, 0}, "authenticated_or_read_only": {0, 0},
		"user": {1, -1}, "group": {1, -1}, "client": {1, -1}, "scope": {1, -1},
		"read_write_scope": {0, -1}, "resource_scope": {1, -1}, "authenticated_or_scope": {1, -1},
		"method_scopes": {-1, -1}, "model": {-1, -1}, "match": {-1, -1}, "any": {-1, -1}, "all": {-1, -1}, "not": {-1, -1},
	}
	for _, info := range caddy.GetModules(namespace) {
		name := info.ID.Name()
		if strings.HasPrefix(name, "test_") {
			continue
		}
		limits, known := words[name]
		if !known {
			t.Errorf("no limits for %s", name)
		}
		for n := range 5 {
			line := name + strings.Repeat(" word", n)
			want := limits[0] >= 0 && n >= limits[0] && (limits[1] < 0 || n <= limits[1])
			if _, err := adapt(line); (err == nil) != want {
				t.Errorf("%q: %v, want success: %v", line, err, want)
			}
			if _, err := adapt(line + " {\nmessage m\n}"); (err == nil) != want {
				t.Errorf("%q with a message: %v, want success: %v", line, err, want)
			}
			for _, block := range []string{" {\n}", " { }", " {\nunknown x\n}", " {\nmessage\n}"} {
				if got, err := adapt(line + block); err == nil {
					t.Errorf("%q = %s, want an error", line+block, got)
				}
			}
		}
	}
}

// TestParseCaddyfileStopsAtItsSegment holds that what follows the permission is
// left for the caller, whatever its shape.
func TestParseCaddyfileStopsAtItsSegment(t *testing.T) {
	const require = `{
		require staff
		require user a b
		require any {
			staff
			all {
				read_only
				not group g {
					message m
				}
			}
		}
		require match {
			path /x
		}
		require not match path /x
		require all staff read_only {
			code c
		}
		require superuser
	}`
	tokens, err := caddyfile.Tokenize([]byte("rest_auth "+require), "Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	d := caddyfile.NewDispenser(tokens)
	d.Next()
	count := 0
	for nesting := d.Nesting(); d.NextBlock(nesting); count++ {
		if d.Val() != "require" || !d.NextArg() {
			t.Fatalf("line %d begins with %q", d.Line(), d.Val())
		}
		if _, err := ParseCaddyfile(d); err != nil {
			t.Fatal(err)
		}
	}
	if count != 7 || d.Next() {
		t.Errorf("%d permissions, ending at %q, want 7 and the end", count, d.Val())
	}
}
