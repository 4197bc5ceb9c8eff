// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// The bodies of nearly all refusals, encoded once.
var (
	bodyNotAuthenticated = mustEncode(map[string]string{"detail": textNotAuthenticated})
	bodyDenied           = mustEncode(map[string]string{"detail": textDenied})
)

// writeAnswer sends a refusal, without its body for HEAD.
func writeAnswer(w http.ResponseWriter, r *http.Request, a answer) error {
	body, err := encodeAnswer(a)
	if err != nil {
		return caddyhttp.Error(a.status, err)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return nil
	}
	// The status is sent; a client that went away is nobody's error.
	_, _ = w.Write(body) //nolint:gosec // it is JSON, and says so
	return nil
}

func encodeAnswer(a answer) ([]byte, error) {
	if a.body != nil {
		return encode(a.body)
	}
	switch a.detail {
	case textNotAuthenticated:
		return bodyNotAuthenticated, nil
	case textDenied:
		return bodyDenied, nil
	}
	return encode(map[string]string{"detail": a.detail})
}

// encode writes JSON as Django REST framework does: compact, and nothing
// escaped that JSON or JavaScript lets stand.
func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

func mustEncode(value any) []byte {
	body, err := encode(value)
	if err != nil {
		panic(err)
	}
	return body
}
