// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
)

// A RefusedError says that a login fails because of the browser's request or the
// provider's answer. Text is for people; the cause is logged.
type RefusedError struct {
	Text string
	Err  error
}

func (r *RefusedError) Error() string { return "the login was refused: " + r.Err.Error() }

// Unwrap returns the cause.
func (r *RefusedError) Unwrap() error { return r.Err }

// textFailed is all that people learn of an answer that proves nothing: what is
// wrong with it is between the site and the provider.
const textFailed = "Login failed."

func failed(format string, args ...any) error {
	return &RefusedError{Text: textFailed, Err: fmt.Errorf(format, args...)}
}

// A Result is somebody who has logged in at the provider.
type Result struct {
	// User is who that is here.
	User *auth.Identity

	// Stated is what the provider says of the user: those of the groups and
	// flags that hold for this login.
	Stated *auth.Identity

	// Issuer, Subject and SID are the provider's names of itself, the user and
	// its own session; SID may be empty.
	Issuer, Subject, SID string

	// IDToken is what proved it; empty at GitHub, and if it is too long for a
	// logout to begin with it.
	IDToken string
}

// Metadata returns what the provider says of itself, or an *auth.Unavailable.
// At GitHub, which says nothing, it is what GitHub documents.
func (p *Provider) Metadata(ctx context.Context) (*discovery.Metadata, error) {
	if p.Preset == presetGitHub {
		return p.githubMetadata(), nil
	}
	metadata, err := p.metadata.Metadata(ctx)
	if err != nil {
		return nil, unavailable(fmt.Errorf("provider %s: %w", p.Name, err))
	}
	return metadata, nil
}

// Begin returns where the browser goes to log in.
func (p *Provider) Begin(ctx context.Context, a *Attempt) (location string, err error) {
	metadata, err := p.Metadata(ctx)
	if err != nil {
		return "", err
	}
	if metadata.AuthorizationEndpoint == "" || metadata.TokenEndpoint == "" {
		return "", unavailable(fmt.Errorf("provider %s: its metadata names no authorization or token endpoint", p.Name))
	}
	endpoint, err := url.Parse(metadata.AuthorizationEndpoint)
	if err != nil {
		return "", unavailable(fmt.Errorf("provider %s: %w", p.Name, err))
	}
	query := endpoint.Query()
	for name, value := range p.Params {
		query.Set(name, value)
	}
	query.Set("response_type", "code")
	query.Set("client_id", p.ClientID)
	query.Set("redirect_uri", a.RedirectURI)
	query.Set("scope", strings.Join(p.Scopes, " "))
	query.Set("state", a.State)
	challenge := sha256.Sum256([]byte(a.Verifier))
	query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	query.Set("code_challenge_method", "S256")
	if p.Prompt != "" {
		query.Set("prompt", p.Prompt)
	}
	if p.Preset != presetGitHub {
		query.Set("nonce", a.Nonce)
		if len(p.ACRValues) > 0 {
			query.Set("acr_values", strings.Join(p.ACRValues, " "))
		}
		if p.MaxAge > 0 {
			query.Set("max_age", strconv.Itoa(int(time.Duration(p.MaxAge)/time.Second)))
		}
	}
	endpoint.RawQuery = query.Encode()
	return endpoint.String(), nil
}

// CheckIssuer judges the parameter iss of an answer (RFC 9207): a provider that
// sends it says so, and then its answers have it.
func (p *Provider) CheckIssuer(ctx context.Context, iss string, given bool) error {
	metadata, err := p.Metadata(ctx)
	switch {
	case err != nil:
		return err
	case !given && metadata.AuthorizationResponseIss:
		return failed("the answer does not say which provider it is from")
	case given && iss != metadata.Issuer && !p.namesItself(iss):
		return failed("the answer is from another provider")
	}
	return nil
}

// namesItself reports whether a name that is not in the metadata is the
// provider's all the same: Entra ID has one for each tenant, and GitHub's
// authorization server is a path of its site.
func (p *Provider) namesItself(iss string) bool {
	switch p.Preset {
	case presetEntra:
		return p.everyTenant() && p.acceptIssuer()(iss)
	case presetGitHub:
		return iss == p.Issuer+"/login/oauth"
	}
	return false
}

// Finish exchanges the code of an answer, and returns who has logged in. It
// returns a *RefusedError, an *auth.Failure or *auth.Denial for a user who may not,
// or an *auth.Unavailable.
func (p *Provider) Finish(ctx context.Context, a *Attempt, code string) (*Result, error) {
	waiting, cancel := context.WithTimeout(ctx, exchangePatience)
	defer cancel()
	select {
	case p.exchanges <- struct{}{}:
		defer func() { <-p.exchanges }()
	case <-waiting.Done():
		return nil, unavailable(fmt.Errorf("provider %s: %d logins are being finished already", p.Name, maxExchanges))
	}
	ctx, cancel = context.WithTimeout(ctx, finishPatience)
	defer cancel()
	token, err := p.exchange(ctx, a, code)
	if err != nil {
		return nil, err
	}
	if p.Preset == presetGitHub {
		return p.finishGitHub(ctx, token.AccessToken)
	}
	result, claims, err := p.identify(ctx, a, token)
	if err != nil {
		return nil, err
	}
	if p.Userinfo {
		if claims, err = p.addUserinfo(ctx, claims, result.Subject, token.AccessToken); err != nil {
			return nil, err
		}
	}
	return p.admit(ctx, result, claims)
}

// exchange redeems the code.
func (p *Provider) exchange(ctx context.Context, a *Attempt, code string) (*oauth2.Token, error) {
	metadata, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	config := oauth2.Config{
		ClientID: p.ClientID, RedirectURL: a.RedirectURI,
		Endpoint: oauth2.Endpoint{TokenURL: metadata.TokenEndpoint, AuthStyle: oauth2.AuthStyleInParams},
	}
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(a.Verifier)}
	switch p.clientAuth(metadata.TokenEndpointAuthMethods) {
	case clientBasic:
		config.ClientSecret, config.Endpoint.AuthStyle = p.secret, oauth2.AuthStyleInHeader
	case clientPost:
		config.ClientSecret = p.secret
	case clientKey:
		assertion, err := p.assertion(metadata.TokenEndpoint)
		if err != nil {
			return nil, unavailable(err)
		}
		options = append(options, assertion...)
	}
	token, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, p.client.HTTP()), code, options...)
	if err != nil {
		return nil, p.exchangeError(err)
	}
	return token, nil
}

// exchangeError tells a code that the provider does not take from a provider
// that does not work or does not take this site for what it says it is.
func (p *Provider) exchangeError(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return unavailable(fmt.Errorf("provider %s: exchanging the code: %w", p.Name, err))
	}
	word := clean(answer.ErrorCode)
	// GitHub's words, and that of RFC 6749 section 5.2.
	if slices.Contains([]string{"invalid_grant", "bad_verification_code"}, word) {
		return failed("provider %s does not take the code: %s", p.Name, word)
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	return unavailable(fmt.Errorf("provider %s: exchanging the code: status %d, error '%s'", p.Name, status, word))
}

// admit returns who of ours the claims speak of, if they may log in.
func (p *Provider) admit(ctx context.Context, result *Result, claims json.RawMessage) (*Result, error) {
	stated, err := p.Mapping.Identity(claims)
	if err != nil {
		return nil, err
	}
	if len(p.AllowedGroups) > 0 && !slices.ContainsFunc(p.AllowedGroups, stated.InGroup) {
		return nil, &auth.Denial{Code: "group", Detail: "Your account is in none of the groups that may log in here."}
	}
	if !p.domainAllowed(stated) {
		return nil, &auth.Denial{Code: "domain", Detail: "Your account is of none of the organizations that may log in here."}
	}
	if p.Preset == presetEntra && p.EmailClaim == "" && p.severalTenants() && !ownsDomain(stated) {
		stated.Email = "" // whoever administers a tenant writes what they like
	}
	result.Stated = stated
	issuer, subject, err := p.account(result, stated)
	if err != nil {
		return nil, err
	}
	if result.User, err = p.Accounts.Identity(ctx, stated, issuer, subject); err != nil {
		return nil, err
	}
	p.Refresh(ctx, result.User, stated)
	return result, nil
}

// account returns by which issuer and subject the store knows the user: those of
// the provider, and of Entra ID the tenant and the object, as `authenticate
// entra` knows it. Entra ID gives each of its clients another subject.
func (p *Provider) account(result *Result, stated *auth.Identity) (issuer, subject string, err error) {
	if p.Preset != presetEntra {
		return result.Issuer, result.Subject, nil
	}
	claim, _ := stated.Claim("tid")
	tenant, _ := claim.(string)
	claim, _ = stated.Claim("oid")
	object, _ := claim.(string)
	if !tenantID.MatchString(tenant) || !tenantID.MatchString(object) {
		return "", "", failed("the ID token of %s: tid or oid is no identifier", p.Name)
	}
	return "entra:" + tenant, object, nil
}

// ownsDomain reports whether Entra ID says that the domain of the address is the
// tenant's own.
func ownsDomain(stated *auth.Identity) bool {
	claim, _ := stated.Claim("xms_edov")
	switch word := fmt.Sprint(claim); word {
	case "true", "1":
		return true
	}
	return false
}

func (p *Provider) domainAllowed(stated *auth.Identity) bool {
	if len(p.AllowedDomains) == 0 {
		return true
	}
	domain := ""
	// At Google anybody may have an account for an address of any domain.
	if p.atGoogle() {
		claim, _ := stated.Claim("hd")
		domain, _ = claim.(string)
	} else if verified, _ := stated.Claim("email_verified"); verified == true {
		claim, _ := stated.Claim("email")
		email, _ := claim.(string)
		if at := strings.LastIndexByte(email, '@'); at > 0 {
			domain = email[at+1:]
		}
	}
	return domain != "" && slices.ContainsFunc(p.AllowedDomains, func(allowed string) bool { return strings.EqualFold(allowed, domain) })
}

// unavailable says that the provider is the reason that nothing can be decided.
func unavailable(err error) error {
	if _, ok := errors.AsType[*auth.Unavailable](err); ok {
		return err
	}
	return &auth.Unavailable{RetryAfter: 5 * time.Second, Err: err}
}

// clean returns a word that somebody else has written as a log can have it.
func clean(word string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f || c == '\'' {
			return '?'
		}
		return c
	}, word[:min(len(word), 64)])
}
