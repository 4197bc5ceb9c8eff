// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

func init() {
	caddy.RegisterModule(new(RemoteUser))
}

// RemoteUser accepts whom another program has authenticated, as
// RemoteUserAuthentication of Django REST framework does: a handler of Caddy
// that ran before, whose placeholder `from` names, or a proxy before Caddy,
// whose `header` is believed because of the address that it comes from.
// It takes one of them.
//
// A request without a name, with the name of an unknown or of an inactive user,
// and one whose header comes from anybody else is nobody's: the next
// authenticator is asked. There is no challenge, so a site where this comes
// first refuses with 403.
type RemoteUser struct {
	// The placeholder that holds the name, as `{http.auth.user.id}` of another
	// plugin, `{http.vars.user}`, `{http.reverse_proxy.header.Remote-User}` of
	// forward_auth, or `{http.request.tls.client.subject}`. A placeholder that
	// clients write is an error, and a client's certificate counts only if it
	// was verified.
	From string `json:"from,omitempty"`

	// The header that holds the name, and who may send it.
	Header *RemoteHeader `json:"header,omitempty"`

	// Adds unknown users to the store, without a password. Who is to be kept
	// out then has to be disabled: a deleted user is added again.
	// Default: false, unknown users are nobody.
	Create bool `json:"create,omitempty"`

	// Domains that are removed where they stand before a name, as CORP in
	// `CORP\alice`, in any letter case. Names in other domains stay as they
	// are. Default: none.
	StripDomains []string `json:"strip_domains,omitempty"`

	// Realms that are removed where they stand after a name, as CORP.EXAMPLE in
	// `alice@CORP.EXAMPLE`, in any letter case. Names in other realms stay as
	// they are. Default: none.
	StripRealms []string `json:"strip_realms,omitempty"`

	// Turns names into lower case, for a directory to which Alice and alice are
	// one user. Default: false.
	Lowercase bool `json:"lowercase,omitempty"`

	placeholder string // From without its braces
	users       *users.Directory
	logger      *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*RemoteUser) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.remote_user",
		New: func() caddy.Module { return new(RemoteUser) },
	}
}

// Provision refuses sources that a client could write to.
func (u *RemoteUser) Provision(ctx caddy.Context) (err error) {
	u.logger = ctx.Logger()
	switch {
	case u.From == "" && u.Header == nil:
		return errors.New("neither from nor header says where the name of the user is")
	case u.From != "" && u.Header != nil:
		return errors.New("from and header are both given: write an authenticator for each")
	case u.Header != nil:
		if err := u.Header.provision(); err != nil {
			return fmt.Errorf("header: %w", err)
		}
	default:
		if u.placeholder, err = parsePlaceholder(u.From); err != nil {
			return fmt.Errorf("from: %w", err)
		}
	}
	for _, list := range [][]string{u.StripDomains, u.StripRealms} {
		for _, word := range list {
			if word == "" || word == "*" {
				return fmt.Errorf("'%s' is no domain or realm: each that is to be removed has to be named", word)
			}
		}
	}
	if u.users, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	return nil
}

// UserSource says that the users are the app's and the store's own.
func (*RemoteUser) UserSource() auth.Source { return auth.Local }

// InputHeader returns the header that is believed, if one is. The handler
// removes it from every request, whoever sent it.
func (u *RemoteUser) InputHeader() string {
	if u.Header == nil {
		return ""
	}
	return u.Header.Name
}

// Notice keeps what the request says of its user, before the handler forgets
// what earlier handlers set and removes the header.
func (u *RemoteUser) Notice(r *http.Request) {
	if u.Header != nil {
		u.Header.notice(r)
	} else {
		noticePlaceholder(r, u.placeholder)
	}
}

// Authenticate returns the user whom the request is said to be made by.
func (u *RemoteUser) Authenticate(r *http.Request) (*auth.Identity, error) {
	name, err := u.name(r)
	if err != nil {
		return nil, &auth.Failure{Code: auth.CodeAuthenticationFailed, Detail: "Invalid remote user.", Err: err}
	}
	if name == "" {
		return nil, auth.ErrNoCredentials
	}
	id, err := u.users.Named(r.Context(), name)
	if u.Create && errors.Is(err, users.ErrUnknown) {
		id, err = u.users.Create(r.Context(), name)
	}
	if err != nil {
		if check := u.logger.Check(zap.DebugLevel, "remote user is not let in"); check != nil {
			check.Write(zap.String("user", name), zap.Error(err))
		}
		return nil, err
	}
	id.Method = "remote_user"
	return id, nil
}

// CacheKey returns the name. Who sent it is judged for each request: a name
// from anybody else has no key.
func (u *RemoteUser) CacheKey(r *http.Request) (secret []byte, ok bool) {
	name, err := u.name(r)
	return readOnly(name), err == nil && name != ""
}

// name returns the login name that the request says, or nothing.
func (u *RemoteUser) name(r *http.Request) (string, error) {
	said, list, err := u.said(r)
	if err != nil || said == "" {
		return "", err
	}
	return u.clean(said, list)
}

// said returns what the request says of its user, and whether a comma in it
// would separate two.
func (u *RemoteUser) said(r *http.Request) (value string, list bool, err error) {
	if u.Header == nil {
		return placeholderValue(r, u.placeholder)
	}
	value, err = u.Header.value(r)
	return value, true, err
}

// Interface guards
var (
	_ auth.Authenticator = (*RemoteUser)(nil)
	_ auth.Cacheable     = (*RemoteUser)(nil)
	_ auth.HeaderReader  = (*RemoteUser)(nil)
	_ auth.Noticer       = (*RemoteUser)(nil)
	_ auth.UserSource    = (*RemoteUser)(nil)
	_ caddy.Provisioner  = (*RemoteUser)(nil)
)
