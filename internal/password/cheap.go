// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

// MakeCheap makes new hashes cost next to nothing, in the whole process and for
// good. It is for the TestMain of tests that log in hundreds of times; nothing
// else may call it, and no Hasher may be in use yet.
func MakeCheap() { newHash.memory, newHash.passes = 64, 1 }
