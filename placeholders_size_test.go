// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"testing"
	"unsafe"
)

// Each request makes one, and what has pointers and is larger costs more than
// its size.
func TestRequestState_size(t *testing.T) {
	if size := unsafe.Sizeof(requestState{}); size > 512 {
		t.Errorf("requestState has %d bytes, more than 512", size)
	}
}
