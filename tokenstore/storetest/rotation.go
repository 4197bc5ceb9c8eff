// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

// grace is what the suite rotates with.
const grace = 10 * time.Second

// member is a record of the family that rotation tests are about.
func member(name string) tokenstore.Credential {
	c := record(name)
	c.Family = "family"
	return c
}

// rotate spends old for a new member.
func (f *fixture) rotate(old, next string, now time.Time) (string, bool, error) {
	reply, won, err := f.store.Rotate(f.Context(), digest(old),
		[]tokenstore.Credential{member(next)}, []byte("sealed "+next), now, grace)
	return string(reply), won, err
}

// rotates fails the test unless a rotation is won.
func (f *fixture) rotates(old, next string, now time.Time) {
	f.Helper()
	if reply, won, err := f.rotate(old, next, now); err != nil || !won || reply != "sealed "+next {
		f.Fatalf("Rotate(%s) = %q, %t, %v, want %q, true, no error", old, reply, won, err, "sealed "+next)
	}
}

// reused fails the test unless a rotation is refused as reuse, without a reply.
func (f *fixture) reused(old string, now time.Time) {
	f.Helper()
	reply, won, err := f.rotate(old, "never", now)
	if !errors.Is(err, tokenstore.ErrReused) || won || reply != "" {
		f.Fatalf("Rotate(%s) = %q, %t, %v, want ErrReused alone", old, reply, won, err)
	}
	f.dead(digest("never"), now)
}

var rotationTests = []test{
	{"spends old and stores all of next", func(f *fixture) {
		f.create(member("old"), member("sibling"))
		_, won, err := f.store.Rotate(f.Context(), digest("old"),
			[]tokenstore.Credential{member("access"), member("refresh")}, []byte("sealed"), t0, grace)
		if err != nil || !won {
			f.Fatalf("Rotate = %t, %v, want true", won, err)
		}
		f.dead(digest("old"), t0)
		f.lives(digest("access"), t0)
		f.lives(digest("refresh"), t0)
		f.lives(digest("sibling"), t0)
		f.wantIDs(tokenstore.Filter{}, "id-access", "id-refresh", "id-sibling")
	}},
	{"a retry within the grace gets the first reply", func(f *fixture) {
		f.create(member("old"))
		f.rotates("old", "new", t0)
		for _, now := range []time.Time{t0, at(time.Second), at(grace - time.Microsecond), at(-time.Second)} {
			reply, won, err := f.rotate("old", "other", now)
			if err != nil || won || reply != "sealed new" {
				f.Fatalf("retry = %q, %t, %v, want the first reply, false, no error", reply, won, err)
			}
			f.dead(digest("other"), t0)
		}
		f.lives(digest("new"), t0)
	}},
	{"after the grace it is reuse, and the family dies", func(f *fixture) {
		f.create(member("old"), record("stranger"))
		f.rotates("old", "new", t0)
		f.rotates("new", "newest", t0)
		f.reused("old", at(grace))
		for _, name := range []string{"old", "new", "newest"} {
			f.dead(digest(name), t0)
		}
		f.lives(digest("stranger"), t0)
		f.wantIDs(tokenstore.Filter{}, "id-stranger")
	}},
	{"no reply outlives its family", func(f *fixture) {
		f.create(member("old"))
		f.rotates("old", "new", t0)
		f.rotates("new", "newest", at(grace))
		f.reused("old", at(grace))
		f.reused("new", at(grace+time.Second))
		f.reused("old", t0)
	}},
	{"without grace every retry is reuse", func(f *fixture) {
		f.create(member("old"))
		_, _, err := f.store.Rotate(f.Context(), digest("old"), []tokenstore.Credential{member("new")}, []byte("x"), t0, 0)
		f.ok(err)
		f.reused("old", t0)
		f.dead(digest("new"), t0)
	}},
	{"a consumed record is reuse, within the grace too", func(f *fixture) {
		f.create(member("old"), member("sibling"))
		_, err := f.store.Consume(f.Context(), digest("old"), t0)
		f.ok(err)
		f.reused("old", t0)
		f.dead(digest("sibling"), t0)
	}},
	{"a rotated record cannot be consumed", func(f *fixture) {
		f.create(member("old"))
		f.rotates("old", "new", t0)
		_, err := f.store.Consume(f.Context(), digest("old"), t0)
		f.wants(err, tokenstore.ErrReused)
		f.dead(digest("new"), t0)
	}},
	{"a deleted family never rotates again", func(f *fixture) {
		f.create(member("old"))
		f.rotates("old", "new", t0)
		n, err := f.store.Delete(f.Context(), tokenstore.Filter{Family: "family"})
		f.ok(err)
		if n != 1 {
			f.Errorf("Delete counted %d, want 1", n)
		}
		for _, name := range []string{"old", "new"} {
			_, won, err := f.rotate(name, "x", t0)
			if won || !errors.Is(err, tokenstore.ErrNotFound) {
				f.Fatalf("Rotate(%s) = %t, %v, want ErrNotFound", name, won, err)
			}
		}
		f.dead(digest("x"), t0)
	}},
	{"a deleted successor is not handed out by a retry as if it lived", func(f *fixture) {
		f.create(member("old"))
		f.rotates("old", "new", t0)
		_, err := f.store.Delete(f.Context(), tokenstore.Filter{}, digest("new"))
		f.ok(err)
		_, won, _ := f.rotate("old", "x", t0)
		if won {
			f.Fatal("a retry won")
		}
		f.dead(digest("new"), t0)
		f.dead(digest("x"), t0)
	}},
	{"dead records are not found", func(f *fixture) {
		user := f.user("alice")
		changed, inactive := recordOf(user, "changed"), recordOf(user, "inactive")
		changed.PasswordVersion = user.PasswordVersion
		f.create(record("expired"), changed, inactive)
		user.Active, user.PasswordHash = false, "another"
		user = f.put(user)
		for name, now := range map[string]time.Time{"expired": record("").Expires, "changed": t0, "inactive": t0, "never was": t0} {
			_, won, err := f.rotate(name, "x", now)
			if won || !errors.Is(err, tokenstore.ErrNotFound) {
				f.Fatalf("Rotate(%s) = %t, %v, want ErrNotFound", name, won, err)
			}
		}
		user.Active = true
		f.put(user)
		f.rotates("inactive", "x", t0)
	}},
	{"a retry for a user who was deactivated is not found", func(f *fixture) {
		user := f.user("alice")
		f.create(recordOf(user, "old"))
		f.rotates("old", "new", t0)
		user.Active = false
		f.put(user)
		reply, won, err := f.rotate("old", "x", t0)
		if !errors.Is(err, tokenstore.ErrNotFound) || won || reply != "" {
			f.Fatalf("retry = %q, %t, %v, want ErrNotFound alone", reply, won, err)
		}
	}},
	{"a retry after the password changed is not found", func(f *fixture) {
		user := f.user("alice")
		f.create(bound(user, "old"))
		f.rotates("old", "new", t0)
		user.PasswordHash = "another"
		f.put(user)
		reply, won, err := f.rotate("old", "x", t0)
		if !errors.Is(err, tokenstore.ErrNotFound) || won || reply != "" {
			f.Fatalf("retry = %q, %t, %v, want ErrNotFound alone", reply, won, err)
		}
	}},
	{"it does all or nothing", func(f *fixture) {
		f.put(tokenstore.User{Name: "inactive", Key: "store:inactive"})
		slot := record("slot")
		slot.Slot = "s"
		f.create(member("old"), slot)
		long := member("x")
		long.Digest = make([]byte, tokenstore.MaxDigest+1)
		big := member("x")
		big.Data = make([]byte, tokenstore.MaxData+1)
		id, digests, slots, user := member("x"), member("x"), member("x"), member("x")
		id.ID, digests.Digest, slots.Slot, user.UserKey = "id-slot", slot.Digest, "s", "store:inactive"
		twice := member("x")
		twice.ID = "id-good"
		for _, tt := range []struct {
			name string
			bad  tokenstore.Credential
			want error
		}{
			{"digest too long", long, tokenstore.ErrTooLarge},
			{"data too large", big, tokenstore.ErrTooLarge},
			{"ID taken", id, tokenstore.ErrExists},
			{"digest taken", digests, tokenstore.ErrExists},
			{"digest of old", member("old"), tokenstore.ErrExists},
			{"slot taken", slots, tokenstore.ErrExists},
			{"ID twice", twice, tokenstore.ErrExists},
			{"inactive user", user, tokenstore.ErrNotFound},
		} {
			_, won, err := f.store.Rotate(f.Context(), digest("old"), []tokenstore.Credential{member("good"), tt.bad}, []byte("x"), t0, grace)
			if won || !errors.Is(err, tt.want) {
				f.Errorf("%s: Rotate = %t, %v, want %v", tt.name, won, err, tt.want)
			}
			f.lives(digest("old"), t0)
			f.dead(digest("good"), t0)
			f.dead(digest("x"), t0)
		}
		_, won, err := f.store.Rotate(f.Context(), digest("old"), nil, make([]byte, tokenstore.MaxData+1), t0, grace)
		if won || !errors.Is(err, tokenstore.ErrTooLarge) {
			f.Errorf("a reply too large: Rotate = %t, %v, want ErrTooLarge", won, err)
		}
		f.rotates("old", "new", t0)
	}},
}
