// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "testing"

func TestExplained(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		said       map[string]any
		retryAfter string
		want       string
	}{
		"form":        {400, map[string]any{"non_field_errors": []any{"Wrong."}}, "", "Wrong."},
		"csrf":        {403, map[string]any{"detail": "CSRF Failed: CSRF cookie not set."}, "", "The form was out of date, or your browser keeps no cookies. Please try again."},
		"denied":      {403, map[string]any{"detail": "No."}, "", "No."},
		"throttled":   {429, map[string]any{"detail": "Request was throttled."}, "1", "Too many attempts. Please try again in 1 second."},
		"two minutes": {429, nil, "120", "Too many attempts. Please try again in 120 seconds."},
		"minutes":     {429, nil, "121", "Too many attempts. Please try again in 3 minutes."},
		"an hour":     {429, nil, "3600", "Too many attempts. Please try again in 60 minutes."},
		"hours":       {429, nil, "7201", "Too many attempts. Please try again in 3 hours."},
		"untold":      {429, nil, "", "Too many attempts. Please try again later."},
		"unavailable": {503, nil, "1", "This does not work at the moment. Please try again in 1 second."},
		"nothing":     {415, nil, "", "The request could not be understood."},
		"other JSON":  {400, map[string]any{"detail": 1, "non_field_errors": "x"}, "", "The request could not be understood."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := explained(test.status, test.said, test.retryAfter); got != test.want {
				t.Errorf("explained: %q, want %q", got, test.want)
			}
		})
	}
}

func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36":                                   "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:152.0) Gecko/20100101 Firefox/152.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (Linux; Android 16; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/30.0 Chrome/150.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"curl/8.14.1":         "curl",
		"Something (Windows)": "A program on Windows",
		"Probe/1":             "",
		"":                    "",
	} {
		if got := device(agent); got != want {
			t.Errorf("device(%q) = %q, want %q", agent, got, want)
		}
	}
}
