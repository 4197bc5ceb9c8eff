// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/durin"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func TestClients(t *testing.T) {
	f := newFixture(t)
	m := f.m
	for _, test := range []struct {
		in   NewClient
		want Client
		err  string
	}{
		{NewClient{Name: "c1"}, Client{"c1", "24h0m0s", ""}, ""},
		{NewClient{Name: "c1"}, Client{}, "name: client with this name already exists."},
		{NewClient{Name: ""}, Client{}, "name: This field may not be blank."},
		{NewClient{Name: " "}, Client{}, "name: This field may not be blank."},
		{NewClient{Name: strings.Repeat("é", 65)}, Client{}, "name: Ensure this field has no more than 64 characters."},
		{NewClient{Name: "durin:c1"}, Client{}, "name: must not begin with 'durin:', as the ID of another client may"},
		{NewClient{Name: "a\nb"}, Client{}, "name: must not contain control characters"},
		{NewClient{Name: strings.Repeat("é", 64), TokenTTL: "1 02:00:00"}, Client{strings.Repeat("é", 64), "26h0m0s", ""}, ""},
		{NewClient{Name: "days", TokenTTL: "10d"}, Client{"days", "240h0m0s", ""}, ""},
		{NewClient{Name: "seconds", TokenTTL: "90"}, Client{"seconds", "1m30s", ""}, ""},
		{NewClient{Name: "endless", TokenTTL: "none", ThrottleRate: "5/m"}, Client{"endless", "none", "5/m"}, ""},
		{NewClient{Name: "x", TokenTTL: "0"}, Client{}, "token_ttl: Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]. Or 10d, 36h, none."},
		{NewClient{Name: "x", TokenTTL: "-1h"}, Client{}, "token_ttl: Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]. Or 10d, 36h, none."},
		{NewClient{Name: "x", TokenTTL: "soon"}, Client{}, "token_ttl: Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]. Or 10d, 36h, none."},
		{NewClient{Name: "x", ThrottleRate: "5/x"}, Client{}, "throttle_rate: invalid period 'x'."},
		{NewClient{Name: "x", ThrottleRate: "5"}, Client{}, "throttle_rate: '5' is not a rate, as 1000/day"},
		{NewClient{Name: "x", ThrottleRate: strings.Repeat("5", 65)}, Client{}, "throttle_rate: Ensure this field has no more than 64 characters."},
	} {
		got, err := m.CreateClient(t.Context(), test.in)
		if got != test.want || err != nil && err.Error() != test.err || err == nil && test.err != "" {
			t.Errorf("%+v: %+v, %v; want %+v, %s", test.in, got, err, test.want, test.err)
		}
	}
	list, next, err := m.ListClients(t.Context(), "", 2)
	if err != nil || len(list) != 2 || list[0].Name != "c1" || next == "" {
		t.Errorf("the first page is %+v, %q, %v", list, next, err)
	}
	list, next, err = m.ListClients(t.Context(), next, 100)
	if err != nil || len(list) != 3 || list[0] != (Client{"endless", "none", "5/m"}) || next != "" {
		t.Errorf("the second page is %+v, %q, %v", list, next, err)
	}

	// A client of another kind is not one of durin's.
	if _, err := m.Store.PutClient(t.Context(), tokenstore.Client{ID: "oauth"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"oauth", "nobody", "", "\n"} {
		if err := m.DeleteClient(t.Context(), name); err == nil || !strings.Contains(err.Error(), "there is no client") {
			t.Errorf("deleting %q: %v", name, err)
		}
	}
	if err := m.DeleteClient(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Store.Client(t.Context(), durin.ClientID("c1")); err == nil {
		t.Error("the client is there still")
	}
}

func TestChangeClient(t *testing.T) {
	f := newFixture(t)
	m := f.m
	if _, err := m.CreateClient(t.Context(), NewClient{Name: "web", ThrottleRate: "5/m"}); err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	for _, test := range []struct {
		name   string
		change ClientChange
		want   Client
		err    string
	}{
		{"web", ClientChange{}, Client{"web", "24h0m0s", "5/m"}, ""},
		{"web", ClientChange{TokenTTL: text("10d")}, Client{"web", "240h0m0s", "5/m"}, ""},
		{"web", ClientChange{TokenTTL: text("none"), ThrottleRate: text("9/h")}, Client{"web", "none", "9/h"}, ""},
		{"web", ClientChange{TokenTTL: text("1 00:00:00"), ThrottleRate: text("")}, Client{"web", "24h0m0s", ""}, ""},
		{"web", ClientChange{TokenTTL: text("")}, Client{}, "token_ttl: Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]. Or 10d, 36h, none."},
		{"web", ClientChange{TokenTTL: text("1h"), ThrottleRate: text("5/x")}, Client{}, "throttle_rate: invalid period 'x'."},
		{"web", ClientChange{}, Client{"web", "24h0m0s", ""}, ""},
		{"nobody", ClientChange{}, Client{}, "there is no client 'nobody'"},
		{"\n", ClientChange{}, Client{}, "there is no client '\n'"},
	} {
		got, err := m.ChangeClient(t.Context(), test.name, test.change)
		if got != test.want || err != nil && err.Error() != test.err || err == nil && test.err != "" {
			t.Errorf("%s: %+v, %v; want %+v, %s", test.name, got, err, test.want, test.err)
		}
	}
}
