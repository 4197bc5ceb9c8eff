// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// walk is a project and an edge that live side by side, each with changes of its
// own, with dumps that are imported late, again and in any order.
type walk struct {
	*fixture
	*rand.Rand
	project project
	dumps   []string
	revoked map[string]bool // digests that were revoked here
	log     []string
}

type project struct {
	inactive, changed [3]bool // of users 1 to 3: the password is the other one
	tokens            [3]int  // generations
	knox              map[int]time.Time
	durin             map[[2]int]issuedThere
	sessions          map[string]string // password hashes by key and user
	issued            int
}

type issuedThere struct {
	number  int
	expires time.Time
}

func (p *project) hash(user int) string {
	if p.changed[user] {
		return otherHash
	}
	return djangoHash
}

func (w *walk) dump() string {
	p := &w.project
	var rows []string
	for user := range 3 {
		rows = append(rows, userRow(user+1, "abc"[user:user+1], fmt.Sprintf(`"is_active": %t, "password": %q`, !p.inactive[user], p.hash(user))))
		if p.tokens[user] > 0 {
			created := w.now.Add(-time.Hour).Format(time.RFC3339)
			rows = append(rows, strings.Replace(tokenRow(fmt.Sprintf("%s %d %d", someKey, user, p.tokens[user]), user+1), "2024-01-02T03:04:05Z", created, 1))
		}
	}
	for number, expires := range p.knox {
		rows = append(rows, knoxRow(fmt.Sprint("knox ", number), number%3+1, expires.Format(time.RFC3339)))
	}
	rows = append(rows, clientRow(1, "web", ""), clientRow(2, "cli", ""))
	for of, issued := range p.durin {
		row := durinRow(fmt.Sprintf("%s durin %d", someKey, issued.number), of[0]+1, of[1]+1, issued.expires.Format(time.RFC3339))
		rows = append(rows, strings.Replace(row, "2026-12-01", fmt.Sprintf("2026-12-01T00:00:%02d.", issued.number%60)[:10], 1))
	}
	for key, hash := range p.sessions {
		rows = append(rows, sessionRow(key, int(key[0]-'a')+1, hash, w.now.Add(100*time.Hour).Format(time.RFC3339)))
	}
	keys, err := EncodeSecretKeys([]string{projectKey})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(keys) + "[" + strings.Join(rows, ",\n") + "]"
}

// there is a change in the project.
func (w *walk) there() {
	p := &w.project
	p.issued++
	user := w.IntN(3)
	switch w.IntN(8) {
	case 0:
		p.inactive[user] = !p.inactive[user]
	case 1:
		p.changed[user] = p.changed[user] != (w.IntN(6) == 0)
	case 2:
		p.tokens[user] = p.issued
	case 3, 4:
		p.knox[w.IntN(9)] = w.now.Add(time.Duration(w.IntN(50)) * time.Hour)
	case 5:
		p.durin[[2]int{user, w.IntN(2)}] = issuedThere{p.issued, w.now.Add(time.Duration(1+w.IntN(50)) * time.Hour)}
	case 6:
		p.sessions["abc"[user:user+1]+fmt.Sprintf("%031d", p.issued)] = p.hash(user)
	case 7:
		for key := range p.sessions {
			delete(p.sessions, key)
			break
		}
	}
}

// revoke notes what is revoked here.
func (w *walk) revoke(filter tokenstore.Filter) {
	page, _, err := w.store.List(w.t.Context(), filter, "", tokenstore.MaxPage)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range page {
		if filter.UserKey != "" || filter.ClientID != "" {
			w.revoked[string(c.Digest)] = true
		}
	}
}

// here is what an operator does here.
func (w *walk) here() {
	name := "abc"[w.IntN(3):][:1]
	u, err := w.store.UserByName(w.t.Context(), name)
	if err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
		w.t.Fatal(err)
	}
	does := []string{"delete", "disable", "enable", "tokens", "sessions", "password", "client", "time", "sweep"}[w.IntN(9)]
	w.log = append(w.log, does+" "+name)
	switch does {
	case "delete":
		if u.Key != "" && w.IntN(3) == 0 {
			w.revoke(tokenstore.Filter{UserKey: u.Key})
			must[any](w.fixture, "DELETE", "users/"+name, "")
		}
	case "disable", "enable":
		if u.Key != "" {
			must[any](w.fixture, "PATCH", "users/"+name, fmt.Sprintf(`{"active": %t}`, does == "enable"))
		}
	case "tokens":
		if u.Key != "" {
			for _, kind := range []string{"authtoken", "knox", "durin"} {
				w.revoke(tokenstore.Filter{UserKey: u.Key, Kind: kind})
			}
			must[any](w.fixture, "DELETE", "tokens?user="+name, "")
		}
	case "sessions":
		if u.Key != "" {
			w.revoke(tokenstore.Filter{UserKey: u.Key, Kind: tokenstore.KindSession})
			must[any](w.fixture, "DELETE", "sessions?user="+name, "")
		}
	case "password":
		if u.Key != "" && w.IntN(6) == 0 {
			u.PasswordHash = fmt.Sprint("ours ", w.Int())
			if _, err := w.store.PutUser(w.t.Context(), u); err != nil {
				w.t.Fatal(err)
			}
			w.revoke(tokenstore.Filter{UserKey: u.Key, Kind: tokenstore.KindSession})
		}
	case "client":
		w.revoke(tokenstore.Filter{ClientID: durin.ClientID("cli")})
		if got := w.send(http.MethodDelete, "clients/cli", ""); got.status >= 500 {
			w.t.Fatalf("%+v", got)
		}
	case "time":
		w.now = w.now.Add(time.Duration(w.IntN(30)) * time.Hour)
	case "sweep":
		if _, err := w.store.Sweep(w.t.Context(), w.now, 1000); err != nil {
			w.t.Fatal(err)
		}
	}
}

// imports imports one of the dumps, twice.
func (w *walk) importsOne() {
	w.dumps = append(w.dumps, w.dump())
	dump := w.dumps[len(w.dumps)-1]
	if w.IntN(3) == 0 {
		dump = w.dumps[w.IntN(len(w.dumps))]
	}
	query := fmt.Sprintf("secret_keys=true&passwords=%t&prune=%t&deleted=%t", w.IntN(2) == 0, w.IntN(6) == 0, w.IntN(6) == 0)
	w.log = append(w.log, "import "+query)
	for again := range 2 {
		report := must[ImportReport](w.fixture, "POST", "import?"+query, dump)
		for kind, n := range map[string]ImportCounts{
			"users": report.Users, "tokens": report.Tokens, "knox": report.KnoxTokens, "durin": report.DurinTokens,
			"clients": report.DurinClients, "sessions": report.Sessions,
		} {
			if again == 1 && (n.Created > 0 || n.Updated > 0 || n.Removed > 0) {
				w.t.Errorf("the second time %s are %+v", kind, n)
			}
		}
	}
}

func (w *walk) check() {
	page, _, err := w.store.List(w.t.Context(), tokenstore.Filter{}, "", tokenstore.MaxPage)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range page {
		_, _, err := w.store.Lookup(w.t.Context(), c.Digest, w.now)
		if err == nil && w.revoked[string(c.Digest)] {
			w.t.Errorf("a revoked %s lives", c.Kind)
		}
		if c.ClientID != "" {
			if _, err := w.store.Client(w.t.Context(), c.ClientID); err != nil {
				w.t.Errorf("a token of a client that is not there: %v", err)
			}
		}
	}
}

// TestImport_walks imports again and again what changes there and here. No import
// fails, a second one changes nothing, and no revocation is undone.
func TestImport_walks(t *testing.T) {
	for seed := range uint64(8) {
		w := &walk{
			fixture: newFixture(t), Rand: rand.New(rand.NewPCG(seed, 1)), revoked: make(map[string]bool),
			project: project{knox: make(map[int]time.Time), durin: make(map[[2]int]issuedThere), sessions: make(map[string]string)},
		}
		for range 40 {
			for range 3 {
				w.there()
			}
			if w.IntN(2) == 0 {
				w.here()
			}
			w.importsOne()
			w.check()
			if t.Failed() {
				t.Fatalf("walk %d: %s", seed, strings.Join(w.log, "; "))
			}
		}
	}
}
