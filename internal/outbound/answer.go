// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// CheckJSON reports why an answer is none: another status than 200, or no
// content. The type that the server gives it says little; what is in it is for
// its parser.
func CheckJSON(answer Response) error {
	switch {
	case answer.Status >= 300 && answer.Status < 400:
		return fmt.Errorf("the server redirects (status %d), which is not followed", answer.Status)
	case answer.Status != http.StatusOK:
		return fmt.Errorf("the server answered with status %d", answer.Status)
	case len(answer.Body) == 0:
		return errors.New("the answer is empty")
	}
	return nil
}

// Lifetime returns how long an answer is good according to its Cache-Control,
// or 0 if that says nothing that can be heeded.
func Lifetime(header http.Header) time.Duration {
	for _, line := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-cache", "no-store":
				return 0
			case "max-age":
				seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
				if err != nil {
					return 0
				}
				age, _ := strconv.ParseUint(header.Get("Age"), 10, 31)
				return max(time.Duration(seconds)*time.Second-time.Duration(age)*time.Second, time.Second)
			}
		}
	}
	return 0
}
