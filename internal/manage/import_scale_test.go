// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// writeDump writes a dump of n users, each with a token, in ten groups.
func writeDump(w io.Writer, n int) {
	var permissions []string
	for i := range 13 {
		permissions = append(permissions, fmt.Sprintf(`["p%d", "library", "book"]`, i))
	}
	b := bufio.NewWriter(w)
	defer b.Flush()
	fmt.Fprint(b, "[\n")
	for i := range n {
		fmt.Fprintf(b, `{"model": "auth.user", "pk": %d, "fields": {"password": "pbkdf2_sha256$390000$abcdefgh$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "last_login": null, "is_superuser": false, "username": "user%d", "first_name": "Ürsula", "last_name": "Número %d", "email": "user%d@example.com", "is_staff": false, "is_active": true, "date_joined": "2024-01-02T03:04:05.678Z", "groups": [["group%d"]], "user_permissions": [%s]}},`+"\n", i+1, i, i, i, i%10, strings.Join(permissions, ", "))
		fmt.Fprintf(b, `{"model": "authtoken.token", "pk": "%040x", "fields": {"user": ["user%d"], "created": "2024-01-02T03:04:05.678Z"}},`+"\n", i+1, i)
	}
	for i := range 10 {
		fmt.Fprintf(b, `{"model": "auth.group", "pk": %d, "fields": {"name": "group%d", "permissions": [["add_book", "library", "book"], ["change_book", "library", "book"]]}}`, i+1, i)
		if i < 9 {
			fmt.Fprint(b, ",")
		}
		fmt.Fprintln(b)
	}
	fmt.Fprint(b, "]\n")
}

// TestImport_scale imports some thousand users twice; the figures of a
// hundred thousand are in docs/performance.md.
func TestImport_scale(t *testing.T) {
	const n = 1500 // more, with their permissions, than is kept in memory
	f := newFixture(t)
	for round, want := range []ImportCounts{{Created: n}, {Unchanged: n}} {
		r, w := io.Pipe()
		go func() {
			writeDump(w, n)
			_ = w.Close()
		}()
		start := time.Now()
		report, err := f.m.Import(t.Context(), r, ImportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if report.Users != want || report.Tokens != want {
			t.Errorf("round %d: %+v", round, report)
		}
		t.Logf("round %d: %s", round, time.Since(start))
	}
}
