// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// bodies are what a guard may look into, by their type.
var bodies = map[string]string{
	"":                                  "\x00\xff",
	"application/json":                  `{"a": [`,
	"application/x-www-form-urlencoded": "%zz=%&&==&a=b",
	"multipart/form-data; boundary=x":   "--x\r\n:\r\n\r\n--x",
	"text/plain":                        strings.Repeat("x", 300<<10),
}

// checkGuard has the guard judge each case with bodies, which it must put back
// whatever it makes of them.
func checkGuard(a auth.Authenticator, cases []Case) (faults []error) {
	guard, ok := a.(auth.Guard)
	if !ok {
		return nil
	}
	for _, c := range cases {
		for kind, body := range bodies {
			faults = append(faults, guardOnce(guard, c, kind, body)...)
		}
	}
	return faults
}

func guardOnce(guard auth.Guard, c Case, kind, body string) (faults []error) {
	defer func() {
		if value := recover(); value != nil {
			faults = append(faults, fmt.Errorf("Guard panicked: %s, body of type %q: %v", c.Name, kind, value))
		}
	}()
	r := c.Request.Clone(c.Request.Context())
	r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(body)), int64(len(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	before := r.Clone(r.Context())
	id := c.Identity
	if id == nil {
		id = auth.Anonymous
	}
	if err := guard.Guard(r, id); err != nil && !isRefusal(err) {
		faults = append(faults, fmt.Errorf("Guard: %s, body of type %q: would be answered 5xx: %w", c.Name, kind, err))
	}
	if after, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(after, []byte(body)) {
		faults = append(faults, fmt.Errorf("Guard: %s: of a body of type %q and %d bytes, %d are left, %v", c.Name, kind, len(body), len(after), err))
	}
	if r.Method != before.Method || !reflect.DeepEqual(r.Header, before.Header) || !reflect.DeepEqual(r.URL, before.URL) {
		faults = append(faults, fmt.Errorf("Guard: %s, body of type %q: the request was changed", c.Name, kind))
	}
	return faults
}
