// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// inProcess returns what sends requests to a handler without a network. The
// body of an answer is streamed, since it may be a whole store.
func inProcess(ctx context.Context, h http.Handler) func(string, string, http.Header, io.Reader) (*http.Response, error) {
	return func(method, path string, header http.Header, body io.Reader) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, method, "http://offline"+path, body)
		if err != nil {
			return nil, fmt.Errorf("making the request: %w", err)
		}
		if r.Body == nil {
			r.Body = http.NoBody
		}
		r.Header, r.RemoteAddr = header, "offline"
		reader, writer := io.Pipe()
		w := &pipedResponse{header: make(http.Header), body: writer, begun: make(chan struct{})}
		go w.serve(h, r)
		<-w.begun
		answer := &http.Response{StatusCode: w.status, Header: w.header, Body: reader, Request: r}
		if answer.StatusCode < http.StatusBadRequest {
			return answer, nil
		}
		defer reader.Close()
		var text bytes.Buffer
		if _, err := text.ReadFrom(reader); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		if said := apiError(text.Bytes()); said != nil {
			return nil, said
		}
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
}

// A pipedResponse is a response that is read while it is written.
type pipedResponse struct {
	header http.Header
	body   *io.PipeWriter
	status int
	once   sync.Once
	begun  chan struct{}
}

// serve ends the body as net/http would: cut short if the handler aborts.
func (w *pipedResponse) serve(h http.Handler, r *http.Request) {
	defer func() {
		var err error
		if p := recover(); p != nil {
			err = io.ErrUnexpectedEOF
			if cause, ok := p.(error); !ok || !errors.Is(cause, http.ErrAbortHandler) {
				err = fmt.Errorf("panic: %v", p)
			}
		}
		w.WriteHeader(http.StatusOK)
		w.body.CloseWithError(err)
	}()
	h.ServeHTTP(w, r)
}

func (w *pipedResponse) Header() http.Header { return w.header }

func (w *pipedResponse) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		close(w.begun)
	})
}

func (w *pipedResponse) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
