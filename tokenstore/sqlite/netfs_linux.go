// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"
	"path/filepath"
	"syscall"
)

// networkFilesystems are the magic numbers of statfs(2) of what has no locks that
// SQLite could rely on.
var networkFilesystems = map[uint32]string{
	0x6969:     "nfs",
	0x517b:     "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb2",
	0x5346414f: "afs",
	0x6b414653: "afs",
	0x00c36400: "ceph",
	0x01021997: "9p",
	0x47504653: "gpfs",
	0x0bd00bd0: "lustre",
	0x73757245: "coda",
}

// refuseNetwork fails if the directory of the file is on a network.
func refuseNetwork(path string) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &stat); err != nil {
		return fmt.Errorf("examining the file system of %s: %w", path, err)
	}
	return refuseMagic(path, uint32(stat.Type))
}

func refuseMagic(path string, magic uint32) error {
	if name, ok := networkFilesystems[magic]; ok {
		return fmt.Errorf("%s is on a network file system (%s), where SQLite loses data: "+
			"use another path, or set allow_network_filesystem", path, name)
	}
	return nil
}
