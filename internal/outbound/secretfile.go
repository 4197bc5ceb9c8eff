// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"fmt"
	"os"
)

// maxSecretFile bounds the files of secrets, lest a device be read for ever.
const maxSecretFile = 64 << 10

// ReadSecretFile returns the secret, or the private key, by which this server
// proves to another who it is.
func ReadSecretFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecretFile {
		return nil, fmt.Errorf("expected a file of at most %d bytes", maxSecretFile)
	}
	return os.ReadFile(name)
}
