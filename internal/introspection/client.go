// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/discovery"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

const (
	// maxAnswer is the size of the largest answer that is read.
	maxAnswer = 64 << 10

	// maxExchanges is how many tokens the server is asked about at a time, fewer
	// than there may be connections: one that waited for a connection would look
	// like a slow server.
	maxExchanges = 32

	// maxPatience is how long a request waits for its turn to ask.
	maxPatience = time.Second
)

// ErrInactive says that the server does not vouch for the token.
var ErrInactive = errors.New("the server says that the token is not active")

// Causes of 503.
var (
	errBusy       = errors.New("the server is being asked about too many tokens")
	errPaused     = errors.New("the server is not asked for a while, since it failed several times")
	errGone       = errors.New("the client did not wait for the answer")
	errNoEndpoint = errors.New("the discovery document of the issuer names no introspection_endpoint")
)

// Answer is what the server says of a token that is active.
type Answer struct {
	// Claims are the members of the answer.
	Claims *jose.Token

	// At is a time before the server was asked.
	At time.Time
}

// Client asks one server. It is safe for concurrent use.
type Client struct {
	settings Server
	http     *outbound.Client
	provider *discovery.Provider // nil if the endpoint is configured
	key      *jose.SigningKey    // nil without private_key_jwt
	timeout  time.Duration
	patience time.Duration
	logger   *zap.Logger
	now      func() time.Time

	flights singleflight.Group
	slots   chan struct{}
	breaker breaker
	refused refused
	recent  recent
}

// New returns a client by settings that were resolved. It may repeat an answer
// that is not older than recently, nor than MaxRecent. It reads files, and asks
// nobody.
func New(s Server, o outbound.Settings, recently time.Duration, logger *zap.Logger) (_ *Client, err error) {
	c := &Client{
		settings: s,
		timeout:  time.Duration(o.Timeout),
		patience: maxPatience,
		logger:   logger,
		now:      time.Now,
		slots:    make(chan struct{}, maxExchanges),
	}
	if c.timeout == 0 {
		c.timeout = outbound.DefaultTimeout
	}
	c.refused.init()
	c.recent.life = min(recently, MaxRecent)
	if s.ClientAuth == authPrivateKey {
		if c.key, err = readKey(&s); err != nil {
			return nil, err
		}
	}
	if c.http, err = outbound.New(o); err != nil {
		return nil, err
	}
	if s.Endpoint == "" {
		if c.provider, err = discovery.Acquire(discovery.Config{Issuer: s.Issuer, Outbound: o}, logger); err != nil {
			c.http.Close()
			return nil, err
		}
	}
	return c, nil
}

// Start begins to look for the endpoint in the background.
func (c *Client) Start() {
	if c.provider != nil {
		c.provider.Start()
	}
}

// Close gives back what the client shares with others.
func (c *Client) Close() error {
	c.http.Close()
	if c.provider != nil {
		return c.provider.Release()
	}
	return nil
}

// Introspect asks what a token is worth. It returns ErrInactive for one that is
// worth nothing, and an *auth.Unavailable if the server could not be asked or
// did not give an answer of RFC 7662.
func (c *Client) Introspect(ctx context.Context, token string) (*Answer, error) {
	digest := c.refused.digest(token)
	if answer, err, known := c.known(digest); known {
		return answer, err
	}
	// The exchange is that of all who wait for it, and outlives each of them.
	flight := c.flights.DoChan(string(digest[:]), func() (any, error) {
		if answer, err, known := c.known(digest); known {
			return answer, err
		}
		answer, err := c.exchange(context.WithoutCancel(ctx), token)
		switch {
		case err == nil:
			c.recent.add(digest, answer)
		case errors.Is(err, ErrInactive):
			c.refused.add(digest, c.now())
		}
		return answer, err
	})
	select {
	case result := <-flight:
		answer, _ := result.Val.(*Answer)
		return answer, result.Err
	case <-ctx.Done():
		return nil, &auth.Unavailable{Err: errGone}
	}
}

// known returns what the server said a moment ago.
func (c *Client) known(d digest) (answer *Answer, err error, known bool) {
	now := c.now()
	if c.refused.has(d, now) {
		return nil, ErrInactive, true
	}
	answer = c.recent.get(d, now)
	return answer, nil, answer != nil
}

// exchange asks the server, if it may be asked now.
func (c *Client) exchange(ctx context.Context, token string) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return nil, &auth.Unavailable{RetryAfter: outbound.RetryAfter(err), Err: err}
	}
	if err := c.await(); err != nil {
		return nil, err
	}
	defer func() { <-c.slots }()
	probe, wait, ok := c.breaker.enter(c.now())
	if !ok {
		return nil, &auth.Unavailable{RetryAfter: wait, Err: errPaused}
	}
	began := c.now()
	claims, fault, err := c.ask(ctx, endpoint, token)
	c.settle(probe, fault, err)
	switch {
	case err == nil:
		return &Answer{Claims: claims, At: began}, nil
	case errors.Is(err, ErrInactive):
		return nil, err
	}
	unavailable := &auth.Unavailable{Err: err}
	if fault != nil {
		unavailable.RetryAfter = fault.retryAfter
	}
	return nil, unavailable
}

// await returns when it is this exchange's turn.
func (c *Client) await() error {
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return &auth.Unavailable{Err: errBusy}
	}
}

// settle tells the breaker how an exchange went, and the log what that changed.
func (c *Client) settle(probe bool, fault *fault, err error) {
	if fault == nil {
		if c.breaker.succeeded() {
			c.logger.Info("the introspection endpoint answers again")
		}
		return
	}
	if wait := c.breaker.failed(c.now(), probe, fault.retryAfter); wait > 0 {
		c.logger.Warn("the introspection endpoint fails: it is not asked for a while, and its tokens are answered 503",
			zap.Duration("for", wait), zap.Error(err))
	}
}

func (c *Client) endpoint(ctx context.Context) (string, error) {
	if c.provider == nil {
		return c.settings.Endpoint, nil
	}
	metadata, err := c.provider.Metadata(ctx)
	if err != nil {
		return "", err
	}
	if metadata.IntrospectionEndpoint == "" {
		return "", errNoEndpoint
	}
	return metadata.IntrospectionEndpoint, nil
}

// A fault is a failure of the server as a whole, whatever token it was asked
// about. It counts towards the pause in which nobody asks.
type fault struct{ retryAfter time.Duration }

// ask makes the exchange and reads the answer.
func (c *Client) ask(ctx context.Context, endpoint, token string) (*jose.Token, *fault, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	header := http.Header{}
	if err := c.authenticate(form, header, endpoint); err != nil {
		return nil, nil, err
	}
	response, err := c.http.Post(ctx, endpoint, form, header, maxAnswer)
	switch {
	case errors.Is(err, outbound.ErrTooLarge):
		// Claims are in there that somebody may have chosen.
		return nil, nil, fmt.Errorf("asking the introspection endpoint: %w", err)
	case err != nil:
		return nil, &fault{}, fmt.Errorf("asking the introspection endpoint: %w", err)
	}
	return read(response)
}

// retryAfter reads the header of that name, as far as it is reasonable.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause)
}
