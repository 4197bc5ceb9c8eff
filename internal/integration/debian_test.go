// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

// python is Debian's, which has Debian's modules.
const python = "/usr/bin/python3"

func debian(t *testing.T, program, pkg string) string {
	t.Helper()
	return peertest.Program(t, program, pkg)
}

func needPython(t *testing.T, modules ...string) {
	t.Helper()
	peertest.Python(t, modules...)
}

func missing(t *testing.T, what, pkg string) {
	t.Helper()
	peertest.Missing(t, what, pkg)
}
