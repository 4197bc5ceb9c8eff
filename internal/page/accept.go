// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"net/http"
	"strconv"
	"strings"
)

// Wanted reports whether the answer is for a person: whether the request names
// HTML as acceptable, as every navigation of a browser does, and JSON no more so.
func Wanted(r *http.Request) bool {
	html := max(quality(r, "text/html"), quality(r, "application/xhtml+xml"))
	return html > 0 && html >= quality(r, "application/json")
}

// WantsJSON reports whether the request names JSON as acceptable.
func WantsJSON(r *http.Request) bool { return quality(r, "application/json") > 0 }

// quality returns the weight that the request gives to a media type by its name,
// and 0 if it names it not at all.
func quality(r *http.Request, mediaType string) float64 {
	best := 0.0
	for _, line := range r.Header["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.Trim(name, " \t"), mediaType) {
				continue
			}
			best = max(best, weight(parameters))
		}
	}
	return best
}

func weight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
