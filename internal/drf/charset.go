// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A charset is how the bytes of a body become text.
type charset struct {
	// decode returns the text of a body, or Python's reason why it has none. A
	// character that the end cuts off is one such if the body is whole, and is
	// left out if it is part of a stream.
	decode func(b []byte, whole bool) (string, error)

	// replace puts U+FFFD in place of what cannot be decoded.
	replace func(b []byte) string
}

var (
	utf8Charset   = charset{decodeUTF8, replaceUTF8}
	latin1Charset = charset{func(b []byte, _ bool) (string, error) { return decodeLatin1(b), nil }, decodeLatin1[[]byte]}
)

// charsets by their names, less what separates the words of a name. Any other
// charset is read as UTF-8, as Django reads those that Python does not know.
var charsets = map[string]charset{
	"latin1":   latin1Charset,
	"iso88591": latin1Charset,
	"ascii":    {decodeASCII, replaceASCII},
	"usascii":  {decodeASCII, replaceASCII},
	"utf16": {decodeUTF16, func(b []byte) string {
		text, _ := decodeUTF16(b, true)
		return text
	}},
	"utf16le": utf16Charset(binary.LittleEndian),
	"utf16be": utf16Charset(binary.BigEndian),
}

func charsetOf(name string) charset {
	name = strings.Map(func(c rune) rune {
		if c == '-' || c == '_' || c == ' ' {
			return -1
		}
		return c
	}, strings.ToLower(name))
	if known, ok := charsets[name]; ok {
		return known
	}
	return utf8Charset
}

func decodeASCII(b []byte, _ bool) (string, error) {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return "", fmt.Errorf("'ascii' codec can't decode byte 0x%02x in position %d: ordinal not in range(128)", c, i)
		}
	}
	return string(b), nil
}

func replaceASCII(b []byte) string {
	var text strings.Builder
	for _, c := range b {
		if c >= utf8.RuneSelf {
			text.WriteRune(utf8.RuneError)
		} else {
			text.WriteByte(c)
		}
	}
	return text.String()
}

// decodeUTF16 needs a mark of the byte order.
func decodeUTF16(b []byte, _ bool) (string, error) {
	switch {
	case len(b) < 2:
		return "", nil
	case b[0] == 0xff && b[1] == 0xfe:
		return wide(b[2:], binary.LittleEndian), nil
	case b[0] == 0xfe && b[1] == 0xff:
		return wide(b[2:], binary.BigEndian), nil
	}
	return "", errors.New("UTF-16 stream does not start with BOM")
}

func utf16Charset(order binary.ByteOrder) charset {
	return charset{
		decode:  func(b []byte, _ bool) (string, error) { return wide(b, order), nil },
		replace: func(b []byte) string { return wide(b, order) },
	}
}

// wide decodes UTF-16, with U+FFFD in place of a lone surrogate.
func wide(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
