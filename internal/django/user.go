// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxUserName = 254 // characters: e-mail addresses are names in many projects
	maxEmail    = 254
	maxFullName = 300
	maxPassword = 2 << 10 // bytes of a hash; none that is verified is that long
)

var errBounds = errors.New("the dump has more records of a kind than can be imported")

// user is a record of the user model. Members of other kinds are ignored, such
// as a link to a supervisor.
type user struct {
	Row  int    `json:"row"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`

	Email    string `json:"email,omitempty"`
	FullName string `json:"full_name,omitempty"`
	Password string `json:"password,omitempty"`

	Inactive  bool `json:"inactive,omitempty"`
	Staff     bool `json:"staff,omitempty"`
	Superuser bool `json:"superuser,omitempty"`

	Groups      []ref `json:"groups,omitempty"`
	Permissions []ref `json:"permissions,omitempty"`

	usernameField     string
	named             bool // the username field was there
	first, last, full string
}

func (u *user) field(f *field) (own bool, err error) {
	if f.name == u.usernameField {
		u.named = true
		if u.Name, err = f.text(maxText); f.name == "email" {
			u.Email = u.Name
		}
		return true, err
	}
	switch f.name {
	case "email":
		u.Email, _, err = f.cut(maxText)
	case "password":
		u.Password, _, err = f.cut(maxPassword)
	case "first_name":
		u.first, _, err = f.cut(maxText)
	case "last_name":
		u.last, _, err = f.cut(maxText)
	case "full_name":
		u.full, _, err = f.cut(maxText)
	case "is_active":
		var active bool
		active, err = f.flag()
		u.Inactive = !active
	case "is_staff":
		u.Staff, err = f.flag()
	case "is_superuser":
		u.Superuser, err = f.flag()
	case "groups":
		u.Groups, err = f.refs()
	case "user_permissions":
		u.Permissions, err = f.refs()
	default:
		return false, nil
	}
	return true, err
}

func (u *user) finish(d *decoder, r *record) error {
	if !u.named {
		return wrong("it has no field %q; --username-field names the user model's USERNAME_FIELD", d.UsernameField)
	}
	u.Row, u.ID, u.Name = r.row, r.pk, d.Canonical(u.Name)
	if err := checkUserName(u.Name); err != nil {
		return err
	}
	if len(d.names) >= MaxUsers {
		return errBounds
	}
	if d.Users > 0 && d.Natural != (u.ID == "") {
		return wrong("some users have a primary key and some have none; make one dump of all of them")
	}
	if u.ID != "" {
		if row := d.ids[d.sum(u.ID)]; row > 0 {
			return wrong("row %d has the same primary key", row)
		}
		d.ids[d.sum(u.ID)] = r.row
	}
	if row := d.names[d.sum(u.Name)]; row > 0 {
		return wrong("row %d has the same user name; names are compared in Unicode form NFKC", row)
	}
	d.names[d.sum(u.Name)] = r.row
	if u.FullName = clean(u.full); u.FullName == "" {
		u.FullName = clean(u.first + " " + u.last)
	}
	if u.Email != "" && !isEmail(u.Email) {
		d.warn(Problem{Row: r.row, Model: r.model, PK: clip(r.pk), Text: "the e-mail address is none, and is left out"})
		u.Email = ""
	}
	d.Users++
	d.Natural = u.ID == ""
	return d.users.add(u)
}

// checkUserName refuses what no login could send, and what would end a line or
// hide in a header or a log.
func checkUserName(name string) error {
	switch {
	case name == "":
		return wrong("the user name is empty")
	case utf8.RuneCountInString(name) > maxUserName:
		return wrong("the user name is longer than %d characters", maxUserName)
	case strings.ContainsFunc(name, hidden):
		return wrong("the user name contains a control character")
	case strings.TrimSpace(name) != name:
		return wrong("the user name begins or ends with a space, which is lost in headers: an upstream would take it for another user")
	}
	return nil
}

func hidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

func isEmail(email string) bool {
	return utf8.RuneCountInString(email) <= maxEmail && strings.Contains(email, "@") &&
		!strings.ContainsFunc(email, func(r rune) bool { return hidden(r) || unicode.IsSpace(r) })
}

// clean makes a text for people fit one line.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if hidden(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > maxFullName {
		text = strings.TrimSpace(string([]rune(text)[:maxFullName]))
	}
	return text
}
