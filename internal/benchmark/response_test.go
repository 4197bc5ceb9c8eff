// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import "testing"

func TestParseResponse(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nServer: Caddy\r\nContent-Length: 2\r\n\r\nok"
	tests := map[string]struct {
		bytes        string
		status, size int
		wantErr      bool
	}{
		"whole":               {bytes: ok, status: 200, size: len(ok)},
		"body to come":        {bytes: ok[:len(ok)-1], status: 200, size: len(ok)},
		"more than one":       {bytes: ok + ok, status: 200, size: len(ok)},
		"header to come":      {bytes: ok[:len(ok)-4]},
		"nothing":             {bytes: ""},
		"no body":             {bytes: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", status: 401, size: 48},
		"length in the body":  {bytes: "HTTP/1.1 200 OK\r\nA: b\r\n\r\n\r\nContent-Length: 2\r\n\r\n", status: 200, wantErr: true},
		"no length":           {bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", status: 200, wantErr: true},
		"length not a number": {bytes: "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", status: 200, wantErr: true},
		"endless length":      {bytes: "HTTP/1.1 200 OK\r\nContent-Length: 12345678901\r\n\r\n", status: 200, wantErr: true},
		"another protocol":    {bytes: "SSH-2.0-OpenSSH\r\n\r\n", wantErr: true},
		"short status line":   {bytes: "HTTP/1.1 2\r\n\r\n", wantErr: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, size, err := parseResponse([]byte(tt.bytes))
			if status != tt.status || size != tt.size || (err != nil) != tt.wantErr {
				t.Errorf("parseResponse(%q) = %d, %d, %v; want %d, %d, error %t",
					tt.bytes, status, size, err, tt.status, tt.size, tt.wantErr)
			}
		})
	}
}
