// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package federation

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// maxName is the length in bytes of the longest name or identifier that is
// taken from a claim. OpenID Connect allows 255 characters for a subject.
const maxName = 512

// claim returns the value of a claim as encoding/json decodes it, and nil if it
// is absent or null. The path is understood as by auth.Identity.Claim: dots lead
// into objects, and the longest name that fits counts.
func (get Lookup) claim(path string) any {
	raw, name := get(path), path
	for raw == nil {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return nil
		}
		name = name[:dot]
		raw = get(name)
	}
	if len(name) < len(path) {
		value, _ := (&auth.Identity{Claims: raw}).Claim(path[len(name)+1:])
		return value
	}
	switch {
	case len(raw) > 1 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0:
		// Nothing to decode, but what encoding/json would replace.
		if text := string(raw[1 : len(raw)-1]); utf8.ValidString(text) {
			return text
		}
	case string(raw) == "true":
		return true
	case string(raw) == "false":
		return false
	case string(raw) == "null":
		return nil
	}
	// A number is an int64 where it fits, as in auth.Identity.Claim.
	value, _ := (&auth.Identity{Claims: wrap(raw)}).Claim("v")
	return value
}

func wrap(raw json.RawMessage) json.RawMessage {
	object := make(json.RawMessage, 0, len(raw)+len(`{"v":}`))
	object = append(object, `{"v":`...)
	object = append(object, raw...)
	return append(object, '}')
}

// identifier returns a claim that names somebody: a text, or a whole number, as
// many databases have them. It is empty if there is none, and ok is false if it
// cannot be a name.
func (get Lookup) identifier(path string) (name string, problem string) {
	switch value := get.claim(path).(type) {
	case nil:
		return "", ""
	case string:
		return value, checkIdentifier(value)
	case int64:
		return formatInt(value), ""
	default:
		return "", "is neither a text nor a whole number"
	}
}

// checkIdentifier returns what is wrong with a name. Blanks around it would be
// lost in a header, so that it would become another's.
func checkIdentifier(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return "is too long"
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.TrimSpace(name) != name:
		return "begins or ends with a blank"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a control character"
	}
	return ""
}

// Subject returns what sub says, which is a text or a whole number, and empty if
// there is none. A subject that names nobody is an *auth.Failure.
func (get Lookup) Subject() (string, error) {
	subject, problem := get.identifier("sub")
	if problem != "" {
		return "", badClaim("sub", problem)
	}
	return subject, nil
}

// text returns a claim for people to read. What is no text is left out, as is
// one that could not be sent in a header.
func (get Lookup) text(path string) string {
	value, _ := get.claim(path).(string)
	if checkIdentifier(value) != "" {
		return ""
	}
	return value
}

// list returns the texts of a claim: those of an array, or the only one, which
// is split at blanks if words is set, as RFC 6749 section 3.3 writes scopes.
func (get Lookup) list(path string, words bool) (texts []string, problem string) {
	switch value := get.claim(path).(type) {
	case nil:
		return nil, ""
	case string:
		if words {
			return strings.Fields(value), ""
		}
		if value == "" {
			return nil, ""
		}
		return []string{value}, ""
	case []any:
		texts = make([]string, len(value))
		for i, element := range value {
			text, ok := element.(string)
			if !ok {
				return nil, "has an element that is no text"
			}
			texts[i] = text
		}
		return texts, ""
	default:
		return nil, "is neither a text nor a list of texts"
	}
}

// isTrue reports whether a claim is true, also where an issuer writes it as a
// text.
func isTrue(value any) bool { return value == true || value == "true" }
