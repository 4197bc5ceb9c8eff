// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// servePerson answers a request of somebody who reads HTML: what would be a
// refusal in JSON is the API's page.
func (rt *route) servePerson(w http.ResponseWriter, r *http.Request) error {
	held := &heldRefusal{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
	err := rt.guard.ServeHTTP(held, r, caddyhttp.HandlerFunc(rt.act))
	if routed, ok := errors.AsType[caddyhttp.HandlerError](err); ok && rt.guard.rejecter.refusals == refusalsAuto {
		// The site's error routes are for those who would see JSON otherwise. A form
		// that can be sent once more is worth more than their page.
		return rt.refuser.Refuse(w, r, routed.StatusCode, map[string]any{"detail": routed.Err.Error()})
	}
	if err != nil || held.status == 0 {
		return err
	}
	header := w.Header()
	header.Del("Content-Type")
	header.Del("Content-Length")
	var said map[string]any
	// HEAD has no body, and a list is no answer of an API.
	_ = json.Unmarshal(held.body.Bytes(), &said)
	return rt.refuser.Refuse(w, r, held.status, said)
}

// heldRefusal keeps a refusal in JSON from the client, and passes on what is
// none.
type heldRefusal struct {
	*caddyhttp.ResponseWriterWrapper
	status int // of the refusal; 0: none so far
	body   bytes.Buffer
}

func (h *heldRefusal) WriteHeader(status int) {
	if status >= http.StatusBadRequest && h.Header().Get("Content-Type") == "application/json" {
		h.status = status
		return
	}
	h.ResponseWriterWrapper.WriteHeader(status)
}

func (h *heldRefusal) Write(b []byte) (int, error) {
	if h.status != 0 {
		return h.body.Write(b)
	}
	return h.ResponseWriterWrapper.Write(b)
}
