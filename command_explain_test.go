// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSession_headers(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	for name, row := range map[string]struct {
		given []string
		stdin string
		want  map[string][]string
		fails string
	}{
		"none":      {nil, "", map[string][]string{}, ""},
		"arguments": {[]string{"Accept: a", "accept:b", "X-Empty:"}, "", map[string][]string{"Accept": {"a", "b"}, "X-Empty": {""}}, ""},
		"file":      {[]string{file("good", "authorization: Token canary\r\n\nX-A: b: c\n")}, "", map[string][]string{"Authorization": {"Token canary"}, "X-A": {"b: c"}}, ""},
		"stdin":     {[]string{"-"}, "Cookie: a=canary", map[string][]string{"Cookie": {"a=canary"}}, ""},
		"like curl": {[]string{"@-"}, "Cookie: a=canary", map[string][]string{"Cookie": {"a=canary"}}, ""},
		"scheme":    {[]string{"Authorization: Token"}, "", map[string][]string{"Authorization": {"Token"}}, ""},

		"authorization": {[]string{"Accept: a", "authorization: Token canary"}, "", nil, "-H number 2 is a credential"},
		"no scheme":     {[]string{"Authorization: canary"}, "", nil, "-H number 1 is a credential"},
		"cookie":        {[]string{"Cookie: a=canary"}, "", nil, "is a credential"},
		"key":           {[]string{"X-Api-Key: canary"}, "", nil, "is a credential"},
		"token":         {[]string{"X-Custom: cra_000000000000000000000000000000000000"}, "", nil, "is a credential"},
		"no name":       {[]string{"canary"}, "", nil, "-H number 1: must be a header"},
		"blank name":    {[]string{"canary canary : x"}, "", nil, "-H number 1: must be a header"},
		"absent":        {[]string{"@" + filepath.Join(dir, "absent")}, "", nil, "reading headers: open"},
		"bad file":      {[]string{file("bad", "Accept: a\ncanary\n")}, "", nil, "line 2: must be a header"},
		"bad stdin":     {[]string{"-"}, "canary\n", nil, "standard input: line 1: must be"},
		"long":          {[]string{"-"}, strings.Repeat("canary", maxHeaderInput/6+1), nil, "there is too much"},
	} {
		s := &invocation{in: strings.NewReader(row.stdin)}
		got, err := s.headers(row.given)
		if row.fails == "" {
			if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v, (-want +got)\n%s", name, err, diff)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), row.fails) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %s", name, err, row.fails)
		}
	}
}
