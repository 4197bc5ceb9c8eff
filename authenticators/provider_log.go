// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"
)

const (
	// maxErrorText is the length in bytes of the longest error of a provider
	// that is logged whole, and maxErrorRead of the longest that is read at all.
	maxErrorText = 500
	maxErrorRead = 8 << 10

	// minSecret is the length in bytes of the shortest text that is masked: what
	// is shorter is part of any sentence.
	minSecret = 5

	// maxSecrets bounds the work of masking, of which a client could cause
	// seconds: as many texts as it sends, in an error as long as its path.
	maxSecrets = 500
)

// masked returns the text of a provider's error without what the request
// carries as credentials, which some providers quote.
func masked(r *http.Request, err error) string {
	text := err.Error()
	if len(text) > maxErrorRead {
		return fmt.Sprintf("(of %d bytes, too long to be shown)", len(text))
	}
	secrets, all := secretsOf(r)
	if !all {
		return "(not shown: the request holds too much that would have to be masked)"
	}
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	}
	return text
}

// secretsOf returns what the request could be admitted for, the longest first:
// one may hold another. Any header may carry a key. It reports whether that is
// all.
func secretsOf(r *http.Request) (secrets []string, all bool) {
	add := func(texts ...string) {
		for _, text := range texts {
			if len(text) >= minSecret && len(secrets) <= maxSecrets {
				secrets = append(secrets, text)
			}
		}
	}
	for _, lines := range r.Header {
		add(lines...)
	}
	for _, line := range r.Header["Authorization"] {
		words := strings.Fields(line)
		for _, word := range words[min(1, len(words)):] {
			add(word)
			if decoded, err := base64.StdEncoding.DecodeString(word); err == nil {
				_, password, _ := strings.Cut(string(decoded), ":")
				add(string(decoded), password)
			}
			for part := range strings.SplitSeq(word, ".") {
				add(part)
			}
		}
	}
	for _, cookie := range r.Cookies() {
		add(cookie.Value)
	}
	add(r.URL.RawQuery)
	if strings.Count(r.URL.RawQuery, "&") > maxSecrets {
		return nil, false
	}
	for _, values := range r.URL.Query() {
		add(values...)
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets, len(secrets) <= maxSecrets
}

// panicLog logs where a provider panicked, the first time that it does. What it
// panicked with may hold anything, and is logged only if it is the runtime's.
type panicLog struct{ once sync.Once }

func (l *panicLog) log(logger *zap.Logger, provider string, value any) {
	l.once.Do(func() {
		what := fmt.Sprintf("a value of type %T", value)
		if fault, ok := value.(runtime.Error); ok {
			what = fault.Error()
		}
		logger.Error("an authentication provider panicked; its requests are answered 503",
			zap.String("provider", provider), zap.String("panic", what), zap.StackSkip("stack", 3))
	})
}
