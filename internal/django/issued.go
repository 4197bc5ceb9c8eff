// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"crypto/sha256"
	"strings"
	"time"
)

// Models of what a project has issued.
const (
	ModelAuthtoken   = "authtoken.token"
	ModelKnox        = "knox.authtoken"
	ModelDurin       = "durin.authtoken"
	ModelDurinClient = "durin.client"
	ModelSession     = "sessions.session"
)

const shortKey = 32 // bytes of a token; below that it may be guessed

// issued is what all tokens and sessions have. Neither the secret nor, where it
// is the secret, the primary key is kept.
type issued struct {
	Model   string    `json:"model"`
	Row     int       `json:"row"`
	Digest  []byte    `json:"digest"`
	User    ref       `json:"user,omitzero"`
	Client  ref       `json:"client,omitzero"`
	Created time.Time `json:"created,omitzero"`
	Expires time.Time `json:"expires,omitzero"`

	// Older says that knox before version 5 made it.
	Older bool `json:"older,omitempty"`

	// AuthHash is what a session says of its user's password.
	AuthHash string `json:"auth_hash,omitempty"`

	// Of an outstanding token: its primary key, what names it, and whether it
	// slides.
	PK      string `json:"pk,omitempty"`
	JTI     string `json:"jti,omitempty"`
	Issuer  string `json:"issuer,omitempty"`
	Sliding bool   `json:"sliding,omitempty"`

	created, expiry string
}

// keyIsSecret keeps primary keys out of what people read.
func (*issued) keyIsSecret() {}

// field reads what the models have in common.
func (i *issued) field(f *field) (own bool, err error) {
	switch f.name {
	case "user":
		i.User, err = f.ref()
	case "created":
		i.created, err = f.text(maxName)
	case "expiry":
		i.expiry, err = f.text(maxName)
	default:
		return false, nil
	}
	return true, err
}

// begin reads the times and looks at the user.
func (i *issued) begin(r *record) error {
	i.Model, i.Row = strings.ToLower(r.model), r.row
	switch {
	case i.User.none():
		return wrong("the token has no user")
	case len(i.User.Natural) > 1:
		return wrong("user: a natural key of %d parts; dump without --natural-foreign", len(i.User.Natural))
	}
	var err error
	if i.Created, err = parseTime(i.created); err != nil {
		return wrong("created: not a time")
	}
	if i.Expires, err = parseTime(i.expiry); err != nil {
		return wrong("expiry: not a time")
	}
	return nil
}

// expired reports whether it has ended, and counts it if it has.
func (d *decoder) expired(i *issued) bool {
	ended := !i.Expires.IsZero() && !d.Now.IsZero() && !i.Expires.After(d.Now)
	if ended {
		d.leave(i.Model, "expired")
	}
	return ended
}

// single refuses a second one of what there is one of. Twice says what is the
// same.
func (d *decoder) single(row int, twice string, parts ...string) error {
	sum := d.sum(strings.Join(parts, "\x00"))
	if row := d.owners[sum]; row > 0 {
		return wrong("row %d is %s", row, twice)
	}
	d.owners[sum] = row
	return nil
}

func (r ref) parts() []string { return append([]string{r.PK}, r.Natural...) }

// keep keeps what was read, under its digest.
func (d *decoder) keep(i *issued, digest []byte) error {
	if d.kept[i.Model] >= MaxTokens {
		return errBounds
	}
	if row := d.keys[[16]byte(digest)]; row > 0 {
		return wrong("row %d has the same key", row)
	}
	d.keys[[16]byte(digest)] = i.Row
	i.Digest = digest
	d.kept[i.Model]++
	d.Tokens++
	return d.tokens.add(i)
}

// keepSecret keeps the digest of a secret that the dump has in plain text.
func (d *decoder) keepSecret(i *issued, r *record, secret string) error {
	sum := sha256.Sum256([]byte(secret))
	if err := d.keep(i, sum[:]); err != nil {
		return err
	}
	if len(secret) < shortKey {
		d.warn(Problem{Row: r.row, Model: r.model, Text: "the key is short enough to be guessed; it should be replaced"})
	}
	return nil
}

// leave counts a record that is left out for a reason that many share.
func (d *Dump) leave(model, reason string) {
	for n := range d.LeftOut {
		if l := &d.LeftOut[n]; l.Model == model && l.Text == reason {
			l.Count++
			return
		}
	}
	d.LeftOut = append(d.LeftOut, LeftOut{Model: model, Text: reason, Count: 1})
}

// authtoken is a token of rest_framework.authtoken: its key is the primary key.
type authtoken struct{ issued }

func (t *authtoken) finish(d *decoder, r *record) error {
	if r.pk == "" {
		return wrong("the token has no key; dump authtoken.token without --pks and with its primary key")
	}
	if err := t.begin(r); err != nil {
		return err
	}
	t.Expires = time.Time{} // of a model that somebody has changed
	d.rows[t.Model]++
	if err := d.single(r.row, "a token of the same user, who can have one only", append(t.User.parts(), t.Model)...); err != nil {
		return err
	}
	return d.keepSecret(&t.issued, r, r.pk)
}

// parseTime reads what Django writes: with a zone, or without one where USE_TZ is
// off, which is taken for UTC.
func parseTime(text string) (at time.Time, err error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02"} {
		if at, err = time.Parse(layout, text); err == nil {
			return within(at), nil
		}
	}
	return time.Time{}, err
}

// The first and the last time that can be. The zero time means that there is none.
var (
	firstTime = time.Time{}.Add(time.Microsecond)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// within is a time in UTC, where it may lie a day beyond the years that can be
// written.
func within(at time.Time) time.Time {
	switch at = at.UTC(); {
	case at.Before(firstTime):
		return firstTime
	case at.After(lastTime):
		return lastTime
	}
	return at
}
