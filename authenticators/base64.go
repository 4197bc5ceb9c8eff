// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

// sextets maps a byte to its value in base64; what is outside the alphabet is
// outside of 0 to 63.
var sextets = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		table[c] = byte(i)
	}
	return table
}()

// decodeBase64 decodes like Python's base64.b64decode without validation,
// which is what clients of Django projects have been tested against: bytes
// outside the alphabet are skipped, '-' and '_' among them, everything after a
// complete padding is ignored, and bits that are left over may be anything. It
// reports false where Python raises an error: if padding is missing.
func decodeBase64(encoded string) ([]byte, bool) {
	decoded := make([]byte, 0, len(encoded)/4*3+3)
	var (
		left       byte // the bits of the last sextet that no byte took yet
		quad, pads int  // how many sextets and '=' the current group of four has
	)
	for i := range len(encoded) {
		c := encoded[i]
		if c == '=' {
			if quad >= 2 {
				if pads++; quad+pads >= 4 {
					return decoded, true
				}
			}
			continue
		}
		bits := sextets[c]
		if bits > 63 {
			continue
		}
		pads = 0
		switch quad {
		case 0:
		case 1:
			decoded = append(decoded, left<<2|bits>>4)
		case 2:
			decoded = append(decoded, left<<4|bits>>2)
		case 3:
			decoded = append(decoded, left<<6|bits)
		}
		left = bits
		quad = (quad + 1) % 4
	}
	return decoded, quad == 0
}
