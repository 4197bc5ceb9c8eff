// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokenapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

// userFields are what an answer may tell of a user, by the names of Django's
// model where it has them.
var userFields = map[string]func(*auth.Identity) any{
	"username":     func(id *auth.Identity) any { return id.ID },
	"email":        func(id *auth.Identity) any { return id.Email },
	"full_name":    func(id *auth.Identity) any { return id.Name },
	"is_staff":     func(id *auth.Identity) any { return id.Staff },
	"is_superuser": func(id *auth.Identity) any { return id.Superuser },
	"groups":       func(id *auth.Identity) any { return append([]string{}, id.Groups...) },
}

// User returns what an answer tells of a user, in the order of the fields.
func User(id *auth.Identity, fields []string) drf.Object {
	user := make(drf.Object, len(fields))
	for i, field := range fields {
		user[i] = drf.Member{Name: field, Value: userFields[field](id)}
	}
	return user
}

// CheckUserFields refuses fields that User does not know.
func CheckUserFields(fields []string) error {
	for i, field := range fields {
		if userFields[field] == nil {
			return fmt.Errorf("user_serializer: unknown field '%s', expected some of %s", field, strings.Join(userFieldNames(), ", "))
		}
		if slices.Contains(fields[:i], field) {
			return fmt.Errorf("user_serializer: '%s' is given twice", field)
		}
	}
	return nil
}

func userFieldNames() []string {
	names := make([]string, 0, len(userFields))
	for name := range userFields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
