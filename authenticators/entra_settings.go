// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/bearer"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entra"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/jose"
)

const (
	entraLeeway    = 30 * time.Second
	entraMaxLeeway = time.Minute
)

// Words of the options apps, overage and compat.
const (
	appsRoles = "roles"
	appsAny   = "any"
	appsOff   = "off"

	overageRefuse = "refuse"
	overageIgnore = "ignore"

	compatDjango = "django"

	// wordOff is in place of claims that are not to be read.
	wordOff = "off"
)

// resolve replaces placeholders.
func (e *Entra) resolve() error {
	replacer := caddy.NewReplacer()
	fields := map[string][]*string{
		"cloud": {&e.Cloud}, "authority": {&e.Authority}, "client_id": {&e.ClientID},
	}
	for name, list := range map[string]*[]string{"tenants": &e.Tenants, "allowed_tenants": &e.AllowedTenants, "audience": &e.Audience} {
		*list = slices.Clone(*list)
		for i := range *list {
			fields[name] = append(fields[name], &(*list)[i])
		}
	}
	for name, pointers := range fields {
		for _, pointer := range pointers {
			value, err := replacer.ReplaceOrErr(*pointer, true, true)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*pointer = value
		}
	}
	if err := e.Challenger.Resolve(); err != nil {
		return err
	}
	return e.Settings.Resolve()
}

// complete sets the defaults, and reports a mistake in the settings.
func (e *Entra) complete() (err error) {
	if e.directory, err = entra.NewDirectory(e.Tenants, e.AllowedTenants); err != nil {
		return err
	}
	if len(e.Audience) == 0 || slices.Contains(e.Audience, "") {
		return errors.New("no audience: say for which API tokens have to be, by its application ID URI or its application (client) ID")
	}
	if e.Apps == "" && e.Compat == compatDjango {
		e.Apps = appsAny
	}
	for name, word := range map[string]struct {
		value    *string
		expected []string
	}{
		"apps":    {&e.Apps, []string{appsRoles, appsAny, appsOff}},
		"overage": {&e.Overage, []string{overageRefuse, overageIgnore}},
	} {
		if *word.value == "" {
			*word.value = word.expected[0]
		}
		if !slices.Contains(word.expected, *word.value) {
			return fmt.Errorf("%s: unknown word '%s', expected one of %v", name, *word.value, word.expected)
		}
	}
	for _, version := range e.Versions {
		if !slices.Contains(entra.Versions, entra.Version(version)) {
			return fmt.Errorf("version '%s': not one of %v", version, entra.Versions)
		}
	}
	if e.ClientID != "" && !entra.IsID(e.ClientID) {
		return fmt.Errorf("client_id '%s': not an application (client) ID", e.ClientID)
	}
	if err := e.completeCloud(); err != nil {
		return err
	}
	if e.Leeway != nil && (*e.Leeway < 0 || time.Duration(*e.Leeway) > entraMaxLeeway) {
		return fmt.Errorf("leeway: %v is not between 0s and %v", time.Duration(*e.Leeway), entraMaxLeeway)
	}
	if e.MaxLifetime < 0 {
		return errors.New("max_lifetime: is below zero")
	}
	if err := e.completeUsers(); err != nil {
		return err
	}
	if err := e.Settings.Check(); err != nil {
		return err
	}
	if e.Compat == compatDjango {
		e.sources.Schemes = []string{bearer.Bearer}
	}
	return e.sources.Resolve()
}

func (e *Entra) completeCloud() (err error) {
	if e.cloud, err = entra.CloudNamed(e.Cloud); err != nil {
		return err
	}
	if e.Authority != "" {
		e.cloud.Authority = strings.TrimSuffix(e.Authority, "/")
	}
	return nil
}

// completeUsers decides who is who, before anybody is.
func (e *Entra) completeUsers() error {
	switch e.Compat {
	case "":
	case compatDjango:
		e.completeDjango()
	default:
		return fmt.Errorf("compat: unknown word '%s', expected django", e.Compat)
	}
	if e.AllowGuests == nil {
		e.AllowGuests = new(bool)
	}
	if e.Leeway == nil {
		e.Leeway = new(caddy.Duration)
		*e.Leeway = caddy.Duration(entraLeeway)
	}
	if e.UserClaim == "" {
		e.UserClaim = claimObject
	}
	if e.ScopeClaim == nil {
		e.ScopeClaim = []string{"scp"}
	}
	switch {
	case e.GroupClaim == nil:
		e.GroupClaim = []string{claimGroups, "roles"}
	case len(e.GroupClaim) == 1 && e.GroupClaim[0] == wordOff:
		e.GroupClaim = []string{}
	}
	e.Accounts.Create = e.Create
	byName := e.Link != "" && e.Link != "subject"
	switch {
	case e.Link == "email":
		return errors.New("link: Entra ID does not verify addresses, and whoever may change theirs would be anybody: use `link subject`")
	case byName && slices.Contains(guestsChoose, e.GuestUserClaim):
		return fmt.Errorf("guest_user_claim: whoever administers the home of a guest writes claim '%s', and it may be the name of somebody here: use `link subject`", e.GuestUserClaim)
	case e.guestsMayMeet():
		return fmt.Errorf("guest_user_claim: whoever administers the home of a guest writes claim '%s', and it may be the name of a member: use oid as user_claim, or `link subject`, or say `user_prefix off`", e.GuestUserClaim)
	case byName && e.directory.Several():
		return fmt.Errorf("link: with several tenants, claim '%s' of one may be that of a user in another: use `link subject`", e.Link)
	case e.mayMeet() != "":
		return fmt.Errorf("%s: with several tenants, the claim of one may be that of a user in another: leave it out, use oid or `link subject`, or say `user_prefix off`", e.mayMeet())
	case e.Graph != nil && !e.readsGroups():
		return errors.New("graph: nothing asks for groups, since group_claim does not have 'groups'")
	case e.MirrorGroups && e.Compat != compatDjango:
		return errors.New("mirror_groups: is for `compat django`; otherwise users have all groups of the token")
	}
	return e.Mapping.Check()
}

// guestsChoose are claims of a guest that the home tenant writes.
var guestsChoose = []string{"email", "preferred_username"}

// guestsMayMeet reports whether a guest may get the name of a member.
func (e *Entra) guestsMayMeet() bool {
	return !e.Linked() && e.UserPrefix.UserPrefix != wordOff && e.UserClaim != claimObject && slices.Contains(guestsChoose, e.GuestUserClaim)
}

// mayMeet returns the option by which users of two tenants may get one name.
func (e *Entra) mayMeet() string {
	if e.Linked() || !e.directory.Several() || e.UserPrefix.UserPrefix == wordOff {
		return ""
	}
	for _, option := range []struct{ name, claim string }{
		{"user_claim", e.UserClaim}, {"guest_user_claim", e.GuestUserClaim}, {"app_user_claim", e.AppUserClaim},
	} {
		if option.claim != "" && option.claim != claimObject {
			return option.name
		}
	}
	return ""
}

// readsGroups reports whether anything depends on the claim that may be left
// out for want of room.
func (e *Entra) readsGroups() bool {
	for _, flag := range []string{flagClaim(e.StaffClaim), flagClaim(e.SuperuserClaim)} {
		if flag == claimGroups {
			return true
		}
	}
	return slices.Contains(e.GroupClaim, claimGroups) || slices.Contains(e.PermissionClaim, claimGroups)
}

func (e *Entra) verifierConfig() entra.Config {
	versions := entra.Versions
	if len(e.Versions) > 0 {
		versions = nil
		for _, version := range e.Versions {
			versions = append(versions, entra.Version(version))
		}
	}
	return entra.Config{
		Cloud: e.cloud, Directory: e.directory, Versions: versions, AppID: e.ClientID, Outbound: e.Settings,
		Rules: jose.Rules{
			Audiences: entra.Audiences(e.Audience), Leeway: time.Duration(*e.Leeway), MaxLifetime: time.Duration(e.MaxLifetime),
		},
	}
}
