// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
)

var (
	endOfHeader   = []byte("\r\n\r\n")
	statusLine    = []byte("HTTP/1.1 ")
	contentLength = []byte("\r\nContent-Length: ")

	errNoLength = errors.New("a response without Content-Length")
)

// parseResponse returns the status of the response at the start of b and how
// long the whole of it is, or 0 as long as that cannot be known. It reads what
// Caddy writes and no more: a generator that parses HTTP in full would be
// slower than the server.
func parseResponse(b []byte) (status, size int, err error) {
	end := bytes.Index(b, endOfHeader)
	if end < 0 {
		return 0, 0, nil
	}
	digits, ok := bytes.CutPrefix(b[:end], statusLine)
	if !ok || len(digits) < 3 {
		return 0, 0, fmt.Errorf("not a response: %.40q", b)
	}
	status, _ = number(digits[:3])
	at := bytes.Index(b[:end], contentLength)
	if at < 0 {
		return status, 0, errNoLength
	}
	length, ok := number(b[at+len(contentLength) : end])
	if !ok {
		return status, 0, errNoLength
	}
	return status, end + len(endOfHeader) + length, nil
}

// number reads the decimal digits at the start of b, of which there must be
// one at least and nine at most.
func number(b []byte) (n int, ok bool) {
	digits := 0
	for digits < len(b) && '0' <= b[digits] && b[digits] <= '9' {
		n = n*10 + int(b[digits]-'0')
		if digits++; digits > 9 {
			return 0, false
		}
	}
	return n, digits > 0
}
