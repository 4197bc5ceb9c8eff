// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net"
)

// tokenSize is that of a token of Django REST framework: 20 bytes in hex.
const tokenSize = 40

// appendToken appends the token of a number. Tokens look random and are not:
// whoever seeds a store and whoever asks it agree on them without a list.
func appendToken(b []byte, n int) []byte {
	var raw [tokenSize / 2]byte
	seed := uint64(n)
	for i := 0; i < 16; i += 8 {
		// SplitMix64.
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.BigEndian.PutUint64(raw[i:], z^z>>31)
	}
	binary.BigEndian.PutUint32(raw[16:], uint32(n))
	return hex.AppendEncode(b, raw[:])
}

// requests are the bytes that a load sends: one request over and over, or one
// with another token each time, in a circle of them.
type requests struct {
	bytes []byte
	token []byte // within bytes; nil if there is none
	list  []string
	at    int
	count int
}

// credentials is how the requests of a scenario say who they are.
type credentials struct {
	authorization string // of every request
	cookie        string // of every request
	tokens        int    // if not 0, so many tokens, one after the other

	// list is values of Authorization, all of one length, one after the other.
	list []string
	// forged is how many values of Authorization, if not 0, are sent one after the
	// other that differ from the one above before their last character.
	forged int
}

// newRequests spells a GET as a browser-less client sends it.
func newRequests(host *net.TCPAddr, c credentials) *requests {
	var b bytes.Buffer
	b.WriteString("GET / HTTP/1.1\r\nHost: " + host.String() + "\r\nUser-Agent: bench\r\nAccept: */*\r\n")
	start, size := 0, tokenSize
	switch {
	case len(c.list) > 0:
		b.WriteString("Authorization: ")
		start, size = b.Len(), len(c.list[0])
		b.WriteString(c.list[0] + "\r\n")
	case c.tokens > 0:
		b.WriteString("Authorization: Token ")
		start = b.Len()
		b.Write(appendToken(nil, 0))
		b.WriteString("\r\n")
	case c.authorization != "":
		b.WriteString("Authorization: " + c.authorization + "\r\n")
		if c.forged > 0 {
			start = b.Len() - len("x\r\n") - tokenSize
		}
	case c.cookie != "":
		b.WriteString("Cookie: " + c.cookie + "\r\n")
	}
	b.WriteString("\r\n")
	r := &requests{bytes: b.Bytes(), list: c.list, count: max(c.tokens, c.forged, len(c.list))}
	if start > 0 {
		r.token = r.bytes[start : start+size]
	}
	return r
}

// next returns the next request, valid until the one after it.
func (r *requests) next() []byte {
	if r.count > 1 {
		if r.list != nil {
			copy(r.token, r.list[r.at])
		} else {
			appendToken(r.token[:0], r.at)
		}
		if r.at++; r.at == r.count {
			r.at = 0
		}
	}
	return r.bytes
}

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}
