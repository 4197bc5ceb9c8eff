// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// compare says how the outcome differs from what the case expects.
func compare(c Case, got outcome) []error {
	switch {
	case c.Identity == nil && c.Err == nil:
		return []error{errors.New("the case expects neither an identity nor an error")}
	case c.Identity != nil && c.Err != nil:
		return []error{errors.New("the case expects an identity and an error")}
	case c.Identity != nil && got.id == nil:
		return []error{fmt.Errorf("Authenticate = %s, want %s", got, outcome{id: c.Identity})}
	case c.Err != nil && got.err == nil:
		return []error{fmt.Errorf("Authenticate = %s, want %s", got, outcome{err: c.Err})}
	case c.Identity != nil:
		return compareIdentities("Identity", c.Identity, got.id)
	}
	return compareErrors(c.Err, got.err)
}

// decisive are the fields of an Identity that decide about access.
var decisive = []string{"ID", "Staff", "Superuser", "Groups", "Permissions", "Scopes"}

func compareIdentities(what string, want, got *auth.Identity) (faults []error) {
	w, g := reflect.ValueOf(*want), reflect.ValueOf(*got)
	for i := range w.NumField() {
		name := w.Type().Field(i).Name
		if isEmpty(w.Field(i)) && (!slices.Contains(decisive, name) || isEmpty(g.Field(i))) {
			continue
		}
		if !sameValue(w.Field(i).Interface(), g.Field(i).Interface()) {
			faults = append(faults, fmt.Errorf("%s.%s = %v, want %v", what, name, g.Field(i), w.Field(i)))
		}
	}
	return faults
}

// isEmpty reports whether v is zero or an empty slice, which are alike here.
func isEmpty(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

func sameValue(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		return t.Equal(b.(time.Time))
	}
	return reflect.DeepEqual(a, b)
}

func compareErrors(want, got error) (faults []error) {
	differ := func(what string, got, want any) {
		faults = append(faults, fmt.Errorf("%s = %v, want %v", what, got, want))
	}
	switch want := want.(type) {
	case *auth.Failure:
		got, ok := errors.AsType[*auth.Failure](got)
		if !ok {
			differ("error", outcome{err: got}, want)
			return faults
		}
		if got, want := orDefault(got.Code, auth.CodeAuthenticationFailed), orDefault(want.Code, auth.CodeAuthenticationFailed); got != want {
			differ("Failure.Code", got, want)
		}
		if got.Detail != want.Detail {
			differ("Failure.Detail", got.Detail, want.Detail)
		}
		if want.Body != nil && !reflect.DeepEqual(got.Body, want.Body) {
			differ("Failure.Body", got.Body, want.Body)
		}
		if want.Err != nil && !errors.Is(got.Err, want.Err) {
			differ("Failure.Err", got.Err, want.Err)
		}
		switch {
		case want.Candidate == nil:
		case got.Candidate == nil:
			differ("Failure.Candidate", nil, outcome{id: want.Candidate})
		default:
			faults = append(faults, compareIdentities("Failure.Candidate", want.Candidate, got.Candidate)...)
		}
	case *auth.Denial:
		got, ok := errors.AsType[*auth.Denial](got)
		if !ok {
			differ("error", outcome{err: got}, want)
			return faults
		}
		if got, want := orDefault(got.Code, auth.CodePermissionDenied), orDefault(want.Code, auth.CodePermissionDenied); got != want {
			differ("Denial.Code", got, want)
		}
		if got.Detail != want.Detail {
			differ("Denial.Detail", got.Detail, want.Detail)
		}
		if want.Body != nil && !reflect.DeepEqual(got.Body, want.Body) {
			differ("Denial.Body", got.Body, want.Body)
		}
	case *auth.Throttled:
		throttled, ok := errors.AsType[*auth.Throttled](got)
		if !ok || want.Wait != 0 && throttled.Wait != want.Wait {
			differ("error", got, want)
		}
	case *auth.Unavailable:
		if _, ok := errors.AsType[*auth.Unavailable](got); !ok {
			differ("error", got, want)
		}
	default:
		if !errors.Is(got, want) {
			differ("error", got, want)
		}
	}
	return faults
}

func orDefault(code, standard string) string {
	if code == "" {
		return standard
	}
	return code
}
