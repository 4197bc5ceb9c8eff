// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package fleet

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/postgrestest"
)

// BenchmarkImport imports 100,000 users with two groups and a token each into a
// running Caddy, once into an empty store and once more, and reports the seconds of
// both and the most memory that Caddy took.
func BenchmarkImport(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		for b.Loop() {
			measureImport(b, "sqlite "+filepath.Join(b.TempDir(), "rest_auth.db"))
		}
	})
	b.Run("postgres", func(b *testing.B) {
		server := postgrestest.New(b, "fsync = on")
		for b.Loop() {
			measureImport(b, store(server.Database(b), server.Dir, server.Socket()))
		}
	})
}

func measureImport(b *testing.B, line string) {
	n := startNode(b, "A", line, b.TempDir())
	n.awaitAdmin()
	n.admin.Timeout = 5 * time.Minute
	for _, metric := range []string{"s/first", "s/second"} {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://127.0.0.1/rest_auth/import", dump(100_000))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		began := time.Now()
		if status, answer := n.do(n.admin, r); status != http.StatusOK {
			b.Fatalf("answered %d: %s", status, answer)
		}
		b.ReportMetric(time.Since(began).Seconds(), metric)
	}
	b.ReportMetric(n.peak(), "MiB")
}

// peak returns the most memory that the node took, in MiB.
func (n *node) peak() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.pid))
	if err != nil {
		return 0 // not Linux
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		n.t.Fatal(err)
	}
	return kib / 1024
}

// dump is what dumpdata would write of n users with two groups and a token each.
func dump(n int) io.Reader {
	const hash = "pbkdf2_sha256$260000$c2FsdHNhbHRzYWx0$pFXtXN1Q4aB8kVnQXUh0TqD0Kc0uT1C2n8oZ7TtJmXk="
	reader, writer := io.Pipe()
	go func() {
		fmt.Fprint(writer, `[{"model":"auth.group","pk":1,"fields":{"name":"readers","permissions":[]}},`+
			`{"model":"auth.group","pk":2,"fields":{"name":"editors","permissions":[]}}`)
		for i := range n {
			fmt.Fprintf(writer, `,{"model":"auth.user","pk":%d,"fields":{"password":"%s","last_login":null,"is_superuser":false,`+
				`"username":"user%d","first_name":"User","last_name":"Number %d","email":"user%d@example.com","is_staff":false,"is_active":true,`+
				`"date_joined":"2026-01-02T03:04:05Z","groups":[1,2],"user_permissions":[]}}`, i+1, hash, i, i, i)
			fmt.Fprintf(writer, `,{"model":"authtoken.token","pk":"%040x","fields":{"user":%d,"created":"2026-01-02T03:04:05Z"}}`, i, i+1)
		}
		fmt.Fprint(writer, "]")
		_ = writer.Close()
	}()
	return reader
}
