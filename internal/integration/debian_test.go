// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"os/exec"
	"testing"
)

// python is Debian's, which has Debian's modules.
const python = "/usr/bin/python3"

// pythonModules are the packages that the modules are in.
var pythonModules = map[string]string{
	"django":         "python3-django",
	"rest_framework": "python3-djangorestframework",
	"argon2":         "python3-argon2",
	"bcrypt":         "python3-bcrypt",
	"gunicorn":       "gunicorn",
}

// debian returns the path of a program of a Debian package.
func debian(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program, pkg)
	}
	return path
}

// needPython wants Python with modules.
func needPython(t *testing.T, modules ...string) {
	t.Helper()
	debian(t, python, "python3")
	for _, module := range modules {
		if exec.CommandContext(t.Context(), python, "-c", "import "+module).Run() != nil {
			missing(t, module, pythonModules[module])
		}
	}
}

// missing skips a test, except where CI has to have everything.
func missing(t *testing.T, what, pkg string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: install %s", what, pkg)
	}
	t.Skipf("%s is missing: install %s", what, pkg)
}
