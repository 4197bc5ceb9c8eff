// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
)

// explainTimeout bounds how long a question may keep a store or an issuer busy.
const explainTimeout = 20 * time.Second

// verdictUnguarded is the verdict on a request that no handler of ours judged.
const verdictUnguarded = "unguarded"

// answeredByUs is who answers a request that is refused.
const answeredByUs = "rest_auth"

// An explanation says what would become of a request, and why. No part of it is
// a secret that the request carries.
type explanation struct {
	Verdict string `json:"verdict"`
	Summary string `json:"summary"`
	// What the client would get; 0 where an upstream decides.
	Status int `json:"status,omitempty"`

	Request  explainedRequest `json:"request"`
	Server   string           `json:"server"`
	Listen   []string         `json:"listen"`
	Judged   []*judgement     `json:"judged"`
	Answered *answered        `json:"answered,omitempty"`
	// What may turn out otherwise, because it was not run.
	Notes []string `json:"notes,omitempty"`
}

// explainedRequest is the request as the server would see it.
type explainedRequest struct {
	Method   string       `json:"method"`
	URL      string       `json:"url"`
	From     string       `json:"from"`
	ClientIP string       `json:"client_ip"`
	Headers  []headerLine `json:"headers,omitempty"`
	// Headers that the server drops before anything else sees them.
	Dropped []string `json:"dropped,omitempty"`
}

// answered is who would answer the client, or the upstream's place.
type answered struct {
	By    string `json:"by"`
	Route string `json:"route,omitempty"`
}

// explainer rehearses one request against the configuration that runs.
type explainer struct {
	ctx    caddy.Context
	app    *App
	server *caddyhttp.Server
	mask   *mask
	sent   http.Header // by the client
	report *explanation
	// How often a named route was met, and what went wrong with explaining.
	invocations int
	broken      error
}

// serveExplain answers POST /rest_auth/explain.
func (a *App) serveExplain(ctx caddy.Context, w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return &manage.Error{Status: http.StatusMethodNotAllowed, Text: "only POST explains a request"}
	}
	var in explainRequest
	if err := manage.Body(w, r, &in); err != nil {
		return err
	}
	report, err := a.explain(ctx, r.Context(), &in)
	if err != nil {
		return &manage.Error{Status: http.StatusBadRequest, Text: err.Error(), Err: err}
	}
	if r.Header.Get("Accept") == "text/plain" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err = io.WriteString(w, report.String())
		return err
	}
	body, err := encode(report)
	if err != nil {
		return fmt.Errorf("encoding the explanation: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(body, '\n'))
	return err
}

// explain runs the request through the routes of its server, in which every
// handler that is not known to be pure is replaced by a stand-in.
func (a *App) explain(ctx caddy.Context, parent context.Context, in *explainRequest) (*explanation, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	loaded, err := ctx.AppIfConfigured("http")
	if err != nil {
		return nil, errors.New("the running configuration serves no HTTP")
	}
	app, ok := loaded.(*caddyhttp.App)
	if !ok {
		return nil, fmt.Errorf("app http is a %T", loaded)
	}
	name, server, err := chooseServer(app, in)
	if err != nil {
		return nil, err
	}
	parent, cancel := context.WithTimeout(auth.WithDryRun(parent), explainTimeout)
	defer cancel()
	e := &explainer{
		ctx: ctx, app: a, server: server, mask: newMask(in.header(), in.url),
		report: &explanation{Server: name, Listen: server.Listen, Judged: []*judgement{}},
	}
	r, err := e.request(parent, in)
	if err != nil {
		return nil, err
	}
	if err := e.run(r); err != nil {
		return nil, err
	}
	e.conclude()
	return e.report, nil
}

// run sends the request through the stand-ins, and an error that they return
// through those of the error routes.
func (e *explainer) run(r *http.Request) (err error) {
	routes, err := e.routes(e.server.Routes, nil)
	if err != nil {
		return err
	}
	w := newAnswerRecorder()
	defer func() {
		// Abort panics with an error that net/http knows.
		switch recover() {
		case nil:
		case http.ErrAbortHandler:
			e.report.Answered, e.report.Status = &answered{By: "abort: the connection is closed without an answer"}, 0
		default:
			err = errors.New("a handler panicked while the request was explained")
		}
	}()
	failed := e.strictHost(r)
	if failed == nil {
		failed = routes.Compile(nothing).ServeHTTP(w, r)
	}
	e.report.Status = w.status
	if failed == nil || e.broken != nil {
		return e.broken
	}
	// Whoever began to answer did not.
	e.report.Answered = nil
	e.report.Status = statusOf(failed)
	if e.server.Errors == nil || len(e.server.Errors.Routes) == 0 {
		return nil
	}
	return e.runErrorRoutes(r, failed)
}

// runErrorRoutes follows what Caddy does with an error: the original request
// goes through the server's error routes.
func (e *explainer) runErrorRoutes(r *http.Request, failed error) error {
	restoreOriginal(r)
	routes, err := e.routes(e.server.Errors.Routes, place{"error routes"})
	if err != nil {
		return err
	}
	w := newAnswerRecorder()
	again := routes.Compile(nothing).ServeHTTP(w, e.server.Errors.WithError(r, failed))
	switch {
	case again != nil:
		e.report.Answered = nil
	case w.status != 0, e.report.Answered != nil: // by an upstream, which decides
		e.report.Status = w.status
	}
	return e.broken
}

// strictHost refuses, as the server does before its first route, what names
// one host to TLS and another to HTTP.
func (e *explainer) strictHost(r *http.Request) error {
	if e.server.StrictSNIHost == nil || !*e.server.StrictSNIHost || r.TLS == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if strings.EqualFold(r.TLS.ServerName, host) {
		return nil
	}
	e.note("the server %s has strict_sni_host on: the host of the URL and the header Host have to be the same", e.report.Server)
	return caddyhttp.Error(http.StatusMisdirectedRequest, errors.New("TLS and HTTP name different hosts"))
}

// conclude says in one word and one sentence what the parts amount to.
func (e *explainer) conclude() {
	report := e.report
	var last *judgement
	for _, j := range report.Judged {
		if j.Verdict != "" {
			last = j
		}
	}
	if last == nil {
		report.Verdict = verdictUnguarded
		report.Summary = "UNGUARDED: no rest_auth judges this request"
		if len(report.Judged) > 0 {
			report.Summary += ": the matcher of every rest_auth on its way leaves it out"
		}
	} else {
		report.Verdict, report.Summary = last.Verdict, last.summary()
	}
	if report.Answered == nil {
		who := "error route"
		if report.Status == 0 {
			report.Status, who = http.StatusOK, "handler"
		}
		report.Answered = &answered{By: "Caddy itself, since no " + who + " does: an empty body"}
	}
	if last == nil || last.Refusal == nil {
		report.Summary += "; answered by " + report.Answered.By
		if report.Status != 0 && last == nil {
			report.Summary += " with " + strconv.Itoa(report.Status)
		}
	}
}

func (e *explainer) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, said := range e.report.Notes {
		if said == text {
			return
		}
	}
	e.report.Notes = append(e.report.Notes, text)
}

// statusOf is the status that Caddy gives an error.
func statusOf(err error) int {
	var known caddyhttp.HandlerError
	if errors.As(err, &known) && known.StatusCode != 0 {
		return known.StatusCode
	}
	return http.StatusInternalServerError
}
