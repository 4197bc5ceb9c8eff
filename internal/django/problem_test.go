// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

func userRow(pk, fields string) string {
	return `{"model": "auth.user", "pk": ` + pk + `, "fields": {` + fields + `}}`
}

// TestProblems reads what cannot be imported. Nothing in an answer may be a
// password or a key.
func TestProblems(t *testing.T) {
	const secret = "pbkdf2_sha256$1$secret$secret"
	user := userRow("1", `"username": "a", "password": "`+secret+`"`)
	token := `{"model": "authtoken.token", "pk": "` + key + `", "fields": {"user": %s}}`
	for name, test := range map[string]struct{ text, want string }{
		"empty":                    {"", "the dump is empty"},
		"blank":                    {" \n", "the dump is empty"},
		"an empty list":            {"[]", "the dump is empty"},
		"truncated":                {"[" + user + ", " + user[:40], "row 2: the dump ends in the middle"},
		"without its end":          {"[" + user, "row 1: the dump ends in the middle"},
		"a message of manage.py":   {"[" + user + "CommandError: Unable to serialize database", "row 1: this is not the JSON"},
		"something after":          {"[" + user + "] x", "row 1: there is something after"},
		"XML":                      {`<?xml version="1.0"?>`, "this is XML; dump with --format json"},
		"YAML":                     {"- model: auth.user\n", "this is no JSON"},
		"gzip":                     {"\x1f\x8b\x08", "unpack it first"},
		"UTF-16":                   {"\xff\xfe[\x00]\x00", "the dump is UTF-16, as PowerShell"},
		"UTF-16 without mark":      {"[\x00]\x00", "the dump is UTF-16"},
		"Latin-1":                  {"[" + userRow("1", "\"username\": \"J\xf6rg\"") + "]", "row 1: a text is not UTF-8"},
		"half a character":         {"[" + userRow("1", `"username": "\ud800x"`) + "]", "row 1: a text is not UTF-8"},
		"two halves that differ":   {"[" + userRow("1", `"username": "\ud800\u0041"`) + "]", "row 1: a text is not UTF-8"},
		"a raw line end":           {"[" + userRow("1", "\"username\": \"a\nb\"") + "]", "row 1: this is not the JSON"},
		"a bad escape":             {"[" + userRow("1", `"username": "\x"`) + "]", "row 1: this is not the JSON"},
		"bad hexadecimal":          {"[" + userRow("1", `"username": "\u00g0"`) + "]", "row 1: this is not the JSON"},
		"two commas":               {"[" + user + ",," + user + "]", "row 2: this is not the JSON"},
		"no colon":                 {`[{"model" "auth.user"}]`, "row 1: this is not the JSON"},
		"a record of another kind": {`[1]`, "row 1: this is not the JSON"},
		"a bad number":             {`[{"model": "a.b", "fields": {"x": 01}}]`, "row 1: this is not the JSON"},
		"a long number":            {`[{"model": "a.b", "fields": {"x": ` + strings.Repeat("1", 1<<20) + `}}]`, "row 1: this is not the JSON"},
		"deep":                     {`[{"model": "a.b", "fields": ` + strings.Repeat("[", 100_000), "row 1: values are nested more than 1000 levels deep"},
		"deep objects":             {`[{"model": "a.b", "fields": ` + strings.Repeat(`{"a":`, 100_000), "row 1: values are nested"},
		"fields twice":             {`[{"model": "auth.user", "pk": 1, "fields": {"username": "a"}, "fields": {"username": "b"}}]`, "row 1: a member is there twice"},
		"a field twice":            {"[" + userRow("1", `"username": "a", "username": "b"`) + "]", "row 1: a member is there twice"},
		"fields before a model":    {`[{"fields": {"username": "` + strings.Repeat("a", 2<<20) + `"}, "model": "auth.user"}]`, "row 1: the model comes after"},

		"no model":               {`[{"pk": 1, "fields": {}}]`, "row 1: it has no model"},
		"no fields":              {`[{"model": "auth.user", "pk": 1}]`, "row 1 (auth.user 1): it has no fields"},
		"fields of another kind": {`[{"model": "auth.user", "pk": 1, "fields": []}]`, "row 1 (auth.user 1): fields: not an object"},
		"no user name":           {"[" + userRow("1", `"email": "a@b"`) + "]", `row 1 (auth.user 1): it has no field "username"; --username-field`},
		"an empty name":          {"[" + userRow("1", `"username": ""`) + "]", "the user name is empty"},
		"null for a name":        {"[" + userRow("1", `"username": null`) + "]", "the user name is empty"},
		"a list for a name":      {"[" + userRow("1", `"username": ["a"]`) + "]", "username: not a text"},
		"NUL in a name":          {"[" + userRow("1", `"username": "a\u0000b"`) + "]", "contains a control character"},
		"a line end in a name":   {"[" + userRow("1", `"username": "a\r\nX-Evil: b"`) + "]", "contains a control character"},
		"a hidden character":     {"[" + userRow("1", `"username": "a\u202eb"`) + "]", "contains a control character"},
		"a space before a name":  {"[" + userRow("1", `"username": "\u00a0a"`) + "]", "the user name begins or ends with a space"},
		"a space after a group":  {`[{"model": "auth.group", "pk": 1, "fields": {"name": "ops "}}]`, "row 1 (auth.group 1): the group's name begins or ends with a space"},
		"some primary keys":      {"[" + user + "," + `{"model": "auth.user", "fields": {"username": "b"}}]`, "row 2 (auth.user): some users have a primary key"},
		"a long codename":        {`[{"model": "auth.permission", "pk": 1, "fields": {"content_type": 1, "codename": "` + strings.Repeat("x", 256) + `"}}]`, "codename: longer than 255 bytes"},
		"a long content type":    {`[{"model": "auth.permission", "pk": 1, "fields": {"content_type": ["a", "b", "c"], "codename": "x"}}]`, "content_type: a natural key of 3 parts"},
		"a long name":            {"[" + userRow("1", `"username": "`+strings.Repeat("ö", 1000)+`"`) + "]", "longer than 254 characters"},
		"a longer name":          {"[" + userRow("1", `"username": "`+strings.Repeat("a", 10_000)+`"`) + "]", "username: longer than 4096 bytes"},
		"names that collide":     {"[" + userRow("1", `"username": "ann"`) + "," + userRow("2", `"username": "ａnn"`) + "]", "row 2 (auth.user 2): row 1 has the same user name"},
		"the same primary key":   {"[" + user + "," + userRow("1", `"username": "b"`) + "]", "row 2 (auth.user 1): row 1 has the same primary key"},
		"a flag that is none":    {"[" + userRow("1", `"username": "a", "is_superuser": "yes"`) + "]", "is_superuser: neither true nor false"},
		"null for a flag":        {"[" + userRow("1", `"username": "a", "is_active": null`) + "]", "is_active: neither true nor false"},
		"a hostile primary key":  {"[" + userRow(`"\u001b[2J"`, `"username": ""`) + "]", `row 1 (auth.user "\x1b[2J"): the user name`},
		"a list that is none":    {"[" + userRow("1", `"username": "a", "groups": "editors"`) + "]", "groups: not a list"},
		"null in a list":         {"[" + userRow("1", `"username": "a", "groups": [null]`) + "]", "groups: an entry is empty"},
		"an empty natural key":   {"[" + userRow("1", `"username": "a", "groups": [[]]`) + "]", "groups: an empty natural key"},
		"a long natural key":     {"[" + userRow("1", `"username": "a", "groups": [[1,2,3,4,5,6,7,8,9]]`) + "]", "more than 8 parts"},
		"many permissions":       {"[" + userRow("1", `"username": "a", "user_permissions": [`+strings.Repeat("1,", 10_000)+"1]") + "]", "more than 10000 entries"},

		"no such group":              {"[" + userRow("1", `"username": "a", "groups": [9]`) + "]", "groups: group 9 is not in the dump"},
		"no such group by name":      {"[" + userRow("1", `"username": "a", "groups": [["x"]]`) + "]", `groups: group ["x"] is not in the dump`},
		"no such permission":         {"[" + userRow("1", `"username": "a", "user_permissions": [9]`) + "]", "permission 9 is not in the dump"},
		"no content type":            {`[{"model": "auth.permission", "pk": 9, "fields": {"codename": "add_x", "content_type": 4}}, ` + userRow("1", `"username": "a", "user_permissions": [9]`) + "]", "content type 4 of permission 9 is not in the dump"},
		"another natural key":        {"[" + userRow("1", `"username": "a", "user_permissions": [["a", "b"]]`) + "]", "is no natural key of a permission"},
		"a comma in a permission":    {"[" + userRow("1", `"username": "a", "user_permissions": [["a,b", "c", "d"]]`) + "]", "has no acceptable name"},
		"a group without a name":     {`[{"model": "auth.group", "pk": 1, "fields": {}}]`, "the group has no name"},
		"a comma in a group":         {`[{"model": "auth.group", "pk": 1, "fields": {"name": "x,admins"}}]`, "contains ','"},
		"a line end in a group":      {`[{"model": "auth.group", "pk": 1, "fields": {"name": "x\ny"}}]`, "contains a control character"},
		"two groups of a name":       {`[{"model": "auth.group", "pk": 1, "fields": {"name": "x"}}, {"model": "auth.group", "pk": 2, "fields": {"name": "x"}}]`, "row 2 (auth.group 2): row 1 is a group of the same name"},
		"two groups of a key":        {`[{"model": "auth.group", "pk": 1, "fields": {"name": "x"}}, {"model": "auth.group", "pk": 1, "fields": {"name": "y"}}]`, "another group has the same primary key"},
		"a permission without parts": {`[{"model": "auth.permission", "pk": 1, "fields": {}}]`, "needs a codename"},

		"a token without a user":    {`[` + fmt.Sprintf(token, "null") + `]`, "row 1 (authtoken.token): the token has no user"},
		"a token's long user":       {`[` + fmt.Sprintf(token, `["a", "b"]`) + `]`, "row 1 (authtoken.token): user: a natural key of 2 parts"},
		"a token without a key":     {`[{"model": "authtoken.token", "fields": {"user": 1}}]`, "the token has no key"},
		"a token with a long key":   {`[{"model": "authtoken.token", "pk": "` + strings.Repeat(key, 20) + `", "fields": {"user": 1}}]`, "longer than 512 bytes"},
		"a token of no time":        {`[{"model": "authtoken.token", "pk": "` + key + `", "fields": {"user": 1, "created": "` + key + `"}}]`, "created: not a time"},
		"a token twice":             {`[` + fmt.Sprintf(token, "1") + "," + fmt.Sprintf(token, "2") + `]`, "row 2 (authtoken.token): row 1 has the same key"},
		"two tokens of a user":      {`[` + fmt.Sprintf(token, "1") + "," + strings.ReplaceAll(fmt.Sprintf(token, "1"), key, "x"+key) + `]`, "row 1 is a token of the same user"},
		"a secret in a wrong place": {"[" + userRow("1", `"username": "`+secret+`\n"`) + "]", "control character"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, test.text, options(t))
			problems := (*BadDumpError)(nil)
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Read: %v, want %s", err, test.want)
			}
			for _, secret := range []string{secret, key} {
				if strings.Contains(fmt.Sprint(problems.List), secret) {
					t.Errorf("the problems have a secret: %v", problems.List)
				}
			}
			if missing := strings.Contains(test.want, isMissing); missing != (problems.Advice != "") {
				t.Errorf("the advice is %q", problems.Advice)
			}
		})
	}
}

// TestProblems_all names every problem up to a number, not the first alone.
func TestProblems_all(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "%s\n", userRow(fmt.Sprint(i), `"username": ""`))
	}
	_, _, err := read(t, b.String(), options(t))
	problems := (*BadDumpError)(nil)
	if !errors.As(err, &problems) || len(problems.List) != maxProblems || !problems.More || problems.List[99].Row != 100 {
		t.Errorf("Read: %v", err)
	}
}

// TestRead_leavesNothing looks for files after a success and after an error.
func TestRead_leavesNothing(t *testing.T) {
	o := options(t)
	for _, text := range []string{byKeys, byKeys[:500], ""} {
		d, err := Read(t.Context(), strings.NewReader(text), o)
		if err == nil {
			err = d.Close()
		}
		files, _ := os.ReadDir(o.Dir)
		if len(files) > 0 {
			t.Errorf("%v is left, after %v", files, err)
		}
	}
	o.Dir += "/missing"
	if _, err := Read(t.Context(), strings.NewReader(byKeys), o); err == nil || errors.As(err, new(*BadDumpError)) {
		t.Errorf("no directory for temporary files: %v", err)
	}
}

// TestRead_interrupted stops with the context, and with the error of a reader.
func TestRead_interrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, strings.NewReader(byKeys), options(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v, want %v", err, context.Canceled)
	}
	broken := errors.New("broken")
	_, err := Read(t.Context(), io.MultiReader(strings.NewReader(byKeys[:300]), errReader{broken}), options(t))
	if !errors.Is(err, broken) {
		t.Errorf("Read = %v, want %v", err, broken)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// A repeat yields a text many times.
type repeat struct {
	text string
	left int64
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		m := copy(p[n:], r.text[r.at:])
		n, r.at = n+m, (r.at+m)%len(r.text)
	}
	n = int(min(int64(n), r.left))
	r.left -= int64(n)
	return n, nil
}

// TestRead_boundedMemory reads dumps of some megabytes that are one record,
// or one kind of record, and looks at the heap meanwhile.
func TestRead_boundedMemory(t *testing.T) {
	const size = 8 << 20
	for name, test := range map[string]struct{ before, repeated, after, want string }{
		"one text":             {`[{"model": "a.b", "pk": 1, "fields": {"x": "`, `a\n\u0041`, `"}}]`, ""},
		"one password":         {`[{"model": "auth.user", "pk": 1, "fields": {"username": "a", "password": "`, `aaaa`, `"}}]`, ""},
		"one name":             {`[{"model": "auth.user", "pk": 1, "fields": {"username": "`, `aaaa`, `"}}]`, "longer than"},
		"one name of a member": {`[{"model": "auth.user", "pk": 1, "fields": {"`, `aaaa`, `": 1}}]`, "no field"},
		"many members":         {`[{"model": "auth.user", "pk": 1, "fields": {"username": "a"`, `,"a":1`, `}}]`, ""},
		"many permissions":     {`[{"model": "auth.group", "pk": 1, "fields": {"name": "a", "permissions": [1`, `,11111`, `]}}]`, "more than 10000"},
		"blanks":               {`[`, ` `, `{"model": "a.b"}]`, ""},
		"unknown models":       {`[{"model": "a.b"}`, `,{"model": "c.d", "fields": {"x": []}}`, `]`, ""},
		"early fields":         {`[{"fields": {"x": "`, `aaaa`, `"}, "model": "a.b"}]`, "the model comes after"},
		"wrong users":          {`[{"model": "a.b"}`, `,{"model": "auth.user", "pk": 1, "fields": {"username": ""}}`, `]`, "more than 100 problems"},
	} {
		t.Run(name, func(t *testing.T) {
			times := size / len(test.repeated) * len(test.repeated)
			text := io.MultiReader(strings.NewReader(test.before), &repeat{text: test.repeated, left: int64(times)}, strings.NewReader(test.after))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := Read(t.Context(), text, options(t))
			runtime.ReadMemStats(&after)
			if err == nil {
				err = d.Close()
			}
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("Read: %v, want %q", err, test.want)
			}
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 6<<20 {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

// TestRead_cutShort cuts a dump after every byte. Of a list nothing less than
// all is taken for whole; of records a line that cannot be told, and is said.
func TestRead_cutShort(t *testing.T) {
	for n := range len(byKeys) - 1 {
		problems := (*BadDumpError)(nil)
		if _, err := Read(t.Context(), strings.NewReader(byKeys[:n]), options(t)); !errors.As(err, &problems) {
			t.Errorf("%d bytes of a list: %v", n, err)
		}
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(naturalKeys, "\xef\xbb\xbf\n"), "\n")
	d, err := Read(t.Context(), strings.NewReader(first), options(t))
	if err != nil || !d.Lines {
		t.Fatalf("one line: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
