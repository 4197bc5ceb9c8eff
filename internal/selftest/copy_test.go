// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// harmful is a configuration with everything that a copy must not do.
const harmful = `{
	"admin": {"listen": "forbidden:2019", "config": {"load": {"module": "forbidden"}}},
	"logging": {"logs": {"default": {"writer": {"output": "file", "filename": "/forbidden"}}}},
	"storage": {"module": "forbidden"},
	"apps": {
		"tls": {"automation": {"policies": [{"issuers": [{"module": "forbidden"}]}]}},
		"forbidden_app": {"listen": "forbidden"},
		"kept_app": {"a": 1},
		"rest_auth": {
			"store": {"driver": "forbidden"}, "users": [{"name": "forbidden", "password": "forbidden"}],
			"defaults": {"authenticators": [{"authenticator": "forbidden"}], "permissions": [{"permission": "forbidden"}], "throttles": [{"scope": "forbidden"}], "header_up": [{"name": "x-user", "value": "{http.auth.user.id}"}]}
		},
		"http": {
			"metrics": {"forbidden": true}, "grace_period": "1h", "http_port": 8000, "https_port": 8443,
			"servers": {"a": {
				"listen": ["forbidden:8443"], "listener_wrappers": [{"wrapper": "forbidden"}], "logs": {"default_logger_name": "forbidden"},
				"tls_connection_policies": [{"client_authentication": {"ca": {"provider": "forbidden"}}}],
				"trusted_proxies": {"source": "forbidden"}, "max_header_bytes": 12345,
				"expected_underscore_headers": ["x_y"],
				"routes": [
					{"handle": [{"handler": "tracing", "span": "forbidden"}, {"handler": "forbidden"}, {"handler": "kept", "routes": [{"handle": [{"handler": "rest_auth"}]}]}]},
					{"match": [{"path": ["/a"]}], "handle": [
						{"handler": "authentication", "providers": {"http_basic": {"accounts": "forbidden"}}},
						{"handler": "rest_auth_endpoints", "mounts": [{"path": "/a/", "throttles": [{"scope": "forbidden"}], "authenticators": [{"authenticator": "forbidden"}], "permissions": [{"permission": "forbidden"}]}]},
						{"handler": "rest_auth", "authenticators": [], "throttles": [{"scope": "forbidden"}], "header_up": [{"name": "A", "value": "b"}, {"name": "C", "delete": true}]},
						{"handler": "subroute", "routes": [{"handle": [{
							"handler": "reverse_proxy", "upstreams": [{"dial": "forbidden:1"}], "dynamic_upstreams": {"source": "forbidden"},
							"health_checks": {"active": {"uri": "forbidden"}}, "load_balancing": {"retries": 9}, "circuit_breaker": {"type": "forbidden"},
							"headers": {"request": {"set": {"Kept": ["1"]}}},
							"transport": {"protocol": "http", "tls": {"ca": {"provider": "forbidden"}}, "forward_proxy_url": "http://forbidden", "versions": ["h2c", "2"]},
							"handle_response": [{"routes": [{"handle": [{"handler": "reverse_proxy", "transport": {"protocol": "fastcgi", "root": "/kept", "dial_timeout": 1}, "upstreams": [{"dial": "forbidden:2"}]}]}]}]
						}]}]}
					]}
				]
			}}
		}
	}
}`

func copied(t *testing.T, config string) (*copier, object, []byte) {
	t.Helper()
	l := newLab(nil)
	t.Cleanup(l.close)
	c := &copier{lab: l, dir: t.TempDir(), keep: []string{"kept_app", "kept"}, ctx: t.Context()}
	t.Cleanup(c.close)
	encoded, err := c.copy([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	var root object
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&root); err != nil {
		t.Fatal(err)
	}
	return c, root, encoded
}

func TestCopyIsHarmless(t *testing.T) {
	c, root, encoded := copied(t, harmful)
	if at := bytes.Index(encoded, []byte("forbidden")); at >= 0 {
		t.Errorf("the copy has …%s", encoded[max(0, at-80):min(len(encoded), at+40)])
	}
	for _, kept := range []string{`"kept_app":{"a":1}`, `"Kept":["1"]`, `"max_header_bytes":12345`, `"expected_underscore_headers":["x_y"]`, `"root":"/kept"`, `"path":["/a"]`, `"handler":"kept"`} {
		if !bytes.Contains(encoded, []byte(kept)) {
			t.Errorf("the copy has no %s:\n%s", kept, encoded)
		}
	}
	admin := root["admin"].(object)
	if admin["disabled"] != true || admin["config"].(object)["persist"] != false {
		t.Errorf("admin is %v", admin)
	}
	var leftOut []string
	for name := range c.leftOut {
		leftOut = append(leftOut, name)
	}
	slices.Sort(leftOut)
	if diff := cmp.Diff([]string{"app forbidden_app", "client certificates of a", "handler forbidden", "handler tracing", "trusted_proxies forbidden of a"}, leftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

func TestCopyKnowsGuardsAndProxies(t *testing.T) {
	c, root, encoded := copied(t, harmful)
	if len(c.guards) != 2 || !slices.Equal(c.guards[0].names, []string{"X-User"}) || !slices.Equal(c.guards[1].names, []string{"A"}) {
		t.Errorf("guards are %+v", c.guards)
	}
	if len(c.proxies) != 2 || c.proxies[0].upstream != "dynamic forbidden, forbidden:1" || c.proxies[0].fastCGI || !c.proxies[1].fastCGI {
		t.Fatalf("proxies are %+v, %+v", c.proxies[0], c.proxies[1])
	}
	// The second asks nobody, and so does its copy.
	if n := strings.Count(string(encoded), `"authenticator":"self_test"`); n != 1 {
		t.Errorf("%d handlers of the copy ask the lab", n)
	}
	if n := strings.Count(string(encoded), `"permission":"allow_any"`); n != 2 {
		t.Errorf("%d handlers of the copy allow all", n)
	}
	server := root["apps"].(object)["http"].(object)["servers"].(object)["a"].(object)
	if listen := list(server["listen"]); len(listen) != 1 || !strings.HasPrefix(listen[0].(string), networkName+"/") {
		t.Errorf("it listens on %v", listen)
	}
	if !c.sites[0].https {
		t.Error("the site is not HTTPS")
	}
	for _, u := range c.upstreams {
		if !bytes.Contains(encoded, []byte(`"dial":"`+u.address()+`"`)) {
			t.Errorf("nothing is proxied to %s", u.address())
		}
	}
}

func TestCopyRefuses(t *testing.T) {
	for config, want := range map[string]string{
		"[]": "reading the configuration", "{": "reading the configuration", "{}": "no HTTP server",
		`{"apps": {"http": {"servers": {}}}}`: "no HTTP server", `{"apps": 1}`: "no HTTP server",
	} {
		c := &copier{lab: newLab(nil), ctx: t.Context()}
		if _, err := c.copy([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("copy(%s) = %v, want %s", config, err, want)
		}
		c.lab.close()
	}
}

// An empty list and none are opposites to the header matcher.
func TestCopyKeepsMatchers(t *testing.T) {
	const match = `"match":[{"header":{"X-Any":[],"X-None":null}}]`
	_, _, encoded := copied(t, `{"apps": {"http": {"servers": {"a": {"routes": [{`+match+`}]}}}}}`)
	if !bytes.Contains(encoded, []byte(match)) {
		t.Errorf("the copy is %s", encoded)
	}
}

func TestHTTPS(t *testing.T) {
	for server, want := range map[string]bool{
		`{"listen": [":443"]}`:                                                                                                true,
		`{"listen": [":80"], "tls_connection_policies": [{}]}`:                                                                false,
		`{"listen": [":8443"], "tls_connection_policies": [{}]}`:                                                              true,
		`{"listen": [":8443"], "routes": [{"match": [{"host": ["a.example"]}]}]}`:                                             true,
		`{"listen": [":8080"], "routes": [{"match": [{"path": ["/"]}]}]}`:                                                     false,
		`{"listen": [":8080"], "automatic_https": {"disable": true}, "routes": [{"match": [{"host": ["a.example"]}]}]}`:       false,
		`{"listen": [":8080"], "automatic_https": {"skip": ["a.example"]}, "routes": [{"match": [{"host": ["a.example"]}]}]}`: false,
	} {
		var raw object
		if err := json.Unmarshal([]byte(server), &raw); err != nil {
			t.Fatal(err)
		}
		if got := (httpsPorts{http: 80, https: 443}).serves(raw); got != want {
			t.Errorf("serves(%s) = %v, want %v", server, got, want)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	config := `{"a": ["{http.request.header.X-User} {http.request.header.x-b}", {"{http.request.header.C}": "{http.request.header."}], "d": "{http.request.header.X-User}"}`
	if diff := cmp.Diff([]string{"C", "X-User", "x-b"}, placeholders([]byte(config), "http.request.header.")); diff != "" {
		t.Errorf("placeholders (-want +got):\n%s", diff)
	}
}
