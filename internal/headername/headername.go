// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package headername compares names of header fields as the most careless
// program behind us would.
package headername

// Same reports whether a program behind us could take one name for the other:
// letters are compared without case, and every byte that is neither letter nor
// digit is a hyphen, since CGI folds "-", WSGI "_" and PHP "." alike.
func Same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if fold(a[i]) != fold(b[i]) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return '-'
}
