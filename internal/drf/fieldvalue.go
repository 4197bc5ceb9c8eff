// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formValue returns what an HTML form has for the field. It knows neither null
// nor lists, so that an empty text can mean nothing and a name can come twice.
func (f Field) formValue(form map[string][]any) (value any, given bool) {
	values := form[f.Name]
	switch {
	case f.Type == StringList && len(values) > 0:
		return values, true
	case f.Type == StringList:
		return indexed(form, f.Name)
	case len(values) == 0 && f.Type == Boolean:
		return false, true // an unchecked box is not sent
	case len(values) == 0:
		return nil, false
	}
	value = values[len(values)-1]
	switch {
	case value != "", f.AllowBlank:
		return value, true
	case f.AllowNull:
		return nil, true
	}
	return value, !f.Optional
}

// indexed returns the list whose items are called name[0], name[1] and so on.
func indexed(form map[string][]any, name string) (list any, given bool) {
	items := map[uint64]any{}
	for _, key := range slices.Sorted(maps.Keys(form)) {
		rest, _ := strings.CutPrefix(key, name+"[")
		index, member, closed := strings.Cut(rest, "]")
		at, err := strconv.ParseUint(index, 10, 64)
		if rest == key || !closed || err != nil {
			continue
		}
		values := form[key]
		items[at] = values[len(values)-1]
		if member != "" {
			items[at] = map[string]any{}
		}
	}
	values := make([]any, 0, len(items))
	for _, at := range slices.Sorted(maps.Keys(items)) {
		values = append(values, items[at])
	}
	return values, len(items) > 0
}

// read returns the value as its type, and what is wrong with it: a list of
// texts, or for a list an Object of those by index.
func (f Field) read(value any) (read, problem any) {
	if value == nil {
		if f.AllowNull {
			return nil, nil
		}
		return nil, []string{"This field may not be null."}
	}
	switch f.Type {
	case Boolean:
		return readBool(value)
	case Integer:
		return readInt(value)
	case StringList:
		return f.readList(value)
	case DateTime:
		return readTime(value)
	default:
		return f.readString(value)
	}
}

func (f Field) readString(value any) (read, problem any) {
	text, ok := value.(string)
	if n, isNumber := value.(number); isNumber {
		text, ok = n.text, true
	}
	if !ok {
		return nil, []string{"Not a valid string."}
	}
	if !f.KeepSpace {
		text = trim(text)
	}
	if text == "" {
		if f.AllowBlank {
			return text, nil
		}
		return nil, []string{"This field may not be blank."}
	}
	var problems []string
	if f.MaxLength > 0 && length(text) > f.MaxLength {
		problems = append(problems, fmt.Sprintf("Ensure this field has no more than %d characters.", f.MaxLength))
	}
	if strings.ContainsRune(text, 0) {
		problems = append(problems, "Null characters are not allowed.")
	}
	if c, found := surrogate(text); found {
		problems = append(problems, fmt.Sprintf("Surrogate characters are not allowed: U+%X.", c))
	}
	if problems != nil {
		return nil, problems
	}
	return text, nil
}

func (f Field) readList(value any) (read, problem any) {
	items, ok := value.([]any)
	if !ok {
		return nil, []string{`Expected a list of items but got type "` + typeName(value) + `".`}
	}
	list, problems := make([]string, 0, len(items)), Object{}
	child := Field{MaxLength: f.MaxLength, KeepSpace: f.KeepSpace}
	for i, item := range items {
		text, problem := child.read(item)
		if problem != nil {
			problems = append(problems, Member{strconv.Itoa(i), problem})
			continue
		}
		list = append(list, text.(string))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return list, nil
}

// The words of an HTML form for yes and no.
var (
	trueWords  = []string{"t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1"}
	falseWords = []string{"f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0"}
)

func readBool(value any) (read, problem any) {
	switch value := value.(type) {
	case bool:
		return value, nil
	case number:
		if f := value.value(); f == 0 || f == 1 {
			return f == 1, nil
		}
	case string:
		if slices.Contains(trueWords, value) {
			return true, nil
		}
		if slices.Contains(falseWords, value) {
			return false, nil
		}
	}
	return nil, []string{"Must be a valid boolean."}
}

// maxIntegerText is how long a text may be that is read as a number.
const maxIntegerText = 1000

// noFraction is what a whole number may end in.
var noFraction = regexp.MustCompile(`\.0*\s*$`)

func readInt(value any) (read, problem any) {
	var text string
	switch value := value.(type) {
	case number:
		text = value.text
	case string:
		if length(value) > maxIntegerText {
			return nil, []string{"String value too large."}
		}
		text = value
	}
	if n, ok := parseInt(noFraction.ReplaceAllString(text, "")); ok {
		return n, nil
	}
	return nil, []string{"A valid integer is required."}
}

// dateTime is the form of ISO 8601 that Django reads.
var dateTime = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,6})\d{0,6})?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$`)

func readTime(value any) (read, problem any) {
	text, _ := value.(string)
	if t, ok := parseTime(text); ok {
		// In UTC a year can be one too many for what reads JSON.
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return nil, []string{"Datetime value out of range."}
		}
		return t, nil
	}
	return nil, []string{"Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."}
}

func parseTime(text string) (time.Time, bool) {
	match := dateTime.FindStringSubmatch(text)
	if match == nil {
		return time.Time{}, false
	}
	n := make([]int, 7)
	for i := range n[:6] {
		n[i], _ = strconv.Atoi(match[i+1])
	}
	n[6], _ = strconv.Atoi((match[7] + "000000")[:6])
	zone, ok := parseZone(match[8])
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6]*1000, zone)
	same := ok && n[0] > 0 && t.Month() == time.Month(n[1]) && t.Day() == n[2] && n[3] < 24 && n[4] < 60 && n[5] < 60
	return t, same
}

func parseZone(text string) (*time.Location, bool) {
	if text == "" || text == "Z" {
		return time.UTC, true
	}
	hours, _ := strconv.Atoi(text[1:3])
	minutes, _ := strconv.Atoi(strings.TrimPrefix(text[3:], ":"))
	offset := hours*60 + minutes
	if offset >= 24*60 {
		return time.UTC, false
	}
	if text[0] == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset*60), true
}
