// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package oidclogin

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
)

// leeway is how far the provider's clock may be from ours.
const leeway = time.Minute

// maxSubject is the longest name that a provider gives to somebody, or to a
// session (OpenID Connect Core section 2 says 255 for the first).
const maxSubject = 255

// idTypes are what ID tokens say that they are. Most say JWT; one that says it is
// an access token is none.
var idTypes = []string{"", "JWT", "ID", "id_token", "id+jwt"}

// identify returns whom the ID token of an exchange names, with its claims
// (OpenID Connect Core section 3.1.3.7).
func (p *Provider) identify(ctx context.Context, a *Attempt, token *oauth2.Token) (*Result, json.RawMessage, error) {
	compact, _ := token.Extra("id_token").(string)
	if compact == "" {
		return nil, nil, failed("provider %s gave no ID token", p.Name)
	}
	t, err := jose.Parse(compact)
	if err != nil {
		return nil, nil, failed("the ID token of %s: %w", p.Name, err)
	}
	issuer, err := p.verify(ctx, t, idTypes)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkLogin(t, a); err != nil {
		return nil, nil, failed("the ID token of %s: %w", p.Name, err)
	}
	if err := checkHash(t, token.AccessToken); err != nil {
		return nil, nil, failed("the ID token of %s: %w", p.Name, err)
	}
	result := &Result{Issuer: issuer}
	if len(compact) <= maxHint {
		result.IDToken = compact
	}
	if result.Subject, err = name(t, "sub"); err != nil || result.Subject == "" {
		return nil, nil, failed("the ID token of %s: sub is missing, empty or too long", p.Name)
	}
	if result.SID, err = name(t, "sid"); err != nil {
		return nil, nil, failed("the ID token of %s: sid is not a text, or too long", p.Name)
	}
	return result, t.Payload, nil
}

// verify judges what ID and logout tokens have in common: issuer, audience,
// times, signature. It returns the issuer.
func (p *Provider) verify(ctx context.Context, t *jose.Token, types []string) (issuer string, err error) {
	if strings.HasPrefix(t.Alg, "HS") {
		// The secret of a client is a password and no key: who has it could name
		// whoever it likes, and it may be short.
		return "", failed("a token of %s is signed with a shared secret", p.Name)
	}
	metadata, err := p.Metadata(ctx)
	if err != nil {
		return "", err
	}
	if issuer, err = p.issuerOf(t, metadata.Issuer); err != nil {
		return "", err
	}
	rules := jose.Rules{Audiences: []string{p.ClientID}, Types: types, Leeway: leeway}
	if err := rules.Check(t, p.now()); err != nil {
		return "", failed("a token of %s: %w", p.Name, err)
	}
	if !t.Has("iat") {
		return "", failed("a token of %s: iat is missing", p.Name)
	}
	keys, err := p.keys.Find(ctx, t.Alg, t.KeyID)
	switch {
	case errors.Is(err, keyset.ErrUnknownKey):
		return "", failed("a token of %s: %w", p.Name, err)
	case err != nil:
		return "", unavailable(err)
	}
	// Entra ID says of keys whose they are; that of one tenant proves nothing of
	// another.
	keys = slices.DeleteFunc(slices.Clone(keys), func(key *keyset.Key) bool {
		return key.Issuer != "" && key.Issuer != issuer && strings.ReplaceAll(key.Issuer, entraTemplate, tenantOf(t)) != issuer
	})
	if err := t.Verify(keys); err != nil {
		return "", failed("a token of %s: %w", p.Name, err)
	}
	return issuer, nil
}

// issuerOf returns who the token says it is from, if that is the provider.
func (p *Provider) issuerOf(t *jose.Token, expected string) (string, error) {
	issuer, _, err := t.String("iss")
	if err != nil {
		return "", failed("a token of %s: %w", p.Name, err)
	}
	if p.Preset == presetEntra {
		tenant := tenantOf(t)
		if len(p.AllowedTenants) > 0 && !slices.Contains(p.AllowedTenants, tenant) {
			return "", failed("a token of %s is of another tenant", p.Name)
		}
		expected = strings.ReplaceAll(expected, entraTemplate, tenant)
	}
	if issuer != expected {
		return "", failed("a token of %s names another issuer", p.Name)
	}
	return issuer, nil
}

// tenantOf returns the directory that a token of Entra ID is of.
func tenantOf(t *jose.Token) string {
	tenant, _, err := t.String("tid")
	if err != nil || !tenantID.MatchString(tenant) {
		return "none"
	}
	return tenant
}

// checkLogin judges what binds the ID token to this login and to this site.
func (p *Provider) checkLogin(t *jose.Token, a *Attempt) error {
	nonce, _, err := t.String("nonce")
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(a.Nonce)) != 1 {
		return errors.New("it is of another login")
	}
	audiences, err := t.Audience()
	if err != nil {
		return err
	}
	party, named, err := t.String("azp")
	switch {
	case err != nil:
		return err
	case named && party != p.ClientID, !named && len(audiences) > 1:
		return errors.New("it was issued to another party")
	}
	if len(p.ACRValues) > 0 {
		acr, _, err := t.String("acr")
		if err != nil || !slices.Contains(p.ACRValues, acr) {
			return errors.New("the login was in none of the ways of acr_values")
		}
	}
	if p.MaxAge > 0 {
		at, given, err := t.Time("auth_time")
		switch {
		case err != nil:
			return err
		case !given:
			return errors.New("auth_time is missing, which max_age asks for")
		case p.now().Sub(at) > time.Duration(p.MaxAge)+leeway:
			return errors.New("the login at the provider is older than max_age")
		}
	}
	return nil
}

// checkHash compares the access token with the digest that the ID token may have
// of it (OpenID Connect Core section 3.1.3.6).
func checkHash(t *jose.Token, accessToken string) error {
	want, given, err := t.String("at_hash")
	if err != nil || !given {
		return err
	}
	var digest []byte
	switch {
	case strings.HasSuffix(t.Alg, "384"):
		sum := sha512.Sum384([]byte(accessToken))
		digest = sum[:]
	case strings.HasSuffix(t.Alg, "512"), t.Alg == "EdDSA", t.Alg == "Ed25519":
		sum := sha512.Sum512([]byte(accessToken))
		digest = sum[:]
	default:
		sum := sha256.Sum256([]byte(accessToken))
		digest = sum[:]
	}
	if base64.RawURLEncoding.EncodeToString(digest[:len(digest)/2]) != want {
		return errors.New("it is for another access token")
	}
	return nil
}

// name returns a claim that names a person or a session.
func name(t *jose.Token, claim string) (string, error) {
	text, _, err := t.String(claim)
	if err == nil && len(text) > maxSubject {
		err = errors.New("it is too long")
	}
	return text, err
}
