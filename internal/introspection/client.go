// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

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

	// maxWaiting bounds the exchanges that wait for their turn.
	maxWaiting = 1024
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

// Client asks one server. It is safe for concurrent use. Those with the same
// settings share what the server said, and how it fails.
type Client struct {
	*shared
	of     [sha256.Size]byte
	life   time.Duration       // how old an answer may be that is repeated
	use    *outbound.Use       // of the log
	finder *discovery.Provider // says in the log why there is no endpoint; may be nil
}

// Acquire returns a client by settings that were resolved. It may repeat an answer
// that is not older than recently, nor than MaxRecent. It reads files, and asks
// nobody.
func Acquire(s Server, o outbound.Settings, recently time.Duration, logger *zap.Logger) (*Client, error) {
	h, of, err := acquire(&s, o)
	if err != nil {
		return nil, err
	}
	c := &Client{shared: h, of: of, life: min(recently, MaxRecent), use: h.logs.Join(logger)}
	if s.Endpoint == "" {
		if c.finder, err = discovery.Acquire(discovery.Config{Issuer: s.Issuer, Outbound: o}, logger); err != nil {
			_ = c.Release()
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

// Release gives the client back.
func (c *Client) Release() error {
	c.logs.Part(c.use)
	var err error
	if c.finder != nil {
		err = c.finder.Release()
	}
	_, last := pool.Delete(c.of)
	return errors.Join(err, last)
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
	name := string(digest[:])
	if c.life <= 0 {
		// An answer that was on its way when the request came may be of before the
		// token was revoked.
		name += strconv.FormatUint(c.serial.Add(1), 10)
	}
	flight := c.flights.DoChan(name, func() (any, error) {
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
	answer = c.recent.get(d, now, c.life)
	return answer, nil, answer != nil
}

// exchange asks the server, if it may be asked now.
func (h *shared) exchange(ctx context.Context, token string) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	endpoint, err := h.endpoint(ctx)
	if err != nil {
		h.metrics.rejected.Inc()
		return nil, &auth.Unavailable{RetryAfter: outbound.RetryAfter(err), Err: err}
	}
	if err := h.await(); err != nil {
		h.metrics.rejected.Inc()
		return nil, err
	}
	defer func() { <-h.slots }()
	probe, wait, ok := h.breaker.enter(h.now())
	if !ok {
		h.metrics.rejected.Inc()
		return nil, &auth.Unavailable{RetryAfter: wait, Err: errPaused}
	}
	began := h.now()
	claims, fault, err := h.ask(ctx, endpoint, token)
	ended := h.now()
	h.record(err, ended, ended.Sub(began))
	h.settle(probe, fault, err)
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
func (h *shared) await() error {
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	// Who waits may be gone already: a client that sends and leaves must not have
	// ever more of them wait.
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return &auth.Unavailable{RetryAfter: h.patience, Err: errBusy}
	}
	defer h.waiting.Add(-1)
	timer := time.NewTimer(h.patience)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return &auth.Unavailable{Err: errBusy}
	}
}

// settle tells the breaker how an exchange went, and the log what that changed.
func (h *shared) settle(probe bool, fault *fault, err error) {
	if fault == nil {
		if h.breaker.succeeded() {
			h.logs.Logger().Info("the introspection endpoint answers again")
		}
		return
	}
	if wait := h.breaker.failed(h.now(), probe, fault.retryAfter); wait > 0 {
		h.logs.Logger().Warn("the introspection endpoint fails: it is not asked for a while, and its tokens are answered 503",
			zap.Duration("for", wait), zap.Error(err))
	}
}

func (h *shared) endpoint(ctx context.Context) (string, error) {
	if h.provider == nil {
		return h.settings.Endpoint, nil
	}
	metadata, err := h.provider.Metadata(ctx)
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
func (h *shared) ask(ctx context.Context, endpoint, token string) (*jose.Token, *fault, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	// To ask twice does no harm, so that net/http may where the server has closed an
	// idle connection; without values the header itself is not sent.
	header := http.Header{"Idempotency-Key": {}}
	if err := h.authenticate(form, header, endpoint); err != nil {
		return nil, nil, err
	}
	response, err := h.http.Post(ctx, endpoint, form, header, maxAnswer)
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
