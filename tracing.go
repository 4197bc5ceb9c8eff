// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

// Attributes of a request's span. The first is of OpenTelemetry's semantic
// conventions.
const (
	attributeUser          = attribute.Key("enduser.id")
	attributeAuthenticator = attribute.Key("rest_auth.authenticator")
	attributeVerdict       = attribute.Key("rest_auth.verdict")
	attributeCode          = attribute.Key("rest_auth.code")
	attributeCredential    = attribute.Key("rest_auth.credential")
	attributeCandidate     = attribute.Key("rest_auth.candidate")
)

// traceAllowed tells the request's span, if one is recorded, who may go on.
func traceAllowed(r *http.Request, id *auth.Identity) {
	span := trace.SpanFromContext(r.Context())
	if !span.IsRecording() {
		return
	}
	if !id.Authenticated() {
		span.SetAttributes(attributeVerdict.String(verdictNames[verdictAnonymous]))
		return
	}
	span.SetAttributes(
		attributeUser.String(id.ID),
		attributeAuthenticator.String(id.Method),
		attributeVerdict.String(verdictNames[verdictAllowed]),
		attributeCredential.String(id.Credential),
	)
}

// traceRefused tells the request's span, if one is recorded, why it was refused.
func traceRefused(r *http.Request, authenticator string, state *requestState, a answer) {
	span := trace.SpanFromContext(r.Context())
	if !span.IsRecording() {
		return
	}
	attributes := []attribute.KeyValue{
		attributeVerdict.String(verdictNames[a.verdict]),
		attributeCode.String(a.code),
	}
	if authenticator != "" {
		attributes = append(attributes, attributeAuthenticator.String(authenticator))
	}
	if state.candidate.HasUser() {
		attributes = append(attributes, attributeCandidate.String(state.candidate.ID))
	}
	span.SetAttributes(attributes...)
}
