// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/drf"
)

func TestWrite(t *testing.T) {
	tests := map[string]struct {
		method, accept string
		body           any
		want           string
	}{
		"in order":  {body: drf.Object{{"token", "t"}, {"expiry", nil}, {"a", []int{1, 2}}}, want: `{"token":"t","expiry":null,"a":[1,2]}`},
		"unescaped": {body: drf.Object{{"é<&>", "é<&>\u2028\u0001\x7f/"}}, want: "{\"é<&>\":\"é<&>\\u2028\\u0001\x7f/\"}"},
		"nested":    {body: []drf.Object{{{"b", drf.Object{{"<", 1}}}}, {}}, want: `[{"b":{"<":1}},{}]`},
		"indented":  {accept: "application/json; indent=2", body: drf.Object{{"a", []int{}}, {"b", 1}}, want: "{\n  \"a\": [],\n  \"b\": 1\n}"},
		"head":      {method: http.MethodHead, body: "text"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/", nil)
			r.Header.Set("Accept", test.accept)
			w := httptest.NewRecorder()
			if err := drf.Write(w, r, http.StatusCreated, test.body); err != nil {
				t.Fatal(err)
			}
			if w.Code != http.StatusCreated || w.Body.String() != test.want || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("wrote %d %v %s, want %s", w.Code, w.Header(), w.Body, test.want)
			}
		})
	}
}

func TestWrite_nothing(t *testing.T) {
	w := httptest.NewRecorder()
	if err := drf.Write(w, httptest.NewRequest(http.MethodPost, "/", nil), http.StatusNoContent, nil); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusNoContent || len(w.Header()) != 0 || w.Body.Len() != 0 {
		t.Errorf("wrote %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestWriteError(t *testing.T) {
	refused := drf.Detail(http.StatusUnauthorized, "Invalid token.")
	refused.Header = http.Header{"Www-Authenticate": {"Token"}}
	w := httptest.NewRecorder()
	if err := drf.WriteError(w, httptest.NewRequest(http.MethodPost, "/", nil), refused); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Token" || w.Body.String() != `{"detail":"Invalid token."}` {
		t.Errorf("wrote %d %v %s", w.Code, w.Header(), w.Body)
	}
	if want := "answered 401"; refused.Error() != want {
		t.Errorf("Error() = %q, want %q", refused.Error(), want)
	}
}

func TestTimestamp(t *testing.T) {
	for want, at := range map[string]time.Time{
		"2026-11-21T13:11:51.930215Z": time.Date(2026, 11, 21, 14, 11, 51, 930215999, time.FixedZone("", 3600)),
		"2026-11-21T13:11:51.000001Z": time.Date(2026, 11, 21, 13, 11, 51, 1000, time.UTC),
		"2026-11-21T13:11:51Z":        time.Date(2026, 11, 21, 13, 11, 51, 999, time.UTC),
	} {
		if got := drf.Timestamp(at); got != want {
			t.Errorf("Timestamp(%v) = %s, want %s", at, got, want)
		}
	}
}

// A body of unknown length is read no further than one whose length is told,
// and one that breaks off is malformed.
func TestDecode_streams(t *testing.T) {
	tests := map[string]struct {
		body   io.Reader
		length int64
		status int
	}{
		"told too long":     {strings.NewReader(""), drf.MaxBody + 1, http.StatusRequestEntityTooLarge},
		"endless":           {endless{}, -1, http.StatusRequestEntityTooLarge},
		"bounded below":     {http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("{}   ")), 2), -1, http.StatusRequestEntityTooLarge},
		"breaks off":        {iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("{}"))), -1, http.StatusBadRequest},
		"as long as may be": {strings.NewReader(strings.Repeat(" ", drf.MaxBody-2) + "{}"), -1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", test.body)
			r.ContentLength = test.length
			r.Header.Set("Content-Type", jsonType)
			_, err := drf.Decode(r)
			refused, _ := errors.AsType[*drf.Error](err)
			if (refused == nil) != (test.status == 0) || refused != nil && refused.Status != test.status {
				t.Errorf("Decode = %v, want %d", err, test.status)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A body can be read by one who checks CSRF and then by the endpoint.
func TestDecode_again(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a=1&a=2&b="))
	r.Header.Set("Content-Type", formType)
	for range 2 {
		data, err := drf.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		a, ok := data.Form("a")
		if _, found := data.Form("c"); a != "2" || !ok || found {
			t.Errorf("Form = %q, %t", a, ok)
		}
	}
	if body, _ := io.ReadAll(r.Body); string(body) != "a=1&a=2&b=" {
		t.Errorf("the body is %q afterwards", body)
	}
}

func TestAcceptable_bounds(t *testing.T) {
	for name, accept := range map[string]string{
		"too long":       "application/json," + strings.Repeat("a", 8192),
		"too many":       strings.Repeat("a/b,", 64) + "application/json",
		"too long a one": "application/json;" + strings.Repeat("a", 256),
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		if drf.Acceptable(r) {
			t.Errorf("%s: is acceptable", name)
		}
	}
}

// FuzzDecode looks for bodies that do anything but become values, or an answer
// that is itself JSON.
func FuzzDecode(f *testing.F) {
	for _, row := range table {
		if len(row.body) < 500 {
			f.Add(row.contentType, "*/*", []byte(row.body))
		}
	}
	f.Add(jsonType, "application/json; indent=8", []byte(strings.Repeat("[", 2000)))
	f.Fuzz(func(t *testing.T, contentType, accept string, body []byte) {
		for path := range forms {
			got := ours(t, question{Path: path, ContentType: line(contentType), Accept: line(accept), Body: body})
			switch got.Status {
			case 200, 400, 406, 413, 415:
			default:
				t.Errorf("answered %d", got.Status)
			}
			if !json.Valid(got.Body) {
				t.Errorf("answered %q", got.Body)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, row := range map[string]struct{ contentType, body string }{
		"json":      {jsonType, `{"username":"alice","password":"pw"}`},
		"form":      {formType, `username=alice&password=pw`},
		"multipart": {multipartType, part(`name="username"`, "alice") + part(`name="password"`, "pw") + "--b--\r\n"},
		"deep":      {jsonType, strings.Repeat("[", drf.MaxBody)},
		"wide":      {jsonType, "[" + strings.Repeat("{},", drf.MaxBody/3-2) + "1]"},
		"parts":     {multipartType, strings.Repeat("--b\r\n\r\n\r\n", drf.MaxBody/10)},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body))
				r.Header.Set("Content-Type", row.contentType)
				if data, err := drf.Decode(r); err == nil {
					_, _ = data.Read(forms["/login"]...)
				}
			}
		})
	}
}
