// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package keyset

import (
	"encoding/base64"
	"slices"
	"strings"
)

// published are secrets that documents show and people copy, as squeeze writes
// them, if they are long enough to be used at all.
var published = []string{
	"astringsecretatleast256bitslong",                           // jwt.io, HS256
	"avalidstringsecretthatisatleast384bitslong",                // HS384
	"avalidstringsecretthatisatleast512bitslongwhichisverylong", // HS512
	"avalidstringsecretthatisatleast512bitslongwhichisverylongindeed",
	"thisisasecretkeythatshouldbeatleast32byteslong",
	"thisisaverylongsecretkeythatisatleast32byteslong",
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", // FastAPI's tutorial
	"404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970", // Spring Boot's tutorials
	"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", // Flask's documentation
}

// publishedKeys are those of RFC 7515 §A.1, RFC 7520 §4.4 and RFC 7517 §A.3.
var publishedKeys = []string{
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
	"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
	"GawgguFyGrWKav7AX4VKUg",
}

// words are what people write where a secret belongs. None is so short that
// chance would write it.
var words = []string{
	"changeme", "changethis", "replaceme", "replacethis", "pleasechange", "yoursecret", "yourjwt", "yourkey",
	"your256bit", "your384bit", "your512bit", "mysecret", "supersecret", "topsecret", "verysecret", "secretkey",
	"jwtsecret", "password", "passphrase", "insecure", "example", "development", "testing", "qwertyui", "asdfghjk",
	"zxcvbnm", "abcdefgh", "ijklmnop", "qrstuvwx", "12345678", "23456789", "01234567", "abcdef01", "atleast",
	"256bit", "384bit", "512bit", "32bytes", "48bytes", "64bytes", "32characters", "donotuse", "production", "secret", "django",
}

// known returns why a secret of sufficient length is weak all the same, or "".
func known(secret []byte) string {
	text := squeeze(string(secret))
	switch {
	case strings.HasPrefix(string(secret), "django-insecure-"):
		return "django-admin startproject made it for development"
	case slices.Contains(published, text),
		slices.Contains(publishedKeys, strings.TrimRight(string(secret), "=")),
		slices.Contains(publishedKeys, base64.RawURLEncoding.EncodeToString(secret)):
		return "it is published"
	case period(secret) < hashSizes["HS256"]:
		return "it repeats itself"
	case distinct(secret) < 8:
		return "it has few characters that differ"
	}
	rest := text
	for _, word := range words {
		rest = strings.ReplaceAll(rest, word, "")
	}
	// Half of what is asked for is still more than words that are not listed.
	if rest != text && len(rest) < hashSizes["HS256"]/2 {
		return "it is made of words that everybody tries"
	}
	return ""
}

// squeeze returns the letters, small, and the digits of a text.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, text)
}

// period returns how long the text is that a secret repeats, which is all of it
// if it repeats none.
func period(secret []byte) int {
	for p := 1; p <= len(secret)/2; p++ {
		if slices.Equal(secret[p:], secret[:len(secret)-p]) {
			return p
		}
	}
	return len(secret)
}

func distinct(secret []byte) int {
	return len(slices.Compact(slices.Sorted(slices.Values(secret))))
}
