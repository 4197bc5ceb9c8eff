// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
)

// String is the explanation for people: the verdict first, then what led to it
// in the order in which it happened.
func (x *explanation) String() string {
	p := new(printer)
	status := ""
	if x.Status != 0 && x.Verdict != verdictUnguarded {
		status = strconv.Itoa(x.Status) + " " + http.StatusText(x.Status) + ", "
	}
	p.line(0, "%s%s", status, x.Summary)
	p.line(0, "")
	x.printRequest(p)
	for _, j := range x.Judged {
		p.line(0, "")
		j.print(p)
	}
	if len(x.Judged) == 0 {
		p.line(0, "")
		p.line(0, "no rest_auth is on the way of this request: whoever answers it decides alone")
	}
	if x.Answered != nil && x.Answered.By != answeredByUs {
		p.line(0, "")
		p.line(0, "answered by %s", x.Answered.By)
		if x.Answered.Route != "" {
			p.line(1, "at %s", x.Answered.Route)
		}
	}
	if len(x.Notes) > 0 {
		p.line(0, "")
		p.line(0, "NOT CERTAIN, because it was not run:")
		for _, note := range x.Notes {
			p.line(1, "- %s", note)
		}
	}
	return p.String()
}

func (x *explanation) printRequest(p *printer) {
	p.line(0, "%s %s", x.Request.Method, x.Request.URL)
	rows := [][2]string{{"from", strings.TrimSuffix(x.Request.From, ":0")}}
	if x.Request.ClientIP != "" {
		rows = append(rows, [2]string{"client", x.Request.ClientIP})
	}
	rows = append(rows, [2]string{"server", x.Server + " (" + strings.Join(x.Listen, ", ") + ")"})
	for _, line := range x.Request.Headers {
		rows = append(rows, [2]string{line.Name, line.Value})
	}
	for _, name := range x.Request.Dropped {
		rows = append(rows, [2]string{name, "dropped by Caddy: CGI could take it for another header"})
	}
	p.rows(1, rows)
}

func (j *judgement) print(p *printer) {
	p.line(0, "rest_auth at %s", j.Route)
	if j.LeftOut {
		p.line(1, "LEFT OUT: the handler's matcher does not match, so that nobody is asked")
		j.Headers.print(p)
		return
	}
	if j.Preflight {
		p.line(1, "CORS preflight: nobody is asked")
		j.Headers.print(p)
		return
	}
	p.line(1, "authenticate")
	if len(j.Authenticators) == 0 {
		p.line(2, "nobody is asked")
	}
	var rows [][2]string
	for _, a := range j.Authenticators {
		rows = append(rows, [2]string{a.Name, a.String()})
	}
	p.rows(2, rows)
	for _, who := range []struct {
		title string
		id    *explainedIdentity
	}{{"identity", j.Identity}, {"known, and refused", j.Candidate}} {
		if who.id != nil {
			p.line(1, "%s", who.title)
			p.rows(2, who.id.rows())
		}
	}
	p.line(1, "require")
	for _, permission := range j.Permissions {
		permission.print(p, 2)
	}
	j.printThrottles(p)
	j.Headers.print(p)
	if j.Refusal != nil {
		j.Refusal.print(p)
	}
}

func (a *explainedAuthenticator) String() string {
	text := a.Outcome
	if a.User != "" {
		text += ", of " + a.User
	}
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	switch a.Remembered {
	case "fresh":
		text += " (remembered: the running handler would not ask again)"
	case "stale":
		text += " (remembered, to be checked again)"
	}
	return text
}

func (id *explainedIdentity) rows() [][2]string {
	rows := [][2]string{
		{"id", id.ID},
		{"key", id.Key},
		{"source", id.Source},
		{"name", id.Name},
		{"email", id.Email},
		{"groups", strings.Join(id.Groups, ", ")},
		{"permissions", strings.Join(id.Permissions, ", ")},
		{"scopes", strings.Join(id.Scopes, ", ")},
		{"method", id.Method},
		{"credential", id.Credential},
		{"client", id.Client},
		{"expires", id.Expires},
	}
	if id.Staff {
		rows = append(rows, [2]string{"staff", "yes"})
	}
	if id.Superuser {
		rows = append(rows, [2]string{"superuser", "yes"})
	}
	said := rows[:0]
	for _, row := range rows {
		if row[1] != "" {
			said = append(said, row)
		}
	}
	return said
}

// marks of a permission's outcome, as wide as each other.
var marks = map[string]string{
	outcomeAllowed: "yes", outcomeRefused: "NO ", outcomeError: "ERR", outcomeNotAsked: " - ",
}

func (e *explainedPermission) print(p *printer, depth int) {
	text := marks[e.Outcome] + " " + e.Name
	if e.Outcome == outcomeNotAsked && depth == 2 {
		text += " (not asked)"
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	p.line(depth, "%s", text)
	for _, part := range e.Parts {
		part.print(p, depth+2)
	}
}

func (h *explainedHeaders) print(p *printer) {
	var rows [][2]string
	for _, name := range h.Stripped {
		rows = append(rows, [2]string{name, "what the client sent is removed"})
	}
	for _, name := range h.Deleted {
		rows = append(rows, [2]string{name, "deleted"})
	}
	for _, line := range h.Set {
		rows = append(rows, [2]string{line.Name, "set to " + line.Value})
	}
	if len(rows) > 0 {
		p.line(1, "headers to the upstream")
		p.rows(2, rows)
	}
}

func (f *explainedRefusal) print(p *printer) {
	p.line(1, "answer")
	rows := [][2]string{{"status", strconv.Itoa(f.Status)}, {"code", f.Code}}
	for _, challenge := range f.Challenges {
		rows = append(rows, [2]string{"WWW-Authenticate", challenge})
	}
	if f.Location != "" {
		rows = append(rows, [2]string{"Location", f.Location})
	}
	if f.RetryAfter > 0 {
		rows = append(rows, [2]string{"Retry-After", strconv.Itoa(f.RetryAfter)})
	}
	switch {
	case f.ErrorRoutes:
		rows = append(rows, [2]string{"body", "written by the error routes"})
	case f.Body != "":
		rows = append(rows, [2]string{"body", f.Body})
	}
	p.rows(2, rows)
}

// printer indents lines. Every text of others passes through cell, so that none
// can move the cursor or hide a line.
type printer struct{ strings.Builder }

func (p *printer) line(depth int, format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok && text != "" {
			args[i] = cell(text)
		}
	}
	text := strings.Repeat("  ", depth) + fmt.Sprintf(format, args...)
	_, _ = p.WriteString(strings.TrimRight(text, " ") + "\n") // always nil
}

func (p *printer) rows(depth int, rows [][2]string) {
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		// A strings.Builder takes everything.
		_, _ = fmt.Fprintln(w, strings.Repeat("  ", depth)+cell(row[0])+"\t"+cell(row[1]))
	}
	_ = w.Flush()
}
