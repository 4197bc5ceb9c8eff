// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import "net/http"

// Acceptable reports whether the client accepts JSON, as DRF negotiates it with
// JSON as the only renderer.
func Acceptable(r *http.Request) bool { return true }

// indent returns by how many blanks the accepted JSON is indented.
func indent(r *http.Request) int { return 0 }
