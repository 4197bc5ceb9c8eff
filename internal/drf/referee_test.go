// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

// A question is a request that both sides are asked.
type question struct {
	Path            string  `json:"path"`
	Query           string  `json:"query,omitempty"`
	Body            []byte  `json:"body"`
	ContentType     *header `json:"CONTENT_TYPE,omitempty"`
	Accept          *header `json:"HTTP_ACCEPT,omitempty"`
	ContentEncoding *header `json:"HTTP_CONTENT_ENCODING,omitempty"`
}

// A header may hold any bytes.
type header = []byte

func line(value string) *header {
	h := header(value)
	return &h
}

// An answer is what one of them says.
type answer struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Body   []byte `json:"body"`
}

// A referee is Debian's Django REST framework.
type referee struct {
	in  io.Writer
	out *bufio.Reader
}

func newReferee(t *testing.T) *referee {
	t.Helper()
	python := peertest.Python(t, "django", "rest_framework")
	command := exec.CommandContext(t.Context(), python, "testdata/referee.py")
	command.Stderr = t.Output()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	r := &referee{in, bufio.NewReader(out)}
	var versions struct{ Versions string }
	r.read(t, &versions)
	t.Log(versions.Versions)
	return r
}

func (r *referee) read(t *testing.T, v any) {
	t.Helper()
	text, err := r.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

func (r *referee) ask(t *testing.T, q question) answer {
	t.Helper()
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.in.Write(append(text, '\n')); err != nil {
		t.Fatal(err)
	}
	var a answer
	r.read(t, &a)
	return a
}

// The fields of the referee's two forms.
var forms = map[string][]drf.Field{
	"/login": {{Name: "username"}, {Name: "password", KeepSpace: true}},
	"/all": {
		{Name: "s", Optional: true},
		{Name: "n", Optional: true, AllowNull: true},
		{Name: "b", Optional: true, AllowBlank: true},
		{Name: "m", Optional: true, MaxLength: 5},
		{Name: "flag", Optional: true, Type: drf.Boolean},
		{Name: "i", Optional: true, AllowNull: true, Type: drf.Integer},
		{Name: "l", Optional: true, Type: drf.StringList},
		{Name: "d", Optional: true, Type: drf.DateTime},
	},
}

// ours answers as an endpoint would that says what it has read.
func ours(t testing.TB, q question) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/"+"?"+q.Query, strings.NewReader(string(q.Body)))
	for name, value := range map[string]*header{"Content-Type": q.ContentType, "Accept": q.Accept, "Content-Encoding": q.ContentEncoding} {
		if value != nil {
			r.Header[name] = []string{string(*value)}
		}
	}
	w := httptest.NewRecorder()
	err := echo(w, r, forms[q.Path])
	if refused, ok := errors.AsType[*drf.Error](err); ok {
		err = drf.WriteError(w, r, refused)
	}
	if err != nil {
		t.Errorf("%s %q: %v", q.Path, q.Body, err)
	}
	return answer{w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()}
}

func echo(w http.ResponseWriter, r *http.Request, fields []drf.Field) error {
	if err := drf.Negotiate(r); err != nil {
		return err
	}
	data, err := drf.Decode(r)
	if err != nil {
		return err
	}
	values, err := data.Read(fields...)
	if err != nil {
		return err
	}
	said := drf.Object{}
	for _, field := range fields {
		switch name := field.Name; {
		case values.Null(name):
			said = append(said, drf.Member{Name: name})
		case !values.Has(name):
		case field.Type == drf.DateTime:
			said = append(said, drf.Member{Name: name, Value: drf.Timestamp(values.Time(name))})
		default:
			said = append(said, drf.Member{Name: name, Value: values[name]})
		}
	}
	return drf.Write(w, r, http.StatusOK, said)
}
