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

// maxErrorText is the length in bytes of the longest error of a provider that
// is logged.
const maxErrorText = 500

// minSecret is the length in bytes of the shortest text that is masked: what is
// shorter is part of any sentence.
const minSecret = 5

// masked returns the text of a provider's error without what the request
// carries as credentials, which some providers quote.
func masked(r *http.Request, err error) string {
	text := err.Error()
	for _, secret := range secretsOf(r) {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	}
	return text
}

// secretsOf returns what the request could be admitted for, the longest first:
// one may hold another. Any header may carry a key.
func secretsOf(r *http.Request) []string {
	var secrets []string
	for _, lines := range r.Header {
		secrets = append(secrets, lines...)
	}
	for _, line := range r.Header["Authorization"] {
		words := strings.Fields(line)
		for _, word := range words[min(1, len(words)):] {
			secrets = append(secrets, word)
			if decoded, err := base64.StdEncoding.DecodeString(word); err == nil {
				_, password, _ := strings.Cut(string(decoded), ":")
				secrets = append(secrets, string(decoded), password)
			}
			secrets = append(secrets, strings.Split(word, ".")...)
		}
	}
	for _, cookie := range r.Cookies() {
		secrets = append(secrets, cookie.Value)
	}
	if r.URL.RawQuery != "" {
		secrets = append(secrets, r.URL.RawQuery)
		for _, values := range r.URL.Query() {
			secrets = append(secrets, values...)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
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
