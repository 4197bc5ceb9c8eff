// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/selftest"
)

// tripwire is an upstream that nobody may touch.
func tripwire(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var touched atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			touched.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
		if n := touched.Load(); n > 0 {
			t.Errorf("a real upstream was asked %d times", n)
		}
	})
	return listener.Addr().String()
}

// testedSite is a site with every reason to be left alone: a store that cannot
// be made, certificates that are not there, a port that is taken.
const testedSite = `{
	rest_auth {
		store sqlite {{dir}}/none/rest_auth.db
	}
	email canary-email@example.com
}
(guard) {
	rest_auth {
		authenticate token
		require group canary-group
		header_up Remote-User {http.auth.user.id}
	}
}
https://site.example:{{port}} {
	tls {{dir}}/none/cert.pem {{dir}}/none/key.pem
	%s
}
`

func runSelfTest(t *testing.T, caddyfile string, options selftest.Options) *selftest.Report {
	t.Helper()
	upstream, dir := tripwire(t), t.TempDir()
	_, taken, _ := net.SplitHostPort(upstream)
	config, err := adapt(strings.NewReplacer(
		"{{upstream}}", upstream, "{{other}}", tripwire(t), "{{port}}", taken, "{{dir}}", dir).Replace(caddyfile))
	if err != nil {
		t.Fatal(err)
	}
	ignored := goleak.IgnoreCurrent()
	report, err := selftest.Run(t.Context(), config, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := goleak.Find(ignored); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("the self-test made %v", left)
	}
	return report
}

// summary returns findings in short, but for the notice that every site gets.
func summary(report *selftest.Report) []string {
	said := []string{}
	for _, f := range report.Findings {
		if len(f.Proxies) == 0 {
			said = append(said, strings.TrimSpace(fmt.Sprintf("%s %d %s", f.Severity, f.Proxy, f.Header)))
		}
	}
	return said
}

// Every hole is found, and nothing else is.
func TestSelfTestFindsHoles(t *testing.T) {
	const proxied = "import guard\nreverse_proxy {{upstream}}"
	tests := map[string]struct {
		site    string
		options selftest.Options
		want    []string
		// sent is a spelling that has to be among those of the first finding,
		// request a part of its request.
		sent, request string
	}{
		"correct": {site: proxied},
		"correct, the matcher leaves requests out": {site: `
			@write method POST
			rest_auth @write {
				authenticate token
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{upstream}}`},
		"correct, preflights pass": {site: `
			rest_auth {
				authenticate token
				cors https://self-test.example
				header_up Remote-User {http.auth.user.id}
			}
			reverse_proxy {{upstream}}`},
		"a client's header copied by the proxy": {
			site: "import guard\nreverse_proxy {{upstream}} {\nheader_up Remote-User {header.X-User}\n}",
			want: []string{"leak 1 Remote-User"}, sent: "X-User: …",
		},
		"a client's header copied behind rest_auth": {
			site: "import guard\nrequest_header Remote-User {header.X-User}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "X-User: …",
		},
		"a client's header copied behind a throttle": {
			site: "rest_auth {\nauthenticate token\nthrottle anonymous 1/day\nthrottle user 0/day\nheader_up Remote-User {http.auth.user.id}\n}\nrequest_header Remote-User {header.X-User}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "X-User: …",
		},
		"a query copied": {
			site: "import guard\nreverse_proxy {{upstream}} {\nheader_up Remote-User {query.as}\n}",
			want: []string{"leak 1 Remote-User"}, sent: "?as=…",
		},
		"a cookie copied": {
			site: "import guard\nreverse_proxy {{upstream}} {\nheader_up Remote-User {cookie.as}\n}",
			want: []string{"leak 1 Remote-User"}, sent: "Cookie: as=…",
		},
		"a part of a header copied": {
			site: "import guard\n@x header_regexp u X-Own ^u:(.+)$\nrequest_header @x Remote-User {re.u.1}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "X-Own: …",
		},
		"a part of a header copied by an expression": {
			site: "import guard\n@x expression `header_regexp('u', 'X-Own', '^u:(.+)$')`\nrequest_header @x Remote-User {re.u.1}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "X-Own: …",
		},
		"a part of a header copied by map": {
			site: "import guard\nmap {header.X-Own} {who} {\n~^u:(.+)$ \"${1}\"\n}\nrequest_header Remote-User {who}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "X-Own: …",
		},
		"a part of the path copied": {
			site: "import guard\n@x path_regexp u ^/as/([^/]+)/\nrequest_header @x Remote-User {re.u.1}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "in the path",
		},
		"a segment of the path copied": {
			site: "import guard\nrequest_header Remote-User {path.1}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 Remote-User"}, sent: "in the path",
		},
		"a part of the path for something else": {
			site: "import guard\n@x path_regexp t ^/as/([^/]+)/\nrequest_header @x X-Tenant {re.t.1}\nreverse_proxy {{upstream}}",
		},
		"a way around": {
			site: "handle /public/* {\nreverse_proxy {{upstream}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"leak 1 Remote-User"}, sent: "Remote-User: …", request: "GET https://site.example/public/self-test",
		},
		"a way around to another upstream": {
			site: "handle /public/* {\nreverse_proxy {{other}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"notice 1"}, request: "GET https://site.example/public/self-test",
		},
		"a way around to another upstream that believes a header": {
			site:    "handle /public/* {\nreverse_proxy {{other}}\n}\nhandle {\n" + proxied + "\n}",
			options: selftest.Options{Headers: []string{"x-user"}},
			want:    []string{"leak 1 X-User", "leak 2 X-User"},
		},
		"a way around by method": {
			site: "@put method PUT\nhandle @put {\nreverse_proxy {{upstream}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"leak 1 Remote-User"}, request: "PUT https://site.example/",
		},
		"a way around by address": {
			site: "@lan remote_ip 10.1.0.0/16\nhandle @lan {\nreverse_proxy {{upstream}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"leak 1 Remote-User"}, request: "from 10.1.0.1",
		},
		"a way around by expression": {
			site: "@odd expression `method('PATCH') && path('/odd/*')`\nhandle @odd {\nreverse_proxy {{upstream}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"leak 1 Remote-User"}, request: "PATCH https://site.example/odd/self-test",
		},
		"a way around what is guarded only": {
			site: "@guarded not path /public/*\nhandle @guarded {\n" + proxied + "\n}\nreverse_proxy {{upstream}}",
			want: []string{"leak 2 Remote-User"}, request: "/public/self-test",
		},
		"two guards, one header": {
			site: "handle /a/* {\nrest_auth {\nauthenticate token\n}\nreverse_proxy {{upstream}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"leak 1 Remote-User"}, sent: "Remote-User: …",
		},
		"a name that differs by an underscore": {
			site: "rest_auth {\nauthenticate token\n}\nreverse_proxy {{upstream}} {\nheader_up Remote_User {http.auth.user.id}\n}",
			want: []string{"leak 1 Remote_user"}, sent: "Remote-user: …",
		},
		"a header that a client can have removed": {
			site: "import guard\nrequest_header X-Id {http.auth.user.id}\nreverse_proxy {{upstream}}",
			want: []string{"leak 1 X-Id", "lost 1 X-Id"},
		},
		"a header that does not arrive": {
			site: "import guard\nrequest_header -Remote-User\nreverse_proxy {{upstream}}",
			want: []string{"notice 1 Remote-User"},
		},
		"a way around to one of several upstreams": {
			site: "handle /public/* {\nreverse_proxy {{upstream}}\n}\nhandle {\nimport guard\nreverse_proxy {{other}} {{upstream}}\n}",
			want: []string{"leak 1 Remote-User"}, request: "GET https://site.example/public/self-test",
		},
		"a way around to an upstream by another name": {
			site: "handle /public/* {\nreverse_proxy localhost:1\n}\nhandle {\nimport guard\nreverse_proxy http://[::1]:1\n}",
			want: []string{"leak 1 Remote-User"}, request: "GET https://site.example/public/self-test",
		},
		"a way around by a method that no matcher names": {
			site: "@put expression `{method} in ['PUT']`\nhandle @put {\nreverse_proxy {{upstream}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"leak 1 Remote-User", "unreached 1"}, sent: "Remote-User with PUT",
		},
		"a way around by preflights of an origin": {
			site: "@shop expression `{header.Origin} == 'https://shop.example'`\nhandle @shop {\nreverse_proxy {{upstream}}\n}\nhandle {\n" +
				"rest_auth {\nauthenticate token\ncors https://shop.example\nheader_up Remote-User {http.auth.user.id}\n}\nreverse_proxy {{upstream}}\n}",
			want: []string{"leak 1 Remote-User", "unreached 1"}, sent: "Remote-User in a CORS preflight of https://shop.example",
		},
		"a header that is believed of some": {site: `
			rest_auth {
				authenticate remote_user {
					header X-Sso-User from 10.0.0.0/8
				}
			}
			reverse_proxy {{upstream}}`},
		"a header that is believed of some, and passed on elsewhere": {site: `
			handle /open {
				rest_auth {
					authenticate token
				}
				reverse_proxy {{upstream}}
			}
			handle {
				rest_auth {
					authenticate remote_user {
						header X-Sso-User from 10.0.0.0/8
					}
				}
				reverse_proxy {{upstream}}
			}`, want: []string{"leak 1 X-Sso-User"}},
		"a gateway that says who the client is": {
			site: "forward_auth gate.invalid:80 {\nuri /verify\ncopy_headers X-Gate\n}\nrest_auth {\nauthenticate token\nheader_up X-Gate {http.auth.user.id}\n}\nreverse_proxy {{upstream}}",
			want: []string{"notice 1"},
		},
		"a gateway whose word another route copies from the client": {
			site: "forward_auth /a/* gate.invalid:80 {\nuri /verify\ncopy_headers X-Gate\n}\nrest_auth {\nauthenticate token\n}\nreverse_proxy {{upstream}}",
			want: []string{"leak 2 X-Gate", "notice 1"},
		},
		"a claim": {site: "rest_auth {\nauthenticate token\nheader_up X-Tenant {http.auth.user.claims.tenant.id}\n}\nreverse_proxy {{upstream}}"},
		"FastCGI": {
			site: "import guard\nroot * /srv\nphp_fastcgi {{upstream}}",
		},
		"FastCGI, a variable from a header": {
			site: "import guard\nroot * /srv\nphp_fastcgi {{upstream}} {\nenv REMOTE_USER {header.X-User}\n}",
			want: []string{"leak 1 REMOTE_USER"}, sent: "X-User: …",
		},
		"a proxy in the error routes": {
			site: proxied + "\nhandle_errors {\nreverse_proxy {{upstream}}\n}",
			want: []string{"leak 2 Remote-User"}, sent: "Remote-User: …", request: "AAAA… (33 letters) https://site.example",
		},
		"a guarded proxy in the error routes": {
			site: proxied + "\nhandle_errors {\nrest_auth {\nauthenticate token\nrequire allow_any\nheader_up Remote-User {http.auth.user.id}\n}\nreverse_proxy {{upstream}}\n}",
		},
		"a proxy for one error": {
			site: proxied + "\nhandle_errors 418 {\nreverse_proxy {{other}}\n}",
		},
		"a proxy that nothing reaches": {
			site: "@never expression `{query.k}.startsWith(\"zz\")`\nhandle @never {\nreverse_proxy {{other}}\n}\nhandle {\n" + proxied + "\n}",
			want: []string{"unreached 1"},
		},
		"a proxy that a URL reaches": {
			site:    "@never expression `{query.k}.startsWith(\"zz\")`\nhandle @never {\n" + proxied + "\n}\nhandle {\n" + proxied + "\n}",
			options: selftest.Options{URLs: []string{"https://site.example/?k=zzz"}},
		},
		"everything else": {
			site: `
			basic_auth {
				bob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG
			}
			handle_path /api/* {
				@v1 path_regexp v ^/v[0-9]+/(users|groups)/?$
				handle @v1 {
					import guard
					reverse_proxy {{upstream}} {
						lb_policy first
						health_uri /healthy
						transport http {
							tls_server_name x.example
						}
						@down status 503
						handle_response @down {
							import guard
							reverse_proxy {{other}}
						}
					}
				}
			}
			@json {
				header Content-Type application/json*
				query kind=*
			}
			handle @json {
				import guard
				reverse_proxy h2c://{{upstream}}
			}
			forward_auth /gate/* gate.invalid:80 {
				uri /verify
			}
			handle /gate/* {
				import guard
				reverse_proxy unix//run/none.sock
			}
			handle {
				import guard
				reverse_proxy {
					dynamic a app.invalid 80
				}
			}`,
			// The gate is asked before rest_auth is.
			want: []string{"notice 1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.want == nil {
				test.want = []string{}
			}
			report := runSelfTest(t, fmt.Sprintf(testedSite, test.site), test.options)
			if diff := cmp.Diff(test.want, summary(report)); diff != "" {
				var text bytes.Buffer
				_ = report.Write(&text)
				_ = report.WriteList(&text)
				t.Fatalf("findings (-want +got):\n%s%s", diff, text.String())
			}
			if wantOK := !slices.ContainsFunc(test.want, func(f string) bool { return !strings.HasPrefix(f, "notice") }); report.OK != wantOK {
				t.Errorf("OK = %v", report.OK)
			}
			if test.sent != "" && !slices.Contains(report.Findings[0].Spellings, test.sent) {
				t.Errorf("the client sent %q, want %q among them", report.Findings[0].Spellings, test.sent)
			}
			if test.request != "" && !strings.Contains(report.Findings[0].Request, test.request) {
				t.Errorf("the request is %q, want %q", report.Findings[0].Request, test.request)
			}
		})
	}
}

// What is shipped passes.
func TestSelfTestOfExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, "examples", "*.*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	files = append(files, filepath.Join(repository, "Caddyfile.example"), filepath.Join(repository, "examples/demo/Caddyfile"))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			config := []byte(readText(t, file))
			if filepath.Ext(file) != ".json" {
				if config, err = adapt(string(config)); err != nil {
					t.Fatal(err)
				}
			}
			report, err := selftest.Run(t.Context(), config, selftest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(report); !report.OK || len(got) > 0 {
				t.Errorf("findings: %v", got)
			}
		})
	}
}
