// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	nested := func(levels int) string {
		return `{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	objects := func(levels int) string {
		return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels)
	}
	members := func(n int) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `,"n%d":1`, i)
		}
		return "{" + strings.TrimPrefix(text.String(), ",") + "}"
	}
	tests := map[string]struct {
		text string
		want error
	}{
		"empty object":                 {`{}`, nil},
		"blanks wherever RFC 8259 has": {" \t\r\n{ \"a\" : [ 1 , { } , [ ] ] , \"b\" : null }\r\n", nil},
		"every type":                   {`{"a":"x","b":-0.5e+1,"c":true,"d":false,"e":null,"f":{},"g":[]}`, nil},
		"names of one name nested":     {`{"a":{"a":{"a":1}},"b":{"a":1}}`, nil},
		"letters outside of ASCII":     {`{"naïve":"\u00e9 é 😀 \ud83d\ude00"}`, nil},
		"names by case":                {`{"a":1,"A":2}`, nil},
		"an empty name":                {`{"":1}`, nil},
		"as deep as it may":            {nested(16), nil},
		"as deep as it may, objects":   {objects(16), nil},
		"as many as there may be":      {members(512), nil},
		"digits":                       {`{"a":` + strings.Repeat("9", 64) + `}`, nil},
		"the smallest there is":        {`{"a":1e-400}`, nil},

		"nothing":                    {``, errJSON},
		"blanks":                     {`  `, errJSON},
		"an array":                   {`[]`, errJSON},
		"a string":                   {`"a"`, errJSON},
		"a number":                   {`1`, errJSON},
		"null":                       {`null`, errJSON},
		"a byte order mark":          {"\ufeff{}", errJSON},
		"more after it":              {`{}{}`, errJSON},
		"a letter after it":          {`{}x`, errJSON},
		"NUL after it":               {"{}\x00", errJSON},
		"not closed":                 {`{"a":1`, errJSON},
		"ends in a name":             {`{"a`, errJSON},
		"ends after a name":          {`{"a"`, errJSON},
		"ends after a colon":         {`{"a":`, errJSON},
		"ends in an array":           {`{"a":[1,`, errJSON},
		"ends in an escape":          {`{"a":"\`, errJSON},
		"ends in a unit":             {`{"a":"\u00`, errJSON},
		"a comma too much":           {`{"a":1,}`, errJSON},
		"a comma too much, array":    {`{"a":[1,]}`, errJSON},
		"a comma alone":              {`{,}`, errJSON},
		"no comma":                   {`{"a":1 "b":2}`, errJSON},
		"no colon":                   {`{"a" 1}`, errJSON},
		"single quotes":              {`{'a':1}`, errJSON},
		"no quotes":                  {`{a:1}`, errJSON},
		"a comment":                  {`{/**/}`, errJSON},
		"another blank":              {"{\v}", errJSON},
		"a line separator":           {"{\u2028}", errJSON},
		"a line break in a string":   {"{\"a\":\"\n\"}", errJSON},
		"a tab in a string":          {"{\"a\":\"\t\"}", errJSON},
		"NUL in a string":            {"{\"a\":\"\x00\"}", errJSON},
		"an escape that is none":     {`{"a":"\x41"}`, errJSON},
		"an escape in capitals":      {`{"a":"\U0041"}`, errJSON},
		"letters that are no digits": {`{"a":"\u00g0"}`, errJSON},
		"True":                       {`{"a":True}`, errJSON},
		"a word that begins as one":  {`{"a":nullx}`, errJSON},
		"half a word":                {`{"a":tru}`, errJSON},
		"NaN":                        {`{"a":NaN}`, errJSON},
		"Infinity":                   {`{"a":Infinity}`, errJSON},
		"a plus":                     {`{"a":+1}`, errJSON},
		"a zero before":              {`{"a":01}`, errJSON},
		"a minus alone":              {`{"a":-}`, errJSON},
		"a point at the end":         {`{"a":1.}`, errJSON},
		"a point at the beginning":   {`{"a":.1}`, errJSON},
		"an exponent of nothing":     {`{"a":1e}`, errJSON},
		"an exponent of a sign":      {`{"a":1e+}`, errJSON},
		"hexadecimal":                {`{"a":0x1}`, errJSON},
		"underscores":                {`{"a":1_0}`, errJSON},

		"twice":                        {`{"a":1,"a":1}`, errDuplicate},
		"twice, not side by side":      {`{"a":1,"b":2,"a":3}`, errDuplicate},
		"twice, spelled with escapes":  {`{"exp":1,"\u0065xp":2}`, errDuplicate},
		"twice, escapes first":         {`{"\u0065\u0078\u0070":1,"exp":2}`, errDuplicate},
		"twice, escapes of a solidus":  {`{"a/b":1,"a\/b":2}`, errDuplicate},
		"twice, a surrogate pair":      {`{"😀":1,"\ud83d\ude00":2}`, errDuplicate},
		"twice, in an object":          {`{"a":{"b":1,"b":2}}`, errDuplicate},
		"twice, in an array's object":  {`{"a":[1,[{"b":1,"b":2}]]}`, errDuplicate},
		"twice, deep":                  {strings.Repeat(`{"a":`, 15) + `{"b":1,"b":1}` + strings.Repeat("}", 15), errDuplicate},
		"twice, without a name":        {`{"":1,"":1}`, errDuplicate},
		"twice, after hundreds":        {strings.TrimSuffix(members(300), "}") + `,"n7":1}`, errDuplicate},
		"twice, the last of few":       {strings.TrimSuffix(members(32), "}") + `,"n31":1}`, errDuplicate},
		"twice, both after many":       {strings.TrimSuffix(members(300), "}") + `,"n299":1}`, errDuplicate},
		"too deep":                     {nested(17), errDepth},
		"too deep, objects":            {objects(17), errDepth},
		"too deep, and far too deep":   {`{"a":` + strings.Repeat("[", 12000), errDepth},
		"too many":                     {members(513), errMembers},
		"too many, in many objects":    {`{"a":[` + strings.Repeat(`{"b":1},`, 512) + `0]}`, errMembers},
		"a number of many digits":      {`{"a":` + strings.Repeat("9", 65) + `}`, errNumber},
		"a number of 10,000 digits":    {`{"a":` + strings.Repeat("9", 10_000) + `}`, errNumber},
		"a number no float holds":      {`{"a":1e400}`, errNumber},
		"a number no float holds, too": {`{"a":[-1E+400]}`, errNumber},
		"half a surrogate pair":        {`{"a":"\ud83d"}`, errText},
		"the other half":               {`{"a":"\ude00"}`, errText},
		"halves the wrong way round":   {`{"a":"\ude00\ud83d"}`, errText},
		"half a pair and a letter":     {`{"a":"\ud83dx"}`, errText},
		"half a pair and an escape":    {`{"a":"\ud83d\n"}`, errText},
		"half a pair in a name":        {`{"\ud83d":1}`, errText},
		"NUL by an escape":             {`{"a":"b\u0000c"}`, errText},
		"NUL by an escape, in a name":  {`{"a\u0000":1}`, errText},
	}
	for name, test := range tests {
		if _, err := scan(test.text, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if test.want == nil && !json.Valid([]byte(test.text)) {
			t.Errorf("%s: encoding/json refuses it", name)
		}
	}
}

func TestScanMembers(t *testing.T) {
	found, err := scan(` { "a" : [ 1, {"b":2} ] ,"\u0065xp":1e3,"t":"\"\\\/\b\f\n\r\t\u00E9\ud83d\ude00é" }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := object{{"a", `[ 1, {"b":2} ]`}, {"exp", "1e3"}, {"t", `"\"\\\/\b\f\n\r\t\u00E9\ud83d\ude00é"`}}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("got %q, want %q", found, want)
	}
	if got, want := unquote(found[2].value), "\"\\/\b\f\n\r\té😀é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzObject has encoding/json read what is accepted: it agrees on every member.
func FuzzObject(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1,"A":2}`, `{"exp":1,"\u0065xp":2}`, `{"a":"\ud83d\ude00"}`, `{"a":{"b":[1,2,{"c":null}]}}`,
		`{"a":1e400}`, `{"a":-0.0e-1}`, ` {"":""} `, "{\"\x80\":1}", `{"a":"\ud83d"}`, `{"a":"\u0000"}`, `{"é":"\/"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := scan(strings.ToValidUTF8(text, "?"), nil)
		if err != nil {
			return
		}
		text = strings.ToValidUTF8(text, "?")
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if len(found) != len(want) {
			t.Fatalf("%d members, encoding/json has %d", len(found), len(want))
		}
		for _, m := range found {
			raw, ok := want[m.name]
			if !ok || !bytes.Equal(raw, []byte(m.value)) {
				t.Fatalf("%q is %q, encoding/json has %q", m.name, m.value, raw)
			}
			var value any
			if err := json.Unmarshal(raw, &value); err != nil {
				t.Fatalf("encoding/json refuses %q: %v", raw, err)
			}
			if s, ok := value.(string); ok && unquote(m.value) != s {
				t.Fatalf("%q is %q, encoding/json has %q", m.value, unquote(m.value), s)
			}
		}
		var buffer bytes.Buffer
		if err := json.Compact(&buffer, []byte(text)); err != nil {
			t.Fatal(err)
		}
	})
}
