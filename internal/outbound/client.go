// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// ErrTooLarge says that an answer was longer than its reader allows.
var ErrTooLarge = errors.New("the answer is too large")

// Client asks other servers within the bounds of its settings. It is safe for
// concurrent use.
type Client struct {
	settings Settings
	http     *http.Client
}

// Response is an answer that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// New returns a client. It reads the file of certificate authorities, if that is
// there, and asks nobody.
func New(s Settings) (*Client, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Timeout == 0 {
		s.Timeout = caddy.Duration(DefaultTimeout)
	}
	transport, err := newTransport(s)
	if err != nil {
		return nil, err
	}
	return &Client{s, &http.Client{
		Transport: transport,
		Timeout:   time.Duration(s.Timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

// HTTP returns the client itself, for libraries that want one. Bounds on the
// size of answers are theirs.
func (c *Client) HTTP() *http.Client { return c.http }

// Close ends connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get asks for a document of at most limit bytes.
func (c *Client) Get(ctx context.Context, address string, limit int64) (Response, error) {
	return c.do(ctx, http.MethodGet, address, nil, nil, limit)
}

// Post sends a form, and header if it is not nil, and reads an answer of at
// most limit bytes.
func (c *Client) Post(ctx context.Context, address string, form url.Values, header http.Header, limit int64) (Response, error) {
	return c.do(ctx, http.MethodPost, address, form, header, limit)
}

func (c *Client) do(ctx context.Context, method, address string, form url.Values, header http.Header, limit int64) (Response, error) {
	if err := CheckURL(address, c.settings); err != nil {
		return Response{}, err
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return Response{}, errors.New("the URL is malformed")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "caddy-rest-auth")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		r.Header[name] = values
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return Response{}, safe(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return Response{}, safe(err)
	}
	if int64(len(content)) > limit {
		return Response{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return Response{answer.StatusCode, answer.Header, content}, nil
}

// safe drops the URL from an error, whose query may hold a secret.
func safe(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
