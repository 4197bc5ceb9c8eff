// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"encoding/json"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/permissions"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("rest_auth", parseApp)
	httpcaddyfile.RegisterDirective("rest_auth", parseDirective)
	// Before request_header, and so after every rewrite: the path that is
	// judged is the path that is proxied.
	httpcaddyfile.RegisterDirectiveOrder("rest_auth", httpcaddyfile.Before, "request_header")
}

// parseDirective sets up a route for a handler. The matcher is the handler's
// own, so that it can see to the requests which the matcher leaves out. Syntax:
//
//	rest_auth [<matcher>] {
//	    authenticate <name> [<args...>] { … } | off
//	    require      <permission> [<args...>] { … }
//	    throttle     anonymous|user|<scope> <n>/second|minute|hour|day
//	    throttle     off
//	    realm        <text>
//	    challenge    first|all
//	    invalid      refuse|anonymous
//	    refusals     auto|respond|error
//	    cors         <origin...>
//	    events       [on|off]
//	    header_up    <name> <value>
//	    header_up    -<name>
//	}
func parseDirective(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	h.Next() // the directive's name
	matcher, err := h.ExtractMatcherSet()
	if err != nil {
		return nil, err
	}
	handler := new(Handler)
	if matcher != nil {
		handler.MatcherSetsRaw = caddyhttp.RawMatcherSets{matcher}
	}
	h.Next() // the directive's name, again
	if h.NextArg() {
		return nil, h.ArgErr()
	}
	for h.NextBlock(0) {
		known, err := handler.parseLine(h.Dispenser)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, h.Errf("unrecognized subdirective '%s'%s", h.Val(), placeOf(h.Val()))
		}
	}
	return h.NewRoute(nil, handler), nil
}

// parseLine fills the settings from one line of a block. It reports whether
// the line is one of the settings'.
func (s *Settings) parseLine(d *caddyfile.Dispenser) (known bool, err error) {
	switch word := d.Val(); word {
	case "authenticate":
		return true, s.parseAuthenticate(d)
	case "require":
		if !d.NextArg() {
			return true, d.ArgErr()
		}
		raw, err := permissions.ParseCaddyfile(d)
		if err != nil {
			return true, err
		}
		s.PermissionsRaw = append(s.PermissionsRaw, raw)
		return true, nil
	case "throttle":
		return true, s.parseThrottle(d)
	case "realm":
		return true, parseWord(d, &s.Realm)
	case "challenge":
		return true, parseWord(d, &s.Challenge, challengeFirst, challengeAll)
	case "invalid":
		return true, parseWord(d, &s.Invalid, invalidRefuse, invalidAnonymous)
	case "refusals":
		return true, parseWord(d, &s.Refusals, refusalsAuto, refusalsRespond, refusalsError)
	case "cors":
		origins := d.RemainingArgs()
		if len(origins) == 0 {
			return true, d.ArgErr()
		}
		if _, err := newCORSPolicy(origins); err != nil {
			return true, d.Errf("cors: %v", err)
		}
		s.CORS = append(s.CORS, origins...)
		return true, nil
	case "events":
		return true, s.parseEvents(d)
	case "header_up":
		return true, s.parseHeaderUp(d)
	}
	return false, nil
}

// parseAuthenticate parses one authenticator, or `off`, which asks nobody
// whatever the defaults say.
func (s *Settings) parseAuthenticate(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.ArgErr()
	}
	name := d.Val()
	off := s.AuthenticatorsRaw != nil && len(s.AuthenticatorsRaw) == 0
	if off || name == "off" && s.AuthenticatorsRaw != nil {
		return d.Err("'authenticate off' stands alone")
	}
	if name == "off" {
		if d.NextArg() {
			return d.ArgErr()
		}
		s.AuthenticatorsRaw = []json.RawMessage{}
		return nil
	}
	raw, err := parseGuest(d, "rest_auth.authenticators.", "authenticator", name)
	if err != nil {
		return err
	}
	s.AuthenticatorsRaw = append(s.AuthenticatorsRaw, raw)
	return nil
}

// parseEvents parses `events`, which is on, or says on or off.
func (s *Settings) parseEvents(d *caddyfile.Dispenser) error {
	if s.Events != nil {
		return d.Err("events is given twice")
	}
	word := ""
	if d.CountRemainingArgs() > 0 {
		if err := parseWord(d, &word, "on", "off"); err != nil {
			return err
		}
	}
	on := word != "off"
	s.Events = &on
	return nil
}

// parseHeaderUp parses `<name> <value>` and `-<name>`.
func (s *Settings) parseHeaderUp(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.ArgErr()
	}
	name, deletes := strings.CutPrefix(args[0], "-")
	switch {
	case deletes && len(args) == 1:
		s.HeaderUp = append(s.HeaderUp, HeaderUp{Name: name, Delete: true})
	case !deletes && len(args) == 2:
		s.HeaderUp = append(s.HeaderUp, HeaderUp{Name: name, Value: args[1]})
	default:
		return d.ArgErr()
	}
	if _, err := newHeaderRules(s.HeaderUp); err != nil {
		return d.Errf("header_up: %v", err)
	}
	return nil
}

// parseGuest lets the module of a namespace parse its own line, and returns it
// as JSON.
func parseGuest(d *caddyfile.Dispenser, namespace, inlineKey, name string) (json.RawMessage, error) {
	if err := checkGuest(d, namespace, inlineKey, name); err != nil {
		return nil, err
	}
	guest, err := caddyfile.UnmarshalModule(d, namespace+name)
	if err != nil {
		return nil, err
	}
	return caddyconfig.JSONModuleObject(guest, inlineKey, name, nil), nil
}

// checkGuest refuses a name that no module of a namespace has.
func checkGuest(d *caddyfile.Dispenser, namespace, inlineKey, name string) error {
	if _, err := caddy.GetModule(namespace + name); err == nil {
		return nil
	}
	var names []string
	for _, module := range caddy.GetModules(strings.TrimSuffix(namespace, ".")) {
		names = append(names, module.ID.Name())
	}
	return d.Errf("unknown %s '%s', expected one of %v", strings.ReplaceAll(inlineKey, "_", " "), name, names)
}

// placeOf tells where a word belongs that the directive does not know, if it
// belongs anywhere.
func placeOf(word string) string {
	if _, err := caddy.GetModule("rest_auth.endpoints." + word); err == nil && word != "session" {
		return ", which stands in rest_auth_endpoints"
	}
	switch word {
	case "store", "session", "cache", "passwords", "login_throttle":
		return ", which stands in the global option rest_auth"
	}
	return ""
}

// parseWord parses a line of one argument, which may be given once and, if
// words are given, is one of them.
func parseWord(d *caddyfile.Dispenser, into *string, words ...string) error {
	setting := d.Val()
	if *into != "" {
		return d.Errf("%s is given twice", setting)
	}
	if !d.AllArgs(into) || *into == "" {
		return d.ArgErr()
	}
	if len(words) > 0 {
		if err := checkWord(setting, *into, words...); err != nil {
			return d.Err(err.Error())
		}
	}
	return nil
}
