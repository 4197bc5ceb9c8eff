// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Models of the blacklist of djangorestframework-simplejwt.
const (
	ModelOutstanding = "token_blacklist.outstandingtoken"
	ModelBlacklisted = "token_blacklist.blacklistedtoken"
)

const (
	maxJWT = 16 << 10 // bytes; longer ones are not accepted anywhere
	maxJTI = 255      // characters, as in Django
)

// Why an outstanding token is left out.
const (
	leftSliding = "sliding, which are accepted without a record"
	leftDeleted = "of users who were deleted"
)

// outstanding is a refresh or sliding token that simplejwt has issued.
type outstanding struct {
	issued
	token, expires string
}

func (o *outstanding) field(f *field) (own bool, err error) {
	switch f.name {
	case "token":
		o.token, err = f.text(maxJWT)
	case "jti":
		o.JTI, err = f.text(maxText)
	case "created_at":
		o.created, err = f.text(maxName)
	case "expires_at":
		o.expires, err = f.text(maxName)
	case "user":
		return o.issued.field(f)
	default:
		return false, nil
	}
	return true, err
}

func (o *outstanding) finish(d *decoder, r *record) error {
	o.Model, o.Row, o.PK = ModelOutstanding, r.row, r.pk
	var err error
	switch {
	case o.PK == "":
		return wrong("the token has no primary key; dump token_blacklist.outstandingtoken without --natural-primary")
	case o.JTI == "":
		return wrong("the token has no jti")
	case len([]rune(o.JTI)) > maxJTI:
		return wrong("jti: longer than %d characters", maxJTI)
	case len(o.User.Natural) > 1:
		return wrong("user: a natural key of %d parts; dump without --natural-foreign", len(o.User.Natural))
	}
	if o.Created, err = parseTime(o.created); err != nil {
		return wrong("created_at: not a time")
	}
	if o.Expires, err = parseTime(o.expires); err != nil || o.Expires.IsZero() {
		return wrong("expires_at: not a time")
	}
	claims, err := readClaims(o.token)
	if err != nil {
		return err
	}
	if o.Sliding = claims.kind == "sliding"; o.Sliding && claims.refreshUntil.After(o.Expires) {
		// It was renewed until then under its one jti.
		o.Expires = claims.refreshUntil
	}
	o.Issuer = claims.issuer
	if len(d.outstanding) >= MaxTokens {
		return errBounds
	}
	if row := d.outstanding[d.sum(o.PK)]; row > 0 {
		return wrong("row %d has the same primary key", row)
	}
	d.outstanding[d.sum(o.PK)] = o.Row
	d.rows[o.Model]++
	if d.expired(&o.issued) {
		return nil
	}
	// As issue.JWTDigest: what is signed, since a signature can be written in
	// more than one way.
	sum := sha256.Sum256([]byte(o.token[:strings.LastIndexByte(o.token, '.')]))
	return d.keep(&o.issued, sum[:])
}

// blacklisted says of an outstanding token that it is revoked.
type blacklisted struct{ token ref }

func (b *blacklisted) field(f *field) (own bool, err error) {
	if f.name != "token" {
		return false, nil
	}
	b.token, err = f.ref()
	return true, err
}

func (b *blacklisted) finish(d *decoder, r *record) error {
	switch {
	case b.token.none():
		return wrong("it has no token")
	case b.token.PK == "":
		return wrong("token: a natural key; dump without --natural-foreign")
	case len(d.blacklist) >= MaxTokens:
		return errBounds
	}
	if row := d.blacklist[d.sum(b.token.PK)]; row > 0 {
		return wrong("row %d is about the same token", row)
	}
	d.blacklist[d.sum(b.token.PK)] = r.row
	d.rows[ModelBlacklisted]++
	return nil
}

// checkBlacklist refuses what is blacklisted and not there: it would stay valid.
func (d *decoder) checkBlacklist() error {
	var rows []int
	for pk, row := range d.blacklist {
		if d.outstanding[pk] == 0 {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	for _, row := range rows {
		if err := d.problems.add(Problem{Row: row, Model: ModelBlacklisted, Text: "token: the outstanding token " + isMissing}); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dump) isBlacklisted(i *issued) bool {
	return i.Model == ModelOutstanding && d.blacklist[d.sum(i.PK)] > 0
}

// outstandingEnded says why an outstanding token that is not blacklisted needs no
// record.
func (d *Dump) outstandingEnded(i *issued) string {
	switch {
	case i.Model != ModelOutstanding, d.isBlacklisted(i):
		return ""
	case i.User.none():
		return leftDeleted
	case i.Sliding:
		return leftSliding
	}
	return ""
}

// claims are those of a JSON Web Token that name it.
type claims struct {
	issuer, kind string
	refreshUntil time.Time
}

// readClaims reads the payload of a token. Its signature is for who accepts it.
func readClaims(token string) (c claims, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, wrong("token: not a JSON Web Token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c, wrong("token: not a JSON Web Token")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		return c, wrong("token: its payload is not readable")
	}
	text := func(name string) (value string) {
		_ = json.Unmarshal(members[name], &value) // another type is none
		return value
	}
	c.issuer, c.kind = text("iss"), text("token_type")
	seconds, err := strconv.ParseFloat(string(members["refresh_exp"]), 64)
	if err == nil && seconds > 0 && seconds < math.MaxInt32*100 {
		c.refreshUntil = within(time.Unix(int64(seconds)+1, 0))
	}
	return c, nil
}
