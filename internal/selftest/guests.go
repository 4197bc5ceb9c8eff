// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// register makes the guests known to Caddy. They admit everybody, so a process
// that runs no self-test does not have them at all, and one that does provisions
// them for the token of its own lab only.
var register = sync.OnceFunc(func() {
	caddy.RegisterModule(new(tester))
	caddy.RegisterModule(new(provider))
	caddy.RegisterModule(new(waypoint))
	caddy.RegisterNetwork(networkName, listen)
})

func labOf(token string) (*lab, error) {
	l, ok := labs.Load(token)
	if !ok {
		return nil, errors.New("this module is part of 'caddy rest-auth self-test' and of no configuration")
	}
	return l.(*lab), nil
}

// tester is the authenticator of every rest_auth handler of the copy.
type tester struct {
	Token string `json:"token"`
	Guard int    `json:"guard,omitempty"`
	// Input makes it one that finds nobody, and stands for an authenticator
	// that believes this header of some peers.
	Input string `json:"input,omitempty"`

	lab *lab
}

func (*tester) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "rest_auth.authenticators.self_test", New: func() caddy.Module { return new(tester) }}
}

func (t *tester) Provision(caddy.Context) (err error) {
	t.lab, err = labOf(t.Token)
	return err
}

func (*tester) UserSource() auth.Source { return auth.Local }

// Challenge makes refusals 401, as most sites answer them.
func (*tester) Challenge(*http.Request, error) string { return "SelfTest" }

// InputHeader has the handler keep the header from the upstream.
func (t *tester) InputHeader() string { return t.Input }

func (t *tester) Authenticate(*http.Request) (*auth.Identity, error) {
	if t.Input != "" {
		return nil, auth.ErrNoCredentials
	}
	switch t.lab.judge(t.Guard) {
	case known:
		return t.lab.tester, nil
	case refused:
		return nil, &auth.Failure{}
	case anonymous:
	}
	return nil, auth.ErrNoCredentials
}

// provider stands in for the providers of Caddy's own authentication handler.
type provider struct {
	Token string `json:"token"`

	lab *lab
}

func (*provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.authentication.providers.rest_auth_self_test", New: func() caddy.Module { return new(provider) }}
}

func (p *provider) Provision(caddy.Context) (err error) {
	p.lab, err = labOf(p.Token)
	return err
}

func (p *provider) Authenticate(http.ResponseWriter, *http.Request) (caddyauth.User, bool, error) {
	switch _, as := p.lab.underWay(); as {
	case known:
		return caddyauth.User{ID: p.lab.tester.ID}, true, nil
	case refused:
		return caddyauth.User{}, false, nil
	case anonymous:
	}
	return caddyauth.User{}, true, nil
}

// waypoint is a handler that notes what comes by.
type waypoint struct {
	Token string `json:"token"`
	Place string `json:"place"` // entry, before or after
	Guard int    `json:"guard,omitempty"`
	Alone bool   `json:"alone,omitempty"` // at the entry of a server without rest_auth handlers

	lab *lab
}

func (*waypoint) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.rest_auth_self_test", New: func() caddy.Module { return new(waypoint) }}
}

func (p *waypoint) Provision(caddy.Context) (err error) {
	p.lab, err = labOf(p.Token)
	return err
}

func (p *waypoint) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	request, _ := p.lab.underWay()
	fails := p.Place == "after"
	switch p.Place {
	case "entry":
		fails = p.Alone
		if request != nil && request.https {
			r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: hostname(r.Host)}
		}
	case "before":
		p.lab.pass(p.Guard)
	}
	if fails && request != nil && request.fails != 0 {
		return caddyhttp.Error(request.fails, fmt.Errorf("the self-test asks for an error"))
	}
	return next.ServeHTTP(w, r)
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// Interface guards
var (
	_ auth.Authenticator          = (*tester)(nil)
	_ auth.Challenger             = (*tester)(nil)
	_ auth.UserSource             = (*tester)(nil)
	_ caddy.Provisioner           = (*tester)(nil)
	_ caddyauth.Authenticator     = (*provider)(nil)
	_ caddy.Provisioner           = (*provider)(nil)
	_ caddyhttp.MiddlewareHandler = (*waypoint)(nil)
	_ caddy.Provisioner           = (*waypoint)(nil)
)
