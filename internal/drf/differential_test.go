// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

const (
	jsonType      = "application/json"
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data; boundary=b"
)

// part returns one part of a form of multipartType.
func part(disposition, content string, more ...string) string {
	return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n" + strings.Join(more, "") + "\r\n" + content + "\r\n"
}

// table has what is worth asking, as type and body, for both forms.
var table = []struct{ contentType, body string }{
	// Every body of an authtoken endpoint.
	{jsonType, `{"username":"alice","password":"pw"}`},
	{formType, `username=alice&password=pw`},
	{multipartType, part(`name="username"`, "alice") + part(`name="password"`, "pw") + "--b--\r\n"},
	{jsonType, `{}`},
	{jsonType, ``},
	{formType, ``},
	{multipartType, ``},
	{"text/plain", ``},
	{"", ``},
	{jsonType, `{"username":"","password":""}`},
	{jsonType, `{"username":"  alice  ","password":"  pw  "}`},
	{jsonType, `{"username":"   ","password":"   "}`},
	{jsonType, `{"username":"\u001c\u0085\u3000a\u00a0\u2028","password":"\u001c"}`},
	{formType, `username=+alice+&password=+pw+`},
	{formType, `username=&password=`},
	{jsonType, `{"username":null,"password":null}`},
	{jsonType, `{"username":["alice"],"password":{"a":1}}`},
	{jsonType, `{"username":true,"password":false}`},
	{jsonType, `{"username":1,"password":1.0}`},
	{jsonType, `{"username":-0,"password":-0.0}`},
	{jsonType, `{"username":1e3,"password":1E400}`},
	{jsonType, `{"username":-1e400,"password":1e-5}`},
	{jsonType, `{"username":1e16,"password":123456789012345.678}`},
	{jsonType, `{"username":1e15,"password":9999999999999998.0}`},
	{jsonType, `{"username":0.0001,"password":5e-324}`},
	{jsonType, `{"username":123456789012345678901234567890,"password":0}`},
	{jsonType, strings.Repeat("1", 5000)},
	{jsonType, "-" + strings.Repeat("1", 4301)},
	{jsonType, `{"username":` + strings.Repeat("9", 4300) + `,"password":0}`},
	{jsonType, `{"username":"al\u0000ice","password":"p\u0000w"}`},
	{formType, `username=al%00ice&password=p%00w`},
	{jsonType, `[]`},
	{jsonType, `"text"`},
	{jsonType, `null`},
	{jsonType, `1`},
	{jsonType, `1.5`},
	{jsonType, `true`},
	{jsonType, `false`},
	{jsonType, `0`},
	{jsonType, `""`},
	{jsonType, `{`},
	{jsonType, `{'a':1}`},
	{jsonType, `{"a"`},
	{jsonType, `{"a":`},
	{jsonType, `{"a":1`},
	{jsonType, `{"a":1,`},
	{jsonType, `{"a":1,}`},
	{jsonType, `{"a" 1}`},
	{jsonType, `[`},
	{jsonType, `[1`},
	{jsonType, `[1,`},
	{jsonType, `[1,]`},
	{jsonType, `[1 2]`},
	{jsonType, `]`},
	{jsonType, `}`},
	{jsonType, `x`},
	{jsonType, `nul`},
	{jsonType, `  `},
	{jsonType, `-`},
	{jsonType, `-x`},
	{jsonType, `01`},
	{jsonType, `1.`},
	{jsonType, `1.x`},
	{jsonType, `1e`},
	{jsonType, `1e+`},
	{jsonType, `+1`},
	{jsonType, `.5`},
	{jsonType, `0x1`},
	{jsonType, `-Inf`},
	{jsonType, "{\n \"a\": 1,\n  é: 2}"},
	{jsonType, "{\"é€😀\": 1,\r\n\t\"b\" 2}"},
	{jsonType, `{"a":"x`},
	{jsonType, `"`},
	{jsonType, `"\`},
	{jsonType, `"\x"`},
	{jsonType, `"\u12"`},
	{jsonType, `"\u12"}}}`},
	{jsonType, `"\u00gg"   `},
	{jsonType, `"\ud83d\u00"    `},
	{jsonType, `"\u1234`},
	{jsonType, `"\u1234"`},
	{jsonType, "\"a\nb\""},
	{jsonType, "\"a\x00b\""},
	{jsonType, "\"a\x7fb\""},
	{jsonType, `{"username":"a"} x`},
	{jsonType, `{"username":"first","password":"pw","username":"last"}`},
	{jsonType, `{"username":NaN,"password":"pw"}`},
	{jsonType, `Infinity`},
	{jsonType, `-Infinity`},
	{jsonType, `[-Infinity`},
	{jsonType, "\ufeff{}"},
	{jsonType, "\xff\xfe{\x00}\x00"},
	{jsonType, "{\x00\"\x00a\x00"},
	{jsonType, "\x00{\x00}"},
	{jsonType, "{\"username\":\"\xff\"}"},
	{jsonType, "\"\xc3("},
	{jsonType, "\"\xe2\x82\""},
	{jsonType, "\"\xf0\x9f\x98\""},
	{jsonType, "\"\xed\xa0\x80\""},
	{jsonType, "\"\xc0\x80\""},
	{jsonType, "\"\xe0\x80\x80\""},
	{jsonType, "{}\xc3"},
	{jsonType, "{}\xf0\x9f\x98"},
	{jsonType, "\xc3"},
	{jsonType, "{\"a\":1\xe2\x82"},
	{jsonType, `{"username":"\ud800","password":"\udfff"}`},
	{jsonType, `{"username":"\ud83d\ude00","password":"\ude00\ud83d"}`},
	{jsonType, `{"username":"\ud83d\ud83d\ude00","password":"\ud800\u0000"}`},
	{jsonType, `{"username":"😀\u2028<&>\u007f\u0001","password":"/\/\"\\\b"}`},
	{jsonType, "\x1f\x8b\x08\x00\x00"},
	{jsonType, strings.Repeat("[", 800)},
	{jsonType, strings.Repeat("[", 800) + strings.Repeat("]", 800)},
	{jsonType, strings.Repeat(`{"a":`, 400) + "1" + strings.Repeat("}", 400)},

	// Content-Type.
	{"text/plain", `{}`},
	{"application/xml", `<a/>`},
	{"", `{}`},
	{"application", `{}`},
	{"application/json5", `{}`},
	{"json", `{}`},
	{" application/json ", `{}`},
	{"APPLICATION/JSON", `{}`},
	{"application/json;", `{}`},
	{"application/json; a", `{}`},
	{"application/json; charset=utf-8", `{}`},
	{"application/json; charset=latin-1", "{\"username\":\"\xe9\",\"password\":\"p\"}"},
	{"application/json; charset=\"ISO-8859-1\"", "{\"username\":\"\xe9\",\"password\":\"p\"}"},
	{"application/json; charset=ascii", "{\"username\":\"\xe9\",\"password\":\"p\"}"},
	{"application/json; charset=us-ascii", `{}`},
	{"application/json; charset=utf-16", "{\x00}\x00"},
	{"application/json; charset=utf-16", "\xff\xfe{\x00}\x00"},
	{"application/json; charset=utf-16-le", "{\x00}\x00"},
	{"application/json; charset=nonsense", `{}`},
	{"text/*", `{}`},
	{"application/*", `username=a`},
	{"*/*", `username=a`},
	{"multipart/*", `x`},
	{"*", `x`},
	{"a/b;c=\"d;e\"", `x`},
	{"text/plain; \xe9", `x`},

	// Forms.
	{formType, `username=a&username=b&password=c`},
	{formType, `username=%C3%A9&password=%ff%C3`},
	{formType, "username=\xe9&password=\xc3\xa9"},
	{formType, "username=\xc3\xa9%C3%A9&password=%C3\xc3\xa9%A9"},
	{formType, `username=%zz&password=%4`},
	{formType, `username=%E2%82%AC%F0%9F%98%80%E2%82&password=%ed%a0%80`},
	{formType, `&&username=a&=&password`},
	{formType, `username==a=&password=a;b`},
	{formType, `{"username":"a"}`},
	{formType, `%75sername=a&pass%77ord=b`},
	{formType + "; charset=latin-1", `username=%e9&password=b`},
	{formType + "; charset=ascii", `username=%e9&password=b`},
	{formType, strings.Repeat("a=1&", 999) + "username=b"},

	// Multipart.
	{"multipart/form-data", "x"},
	{"multipart/form-data; boundary=", "x"},
	{"multipart/form-data; boundary=\"\"", "x"},
	{"multipart/form-data; boundary=\"a \"", "x"},
	{"multipart/form-data; boundary=" + strings.Repeat("b", 202), "x"},
	{"Multipart/form-data; boundary=b", "--b"},
	{"multipart/form-data; BOUNDARY=b", part(`name=username`, "a") + "--b--"},
	{"multipart/mixed; boundary=b", "x"},
	{"multipart/form-data; boundary*=utf-8''b", part(`name=username`, "a") + "--b--"},
	{multipartType, "nothing"},
	{multipartType, "--b"},
	{multipartType, "--b--"},
	{multipartType, "--b\r\n\r\nx\r\n--b--"},
	{multipartType, part(`name=username`, "a")},
	{multipartType, part(`name=username`, "a") + "--b"},
	{multipartType, part(`name="username"; filename="f"`, "a") + part(`name="password"`, "pw") + "--b--"},
	{multipartType, part(`name="username"; filename=""`, "a") + "--b--"},
	{multipartType, part(`name="username"; filename="f"`, "a")},
	{multipartType, part(`name="username"; filename="f"`, "a") + part(`name="username"`, "text") + "--b--"},
	{multipartType, part(`name="username"; filename="/"`, "a") + part(`name="password"; filename=".."`, "a") + "--b--"},
	{multipartType, part(`name="username"; filename="f"`, "a", "Content-Transfer-Encoding: base64\r\n") + "--b--"},
	{multipartType, part(`name="username"; filename="f"`, "YWJj", "Content-Transfer-Encoding: base64\r\n") + "--b--"},
	{multipartType, part(`name="username"`, "YWxpY2U=", "Content-Transfer-Encoding: base64\r\n") + part(`name="password"`, "cHc", "content-transfer-encoding: BASE64 \r\n") + "--b--"},
	{multipartType, part(`name="username"`, "YW x!pY2U=YY", "Content-Transfer-Encoding: base64\r\n") + part(`name="password"`, "p", "Content-Transfer-Encoding: quoted-printable\r\n") + "--b--"},
	{multipartType, part(`name="username"`, "\xe9\xc3\xa9") + part(`name=" password "`, "") + "--b--"},
	{multipartType, part(`name="user\"name"`, "a") + part(`name*=utf-8''pass%77ord`, "p") + "--b--"},
	{multipartType, part(`NAME=username`, "a\r\n\r\nb\r") + part(`name=password`, "\n\n") + "--b--"},
	{multipartType, "preamble" + part(`name=username`, "a") + "--b--epilogue" + part(`name=password`, "p")},
	{multipartType, strings.ReplaceAll(part(`name=username`, "a")+"--b--", "\r\n", "\n")},
	{multipartType, part(`name=username; x="`+strings.Repeat("y", 1100)+`"`, "a") + "--b--"},
	{multipartType, part(`name=username`, "a", "X: "+strings.Repeat("y", 1024)+"\r\n") + "--b--"},
	{multipartType + "; charset=latin-1", part(`name=username`, "\xe9") + part(`name=password`, "p") + "--b--"},
	{multipartType, part(`name=username`, "a") + "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"},

	// Fields of every type.
	{jsonType, `{"s":"","n":"","b":"","m":""}`},
	{jsonType, `{"s":null,"n":null,"b":null,"m":null,"flag":null,"i":null,"l":null,"d":null}`},
	{formType, `s=&n=&b=&m=&flag=&i=&l=&d=`},
	{formType, `s=+&n=+&b=+&m=+&flag=+&i=+&l=+&d=+`},
	{jsonType, `{"m":"123456"}`},
	{jsonType, `{"m":"  12345  "}`},
	{jsonType, `{"m":"éé€€😀"}`},
	{jsonType, `{"m":"éé€€😀\u0000\ud800"}`},
	{jsonType, `{"m":123456}`},
	{jsonType, `{"m":1.25}`},
	{jsonType, `{"flag":true}`},
	{jsonType, `{"flag":false}`},
	{jsonType, `{"flag":1}`},
	{jsonType, `{"flag":0}`},
	{jsonType, `{"flag":1.0}`},
	{jsonType, `{"flag":-0.0}`},
	{jsonType, `{"flag":2}`},
	{jsonType, `{"flag":"yes"}`},
	{jsonType, `{"flag":"OFF"}`},
	{jsonType, `{"flag":"null"}`},
	{jsonType, `{"flag":[]}`},
	{jsonType, `{"flag":{}}`},
	{jsonType, `{"flag":""}`},
	{formType, `flag=on`},
	{formType, `flag=x`},
	{formType, `s=a`},
	{jsonType, `{"i":5}`},
	{jsonType, `{"i":-5}`},
	{jsonType, `{"i":"5"}`},
	{jsonType, `{"i":" 5.0 "}`},
	{jsonType, `{"i":5.0}`},
	{jsonType, `{"i":5.5}`},
	{jsonType, `{"i":"5."}`},
	{jsonType, `{"i":"+5"}`},
	{jsonType, `{"i":"--5"}`},
	{jsonType, `{"i":"1_000"}`},
	{jsonType, `{"i":"_1"}`},
	{jsonType, `{"i":"1__0"}`},
	{jsonType, `{"i":true}`},
	{jsonType, `{"i":[]}`},
	{jsonType, `{"i":""}`},
	{jsonType, `{"i":1e3}`},
	{jsonType, `{"i":1e300}`},
	{jsonType, `{"i":9223372036854775807}`},
	{jsonType, `{"i":"` + strings.Repeat("1", 1001) + `"}`},
	{formType, `i=7`},
	{jsonType, `{"l":[]}`},
	{jsonType, `{"l":["a"," b ",3]}`},
	{jsonType, `{"l":["",null,[],true,"\u0000"]}`},
	{jsonType, `{"l":"a"}`},
	{jsonType, `{"l":{}}`},
	{jsonType, `{"l":1}`},
	{jsonType, `{"l":true}`},
	{jsonType, `{"l":1.5}`},
	{formType, `l=a&l=b`},
	{formType, `l=a&l=`},
	{formType, `l[1]=b&l[0]=a`},
	{formType, `l[x]=b`},
	{formType, `l[10]=b&l[9]=a`},
	{jsonType, `{"d":"9999-12-31T23:59:59-01:00"}`},
	{jsonType, `{"d":"9999-12-31T23:59:59+01:00"}`},
	{jsonType, `{"d":"0001-01-01T00:00:00+01:00"}`},
	{jsonType, `{"d":"0001-01-01T00:00:00-01:00"}`},
	{jsonType, `{"d":"2026-11-21T13:11:51.930215Z"}`},
	{jsonType, `{"d":"2026-11-21 13:11"}`},
	{jsonType, `{"d":"2026-11-21T13:11:51,9+02:00"}`},
	{jsonType, `{"d":"2026-11-21T13:11:51.1234567-0230"}`},
	{jsonType, `{"d":"2026-1-1T1:1:1+01"}`},
	{jsonType, `{"d":"2026-02-30T00:00"}`},
	{jsonType, `{"d":"2026-11-21"}`},
	{jsonType, `{"d":"2026-11-21T24:00"}`},
	{jsonType, `{"d":"2026-11-21T13:60"}`},
	{jsonType, `{"d":"2026-11-21T13:11:60"}`},
	{jsonType, `{"d":"0000-11-21T13:11"}`},
	{jsonType, `{"d":"2026-13-21T13:11"}`},
	{jsonType, `{"d":"2026-11-21T13:11\n"}`},
	{jsonType, `{"d":1}`},
	{jsonType, `{"d":true}`},
	{jsonType, `{"d":[]}`},
	{jsonType, `{"d":""}`},
	{jsonType, `{"d":"x"}`},
	{jsonType, `{"d":"2026-11-21T13:11+24:00"}`},
	{jsonType, `{"d":"2026-11-21T13:11+2399"}`},
	{jsonType, `{"s":[],"flag":[],"i":[],"l":1,"d":[]}`},
}

// TestDifferential asks Django REST framework and us the same, and wants every
// byte alike, except where it answers 500.
func TestDifferential(t *testing.T) {
	r := newReferee(t)
	compare := func(q question) {
		t.Helper()
		want, got := r.ask(t, q), ours(t, q)
		if want.Status == 500 {
			if got.Status >= 500 {
				t.Errorf("%s %q %.300q: answered %d %s", q.Path, text(q.ContentType), q.Body, got.Status, got.Body)
			}
			return
		}
		if want.Status == 200 && string(got.Body) == `{"i":["A valid integer is required."]}` {
			return // a random number of more than 64 bits
		}
		if got.Status != want.Status || got.Type != want.Type || !bytes.Equal(got.Body, want.Body) {
			t.Errorf("%s %q %.300q accepting %q:\nanswered %d %s %.500s\nDRF      %d %s %.500s",
				q.Path, text(q.ContentType), q.Body, text(q.Accept), got.Status, got.Type, got.Body, want.Status, want.Type, want.Body)
		}
	}
	t.Run("table", func(t *testing.T) {
		for _, row := range table {
			for path := range forms {
				compare(question{Path: path, ContentType: line(row.contentType), Body: []byte(row.body)})
			}
		}
		compare(question{Path: "/login", Body: []byte("{}")})
		compare(question{Path: "/login", Body: []byte("\x1f\x8b"), ContentType: line(jsonType), ContentEncoding: line("gzip")})
	})
	t.Run("accept", func(t *testing.T) {
		for _, accept := range accepts {
			compare(question{Path: "/login", ContentType: line(jsonType), Body: []byte(`{"username":[],"password":"p"}`), Accept: line(accept)})
		}
		for _, query := range []string{
			"format=json", "format=api", "format=", "format=JSON", "format=json&format=api", "format=api&format=json", "format=api&format=",
			"format=json;format=api", "format=%zz", "form%61t=api", "format=%20json", "format=json%00", "format=%ff", "format", "&&=&x=%",
		} {
			compare(question{Path: "/login", ContentType: line(jsonType), Body: []byte(`{}`), Query: query})
		}
	})
	t.Run("otherwise", func(t *testing.T) {
		for _, row := range otherwise {
			q := question{Path: row.path, ContentType: line(row.contentType), Body: []byte(row.body)}
			want, got := r.ask(t, q), ours(t, q)
			t.Logf("%s: ours %d %.150s, DRF %d %.150s", row.why, got.Status, got.Body, want.Status, bytes.Split(want.Body, []byte("\n"))[0])
			if got.Status != row.status || string(got.Body) != row.answer {
				t.Errorf("%s: answered %d %.300s, want %d %s", row.why, got.Status, got.Body, row.status, row.answer)
			}
			if got.Status == want.Status && bytes.Equal(got.Body, want.Body) {
				t.Errorf("%s: DRF answers the same now", row.why)
			}
		}
	})
	t.Run("random", func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		for range 1500 {
			row := table[random.IntN(len(table))]
			if len(row.body) > 1000 || strings.Contains(row.contentType, "utf-16") {
				continue
			}
			path := "/login"
			if random.IntN(2) == 0 {
				path = "/all"
			}
			compare(question{Path: path, ContentType: line(row.contentType), Body: mutate(random, row.body)})
		}
	})
}

// otherwise has the rows in which we and the referee's versions differ.
var otherwise = []struct {
	why, path, contentType, body string
	status                       int
	answer                       string
}{
	{
		"newer Djangos read a blank before the zone", "/all", jsonType, `{"d":"2026-11-21T13:11 Z"}`,
		200, `{"d":"2026-11-21T13:11:00Z"}`,
	},
	{
		"whole numbers have 64 bits", "/all", jsonType, `{"i":9223372036854775808}`,
		400, `{"i":["A valid integer is required."]}`,
	},
	{
		"newer DRFs bound a Content-Type", "/login", jsonType + ";" + strings.Repeat("x", 241), `{}`,
		415, `{"detail":"Unsupported media type \"application/json;` + strings.Repeat("x", 241) + `\" in request."}`,
	},
	{
		"its 500, for Python's stack has an end", "/login", jsonType, strings.Repeat("[", 10000),
		400, `{"detail":"JSON parse error - maximum recursion depth exceeded while decoding a JSON array from a unicode string"}`,
	},
	{
		"its page for too many fields", "/login", formType, strings.Repeat("a=1&", 1001),
		400, `{"detail":"The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS."}`,
	},
	{
		"the bound of a body", "/login", jsonType, strings.Repeat(" ", 64<<10) + `{}`,
		413, `{"detail":"Request body exceeded 65536 bytes."}`,
	},
}

// accepts are values of Accept.
var accepts = []string{
	"", "*/*", "application/json", "application/*", "text/html", "text/html, */*", "text/html,application/json;q=0", "APPLICATION/JSON", "application/json; indent=4", "application/json;indent=0", "application/json;indent=99", "application/json;indent=-3",
	"application/json;indent=x", "application/json;indent= 2 ", `application/json;indent="2"`, "*/*;indent=3", "*/*, application/json;indent=2", "application/json;q=0.5;indent=1", "*", "application", "json", "*/json", "application/json+x", ",", ",application/json", "application/json;", "text/*;q=1, */json", "a/b;c=\"d,application/json\"", "application/json;version=1",
}

// mutate changes a few bytes of a body.
func mutate(random *rand.Rand, body string) []byte {
	const odd = "\"'{}[]:,\\/u0123456789abcdefnrt+-.eENI \t\r\n\x00\x1f\x7f\x80\xbf\xc3\xe2\xed\xf0\xff%&=;*b"
	b := []byte(body)
	for range 1 + random.IntN(3) {
		at := 0
		if len(b) > 0 {
			at = random.IntN(len(b))
		}
		c := odd[random.IntN(len(odd))]
		switch {
		case len(b) == 0:
			b = append(b, c)
		case random.IntN(3) == 0:
			b = append(b[:at:at], b[at+1:]...)
		case random.IntN(2) == 0:
			b = append(append(append([]byte(nil), b[:at]...), c), b[at:]...)
		default:
			b[at] = c
		}
	}
	return b
}

func text(h *header) string {
	if h == nil {
		return "-"
	}
	return string(*h)
}
