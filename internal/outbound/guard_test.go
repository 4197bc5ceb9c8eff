// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"net/netip"
	"testing"
)

func TestInternalAddresses(t *testing.T) {
	none := new(guard)
	for _, addr := range []string{
		"127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192",
		"168.63.129.16", "198.18.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "::127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808",
		"2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
		"fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1",
		"::ffff:0:127.0.0.1", "2a00::5efe:127.0.0.1", "2a00::200:5efe:10.0.0.1",
	} {
		if none.allows(netip.MustParseAddr(addr)) {
			t.Errorf("%s may be dialed", addr)
		}
	}
	for _, addr := range []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1", "168.63.129.17",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00::1",
		"2a00::5efe:8.8.8.8", "2a00::5eff:10.0.0.1",
	} {
		if !none.allows(netip.MustParseAddr(addr)) {
			t.Errorf("%s may not be dialed", addr)
		}
	}
}

func TestAllowedAddresses(t *testing.T) {
	for _, row := range []struct {
		allow   string
		in, out []string
	}{
		{"loopback", []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"}, []string{"10.0.0.1", "0.0.0.0", "169.254.169.254"}},
		{"private_ranges", []string{"127.0.0.1", "10.1.2.3", "192.168.0.1", "fd00::1", "64:ff9b::10.0.0.1"}, []string{"169.254.169.254", "fe80::1", "100.64.0.1"}},
		{"10.1.0.0/16", []string{"10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::"}, []string{"10.2.0.1", "127.0.0.1"}},
		{"10.1.2.9/16", []string{"10.1.0.1"}, []string{"10.2.0.1"}},
		{"192.168.7.7", []string{"192.168.7.7"}, []string{"192.168.7.8"}},
		{"::ffff:192.168.7.7", []string{"192.168.7.7"}, []string{"192.168.7.8"}},
		{"fe80::/10", []string{"fe80::1%eth0"}, []string{"fec0::1"}},
	} {
		s := Settings{AllowInternal: []string{row.allow}}
		ranges, err := s.ranges()
		if err != nil {
			t.Fatal(err)
		}
		g := &guard{ranges}
		for _, addr := range row.in {
			if !g.allows(netip.MustParseAddr(addr)) {
				t.Errorf("allow_internal %s: %s may not be dialed", row.allow, addr)
			}
		}
		for _, addr := range row.out {
			if g.allows(netip.MustParseAddr(addr)) {
				t.Errorf("allow_internal %s: %s may be dialed", row.allow, addr)
			}
		}
	}
	for _, text := range []string{"", "all", "10.0.0.0/33", "10.0.0", "localhost", "fe80::1%eth0", "::1/128%lo", "10.0.0.1-10.0.0.9"} {
		s := Settings{AllowInternal: []string{text}}
		if s.Check() == nil {
			t.Errorf("%q is a range", text)
		}
	}
}

func TestControl(t *testing.T) {
	g := new(guard)
	for _, address := range []string{"127.0.0.1:80", "[::1]:443", "[fe80::1%eth0]:443", "localhost:80", "", "/run/socket"} {
		if err := g.control("tcp", address, nil); !errors.Is(err, ErrInternal) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := g.control("tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}
