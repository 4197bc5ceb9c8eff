// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"slices"
	"strings"
)

// EachUser calls use for every user, in the order of the dump.
func (d *Dump) EachUser(use func(User) error) error {
	return each(d.users, func(u user) error {
		resolved, err := d.user(&u)
		if err != nil {
			return err
		}
		return use(resolved)
	})
}

// EachGroup calls use for every group.
func (d *Dump) EachGroup(use func(Group) error) error {
	return each(d.groups, func(g group) error {
		permissions, err := d.permissionNames(g.Permissions)
		if err != nil {
			return err
		}
		return use(Group{Row: g.Row, Name: g.Name, Permissions: permissions})
	})
}

// EachToken calls use for every token and session.
func (d *Dump) EachToken(use func(Token) error) error {
	return each(d.tokens, func(i issued) error {
		if d.ended(&i) != "" {
			return nil
		}
		client, err := d.clientName(i.Client)
		if err != nil {
			return err
		}
		resolved := Token{
			Row: i.Row, Model: i.Model, Digest: i.Digest, UserID: i.User.PK, Client: client,
			Created: i.Created, Expires: i.Expires, AuthHash: i.AuthHash, JTI: i.JTI, Issuer: i.Issuer,
		}
		if d.isBlacklisted(&i) {
			resolved.Model = ModelBlacklisted
		}
		if len(i.User.Natural) > 0 {
			resolved.UserName = i.User.Natural[0]
		}
		if password, known := d.passwords[d.sum(i.User.PK)]; known && i.Model == ModelSession {
			resolved.Password = &password
		}
		return use(resolved)
	})
}

// ended says why the project itself would no longer accept a token that was kept
// before all of the dump was read.
func (d *Dump) ended(i *issued) string {
	if i.Older && d.newKnox {
		return leftOutdated
	}
	if password, known := d.passwords[d.sum(i.User.PK)]; known && i.Model == ModelSession && !d.sessions.provedBy(i.AuthHash, password) {
		return leftLoggedOut
	}
	return d.outstandingEnded(i)
}

func (d *Dump) user(u *user) (User, error) {
	resolved := User{
		Row: u.Row, ID: u.ID, Name: u.Name, Email: u.Email, FullName: u.FullName, Password: u.Password,
		Active: !u.Inactive, Staff: u.Staff, Superuser: u.Superuser,
	}
	var err error
	if resolved.Groups, err = d.groupNamesOf(u.Groups); err == nil {
		resolved.Permissions, err = d.permissionNames(u.Permissions)
	}
	return resolved, err
}

// verify resolves every reference once, before anything is imported.
func (d *decoder) verify() error {
	err := each(d.groups, func(g group) error {
		_, err := d.permissionNames(g.Permissions)
		return d.dangling(g.Row, "auth.group", "", err)
	})
	if err == nil {
		err = each(d.users, func(u user) error {
			_, err := d.user(&u)
			return d.dangling(u.Row, d.UserModel, u.ID, err)
		})
	}
	if err == nil {
		err = d.passwordsOf()
	}
	if err == nil {
		err = d.checkBlacklist()
	}
	if err == nil {
		err = each(d.tokens, func(i issued) error {
			if reason := d.ended(&i); reason != "" {
				delete(d.keys, [16]byte(i.Digest))
				d.Tokens--
				d.leave(i.Model, reason)
				return nil
			}
			_, err := d.clientName(i.Client)
			return d.dangling(i.Row, i.Model, "", err)
		})
	}
	if fatal(err) && err != errTooMany {
		return err
	}
	if len(d.problems.List) > 0 {
		d.advise()
	}
	return d.problems.err()
}

func (d *decoder) dangling(row int, model, pk string, err error) error {
	if err == nil || fatal(err) {
		return err
	}
	return d.problems.add(Problem{Row: row, Model: model, PK: clip(pk), Text: err.Error()})
}

// advise says how to dump, where the way of dumping is what is wrong.
func (d *decoder) advise() {
	for _, p := range d.problems.List {
		if strings.Contains(p.Text, isMissing) {
			d.problems.Advice = DumpLine(d.UserModel, d.moreModels()...)
			return
		}
	}
}

// moreModels are those of the dump that few projects have.
func (d *Dump) moreModels() (models []string) {
	if d.rows[ModelKnox] > 0 {
		models = append(models, ModelKnox)
	}
	if d.rows[ModelDurin] > 0 {
		models = append(models, ModelDurinClient, ModelDurin)
	}
	if d.rows[ModelSession] > 0 {
		models = append(models, ModelSession)
	}
	if d.rows[ModelOutstanding]+d.rows[ModelBlacklisted] > 0 {
		models = append(models, "token_blacklist")
	}
	return models
}

// isMissing is in every problem of a reference that leads nowhere.
const isMissing = "is not in the dump"

func (d *Dump) groupNamesOf(refs []ref) ([]string, error) {
	names := make([]string, 0, len(refs))
	for _, r := range refs {
		name, found := d.groupsByPK[r.PK], false
		switch {
		case len(r.Natural) == 1:
			name, found = r.Natural[0], d.groupNames[r.Natural[0]] > 0
		case len(r.Natural) == 0:
			found = name != ""
		}
		if !found {
			return nil, wrong("groups: group %s %s", r, isMissing)
		}
		names = append(names, name)
	}
	return sorted(names), nil
}

func (d *Dump) permissionNames(refs []ref) ([]string, error) {
	names := make([]string, 0, len(refs))
	for _, r := range refs {
		name, err := d.permissionName(r)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return sorted(names), nil
}

// permissionName returns app.codename.
func (d *Dump) permissionName(r ref) (string, error) {
	p := permission{contentType: r}
	switch {
	case len(r.Natural) == 3:
		p.codename, p.contentType = r.Natural[0], ref{Natural: r.Natural[1:]}
	case len(r.Natural) > 0:
		return "", wrong("permissions: %s is no natural key of a permission", r)
	default:
		var found bool
		if p, found = d.permissions[r.PK]; !found {
			return "", wrong("permissions: permission %s %s", r, isMissing)
		}
	}
	app := ""
	switch {
	case len(p.contentType.Natural) == 2:
		app = p.contentType.Natural[0]
	case len(p.contentType.Natural) == 0:
		app = d.contentTypes[p.contentType.PK]
	}
	if app == "" {
		return "", wrong("permissions: content type %s of permission %s %s", p.contentType, r, isMissing)
	}
	name := app + "." + p.codename
	if p.codename == "" || len(name) > maxPermission || strings.Contains(name, ",") || strings.ContainsFunc(name, hidden) {
		return "", wrong("permissions: permission %s has no acceptable name", r)
	}
	return name, nil
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
