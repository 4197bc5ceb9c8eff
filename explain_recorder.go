// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import "net/http"

// maxExplainedBody bounds what is kept of a refusal's body.
const maxExplainedBody = 16 << 10

// answerRecorder is a client that nobody is: it keeps the first final status,
// and the beginning of the body.
type answerRecorder struct {
	header http.Header
	status int
	body   []byte
}

func newAnswerRecorder() *answerRecorder { return &answerRecorder{header: make(http.Header)} }

func (w *answerRecorder) Header() http.Header { return w.header }

func (w *answerRecorder) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
}

func (w *answerRecorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p[:min(len(p), maxExplainedBody-len(w.body))]...)
	return len(p), nil
}
