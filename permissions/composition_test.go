// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// TestExplain holds what a refusal of a plain user's POST says.
func TestExplain(t *testing.T) {
	tests := map[string]struct {
		permission string
		want       *auth.Denial
	}{
		"nothing to add": {`staff`, nil},
		"message":        {"staff {\nmessage \"Staff only.\"\n}", &auth.Denial{Detail: "Staff only."}},
		"code":           {"staff {\ncode staff_only\n}", &auth.Denial{Code: "staff_only"}},
		"message, code and body": {
			"user bob {\nmessage m\ncode c\nbody `{\"error\":\"x\",\"n\":1}`\n}",
			&auth.Denial{Code: "c", Detail: "m", Body: json.RawMessage(`{"error":"x","n":"1"}`)},
		},
		"not: its own": {"not user alice {\nmessage own\n}", &auth.Denial{Detail: "own"}},
		"not: never the operand's": {
			"not {\nuser alice {\nmessage operand\n}\n}", nil,
		},
		"all: the first that refuses": {
			"all {\nauthenticated {\nmessage a\n}\nstaff {\nmessage b\n}\nsuperuser {\nmessage c\n}\n}",
			&auth.Denial{Detail: "b"},
		},
		"all: the first that refuses has none": {
			"all {\nstaff\nsuperuser {\nmessage c\n}\n}", nil,
		},
		"all: its own wins": {
			"all {\nmessage own\nstaff {\nmessage b\n}\n}", &auth.Denial{Detail: "own"},
		},
		"any: the last that has one": {
			"any {\nstaff {\nmessage a\n}\nuser bob {\nmessage b\n}\nsuperuser\n}", &auth.Denial{Detail: "b"},
		},
		"any: none": {"any staff superuser", nil},
		"any: its own wins": {
			"any staff superuser {\nmessage own\ncode c\n}", &auth.Denial{Detail: "own", Code: "c"},
		},
		"any: its own wins in a block": {
			"any {\nstaff {\nmessage a\n}\nmessage own\n}", &auth.Denial{Detail: "own"},
		},
		"nested": {
			"any {\nall {\nauthenticated\nstaff {\nmessage deep\n}\n}\nread_only\n}", &auth.Denial{Detail: "deep"},
		},
		"scope":                             {"scope a b", &auth.Denial{Scopes: []string{"a", "b"}}},
		"scope with a message":              {"scope a {\nmessage m\n}", &auth.Denial{Detail: "m", Scopes: []string{"a"}}},
		"read_write_scope":                  {"read_write_scope x", &auth.Denial{Scopes: []string{"x", "write"}}},
		"resource_scope":                    {"resource_scope music", &auth.Denial{Scopes: []string{"music:write"}}},
		"method_scopes: the first":          {"method_scopes {\nPOST a b | c\n}", &auth.Denial{Scopes: []string{"a", "b"}}},
		"method_scopes: not listed":         {"method_scopes {\nGET a\n}", nil},
		"all: own text, scopes of the part": {"all {\nmessage own\nauthenticated\nscope a\n}", &auth.Denial{Detail: "own", Scopes: []string{"a"}}},
		"any: scopes do not hide a text": {
			"any {\nstaff {\nmessage a\n}\nscope b\nscope c\n}", &auth.Denial{Detail: "a", Scopes: []string{"b"}},
		},
		"not: nobody asks for fewer scopes": {"not not scope a", nil},
		"match":                             {"match method GET {\nmessage \"Read only.\"\n}", &auth.Denial{Detail: "Read only."}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustParse(t, tt.permission)
			r := request(t, "POST", "/")
			if allowed, err := p.Allow(r, people["plain"]); allowed || err != nil {
				t.Fatalf("Allow() = %v, %v, want a refusal", allowed, err)
			}
			got := p.(auth.Explainer).Explain(r, people["plain"])
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Explain() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExplainReturnsACopy holds that a caller may fill in what is empty.
func TestExplainReturnsACopy(t *testing.T) {
	p := mustParse(t, "staff {\nmessage m\n}").(auth.Explainer)
	r := request(t, "GET", "/")
	p.Explain(r, people["plain"]).Code = "changed"
	if got := p.Explain(r, people["plain"]).Code; got != "" {
		t.Errorf("Code = %q after a caller changed its own", got)
	}
}

// TestErrorsDeny holds that no composition turns an error into an allowance or
// into a mere refusal.
func TestErrorsDeny(t *testing.T) {
	for _, input := range []string{
		"not test_broken",
		"not not test_broken",
		"any test_broken authenticated",
		"any staff test_broken allow_any",
		"all test_broken authenticated",
		"all authenticated test_broken",
		"not {\nany {\nall {\ntest_broken\n}\nallow_any\n}\n}",
	} {
		allowed, err := mustParse(t, input).Allow(request(t, "GET", "/"), people["plain"])
		if allowed || !errors.Is(err, errBroken) {
			t.Errorf("%q: Allow() = %v, %v, want false and %v", input, allowed, err, errBroken)
		}
	}
	for _, input := range []string{"any authenticated test_broken", "not staff"} {
		if !allow(t, mustParse(t, input), "GET", people["plain"]) {
			t.Errorf("%q refuses, although what comes after the decision is not asked", input)
		}
	}
	if allow(t, mustParse(t, "all staff test_broken"), "GET", people["plain"]) {
		t.Error("all goes on after a refusal")
	}
}

// TestExplainSurvivesErrors holds a permission that fails when it is asked again.
func TestExplainSurvivesErrors(t *testing.T) {
	p := mustParse(t, "all test_broken staff").(auth.Explainer)
	if got := p.Explain(request(t, "GET", "/"), people["plain"]); got != nil {
		t.Errorf("Explain() = %v, want nil", got)
	}
}

// TestResponders holds that compositions hand the response to those of their
// permissions that have a part in it, however deep.
func TestResponders(t *testing.T) {
	tests := map[string]int{
		"any authenticated test_wrapper":                     1,
		"all test_wrapper authenticated test_wrapper":        2,
		"not test_wrapper":                                   1,
		"not staff":                                          0,
		"any staff superuser":                                0,
		"any {\nall {\nnot test_wrapper\n}\ntest_wrapper\n}": 2,
	}
	for input, want := range tests {
		recorder := httptest.NewRecorder()
		responder := mustParse(t, input).(auth.Responder)
		if w := responder.WrapResponse(recorder, request(t, "GET", "/"), people["plain"]); w == nil {
			t.Fatalf("%q: WrapResponse() = nil", input)
		}
		if got := len(recorder.Header()["Wrapped"]); got != want {
			t.Errorf("%q: %d permissions wrapped the response, want %d", input, got, want)
		}
	}
}
