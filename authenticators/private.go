// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
)

// wrapPrivate returns a writer that marks the answer to a request whose token is
// in the query as one that no shared cache may keep: to such a cache it is an
// answer to that URL, which anybody may ask for. RFC 6750 section 2.3 wants
// `Cache-Control: private` on successful answers.
func wrapPrivate(w http.ResponseWriter, r *http.Request, sources *bearer.Sources, answered bool) http.ResponseWriter {
	// The handler has removed the parameter by now: a token that was accepted and
	// is not found any more was there.
	if _, err := sources.Token(r); !answered || err != auth.ErrNoCredentials {
		return w
	}
	return &privateWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
}

// varyByCookie tells caches that the cookies of a request matter.
func varyByCookie(header http.Header) {
	if !slices.Contains(header["Vary"], "Cookie") {
		header["Vary"] = append(header["Vary"], "Cookie")
	}
}

// privateWriter completes the header when it is sent, since the upstream's comes
// later than we do.
type privateWriter struct {
	*caddyhttp.ResponseWriterWrapper
	wrote bool
}

func (p *privateWriter) WriteHeader(status int) {
	if !p.wrote {
		p.wrote = status >= http.StatusOK || status == http.StatusSwitchingProtocols
		markPrivate(p.Header())
	}
	p.ResponseWriterWrapper.WriteHeader(status)
}

func (p *privateWriter) Write(b []byte) (int, error) {
	if !p.wrote {
		p.WriteHeader(http.StatusOK)
	}
	return p.ResponseWriterWrapper.Write(b)
}

// ReadFrom sends the header first, as Write does.
func (p *privateWriter) ReadFrom(from io.Reader) (int64, error) {
	if !p.wrote {
		p.WriteHeader(http.StatusOK)
	}
	return p.ResponseWriterWrapper.ReadFrom(from)
}

// FlushError sends the header first, as net/http would.
func (p *privateWriter) FlushError() error {
	if !p.wrote {
		p.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// markPrivate leaves a header that is at least as strict as it is.
func markPrivate(header http.Header) {
	var directives []string
	for _, line := range header["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			directive = strings.TrimSpace(directive)
			name, _, _ := strings.Cut(strings.ToLower(directive), "=")
			switch name {
			case "private", "no-store":
				if !strings.Contains(directive, "=") {
					return
				}
			case "", "public", "s-maxage":
				continue
			}
			directives = append(directives, directive)
		}
	}
	header["Cache-Control"] = []string{strings.Join(slices.Insert(directives, 0, "private"), ", ")}
}
