// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package drf

import (
	"bytes"
	"strings"
)

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// pythonBase64 decodes as Python's b64decode, which ignores what is not of the
// alphabet, and what follows the padding.
func pythonBase64(text []byte) (decoded []byte, ok bool) {
	digits, pads, held := 0, 0, byte(0) // of the four of a group
	for _, c := range text {
		if c == '=' {
			if pads++; digits >= 2 && digits+pads >= 4 {
				return decoded, true
			}
			continue
		}
		at := strings.IndexByte(base64Alphabet, c)
		if at < 0 {
			continue
		}
		value := byte(at)
		pads = 0
		switch digits {
		case 0:
			held = value
		case 1:
			decoded = append(decoded, held<<2|value>>4)
			held = value & 0xf
		case 2:
			decoded = append(decoded, held<<4|value>>2)
			held = value & 3
		case 3:
			decoded = append(decoded, held<<6|value)
		}
		digits = (digits + 1) % 4
	}
	return decoded, digits == 0
}

// wholeBase64 reports whether a file can be decoded group by group.
func wholeBase64(text []byte) bool {
	text = bytes.Join(bytes.Fields(text), nil)
	_, ok := pythonBase64(text)
	return ok && len(text)%4 == 0
}
