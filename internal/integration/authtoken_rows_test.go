// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
)

const (
	jsonType   = "application/json"
	goodLogin  = `{"username":"alice","password":"pw"}`
	badLogin   = `{"non_field_errors":["Unable to log in with provided credentials."]}`
	bothNeeded = `{"username":["This field is required."],"password":["This field is required."]}`
	hexToken   = "a token"
)

// An authtokenRow is a request and what it is answered.
type authtokenRow struct {
	method string // POST unless said
	query  string
	lines  []string
	kind   string // of the body; "-" is none
	body   string

	status int
	answer string // hexToken is alice's token

	// django is the status of Django, where we do not answer as it does.
	django int
}

// authtokenRows are what was measured of Django REST framework.
var authtokenRows = map[string]authtokenRow{
	// Credentials.
	"JSON":                 {kind: jsonType, body: goodLogin, status: 200, answer: hexToken},
	"form":                 {kind: formType, body: "username=alice&password=pw", status: 200, answer: hexToken},
	"multipart":            {kind: partsType, body: strings.TrimSuffix(parts("username", "alice"), "--xx--\r\n") + parts("password", "pw"), status: 200, answer: hexToken},
	"user name trimmed":    {kind: jsonType, body: `{"username":"  alice  ","password":"pw"}`, status: 200, answer: hexToken},
	"more fields":          {kind: jsonType, body: `{"username":"alice","password":"pw","x":[1]}`, status: 200, answer: hexToken},
	"last of two":          {kind: jsonType, body: `{"username":"nobody","password":"pw","username":"alice"}`, status: 200, answer: hexToken},
	"wrong password":       {kind: jsonType, body: `{"username":"alice","password":"bad"}`, status: 400, answer: badLogin},
	"password not trimmed": {kind: jsonType, body: `{"username":"alice","password":" pw "}`, status: 400, answer: badLogin},
	"unknown user":         {kind: jsonType, body: `{"username":"nobody","password":"pw"}`, status: 400, answer: badLogin},
	"other case":           {kind: jsonType, body: `{"username":"Alice","password":"pw"}`, status: 400, answer: badLogin},
	"inactive user":        {kind: jsonType, body: `{"username":"gone","password":"pw"}`, status: 400, answer: badLogin},
	"number for a name":    {kind: jsonType, body: `{"username":1,"password":1.0}`, status: 400, answer: badLogin},

	// Fields.
	"no fields":          {kind: jsonType, body: `{}`, status: 400, answer: bothNeeded},
	"no password":        {kind: jsonType, body: `{"username":"alice"}`, status: 400, answer: `{"password":["This field is required."]}`},
	"no user name":       {kind: formType, body: `password=pw`, status: 400, answer: `{"username":["This field is required."]}`},
	"blank":              {kind: jsonType, body: `{"username":"","password":"   "}`, status: 400, answer: `{"username":["This field may not be blank."]}`},
	"both blank":         {kind: formType, body: `username=+&password=`, status: 400, answer: `{"username":["This field may not be blank."],"password":["This field may not be blank."]}`},
	"null":               {kind: jsonType, body: `{"username":null,"password":null}`, status: 400, answer: `{"username":["This field may not be null."],"password":["This field may not be null."]}`},
	"list and bool":      {kind: jsonType, body: `{"username":["alice"],"password":true}`, status: 400, answer: `{"username":["Not a valid string."],"password":["Not a valid string."]}`},
	"NUL in a user name": {kind: jsonType, body: `{"username":"al\u0000ice","password":"pw"}`, status: 400, answer: `{"username":["Null characters are not allowed."]}`},
	"lone surrogate":     {kind: jsonType, body: `{"username":"\ud800","password":"pw"}`, status: 400, answer: `{"username":["Surrogate characters are not allowed: U+D800."]}`},

	// Bodies.
	"no body":               {kind: jsonType, status: 400, answer: bothNeeded},
	"no body, no type":      {kind: "-", status: 400, answer: bothNeeded},
	"array":                 {kind: jsonType, body: `[]`, status: 400, answer: `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
	"string":                {kind: jsonType, body: `"x"`, status: 400, answer: `{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}`},
	"null alone":            {kind: jsonType, body: `null`, status: 400, answer: `{"non_field_errors":["No data provided"]}`},
	"malformed":             {kind: jsonType, body: `{`, status: 400, answer: detail(`JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)`)},
	"NaN":                   {kind: jsonType, body: `{"username":NaN}`, status: 400, answer: detail(`JSON parse error - Out of range float values are not JSON compliant: 'NaN'`)},
	"BOM":                   {kind: jsonType, body: "\ufeff{}", status: 400, answer: detail(`JSON parse error - Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)`)},
	"UTF-16":                {kind: jsonType, body: "\xff\xfe{\x00}\x00", status: 400, answer: detail(`JSON parse error - 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte`)},
	"gzip":                  {kind: jsonType, lines: []string{"Content-Encoding: gzip"}, body: "\x1f\x8b\x08\x00", status: 400, answer: detail(`JSON parse error - 'utf-8' codec can't decode byte 0x8b in position 1: invalid start byte`)},
	"10,000 deep":           {kind: jsonType, body: strings.Repeat("[", 10000), status: 400, answer: detail(`JSON parse error - maximum recursion depth exceeded while decoding a JSON array from a unicode string`), django: 500},
	"too long":              {kind: jsonType, body: `{"x":"` + strings.Repeat("x", 64<<10) + `"}`, status: 413, answer: detail("Request body exceeded 65536 bytes."), django: 400},
	"too many fields":       {kind: formType, body: strings.Repeat("a=1&", 1001), status: 400, answer: detail("The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS."), django: 400},
	"no boundary":           {kind: "multipart/form-data", body: "x", status: 400, answer: detail("Multipart form parse error - Invalid boundary in multipart: None")},
	"text":                  {kind: "text/plain", body: goodLogin, status: 415, answer: detail(`Unsupported media type \"text/plain\" in request.`)},
	"XML":                   {kind: "application/xml", body: `<a/>`, status: 415, answer: detail(`Unsupported media type \"application/xml\" in request.`)},
	"no type":               {kind: "-", body: goodLogin, status: 415, answer: detail(`Unsupported media type \"\" in request.`)},
	"charset of the type":   {kind: jsonType + "; charset=utf-8", body: goodLogin, status: 200, answer: hexToken},
	"unknown charset":       {kind: jsonType + "; charset=x", body: goodLogin, status: 200, answer: hexToken},
	"other case of a type":  {kind: "Application/JSON", body: goodLogin, status: 200, answer: hexToken},
	"type is much too long": {kind: jsonType + "; x=" + strings.Repeat("x", 300), body: goodLogin, status: 415, answer: "*", django: 200},

	// Methods and what is accepted.
	"GET":         {method: "GET", kind: "-", status: 405, answer: detail(`Method \"GET\" not allowed.`)},
	"HEAD":        {method: "HEAD", kind: "-", status: 405},
	"PUT":         {method: "PUT", kind: jsonType, body: goodLogin, status: 405, answer: detail(`Method \"PUT\" not allowed.`)},
	"PATCH":       {method: "PATCH", kind: jsonType, body: goodLogin, status: 405, answer: detail(`Method \"PATCH\" not allowed.`)},
	"DELETE":      {method: "DELETE", kind: "-", status: 405, answer: detail(`Method \"DELETE\" not allowed.`)},
	"HTML wanted": {kind: jsonType, body: goodLogin, lines: []string{"Accept: text/html"}, status: 406, answer: detail("Could not satisfy the request Accept header.")},
	"anything":    {kind: jsonType, body: goodLogin, lines: []string{"Accept: text/html, */*"}, status: 200, answer: hexToken},
	"JSON asked":  {kind: jsonType, body: goodLogin, query: "?format=json", status: 200, answer: hexToken},
	"HTML asked":  {kind: jsonType, body: goodLogin, query: "?format=api", status: 404, answer: detail("Not found.")},
	"last format": {kind: jsonType, body: goodLogin, query: "?format=api&format=json", status: 200, answer: hexToken},
	"described":   {method: "OPTIONS", kind: "-", status: 200, answer: `{"name":"Obtain Auth Token","description":"","renders":["application/json"],"parses":["application/x-www-form-urlencoded","multipart/form-data","application/json"],"actions":{"POST":{"username":{"type":"string","required":true,"read_only":false,"label":"Username"},"password":{"type":"string","required":true,"read_only":false,"label":"Password"},"token":{"type":"string","required":false,"read_only":true,"label":"Token"}}}}`},
	"indented":    {kind: jsonType, body: `[]`, lines: []string{"Accept: application/json; indent=2"}, status: 400, answer: "{\n  \"non_field_errors\": [\n    \"Invalid data. Expected a dictionary, but got list.\"\n  ]\n}"},

	// Credentials beside the body.
	"bad Basic header":   {kind: jsonType, body: goodLogin, lines: []string{"Authorization: Basic x y"}, status: 403, answer: detail("Invalid basic header. Credentials string should not contain spaces.")},
	"wrong Basic":        {kind: jsonType, body: goodLogin, lines: []string{basic("alice", "bad")}, status: 403, answer: invalidLogin},
	"good Basic":         {kind: jsonType, body: goodLogin, lines: []string{basic("alice", "pw")}, status: 200, answer: hexToken},
	"Basic alone":        {kind: jsonType, body: `{}`, lines: []string{basic("alice", "pw")}, status: 400, answer: bothNeeded},
	"bad Token header":   {kind: jsonType, body: goodLogin, lines: []string{token("bad")}, status: 200, answer: hexToken},
	"session, no CSRF":   {kind: jsonType, body: goodLogin, lines: []string{"Cookie: sessionid=" + aliceKey}, status: 403, answer: detail("CSRF Failed: CSRF cookie not set.")},
	"session and CSRF":   {kind: jsonType, body: goodLogin, lines: []string{"Cookie: sessionid=" + aliceKey + "; csrftoken=" + csrfSecret, "X-CSRFToken: " + csrfSecret}, status: 200, answer: hexToken},
	"session of nobody":  {kind: jsonType, body: goodLogin, lines: []string{"Cookie: sessionid=x"}, status: 200, answer: hexToken},
	"bad Basic and GET":  {method: "GET", kind: "-", lines: []string{"Authorization: Basic"}, status: 403, answer: detail("Invalid basic header. No credentials provided.")},
	"bad Basic, no body": {kind: "text/plain", lines: []string{"Authorization: Basic"}, status: 403, answer: detail("Invalid basic header. No credentials provided.")},
}

// request returns the bytes of the row's request.
func (row authtokenRow) request() string {
	method := row.method
	if method == "" {
		method = "POST"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s /api-token-auth/%s HTTP/1.1\r\nHost: api.example.net\r\nConnection: close\r\n", method, row.query)
	for _, line := range row.lines {
		b.WriteString(line + "\r\n")
	}
	if row.kind != "-" {
		b.WriteString("Content-Type: " + row.kind + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(row.body), row.body)
	return b.String()
}
