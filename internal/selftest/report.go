// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"cmp"
	"slices"
	"strings"
)

// A Severity says what a finding means for the exit status.
type Severity string

// Severities, the worst first.
const (
	Leak      Severity = "leak"      // the upstream believes what a client says
	Lost      Severity = "lost"      // a client can have the true header removed
	Unreached Severity = "unreached" // nothing is known of a proxy
	Notice    Severity = "notice"    // for the operator to judge
)

var bySeverity = []Severity{Leak, Lost, Unreached, Notice}

// A Finding is one thing that an operator should know.
type Finding struct {
	Severity Severity `json:"severity"`
	// Proxy is the number of a proxy, counted from 1; Proxies are several.
	Proxy   int   `json:"proxy,omitempty"`
	Proxies []int `json:"proxies,omitempty"`
	// Header is what the upstream reads; in capitals with _ if it is a variable of CGI.
	Header string `json:"header,omitempty"`
	// Request is one that shows it; no values that may be secret are in it.
	Request string `json:"request,omitempty"`
	// As is who the client was: known, anonymous or refused.
	As []string `json:"as,omitempty"`
	// Spellings are what the client sent.
	Spellings []string `json:"spellings,omitempty"`
	// Saw are the names under which it arrived.
	Saw []string `json:"saw,omitempty"`
	// Text says it in a sentence.
	Text string `json:"text"`
}

// unguarded is the text of a notice.
const unguarded = "the request passes no rest_auth on its way to the upstream: nothing that a client writes is stripped"

// A Proxy is one reverse_proxy of the configuration.
type Proxy struct {
	Number   int      `json:"number"`
	Where    string   `json:"where"` // in the JSON configuration
	Upstream string   `json:"upstream"`
	Sites    []string `json:"sites,omitempty"`
	// Headers are those by which the upstream is told who the client is.
	Headers []string `json:"headers,omitempty"`
	Ways    []Way    `json:"ways"`
}

// A Way is a request that reaches a proxy.
type Way struct {
	Request string `json:"request"`
	// Guards are the rest_auth handlers on it, by their place in the JSON
	// configuration; Judging those of them that asked who the client is.
	Guards  []string `json:"guards"`
	Judging []string `json:"judging"`
}

// A Report is what a self-test found.
type Report struct {
	OK       bool      `json:"ok"`
	Requests int       `json:"requests"` // how many were made
	Proxies  []Proxy   `json:"proxies"`
	Findings []Finding `json:"findings"`
	// LeftOut is what the copy does without, and why.
	LeftOut map[string]string `json:"left_out,omitempty"`
}

// Count returns how many findings are of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// add records a finding. What differs only in how the client spelled it, or
// who it was, is one finding.
func (r *Report) add(f Finding) {
	for i := range r.Findings {
		same := &r.Findings[i]
		if same.Severity == f.Severity && same.Proxy == f.Proxy && same.Header == f.Header && same.Request == f.Request && same.Text == f.Text {
			same.As = union(same.As, f.As)
			same.Spellings = union(same.Spellings, f.Spellings)
			same.Saw = union(same.Saw, f.Saw)
			return
		}
	}
	r.Findings = append(r.Findings, f)
}

func union[T comparable](a, b []T) []T {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// finish orders the findings and decides.
func (r *Report) finish(allowUnreached bool) {
	// That nothing is stripped is said by the leak already.
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		return f.Text == unguarded && slices.ContainsFunc(r.Findings, func(leak Finding) bool {
			return leak.Severity == Leak && leak.Proxy == f.Proxy && leak.Request == f.Request
		})
	})
	for i := range r.Findings {
		slices.SortFunc(r.Findings[i].Saw, byOddity)
		slices.Sort(r.Findings[i].Proxies)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(bySeverity, a.Severity), slices.Index(bySeverity, b.Severity)),
			cmp.Compare(uint(a.Proxy-1), uint(b.Proxy-1)), // those of several come last
			strings.Compare(a.Header, b.Header),
		)
	})
	r.OK = r.Count(Leak) == 0 && r.Count(Lost) == 0 && (allowUnreached || r.Count(Unreached) == 0)
	if r.Proxies == nil {
		r.Proxies = []Proxy{}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
}

// byOddity puts names that are common before those that nobody would guess.
func byOddity(a, b string) int {
	odd := func(name string) int {
		if strings.ContainsAny(name, "!#$%&'*+^`|~") {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(odd(a), odd(b)), strings.Compare(a, b))
}
