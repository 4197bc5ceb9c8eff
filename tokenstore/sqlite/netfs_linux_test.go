// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"strings"
	"testing"
)

func TestNetworkFilesystemsAreRefused(t *testing.T) {
	for magic, name := range map[uint32]string{0x6969: "nfs", 0xff534d42: "cifs", 0xfe534d42: "smb2", 0x5346414f: "afs", 0x00c36400: "ceph"} {
		err := refuseMagic("/mnt/auth.db", magic)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "allow_network_filesystem") {
			t.Errorf("refuseMagic(%s) = %v, want an error that names it and the option", name, err)
		}
	}
	for _, magic := range []uint32{0xef53, 0x01021994, 0x58465342, 0x9123683e} { // ext4, tmpfs, xfs, btrfs
		if err := refuseMagic("/srv/auth.db", magic); err != nil {
			t.Errorf("refuseMagic(%#x) = %v, want no error", magic, err)
		}
	}
	if err := refuseNetwork(t.TempDir() + "/auth.db"); err != nil {
		t.Errorf("refuseNetwork of a local directory = %v", err)
	}
}
