// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/htpasswd"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/users"
)

func init() {
	caddy.RegisterModule(new(Basic))
}

// maxBasic is the length in bytes of the longest credentials that are worth
// remembering: no longer name and password are accepted.
const maxBasic = 8 << 10

// Basic accepts a user name and a password in an Authorization header, as
// RFC 7617 and BasicAuthentication of Django REST framework do. The users are
// those of the configuration, then those of an htpasswd file, if there is one,
// then those of the store. The first who has the name decides.
//
// The header is read as leniently as Django reads it, and the name and password
// as UTF-8, or as Latin-1 if they are not UTF-8. A failed login answers
// `Invalid username/password.`, whatever was wrong with it, and takes as long.
type Basic struct {
	// The realm that browsers show and by which they remember the password.
	// Default: that of the rest_auth handler, which is "api" unless configured.
	Realm string `json:"realm,omitempty"`

	// An htpasswd file with users beside those of the app and of the store:
	// bcrypt, `$apr1$`, what `caddy hash-password` prints, and `{SHA}` if the app
	// allows unsalted_sha1. A change holds within a second.
	//
	// A file that is missing does not keep Caddy from starting, and one that
	// breaks while Caddy runs stands for a second: then logins of users who are
	// not of the configuration are answered 503 until it is in order. A file
	// that is broken when it is loaded is an error, which names the line.
	//
	// A user of the file has the name to itself in this handler. Default: none.
	Htpasswd string `json:"htpasswd,omitempty"`

	file      *htpasswd.File
	users     *users.Directory
	challenge string
}

// CaddyModule returns the Caddy module information.
func (*Basic) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "rest_auth.authenticators.basic",
		New: func() caddy.Module { return new(Basic) },
	}
}

// Provision resolves the realm and finds the users.
func (b *Basic) Provision(ctx caddy.Context) error {
	realm, err := caddy.NewReplacer().ReplaceOrErr(b.Realm, true, true)
	if err != nil {
		return fmt.Errorf("resolving the realm: %w", err)
	}
	b.Realm = realm
	b.challenge = basicChallenge("api")
	if b.Realm != "" {
		if !isQuotable(b.Realm) {
			return errors.New("the realm contains control characters")
		}
		b.challenge = basicChallenge(b.Realm)
	}
	if b.users, err = users.FromContext(ctx); err != nil {
		return fmt.Errorf("loading the users: %w", err)
	}
	if b.Htpasswd != "" {
		return b.openHtpasswd(ctx.Logger())
	}
	return nil
}

// SetRealm sets the realm of the challenge, unless one was configured.
func (b *Basic) SetRealm(realm string) {
	if b.Realm == "" && isQuotable(realm) {
		b.challenge = basicChallenge(realm)
	}
}

// UserSource says that the users are the app's and the store's own.
func (*Basic) UserSource() auth.Source { return auth.Local }

// Authenticate returns the user whose name and password the request carries.
func (b *Basic) Authenticate(r *http.Request) (*auth.Identity, error) {
	credentials, err := auth.Credentials(r, "Basic")
	if err != nil {
		return nil, err
	}
	name, password, ok := parseBasic(credentials)
	if !ok {
		return nil, &auth.Failure{
			Code:   auth.CodeAuthenticationFailed,
			Detail: "Invalid basic header. Credentials not correctly base64 encoded.",
			Err:    errBasicEncoding,
		}
	}
	id, err := b.users.AuthenticateBeside(r.Context(), b.roster(), name, password)
	if err != nil {
		return nil, err
	}
	id.Method = "basic"
	return id, nil
}

// Recheck tells whether the user may still log in with the same password.
func (b *Basic) Recheck(r *http.Request, id *auth.Identity) (*auth.Identity, error) {
	return b.users.RecheckBeside(r.Context(), b.roster(), id)
}

// CacheKey returns the client's network with the encoded name and password. A
// password can be guessed at, unlike a token: so it is remembered only where it
// was verified, and nothing is while somebody who guesses there has to wait.
func (b *Basic) CacheKey(r *http.Request) (secret []byte, ok bool) {
	credentials, err := auth.Credentials(r, "Basic")
	if err != nil || len(credentials) > maxBasic {
		return nil, false
	}
	if b.users.Guessed() {
		name, _, ok := parseBasic(credentials)
		if !ok || b.users.MustVerifyBeside(r.Context(), b.roster(), name) {
			return nil, false
		}
	}
	hash := ""
	if b.file != nil {
		if hash, ok = b.hashInFile(credentials); !ok {
			return nil, false
		}
	}
	network := users.Network(r.Context())
	secret = make([]byte, 0, len(hash)+1+len(network)+1+len(credentials))
	secret = append(append(secret, hash...), 0)
	secret = append(append(secret, network...), 0)
	return append(secret, credentials...), true
}

// Challenge returns the challenge of RFC 7617. It names no charset, since
// clients may send either.
func (b *Basic) Challenge(*http.Request, error) string { return b.challenge }

var errBasicEncoding = errors.New("no base64 of a name, a colon and a password")

func basicChallenge(realm string) string { return "Basic realm=" + quoted(realm) }

// parseBasic returns the name and the password of encoded credentials, and
// reports whether they could be decoded.
func parseBasic(credentials string) (name, password string, ok bool) {
	decoded, ok := decodeBase64(credentials)
	if !ok {
		return "", "", false
	}
	before, after, ok := bytes.Cut(decoded, []byte(":"))
	if !ok {
		return "", "", false
	}
	// One of them alone may look like UTF-8 although both are Latin-1.
	if !utf8.Valid(decoded) {
		return latin1(before), latin1(after), true
	}
	return string(before), string(after), true
}

func latin1(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate basic {
//	    realm    <name>
//	    htpasswd <file>
//	}
func (b *Basic) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		var field *string
		switch d.Val() {
		case "realm":
			field = &b.Realm
		case "htpasswd":
			field = &b.Htpasswd
		default:
			return d.Errf("unrecognized subdirective '%s'", d.Val())
		}
		if *field != "" {
			return d.Errf("%s is given twice", d.Val())
		}
		if !d.NextArg() || d.Val() == "" {
			return d.ArgErr()
		}
		*field = d.Val()
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	return nil
}

// Interface guards
var (
	_ auth.Authenticator    = (*Basic)(nil)
	_ auth.Challenger       = (*Basic)(nil)
	_ auth.Cacheable        = (*Basic)(nil)
	_ auth.Rechecker        = (*Basic)(nil)
	_ auth.RealmSetter      = (*Basic)(nil)
	_ auth.UserSource       = (*Basic)(nil)
	_ caddy.Provisioner     = (*Basic)(nil)
	_ caddyfile.Unmarshaler = (*Basic)(nil)
)
