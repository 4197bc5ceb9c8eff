// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import "testing"

// TestSimpleJWTTutorial runs the lines of docs/endpoints/simplejwt.md as they
// stand there, by a shell and a curl, and wants what the page says.
func TestSimpleJWTTutorial(t *testing.T) { runTutorial(t, "simplejwt") }
