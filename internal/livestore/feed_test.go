// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package livestore

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

var all = []tokenstore.Change{{All: true}}

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		s, logs := acquire(t, d)
		var h heard
		cancel := s.Subscribe(h.listen)
		if got := h.take(); !slices.Equal(got, all) {
			t.Errorf("a new subscriber heard %v, want %v", got, all)
		}
		s.Start()
		s.Start()
		synctest.Wait()
		if s.Trusted() {
			t.Error("trusted before the feed said anything")
		}

		d.store.feed <- tokenstore.Change{UserKey: "early"}
		synctest.Wait()
		if s.Trusted() {
			t.Error("trusted before everything was announced")
		}
		h.take()
		d.store.feed <- tokenstore.Change{All: true}
		synctest.Wait()
		if got := h.take(); !s.Trusted() || !slices.Equal(got, all) {
			t.Errorf("Trusted() = %t and heard %v, want true and %v", s.Trusted(), got, all)
		}
		d.store.feed <- tokenstore.Change{Family: "f"}
		synctest.Wait()
		if got, want := h.take(), []tokenstore.Change{{Family: "f"}}; !slices.Equal(got, want) {
			t.Errorf("heard %v, want %v", got, want)
		}

		d.store.feed <- errBroken
		synctest.Wait()
		if got := h.take(); s.Trusted() || !slices.Equal(got, all) {
			t.Errorf("cut: Trusted() = %t and heard %v, want false and %v", s.Trusted(), got, all)
		}
		if opened, err := s.Status(); !opened || !errors.Is(err, errBroken) {
			t.Errorf("Status() = %t, %v, want true, %v", opened, err, errBroken)
		}
		time.Sleep(feedMin)
		synctest.Wait()
		if n := d.store.count("watch"); n != 2 || s.Trusted() {
			t.Errorf("followed %d times and Trusted() = %t, want 2 and false", n, s.Trusted())
		}
		d.store.feed <- tokenstore.Change{All: true}
		synctest.Wait()
		if _, err := s.Status(); !s.Trusted() || err != nil {
			t.Errorf("Trusted() = %t with %v, want true with nil", s.Trusted(), err)
		}
		want := []string{"warn token store does not report changes; asking it on every request", "info token store reports changes again"}
		if got := messages(logs); !slices.Equal(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}

		cancel()
		h.take()
		d.store.feed <- tokenstore.Change{Family: "f"}
		synctest.Wait()
		if got := h.take(); len(got) != 0 {
			t.Errorf("heard %v after the end of the subscription", got)
		}
	})
}

func TestFeed_backsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver()
		d.store.answer("watch", errBroken)
		s, logs := acquire(t, d)
		s.Start()
		time.Sleep(time.Minute)
		if n, most := d.store.count("watch"), int(time.Minute/feedMax)+6; n < 20 || n > most {
			t.Errorf("followed %d times in a minute, want 20 to %d", n, most)
		}
		if logs.Len() != 1 {
			t.Errorf("logged %q, want one line", messages(logs))
		}
		if s.Trusted() {
			t.Error("trusted without a feed")
		}
	})
}

// What a Watch says that has ended is passed on, but gains no trust.
func TestFeed_oldWatch(t *testing.T) {
	var f feed
	var h heard
	defer f.subscribe(h.listen)()
	h.take()
	old := f.receiver(func() { t.Error("an old Watch brought the feed up") })
	f.down(errBroken)
	h.take()
	old(tokenstore.Change{All: true})
	if got := h.take(); f.trusted.Load() || !slices.Equal(got, all) {
		t.Errorf("trusted = %t and heard %v, want false and %v", f.trusted.Load(), got, all)
	}
}

// At the moment of trust the subscribers have heard that everything changed,
// and at the moment they hear of its loss it is gone.
func TestFeed_order(t *testing.T) {
	var f feed
	var trusted []bool
	defer f.subscribe(func(tokenstore.Change) { trusted = append(trusted, f.trusted.Load()) })()
	f.receiver(func() {})(tokenstore.Change{All: true})
	f.down(errBroken)
	if want := []bool{false, false, false}; !slices.Equal(trusted, want) {
		t.Errorf("trust while subscribers were told = %v, want %v", trusted, want)
	}
}
