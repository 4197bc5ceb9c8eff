// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// A client speaks the admin API, with a running Caddy or within this process.
type client struct {
	// do returns an error for every answer that is one.
	do    func(method, path string, header http.Header, body io.Reader) (*http.Response, error)
	close func() error
}

// connect returns the client that the flags ask for.
func (s *invocation) connect() (*client, error) {
	if s.client != nil {
		return s.client, nil
	}
	var err error
	if s.Bool("offline") {
		s.client, err = s.offline()
	} else {
		s.client, err = s.online()
	}
	return s.client, err
}

func (s *invocation) online() (*client, error) {
	address, err := caddycmd.DetermineAdminAPIAddress(s.String("address"), nil, s.String("config"), s.String("adapter"))
	if err != nil {
		return nil, fmt.Errorf("determining the admin API's address: %w", err)
	}
	return &client{do: func(method, path string, header http.Header, body io.Reader) (*http.Response, error) {
		answer, err := caddycmd.AdminAPIRequest(address, method, path, header, body)
		if err == nil {
			return answer, nil
		}
		// Caddy's client has put the body of the answer into the error.
		if _, body, ok := strings.Cut(err.Error(), "{"); ok {
			if said := apiError([]byte("{" + body)); said != nil {
				return nil, said
			}
		}
		return nil, fmt.Errorf("asking Caddy at %s: %w (it must run with rest_auth; --offline works on the store itself)", address, err)
	}}, nil
}

// apiError returns what the API said in an answer that is an error, or nil.
func apiError(body []byte) error {
	var answer manage.ImportRefusal
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return nil
	}
	if len(answer.Problems) > 0 {
		return &dumpError{answer}
	}
	return errors.New(answer.Error)
}

// call sends in as JSON, unless it is nil, and decodes the answer into out,
// unless it is nil.
func (s *invocation) call(method, path string, in, out any) error {
	answer, err := s.send(method, path, in)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

func (s *invocation) send(method, path string, in any) (*http.Response, error) {
	c, err := s.connect()
	if err != nil {
		return nil, err
	}
	var body io.Reader
	header := make(http.Header)
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		body = bytes.NewReader(encoded)
		header.Set("Content-Type", "application/json")
	}
	return c.do(method, manage.Prefix+path, header, body)
}

// all reads every page of a list, whose items are under name in the answers.
func all[T any](s *invocation, name string, query url.Values) ([]T, error) {
	items := []T{}
	query.Set("limit", "1000")
	for {
		var page map[string]json.RawMessage
		if err := s.call(http.MethodGet, name+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		var some []T
		var next string
		if err := errors.Join(json.Unmarshal(page[name], &some), json.Unmarshal(page["next"], &next)); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		items = append(items, some...)
		if next == "" {
			return items, nil
		}
		query.Set("cursor", next)
	}
}

// escape makes one part of a path of any text. A part of dots alone would be
// taken for a way up, and is escaped too.
func escape(text string) string {
	if strings.Trim(text, ".") == "" {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}
