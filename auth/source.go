// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth

// A UserSource is an Authenticator that says whose users it returns. One that
// is no UserSource is taken for a foreign source of its own.
//
// Where the authenticators of one handler draw on several sources, a foreign
// one must say how its users are told apart from the others'; otherwise the
// handler does not provision, since `require user alice` would match strangers.
type UserSource interface {
	UserSource() Source
}

// Source is where the users of an authenticator are kept.
type Source struct {
	// Name is empty for the users of the rest_auth app and of its store, and
	// otherwise names the source, as an issuer's URL.
	Name string

	// Prefix is written by the handler before the ID of each user.
	Prefix string

	// Told says that the operator has decided how users are told apart: by a
	// prefix, by a link to users of the store, or not at all.
	Told bool
}

// Local is the Source of the app's and the store's users.
var Local = Source{Told: true}

// UserPrefix is the option `user_prefix <text>|off` of an authenticator of
// foreign users, which embeds it, parses the word in its own Caddyfile block,
// and returns Source(name) from its method UserSource.
type UserPrefix struct {
	// UserPrefix is written before the ID of each user, as "github:". Users of
	// the handler's other sources whose names begin with it are refused. The
	// word off leaves IDs as they are, which is safe only if they cannot meet
	// those of another source. Default: none, which is refused beside other
	// sources of users.
	UserPrefix string `json:"user_prefix,omitempty"`
}

// Source returns the source of that name with the prefix that was configured.
func (p UserPrefix) Source(name string) Source {
	if p.UserPrefix == "off" {
		return Source{Name: name, Told: true}
	}
	return Source{Name: name, Prefix: p.UserPrefix, Told: p.UserPrefix != ""}
}
