// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxClients      = 10_000
	maxClientName   = 64 // characters, as in durin
	maxThrottleRate = 64 // characters, as in durin
)

// durinClient is an API client of django-rest-durin.
type durinClient struct {
	name, ttl, rate string
}

func (c *durinClient) field(f *field) (own bool, err error) {
	switch f.name {
	case "name":
		c.name, err = f.text(maxName)
	case "token_ttl":
		c.ttl, err = f.text(maxName)
	case "throttle_rate":
		c.rate, err = f.text(maxName)
	default:
		return false, nil
	}
	return true, err
}

func (c *durinClient) finish(d *decoder, r *record) error {
	ttl, ok := ParseDuration(c.ttl)
	switch {
	case c.name == "":
		return wrong("the client has no name")
	case utf8.RuneCountInString(c.name) > maxClientName:
		return wrong("the client's name is longer than %d characters", maxClientName)
	case strings.ContainsFunc(c.name, hidden):
		return wrong("the client's name contains a control character")
	case strings.TrimSpace(c.name) != c.name:
		return wrong("the client's name begins or ends with a space")
	case !ok || ttl <= 0:
		return wrong("token_ttl: not a duration above zero, as 1 00:00:00")
	case utf8.RuneCountInString(c.rate) > maxThrottleRate:
		return wrong("throttle_rate: longer than %d characters", maxThrottleRate)
	case len(d.Clients) >= maxClients:
		return errBounds
	}
	if row := d.clientNames[c.name]; row > 0 {
		return wrong("row %d is a client of the same name", row)
	}
	if r.pk != "" {
		if _, taken := d.clientsByPK[r.pk]; taken {
			return wrong("another client has the same primary key")
		}
		d.clientsByPK[r.pk] = c.name
	}
	d.clientNames[c.name] = r.row
	d.Clients = append(d.Clients, Client{Row: r.row, Name: c.name, TokenTTL: ttl, ThrottleRate: c.rate})
	return nil
}

// durinToken is a token of django-rest-durin.
type durinToken struct {
	issued
	secret string
}

func (t *durinToken) field(f *field) (own bool, err error) {
	switch f.name {
	case "token":
		t.secret, err = f.text(maxKey)
	case "client":
		t.Client, err = f.ref()
	default:
		return t.issued.field(f)
	}
	return true, err
}

func (t *durinToken) finish(d *decoder, r *record) error {
	if t.secret == "" {
		return wrong("the token is empty")
	}
	if err := t.begin(r); err != nil {
		return err
	}
	if t.Client.none() {
		return wrong("the token has no client")
	}
	if t.Expires.IsZero() {
		return wrong("the token has no expiry")
	}
	d.rows[t.Model]++
	if d.expired(&t.issued) {
		return nil
	}
	of := append(append(t.User.parts(), t.Client.parts()...), t.Model)
	if err := d.single(r.row, "a token of the same user and client, who can have one only", of...); err != nil {
		return err
	}
	return d.keepSecret(&t.issued, r, t.secret)
}

// clientName returns the name of the client that a token refers to.
func (d *Dump) clientName(r ref) (string, error) {
	name, found := d.clientsByPK[r.PK], false
	switch {
	case r.none():
		return "", nil
	case len(r.Natural) == 1:
		name, found = r.Natural[0], d.clientNames[r.Natural[0]] > 0
	case len(r.Natural) == 0:
		found = name != ""
	}
	if !found {
		return "", wrong("client: client %s %s", r, isMissing)
	}
	return name, nil
}

// durations are what Django and PostgreSQL write: [DD] [HH:[MM:]]ss[.uuuuuu], and
// ISO 8601 with days and shorter units.
var (
	plainDuration = regexp.MustCompile(`^(?:(\d{1,9}) (?:days?, )?)?(?:(?:(\d{1,9}):)?(\d{1,9}):)?(\d{1,18})(?:[.,](\d{1,6})\d{0,6})?$`)
	isoDuration   = regexp.MustCompile(`^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,18})(?:[.,](\d{1,6})\d{0,6})?S)?)?$`)
)

// ParseDuration reads a duration as Django writes it, 1 00:00:00, or in ISO 8601. It
// is not negative; more than the clock can say is the longest it can.
func ParseDuration(text string) (time.Duration, bool) {
	parts := plainDuration.FindStringSubmatch(text)
	if parts == nil {
		parts = isoDuration.FindStringSubmatch(text)
	}
	if parts == nil {
		return 0, false
	}
	total := 0.0
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+1] != "" {
			n, err := strconv.ParseInt(parts[i+1], 10, 64)
			if err != nil {
				return 0, false
			}
			total += float64(n) * float64(unit)
		}
	}
	if parts[5] != "" {
		n, err := strconv.ParseInt((parts[5] + "000000")[:6], 10, 64)
		if err != nil {
			return 0, false
		}
		total += float64(n) * float64(time.Microsecond)
	}
	if total >= math.MaxInt64 {
		return math.MaxInt64, true
	}
	return time.Duration(total).Round(time.Microsecond), true
}
