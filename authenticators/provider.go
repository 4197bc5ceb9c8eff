// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func init() {
	caddy.RegisterModule(new(Provider))
}

// providers is the namespace of Caddy's authentication providers.
const providers = "http.authentication.providers"

// Words of the option errors.
const (
	errorsUnavailable = "unavailable"
	errorsRefuse      = "refuse"
	errorsAbstain     = "abstain"
)

// Provider asks one of Caddy's own authentication providers, or one of another
// plugin, as a link of the ordered chain: whatever `http.handlers.authentication`
// can host.
//
// What the provider writes to the response tells whether it found credentials
// of its kind. If it challenges with the scheme that the request's
// Authorization has, they are bad and the request is refused; otherwise the
// next authenticator is asked. Its challenge, and a redirection, reach the client
// only if the request ends up refused. Everything else that it writes is dropped:
// status, body, cookies and other headers, as are its changes of the request. It
// does not see the body of the request.
//
// A user of the provider has its metadata as `{http.auth.user.claims.*}`; `name`
// and `email` among them feed the placeholders of these names. Answers are not
// remembered, since what they depend on cannot be known.
type Provider struct {
	// The provider, as in the handler `authentication`, and no more than one:
	// a map has no order.
	ProvidersRaw caddy.ModuleMap `json:"providers,omitempty" caddy:"namespace=http.authentication.providers"`

	// The challenge to send where the provider has recorded none, as
	// `Bearer realm="api"`. It also says whose credentials are the provider's:
	// an Authorization of another scheme is hidden from it, and one of this
	// scheme that it does not accept is refused. Default: none.
	DefaultChallenge string `json:"challenge,omitempty"`

	// What an error of the provider means where it neither challenged nor
	// redirected. With "unavailable" it could not tell, which is 503. With
	// "refuse" the credentials are bad. With "abstain" there are none of its
	// kind, and the next authenticator is asked, even if the provider did
	// challenge or redirect. Default: "unavailable".
	Errors string `json:"errors,omitempty"`

	// The metadata that holds the user's groups, separated by commas or blanks.
	// Default: none.
	GroupClaim string `json:"group_claim,omitempty"`

	auth.UserPrefix

	name      string
	source    string // tells apart two configurations of one provider
	scheme    string // of the challenge
	guest     caddyauth.Authenticator
	logger    *zap.Logger
	panicking panicLog
}

// CaddyModule returns the Caddy module information.
func (*Provider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.provider",
		New: func() caddy.Module { return new(Provider) },
	}
}

// Provision loads the provider.
func (p *Provider) Provision(ctx caddy.Context) error {
	p.logger = ctx.Logger()
	challenge, err := caddy.NewReplacer().ReplaceOrErr(p.DefaultChallenge, true, true)
	if err != nil {
		return fmt.Errorf("resolving the challenge: %w", err)
	}
	p.DefaultChallenge = challenge
	if p.DefaultChallenge != "" {
		if p.scheme = schemeOf(p.DefaultChallenge); p.scheme == "" {
			return fmt.Errorf("challenge %q: not a scheme and its parameters", p.DefaultChallenge)
		}
	}
	switch p.Errors {
	case "":
		p.Errors = errorsUnavailable
	case errorsUnavailable, errorsRefuse, errorsAbstain:
	default:
		return fmt.Errorf("errors: unknown word '%s', expected one of %v", p.Errors,
			[]string{errorsUnavailable, errorsRefuse, errorsAbstain})
	}
	if len(p.ProvidersRaw) != 1 {
		return errors.New("it needs one provider, and no more: a map has no order")
	}
	for name, raw := range p.ProvidersRaw {
		p.name, p.source = name, sourceName(name, raw)
	}
	loaded, err := ctx.LoadModule(p, "ProvidersRaw")
	if err != nil {
		return fmt.Errorf("loading the provider: %w", err)
	}
	guest, ok := loaded.(map[string]any)[p.name].(caddyauth.Authenticator)
	if !ok {
		return fmt.Errorf("loading the provider: '%s' is not one", p.name)
	}
	p.guest = guest
	return nil
}

// UserSource says that the users are those of this provider as it is configured
// here: the same name under another configuration may be another person.
func (p *Provider) UserSource() auth.Source { return p.Source(p.source) }

// Authenticate returns whom the provider says that the request was made by.
func (p *Provider) Authenticate(r *http.Request) (*auth.Identity, error) {
	if len(r.Header["Authorization"]) > 1 {
		return nil, auth.Ambiguous()
	}
	asked := isolated(r)
	if p.scheme != "" && !presents(r, p.scheme) {
		asked.Header.Del("Authorization")
	}
	w := newRecorder()
	user, authenticated, err := p.ask(w, asked)
	return p.judge(r, w, user, authenticated, err)
}

// ask calls the provider, whose panics are errors: they are its own, and no
// reason to let a request through or to end the connection.
func (p *Provider) ask(w *recorder, r *http.Request) (user caddyauth.User, authenticated bool, err error) {
	defer func() {
		if value := recover(); value != nil {
			p.panicking.log(p.logger, p.name, value)
			user, authenticated, err = caddyauth.User{}, false, errPanic
		}
	}()
	return p.guest.Authenticate(w, r)
}

// Challenge returns the challenge that the provider recorded for this request,
// and otherwise the configured one.
func (p *Provider) Challenge(_ *http.Request, cause error) string {
	if said, ok := errors.AsType[*verdict](cause); ok && said.challenge != "" {
		return said.challenge
	}
	return p.DefaultChallenge
}

// Redirect returns where the provider wanted to send this request, unless it is
// plain that no person would follow: a script's call, or one for JSON.
func (p *Provider) Redirect(r *http.Request, cause error) (location string, status int) {
	if said, ok := errors.AsType[*verdict](cause); ok && mayNavigate(r) {
		return said.location, said.status
	}
	return "", 0
}

// Interface guards
var (
	_ auth.Authenticator    = (*Provider)(nil)
	_ auth.Challenger       = (*Provider)(nil)
	_ auth.Redirector       = (*Provider)(nil)
	_ auth.UserSource       = (*Provider)(nil)
	_ caddy.Provisioner     = (*Provider)(nil)
	_ caddyfile.Unmarshaler = (*Provider)(nil)
)
