// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// recorder is the response of a provider, of which nothing is ever sent. It can
// neither be hijacked nor unwrapped, and what is written to it is dropped.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int         // 0 if none was written
}

func newRecorder() *recorder { return &recorder{header: make(http.Header)} }

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. As in net/http, informational
// statuses end nothing, and the first other one counts.
func (w *recorder) WriteHeader(status int) {
	if w.status != 0 || status < http.StatusOK {
		return
	}
	w.status = status
	w.sent = w.header.Clone()
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(body []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(body), nil
}

// Flush implements http.Flusher, which some writers of responses insist on.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

// lines returns the lines of a header as the client would have got them. Its
// name is in canonical form, as the provider's may not be.
func (w *recorder) lines(name string) []string {
	header := w.header
	if w.sent != nil {
		header = w.sent
	}
	lines := header[name]
	for written, values := range header {
		if written != name && http.CanonicalHeaderKey(written) == name {
			lines = append(lines[:len(lines):len(lines)], values...)
		}
	}
	return lines
}

func (w *recorder) line(name string) string {
	if lines := w.lines(name); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// isolated returns a copy of the request for a provider to do with as it likes.
// What it sets there, be it headers, placeholders, variables or fields of the
// access log, is gone when it returns. The body is left to the upstream.
func isolated(r *http.Request) *http.Request {
	ctx := r.Context()
	replacer := caddy.NewReplacer()
	replacer.Map(noBody)
	if original, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Map(original.Get)
	}
	vars := make(map[string]any)
	if original, ok := ctx.Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		maps.Copy(vars, original)
	}
	ctx = context.WithValue(ctx, caddy.ReplacerCtxKey, replacer)
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, vars)
	ctx = context.WithValue(ctx, caddyhttp.ExtraLogFieldsCtxKey, new(caddyhttp.ExtraLogFields))
	if original, ok := ctx.Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		asked := *original.URL
		original.URL = &asked
		ctx = context.WithValue(ctx, caddyhttp.OriginalRequestCtxKey, original)
	}
	copied := r.Clone(ctx)
	copied.Body = http.NoBody
	copied.ContentLength = 0
	copied.GetBody = nil
	return copied
}

// noBody has the placeholders of the body say nothing. Caddy's would read the
// client's, and leave none of it where a handler has copied the request since.
func noBody(key string) (any, bool) {
	return "", strings.HasPrefix(key, "http.request.body")
}
