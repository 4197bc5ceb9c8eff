// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package simplejwt

import (
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

// None is what a claim's name is set to that is not to be checked, as Python's.
const None = "none"

// Defaults, which are simplejwt's.
const (
	defaultAccess           = 5 * time.Minute
	defaultRefresh          = 24 * time.Hour
	defaultAlgorithm        = "HS256"
	defaultHeader           = "Authorization"
	defaultHeaderType       = "Bearer"
	defaultUserIDField      = FieldID
	defaultUserIDClaim      = "user_id"
	defaultTypeClaim        = "token_type"
	defaultIDClaim          = "jti"
	defaultRefreshExpClaim  = "refresh_exp"
	defaultRevokeTokenClaim = "hash_password"
)

// What user_id_field may be.
const (
	FieldID       = "id"
	FieldUsername = "username"
)

// Settings are those of djangorestframework-simplejwt, SIMPLE_JWT, in lower case,
// and those of dj-rest-auth that are about its cookies. Those of the rest_auth app
// are the default of every authenticator and endpoint of these tokens, which must
// agree: each inherits what it does not say itself.
type Settings struct {
	// How long an access token lives. Default: 5m.
	AccessTokenLifetime caddy.Duration `json:"access_token_lifetime,omitempty"`

	// How long a refresh token lives. Default: 1d.
	RefreshTokenLifetime caddy.Duration `json:"refresh_token_lifetime,omitempty"`

	// Whether a refresh token is good once: the answer to it has the next one.
	// Default: false.
	RotateRefreshTokens *bool `json:"rotate_refresh_tokens,omitempty"`

	// Whether a refresh token that was rotated is good no more, and its reuse ends
	// all that came from it. Without, as in simplejwt unless it is set, whoever
	// copied one can go on using it. Default: true.
	BlacklistAfterRotation *bool `json:"blacklist_after_rotation,omitempty"`

	// What tokens are signed with: HS256, HS384, HS512, RS256, RS384, RS512,
	// PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA. No other is accepted.
	// Default: HS256.
	Algorithm string `json:"algorithm,omitempty"`

	// The key that signs: a secret as long as the hash of HS256, HS384 or HS512,
	// and otherwise a private key in PEM. Django's is the SECRET_KEY. Best given as
	// a placeholder, as {file./etc/caddy/jwt.pem} or {env.SECRET_KEY}.
	// Default: one that is generated, and kept in Caddy's storage.
	SigningKey string `json:"signing_key,omitempty"`

	// The public key in PEM that verifies, for sites that only accept tokens, and
	// for projects with a key pair; several, one after another, while one takes the
	// place of another. With HS256, HS384 and HS512 a secret that has signed before,
	// and verifies beside the signing_key. Default: that of the signing_key.
	VerifyingKey string `json:"verifying_key,omitempty"`

	// How long a generated key signs, before the next one takes its place. The old
	// one verifies what it signed. Default: for ever; `caddy rest-auth signing-key
	// rotate` replaces it.
	SigningKeyLifetime caddy.Duration `json:"signing_key_lifetime,omitempty"`

	// Whom tokens are for: written to those that are made, and required, one of
	// several, of those that are accepted. Default: neither.
	Audience []string `json:"audience,omitempty"`

	// Who issues tokens: written to those that are made, and required of those
	// that are accepted. Default: neither.
	Issuer string `json:"issuer,omitempty"`

	// The address of a key set whose public keys verify, by their kid.
	// Default: none.
	JWKURL string `json:"jwk_url,omitempty"`

	// How the key set is fetched.
	JWKFetch *outbound.Settings `json:"jwk_fetch,omitempty"`

	// How far the clocks of those who issue and those who accept may be apart.
	// Default: 0.
	Leeway caddy.Duration `json:"leeway,omitempty"`

	// The words before a token in its header, in any case. The challenge has the
	// first. Default: Bearer.
	AuthHeaderTypes []string `json:"auth_header_types,omitempty"`

	// The header that a token comes in. The name of its variable in Django, as
	// HTTP_X_ACCESS_TOKEN, does, too. Default: Authorization.
	AuthHeaderName string `json:"auth_header_name,omitempty"`

	// What names the user in a token: id or username. The id of a user who was
	// imported from Django is the one there; others have the key of the store. A
	// username that is given up may become somebody else's. Default: id.
	UserIDField string `json:"user_id_field,omitempty"`

	// The claim that names the user. Default: user_id.
	UserIDClaim string `json:"user_id_claim,omitempty"`

	// Whether the user of a token has to be active. Off, an access token that was
	// issued before is accepted until it ends; logins and refreshes are refused in
	// either case. Default: true.
	CheckUserIsActive *bool `json:"check_user_is_active,omitempty"`

	// Which types of tokens authenticate requests: access, sliding, refresh.
	// AccessToken and its dotted path do, too. Default: access.
	AuthTokenClasses []string `json:"auth_token_classes,omitempty"`

	// The claim that says what a token is for; `none` writes and checks none, and
	// any token of the key is of every type then. Default: token_type.
	TokenTypeClaim string `json:"token_type_claim,omitempty"`

	// The claim that names the token; `none` writes and checks none.
	// Default: jti.
	JTIClaim string `json:"jti_claim,omitempty"`

	// The claim that says until when a sliding token can be renewed.
	// Default: refresh_exp.
	SlidingTokenRefreshExpClaim string `json:"sliding_token_refresh_exp_claim,omitempty"`

	// How long a sliding token lives without being renewed. Default: 5m.
	SlidingTokenLifetime caddy.Duration `json:"sliding_token_lifetime,omitempty"`

	// How long a sliding token can be renewed. Default: 1d.
	SlidingTokenRefreshLifetime caddy.Duration `json:"sliding_token_refresh_lifetime,omitempty"`

	// Whether access tokens end with a change of the user's password, too. Refresh
	// tokens that were issued here always do. Default: false.
	CheckRevokeToken *bool `json:"check_revoke_token,omitempty"`

	// The claim that ties a token to the password. Default: hash_password.
	RevokeTokenClaim string `json:"revoke_token_claim,omitempty"`

	Cookies
}

// Cookies are the settings of dj-rest-auth that are about them.
type Cookies struct {
	// The name of a cookie that holds the access token, for browsers.
	// Default: none; the token is in the body alone.
	JWTAuthCookie string `json:"jwt_auth_cookie,omitempty"`

	// The name of a cookie that holds the refresh token. Default: none.
	JWTAuthRefreshCookie string `json:"jwt_auth_refresh_cookie,omitempty"`

	// The path of the cookie with the access token. Default: /.
	JWTAuthCookiePath string `json:"jwt_auth_cookie_path,omitempty"`

	// The path of the cookie with the refresh token. The mount of the endpoint,
	// as /api/token/, keeps it from all other requests. Default: /.
	JWTAuthRefreshCookiePath string `json:"jwt_auth_refresh_cookie_path,omitempty"`

	// The domain whose hosts get the cookies. Default: none; the host that set
	// them gets them, and no other.
	JWTAuthCookieDomain string `json:"jwt_auth_cookie_domain,omitempty"`

	// Which requests of other sites carry the cookies: Lax (navigations), Strict
	// (none), None (all). Default: Lax.
	JWTAuthSameSite string `json:"jwt_auth_samesite,omitempty"`

	// Whether the cookies are sent over TLS only: on, off, or auto, which is on
	// where the login came over TLS. Default: auto.
	JWTAuthSecure string `json:"jwt_auth_secure,omitempty"`

	// Whether scripts are kept from the cookies. A refresh token in such a cookie
	// is not in the body. Default: true.
	JWTAuthHTTPOnly *bool `json:"jwt_auth_httponly,omitempty"`

	// Whether the answer to a login says when the tokens end. Default: false.
	JWTAuthReturnExpiration *bool `json:"jwt_auth_return_expiration,omitempty"`

	// Whether requests that are authenticated by a cookie, and those that a
	// cookie refreshes or ends, have to prove that a page of this site made them.
	// Default: true.
	JWTAuthCookieUseCSRF *bool `json:"jwt_auth_cookie_use_csrf,omitempty"`
}

// AnyCookie reports whether there is a cookie at all.
func (c *Cookies) AnyCookie() bool { return c.JWTAuthCookie != "" || c.JWTAuthRefreshCookie != "" }

// longest returns how long what is signed now may be accepted.
func (s *Settings) longest() time.Duration {
	return time.Duration(max(s.AccessTokenLifetime, s.RefreshTokenLifetime, s.SlidingTokenLifetime, s.SlidingTokenRefreshLifetime)) +
		time.Duration(s.Leeway)
}
