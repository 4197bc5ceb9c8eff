// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/endpoints"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/page"
)

// lifetimes are what the form offers.
var lifetimes = []struct {
	days int64
	name string
}{{7, "7 days"}, {30, "30 days"}, {90, "90 days"}, {365, "1 year"}}

// forPeople lets a person's request be answered by a page. Forms have to carry a
// CSRF token whoever the caller is: a browser sends a password of Basic along
// with the form of any site.
func (e *Endpoint) forPeople(program, person endpoints.Action) endpoints.Action {
	return func(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
		if !page.Wanted(r) {
			if err := e.checkOrigin(w, r, id); err != nil {
				return err
			}
			return program(w, r, id)
		}
		if err := mayOwn(id); err != nil {
			return err
		}
		if err := e.sessions.CSRF().Check(r); err != nil {
			return err
		}
		return person(w, r, id)
	}
}

// checkOrigin keeps the scripts of other sites from using what a browser sends by
// itself, as a password of Basic; sessions were checked before. A program sends
// no Origin, and one of ours, or one that cors names, needs no CSRF token.
func (e *Endpoint) checkOrigin(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	origin := r.Header.Get("Origin")
	if origin == "" || id.Credential != "" || r.Header.Get("Sec-Fetch-Site") == "same-origin" ||
		w.Header().Get("Access-Control-Allow-Origin") == origin {
		return nil
	}
	if _, host, _ := strings.Cut(origin, "://"); strings.EqualFold(host, r.Host) {
		return nil
	}
	return e.sessions.CSRF().Check(r)
}

// listPage shows the caller's tokens.
func (e *Endpoint) listPage(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	return e.showList(w, r, id, http.StatusOK, listView{})
}

// createPage creates a token from the form, and shows its secret.
func (e *Endpoint) createPage(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	values, err := data.Read(
		drf.Field{Name: "label", Optional: true, AllowBlank: true, MaxLength: maxLabel},
		drf.Field{Name: "scopes", Type: drf.StringList, Optional: true},
		drf.Field{Name: "ttl", Type: drf.Integer, Optional: true},
	)
	if err != nil {
		label, _ := data.Form("label")
		return e.again(w, r, id, wish{label: label}, 0, err)
	}
	asked := wish{label: values.String("label"), scopes: values.Strings("scopes")}
	ttl := values.Int("ttl")
	switch now := e.now(); {
	case !values.Has("ttl"):
	case ttl == 0:
		asked.never = true
	case ttl < 0 || ttl > int64(10*365*24*time.Hour/time.Second):
		return e.again(w, r, id, asked, 0, drf.FieldErrors("ttl", "Choose one of these."))
	default:
		asked.expires, asked.ends = now.Add(time.Duration(ttl)*time.Second), true
		// The longest that is offered is not to fail by the time it took to choose.
		if latest := e.latest(id, now); !latest.IsZero() && asked.expires.After(latest) {
			asked.expires = latest
		}
	}
	secret, _, err := e.issue(r.Context(), id, asked)
	if err != nil {
		return e.again(w, r, id, asked, ttl, err)
	}
	return e.showSecret(w, r, secretView{Secret: secret})
}

// again shows the form with what is wrong with it, if that is it.
func (e *Endpoint) again(w http.ResponseWriter, r *http.Request, id *auth.Identity, asked wish, ttl int64, err error) error {
	said, ok := errors.AsType[*drf.Error](err)
	if !ok || said.Status != http.StatusBadRequest {
		return err
	}
	view := listView{Label: asked.label, Scopes: e.scopeViews(asked.scopes), TTLs: e.ttlViews(ttl)}
	problems, _ := said.Body.(drf.Object)
	for _, problem := range problems {
		texts, _ := problem.Value.([]string)
		if len(texts) == 0 {
			continue
		}
		switch problem.Name {
		case "label":
			view.LabelError = texts[0]
		case "scopes":
			view.ScopesError = texts[0]
		case "ttl", "expires":
			view.TTLError = texts[0]
		default:
			view.Error = texts[0]
		}
	}
	return e.showList(w, r, id, said.Status, view)
}

// rotatePage rotates a token with the grace of the configuration, and shows the
// new secret.
func (e *Endpoint) rotatePage(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	secret, _, kept, err := e.replace(r.Context(), id, r.PathValue("handle"), time.Duration(*e.Grace))
	if err != nil {
		return err
	}
	return e.showSecret(w, r, secretView{Secret: secret, Rotated: true, Previous: kept.Expires})
}

// revokePage revokes a token, and goes back to the list.
func (e *Endpoint) revokePage(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if err := e.revokeOne(r.Context(), r.PathValue("handle"), id); err != nil {
		return err
	}
	return e.back(w, r)
}

// revokeAllPage revokes all of the caller's tokens, and goes back to the list.
func (e *Endpoint) revokeAllPage(w http.ResponseWriter, r *http.Request, id *auth.Identity) error {
	if err := e.revokeEvery(r.Context(), id); err != nil {
		return err
	}
	return e.back(w, r)
}

func (e *Endpoint) back(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Location", endpoints.Base(r, e.at))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (e *Endpoint) scopeViews(checked []string) []scopeView {
	views := make([]scopeView, len(e.Scopes))
	for i, scope := range e.Scopes {
		views[i] = scopeView{scope, slices.Contains(checked, scope)}
	}
	return views
}

// ttlViews are the lifetimes that the configuration allows, one of which is
// suggested.
func (e *Endpoint) ttlViews(selected int64) []ttlView {
	var views []ttlView
	longest := int64(time.Duration(e.MaxTTL) / time.Second)
	for _, lifetime := range lifetimes {
		if seconds := lifetime.days * 24 * 3600; longest == 0 || seconds < longest {
			views = append(views, ttlView{Seconds: seconds, Name: lifetime.name})
		}
	}
	if longest == 0 {
		views = append(views, ttlView{Name: "No end"})
	} else {
		views = append(views, ttlView{Seconds: longest, Name: inWords(longest)})
	}
	if other := int64(time.Duration(e.DefaultTTL) / time.Second); other > 0 && !slices.ContainsFunc(views, func(v ttlView) bool { return v.Seconds == other }) {
		views = append(views, ttlView{Seconds: other, Name: inWords(other)})
		slices.SortFunc(views, func(a, b ttlView) int { return int(endless(a) - endless(b)) })
	}
	for i := range views {
		views[i].Selected = views[i].Seconds == selected
	}
	return views
}

// endless sorts a lifetime without an end behind all others.
func endless(v ttlView) int64 {
	if v.Seconds == 0 {
		return int64(^uint64(0) >> 2)
	}
	return v.Seconds
}

func inWords(seconds int64) string {
	for _, unit := range []struct {
		seconds int64
		name    string
	}{{24 * 3600, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		if n := seconds / unit.seconds; seconds%unit.seconds == 0 && n > 0 {
			if n == 1 {
				return "1 " + unit.name
			}
			return strconv.FormatInt(n, 10) + " " + unit.name + "s"
		}
	}
	return "0 seconds"
}
