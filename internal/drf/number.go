// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"math"
	"strconv"
	"strings"
)

// A number of JSON, as Python prints it.
type number struct {
	text  string
	float bool
}

// value returns the number as near as a float is.
func (n number) value() float64 {
	f, _ := strconv.ParseFloat(n.text, 64)
	return f
}

// floatNumber returns the float that Python reads from text, as it prints it.
func floatNumber(text string) number {
	f, _ := strconv.ParseFloat(text, 64) // out of range is infinite, in Python too
	return number{pythonFloat(f), true}
}

// pythonFloat is Python's repr: the shortest digits that are read as f, with an
// exponent below 1e-4 and from 1e16.
func pythonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// parseInt is Python's int of a text that 64 bits can hold: blanks around it
// and single underscores between digits are fine.
func parseInt(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	return n, err == nil
}
