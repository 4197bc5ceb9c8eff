// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

const (
	placeholderUser      = "http.auth.user."
	placeholderUserID    = "http.auth.user.id"
	placeholderCandidate = "http.auth.candidate."

	// stateVar is where the first handler of a request leaves its state for
	// those after it. It is reserved.
	stateVar = "rest_auth.state"
)

// requestState is what the handlers of one request know of it together. Every
// {http.auth.*} placeholder reads it when it is printed, never before. It is made
// for each request: up to 512 bytes the allocator is quicker.
type requestState struct {
	user       *auth.Identity // current; Anonymous before and after a refusal
	candidate  *auth.Identity // known and refused; else Anonymous
	code       string         // of the last refusal
	detail     string
	replacer   *caddy.Replacer
	remembered auth.Identity // where the cache decodes to, first
	lists      [8]string     // what its groups and scopes are kept in, if they are few
	taken      bool          // by an identity that is in use
	told       *headerRules  // of the last handler that let the request through
	toldBefore []*headerRules
}

// currentState returns the state that the last handler of the request left.
func currentState(r *http.Request) *requestState {
	vars, _ := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	if state, ok := vars[stateVar].(*requestState); ok {
		return state
	}
	return &requestState{user: auth.Anonymous, candidate: auth.Anonymous}
}

// stateOf returns the request's state, and forgets who passed an earlier
// handler: until this one has decided, nobody has.
func stateOf(r *http.Request) *requestState {
	ctx := r.Context()
	vars, _ := ctx.Value(caddyhttp.VarsCtxKey).(map[string]any)
	state, ok := vars[stateVar].(*requestState)
	if !ok {
		state = &requestState{candidate: auth.Anonymous}
		state.replacer, _ = ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		if vars != nil {
			vars[stateVar] = state
		}
		if state.replacer != nil {
			state.replacer.Map(state.placeholder)
		}
	}
	state.user = auth.Anonymous
	if state.replacer != nil {
		// What a handler of another kind has set would hide ours, and id and
		// groups would come from two people.
		state.replacer.DeleteByPrefix(placeholderUser)
		state.replacer.DeleteByPrefix(placeholderCandidate)
	}
	return state
}

// tell keeps what a handler has told the upstream.
func (s *requestState) tell(rules *headerRules) {
	if s.told != nil {
		s.toldBefore = append(s.toldBefore, s.told)
	}
	s.told = rules
}

// tells reports whether a header is the word of a handler that let the request
// through, and not the client's.
func (s *requestState) tells(name string) bool {
	return s.told.names(name) || slices.ContainsFunc(s.toldBefore, func(rules *headerRules) bool { return rules.names(name) })
}

// scratch returns a place for a remembered identity that no earlier handler's
// identity is kept in.
func (s *requestState) scratch() *auth.Identity {
	if s.taken {
		return new(auth.Identity)
	}
	s.remembered.Groups = s.lists[:0]
	return &s.remembered
}

// refuse moves a known user to the candidates.
func (s *requestState) refuse(refused refusal, code, detail string) {
	s.user = auth.Anonymous
	s.candidate = auth.Anonymous
	s.code, s.detail = code, detail
	if refused.id.Authenticated() {
		s.candidate = refused.id
	} else if candidate := candidateOf(refused.cause); candidate != nil {
		s.candidate = candidate
	}
}

// candidateOf returns the user whom refused credentials name, or nil.
func candidateOf(cause error) *auth.Identity {
	switch cause := cause.(type) {
	case *auth.Failure:
		return cause.Candidate
	case *auth.Throttled:
		return cause.Candidate
	}
	return nil
}

// String keeps the state out of a log that prints all variables.
func (s *requestState) String() string { return "" }

// placeholder provides {http.auth.*} to the request's replacer.
func (s *requestState) placeholder(key string) (any, bool) {
	if !strings.HasPrefix(key, "http.auth.") {
		return nil, false
	}
	if name, ok := strings.CutPrefix(key, placeholderUser); ok {
		return identityValue(s.named(name), name)
	}
	if name, ok := strings.CutPrefix(key, placeholderCandidate); ok {
		return identityValue(s.candidate, name)
	}
	switch key {
	case "http.auth.method":
		return s.named("").Method, true
	case "http.auth.credential":
		return s.named("").Credential, true
	case "http.auth.error.code":
		return s.code, true
	case "http.auth.error.detail":
		return s.detail, true
	}
	return nil, false
}

// named returns the current identity for the placeholder of an attribute, and
// Anonymous once a later handler of another kind has named another user: its
// ID would be printed beside our groups.
func (s *requestState) named(attribute string) *auth.Identity {
	if attribute != "id" {
		if id, _ := s.replacer.GetString(placeholderUserID); id != s.user.ID {
			return auth.Anonymous
		}
	}
	return s.user
}

// identityValue returns one attribute. Lists and booleans keep their type for
// CEL expressions; lists print joined by commas.
func identityValue(id *auth.Identity, name string) (any, bool) {
	switch name {
	case "id":
		return id.ID, true
	case "key":
		return id.Key, true
	case "name":
		return id.Name, true
	case "email":
		return id.Email, true
	case "source":
		return id.Source, true
	case "client":
		return id.Client, true
	case "staff":
		return id.Staff, true
	case "superuser":
		return id.Superuser, true
	case "groups":
		return list(id.Groups), true
	case "permissions":
		return list(id.Permissions), true
	case "scopes":
		return list(id.Scopes), true
	}
	if path, ok := strings.CutPrefix(name, "claims."); ok {
		claim, ok := id.Claim(path)
		if !ok {
			// Prints as nothing, and has no members for CEL's `in`, where
			// a text would be an error.
			return list(nil), true
		}
		return printable(claim), true
	}
	return nil, false
}

// list is a placeholder's value with several parts.
type list []string

func (l list) String() string { return strings.Join(l, ",") }

// printable returns a decoded claim as a placeholder's value.
func printable(claim any) any {
	parts, ok := claim.([]any)
	if !ok {
		return claim
	}
	strs := make(list, 0, len(parts))
	for _, part := range parts {
		text, ok := part.(string)
		if !ok {
			return claim
		}
		strs = append(strs, text)
	}
	return strs
}
