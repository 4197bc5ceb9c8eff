// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package accesstoken

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/background"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/revocation"
)

// Issuers are those whose tokens an authenticator accepts. It is safe for
// concurrent use.
type Issuers struct {
	all     []*issuer
	named   map[string]*issuer // by iss
	unnamed *issuer            // of tokens without iss, or nil
	byName  map[string]*issuer
	now     func() time.Time
}

// issuer is one of them, ready for use.
type issuer struct {
	Verifier
	options *Issuer
	name    string // of its users
	keys    *keyset.Set
}

// New makes the issuers ready, whose options it completes. No network is asked
// before the configuration is started. Close ends what it began.
func New(ctx caddy.Context, options []*Issuer) (*Issuers, error) {
	s := &Issuers{named: make(map[string]*issuer), byName: make(map[string]*issuer), now: time.Now}
	if err := s.init(ctx, options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Issuers) init(ctx caddy.Context, options []*Issuer) error {
	revoked, err := revocation.FromContext(ctx)
	if err != nil {
		return fmt.Errorf("loading the revocations: %w", err)
	}
	app, err := background.FromContext(ctx)
	if err != nil {
		return err
	}
	for _, option := range options {
		i, err := newIssuer(ctx, option)
		if err != nil {
			if option.Issuer != "" {
				err = fmt.Errorf("issuer '%s': %w", option.Issuer, err)
			}
			return err
		}
		i.Revoked = revoked
		s.all = append(s.all, i)
		if err := s.add(i); err != nil {
			return err
		}
		app.OnStart(i.keys.Start)
	}
	return s.checkSources()
}

func newIssuer(ctx caddy.Context, options *Issuer) (*issuer, error) {
	if err := options.Resolve(); err != nil {
		return nil, err
	}
	config, err := options.config()
	if err != nil {
		return nil, err
	}
	if err := options.Provision(ctx); err != nil {
		return nil, err
	}
	keys, err := keyset.Acquire(config, ctx.Logger())
	if err != nil {
		return nil, fmt.Errorf("loading the keys: %w", err)
	}
	i := &issuer{options: options, name: options.name(&config), keys: keys}
	i.Verifier = Verifier{
		Keys: keys,
		Rules: jose.Rules{
			Audiences:   options.Audience,
			Types:       options.Types,
			Optional:    options.Optional,
			Leeway:      options.leeway(),
			MaxLifetime: time.Duration(options.MaxLifetime),
		},
		Mapping:  options.Mapping,
		Accounts: &options.Accounts,
		Bind:     bind,
	}
	return i, nil
}

// add makes the issuer's tokens known.
func (s *Issuers) add(i *issuer) error {
	if s.byName[i.name] != nil {
		return fmt.Errorf("issuer '%s' is given twice", i.name)
	}
	s.byName[i.name] = i
	if i.options.Issuer != "" {
		s.named[i.options.Issuer] = i
	}
	if !i.options.optional(optionalIss) {
		return nil
	}
	if s.unnamed != nil {
		return errors.New("optional iss: two issuers have it, so that nobody could tell whose a token without `iss` is")
	}
	s.unnamed = i
	return nil
}

// Close ends what New began.
func (s *Issuers) Close() error {
	var problems []error
	for _, i := range s.all {
		problems = append(problems, i.keys.Release())
	}
	s.all = nil
	return errors.Join(problems...)
}

// Generation grows whenever a key that may have verified a token is gone.
func (s *Issuers) Generation() (sum uint64) {
	for _, i := range s.all {
		sum += i.keys.Generation()
	}
	return sum
}

// Identity returns whom a token stands for, as a new identity whose Method the
// caller sets. Its error is
//
//   - a *ForeignError for a token of none of the issuers, and for what is no JSON
//     Web Token at all, since it does not have three segments;
//   - an *auth.Failure for a bad token, and for three segments of garbage;
//   - an *auth.Unavailable if the issuer's keys or the store are not to be had.
func (s *Issuers) Identity(ctx context.Context, compact string) (*auth.Identity, error) {
	t, err := jose.Parse(compact)
	if errors.Is(err, jose.ErrNotCompact) {
		return nil, &ForeignError{errNotCompact}
	}
	if err != nil {
		return nil, refusal(err)
	}
	i, err := s.of(t)
	if err != nil {
		return nil, err
	}
	if err := i.Check(ctx, t, s.now()); err != nil {
		return nil, err
	}
	id, err := i.Identity(ctx, t, i.name)
	if err != nil {
		return nil, err
	}
	return s.call(i, id)
}

// of returns whose token it is.
func (s *Issuers) of(t *jose.Token) (*issuer, error) {
	iss, said, err := t.String("iss")
	switch {
	case err != nil:
		return nil, refusal(err)
	case !said && s.unnamed == nil:
		return nil, &ForeignError{errNoIssuer}
	case !said:
		return s.unnamed, nil
	}
	if i := s.named[iss]; i != nil {
		return i, nil
	}
	// Whoever has the key may say any issuer, where none is configured.
	if s.unnamed != nil && s.unnamed.options.Issuer == "" {
		return s.unnamed, nil
	}
	return nil, &ForeignError{errOtherIssuer}
}

// Recheck returns an identity that Identity returned as it is now, without its
// signature being verified again.
func (s *Issuers) Recheck(ctx context.Context, remembered *auth.Identity) (*auth.Identity, error) {
	i := s.byName[strings.TrimSuffix(remembered.Proof, marker)]
	if i == nil {
		return nil, auth.ErrChanged
	}
	id, err := i.Recheck(ctx, remembered, i.name)
	if err != nil {
		return nil, err
	}
	return s.call(i, id)
}
