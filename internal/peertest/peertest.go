// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package peertest finds the programs of others that tests ask for their
// opinion. One that is missing skips the test, and fails it where the
// environment says CI=true: there everything has to be.
package peertest

import (
	"os"
	"os/exec"
	"testing"
)

// debianPython is Debian's Python, which has Debian's modules.
const debianPython = "/usr/bin/python3"

// pythonModules are the packages that the modules are in.
var pythonModules = map[string]string{
	"django":                   "python3-django",
	"rest_framework":           "python3-djangorestframework",
	"argon2":                   "python3-argon2",
	"bcrypt":                   "python3-bcrypt",
	"gunicorn":                 "gunicorn",
	"rest_framework_simplejwt": "python3-djangorestframework-simplejwt",
}

// Program returns the path of a program of a Debian package.
func Program(t testing.TB, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Missing(t, program, pkg)
	}
	return path
}

// Python returns the path of a Python that has these modules.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	path := Program(t, debianPython, "python3")
	for _, module := range modules {
		if exec.CommandContext(t.Context(), path, "-c", "import "+module).Run() != nil {
			Missing(t, module, pythonModules[module])
		}
	}
	return path
}

// Missing skips the test, or fails it.
func Missing(t testing.TB, what, pkg string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: install %s", what, pkg)
	}
	t.Skipf("%s is missing: install %s", what, pkg)
}
