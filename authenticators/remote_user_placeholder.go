// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

const (
	clientCertificate = "http.request.tls.client."
	proxyHeader       = "http.reverse_proxy.header."
)

// believable says which placeholders may hold the name of a user: the first
// prefix that a placeholder has decides, and one that has none was set by a
// handler that we know nothing of.
var believable = []struct {
	prefix string
	why    string // it may not, if not empty
}{
	{clientCertificate, ""},
	{"http.request.", "it holds what the client wrote"},
	{"http.regexp", "it holds what was found in the client's request"},
	{"http.url_pattern", "it holds what was found in the client's request"},
	{"http.matchers.", "it holds what was found in the client's request"},
	{"http.vars.client_ip", "it holds an address, which a client may have written"},
	{"http.vars.trusted_proxy", "it holds no name"},
	{"http.vars.start_time", "it holds no name"},
	{"http.vars.uuid", "it holds no name"},
	{"http.vars.trace_id", "it holds what the client wrote"},
	{"http.vars.span_id", "it holds no name"},
	{"http.vars.rest_auth.", "it is reserved"},
	{"http.vars.", ""},
	{"http.auth.user.", ""},
	{"http.auth.", "it holds nobody who was let in"},
	{proxyHeader, ""},
	{"http.", "it holds no name that a handler before this one has set"},
	{"env.", "it is the same for every request"},
	{"file.", "it is the same for every request"},
	{"system.", "it is the same for every request"},
	{"time.", "it holds no name"},
	{"header.", "it holds what the client wrote"},
	{"cookie.", "it holds what the client wrote"},
	{"query.", "it holds what the client wrote"},
	{"path.", "it holds what the client wrote"},
	{"labels.", "it holds what the client wrote"},
	{"re.", "it holds what was found in the client's request"},
	{"vars.", "this short form is known in sites of a Caddyfile only: write {http.vars.…}"},
	{"rp.", "this short form is known in sites of a Caddyfile only: write {http.reverse_proxy.…}"},
	{"tls_client_", "this short form is known in sites of a Caddyfile only: write {http.request.tls.client.…}"},
}

// parsePlaceholder returns the name of a placeholder that a user's name may be
// taken from.
func parsePlaceholder(from string) (string, error) {
	name, opened := strings.CutPrefix(from, "{")
	name, closed := strings.CutSuffix(name, "}")
	if !opened || !closed || name == "" || strings.ContainsAny(name, `{}\`) {
		return "", fmt.Errorf("'%s' is not one placeholder, as {http.auth.user.id}", from)
	}
	for _, rule := range believable {
		if !strings.HasPrefix(name, rule.prefix) {
			continue
		}
		if rule.why != "" {
			return "", fmt.Errorf("%s cannot say who the user is: %s", from, rule.why)
		}
		break
	}
	return name, nil
}

// noticed is the value of a placeholder when the handler began.
type noticed struct{ value any }

// String keeps it out of a log that prints all variables.
func (*noticed) String() string { return "" }

func noticedAs(placeholder string) string { return "rest_auth.from." + placeholder }

func noticePlaceholder(r *http.Request, placeholder string) {
	if vars, ok := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		vars[noticedAs(placeholder)] = &noticed{readPlaceholder(r, placeholder)}
	}
}

func readPlaceholder(r *http.Request, placeholder string) any {
	replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return nil
	}
	// Without a certificate, and with one that nobody vouches for, Caddy knows
	// these too.
	if strings.HasPrefix(placeholder, clientCertificate) && (r.TLS == nil || len(r.TLS.VerifiedChains) == 0) {
		return nil
	}
	value, _ := replacer.Get(placeholder)
	return value
}

// placeholderValue returns the text that the placeholder held when the handler
// began, and whether a comma in it would separate two.
func placeholderValue(r *http.Request, placeholder string) (text string, list bool, err error) {
	var value any
	if found, ok := caddyhttp.GetVar(r.Context(), noticedAs(placeholder)).(*noticed); ok {
		value = found.value
	} else {
		value = readPlaceholder(r, placeholder)
	}
	list = strings.HasPrefix(placeholder, proxyHeader)
	switch value := value.(type) {
	case nil:
		return "", list, nil
	case string:
		return value, list, nil
	case []string:
		if len(value) > 1 {
			return "", list, errRemoteSeveral
		}
		return strings.Join(value, ""), list, nil
	case error, bool:
		return "", list, errRemoteType
	case fmt.Stringer, int, int32, int64, uint, uint32, uint64:
		return caddy.ToString(value), list, nil
	}
	return "", list, errRemoteType
}

var (
	errRemoteSeveral = errors.New("the placeholder holds several values")
	errRemoteType    = errors.New("the placeholder does not hold a text")
)
