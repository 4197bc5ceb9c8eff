// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"net/http"
	"time"
)

// A FieldType is what the value of a Field is read as.
type FieldType int

// The types of fields. Each is DRF's field of that name.
const (
	String     FieldType = iota // CharField: numbers are text too
	Boolean                     // BooleanField: an HTML form that leaves it out says false
	Integer                     // IntegerField, within 64 bits
	StringList                  // ListField of CharField
	DateTime                    // DateTimeField; without an offset it is UTC
)

// A Field is one value of a form.
type Field struct {
	Name string
	Type FieldType

	// Optional fields may be left out.
	Optional bool

	// AllowNull accepts null, which then counts as not given (see Values.Null).
	AllowNull bool

	// AllowBlank accepts the empty string.
	AllowBlank bool

	// KeepSpace keeps blanks at both ends, as of a password. They are
	// trimmed otherwise.
	KeepSpace bool

	// MaxLength bounds a string, in characters; 0 is no bound.
	MaxLength int

	// Label names the field for people. Nothing here reads it.
	Label string
}

// Values are what the fields of a form were read as, by name. A value that was
// not given is the zero value of its type.
type Values map[string]any

// Has reports whether the field was given, and not as null.
func (v Values) Has(name string) bool { return v[name] != nil }

// Null reports whether the field was given as null.
func (v Values) Null(name string) bool {
	value, ok := v[name]
	return ok && value == nil
}

// String returns the value of a String field.
func (v Values) String(name string) string { s, _ := v[name].(string); return s }

// Strings returns the value of a StringList field.
func (v Values) Strings(name string) []string { s, _ := v[name].([]string); return s }

// Bool returns the value of a Boolean field.
func (v Values) Bool(name string) bool { b, _ := v[name].(bool); return b }

// Int returns the value of an Integer field.
func (v Values) Int(name string) int64 { n, _ := v[name].(int64); return n }

// Time returns the value of a DateTime field.
func (v Values) Time(name string) time.Time { t, _ := v[name].(time.Time); return t }

// Read reads the fields, in this order. If any is bad, it returns an *Error of
// status 400 that says what is wrong with each of them.
func (d *Data) Read(fields ...Field) (Values, error) {
	members, object := d.value.(map[string]any)
	switch {
	case d.form != nil || object:
	case d.value == nil:
		return nil, NonField("No data provided")
	default:
		return nil, NonField("Invalid data. Expected a dictionary, but got " + typeName(d.value) + ".")
	}
	values, problems := Values{}, Object{}
	for _, field := range fields {
		value, given := members[field.Name]
		if d.form != nil {
			value, given = field.formValue(d.form)
		}
		switch {
		case given:
			read, problem := field.read(value)
			if problem != nil {
				problems = append(problems, Member{field.Name, problem})
			}
			values[field.Name] = read
		case !field.Optional:
			problems = append(problems, Member{field.Name, []string{"This field is required."}})
		}
	}
	if len(problems) > 0 {
		return nil, &Error{Status: http.StatusBadRequest, Body: problems}
	}
	return values, nil
}

// typeName is what Python calls the type of a value.
func typeName(value any) string {
	switch value := value.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case number:
		if value.float {
			return "float"
		}
		return "int"
	case string:
		return "str"
	case []any:
		return "list"
	case map[string]any:
		return "dict"
	}
	return "InMemoryUploadedFile"
}
