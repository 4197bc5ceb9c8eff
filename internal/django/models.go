// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"strings"
	"unicode/utf8"
)

const (
	maxGroupName  = 150 // characters, as in Django
	maxPermission = 255 // bytes of app.codename
	maxKey        = 512 // bytes of a primary key; longer tokens are not looked up
)

// entity returns what a record of the model is read into, or nil.
func (d *decoder) entity(model string) entity {
	switch strings.ToLower(model) {
	case d.UserModel:
		return &user{usernameField: d.UsernameField}
	case "auth.group":
		return new(group)
	case "auth.permission":
		return new(permissionRow)
	case "contenttypes.contenttype":
		return new(contentType)
	case ModelAuthtoken:
		return new(authtoken)
	case ModelKnox:
		return new(knoxToken)
	case ModelDurinClient:
		return new(durinClient)
	case ModelDurin:
		return new(durinToken)
	case ModelSession:
		return new(session)
	case ModelOutstanding:
		return new(outstanding)
	case ModelBlacklisted:
		return new(blacklisted)
	}
	return nil
}

type group struct {
	Row         int    `json:"row"`
	Name        string `json:"name"`
	Permissions []ref  `json:"permissions,omitempty"`
}

func (g *group) field(f *field) (own bool, err error) {
	switch f.name {
	case "name":
		g.Name, err = f.text(maxText)
	case "permissions":
		g.Permissions, err = f.refs()
	default:
		return false, nil
	}
	return true, err
}

func (g *group) finish(d *decoder, r *record) error {
	g.Row = r.row
	switch {
	case g.Name == "":
		return wrong("the group has no name")
	case utf8.RuneCountInString(g.Name) > maxGroupName:
		return wrong("the group's name is longer than %d characters", maxGroupName)
	case strings.ContainsFunc(g.Name, hidden):
		return wrong("the group's name contains a control character")
	case strings.TrimSpace(g.Name) != g.Name:
		return wrong("the group's name begins or ends with a space, which is lost in headers: an upstream would take it for another group")
	case strings.Contains(g.Name, ","):
		return wrong("the group's name contains ',', which separates groups in headers: an upstream would read two groups; rename it")
	case len(d.groupNames) >= MaxGroups:
		return errBounds
	}
	if row := d.groupNames[g.Name]; row > 0 {
		return wrong("row %d is a group of the same name", row)
	}
	if r.pk != "" {
		if _, taken := d.groupsByPK[r.pk]; taken {
			return wrong("another group has the same primary key")
		}
		d.groupsByPK[r.pk] = g.Name
	}
	d.groupNames[g.Name] = r.row
	d.Groups++
	return d.groups.add(g)
}

type permissionRow struct{ permission }

func (p *permissionRow) field(f *field) (own bool, err error) {
	switch f.name {
	case "codename":
		p.codename, err = f.text(maxName)
	case "content_type":
		p.contentType, err = f.ref()
	default:
		return false, nil
	}
	return true, err
}

func (p *permissionRow) finish(d *decoder, r *record) error {
	if p.codename == "" || p.contentType.none() {
		return wrong("a permission needs a codename and a content type")
	}
	if len(p.codename) > maxPermission {
		return wrong("codename: longer than %d bytes", maxPermission)
	}
	if n := len(p.contentType.Natural); n != 0 && n != 2 {
		return wrong("content_type: a natural key of %d parts", n)
	}
	if r.pk == "" {
		return nil
	}
	if len(d.permissions) >= MaxPermissions {
		return errBounds
	}
	if _, taken := d.permissions[r.pk]; taken {
		return wrong("another permission has the same primary key")
	}
	d.permissions[r.pk] = p.permission
	return nil
}

type contentType struct{ app string }

func (c *contentType) field(f *field) (own bool, err error) {
	if f.name != "app_label" {
		return false, nil
	}
	c.app, err = f.text(maxPermission)
	return true, err
}

func (c *contentType) finish(d *decoder, r *record) error {
	if c.app == "" {
		return wrong("a content type needs an app_label")
	}
	if r.pk == "" {
		return nil
	}
	if len(d.contentTypes) >= MaxPermissions {
		return errBounds
	}
	if _, taken := d.contentTypes[r.pk]; taken {
		return wrong("another content type has the same primary key")
	}
	d.contentTypes[r.pk] = c.app
	return nil
}
