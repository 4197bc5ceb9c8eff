// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

// Check returns nil if this Hasher's Verify could accept the hash: it is the
// function Check with the Hasher's own weak formats and memory.
func (h *Hasher) Check(encoded string) error {
	_, err := h.parse(encoded)
	return err
}

func (h *Hasher) parse(encoded string) (*stored, error) {
	s, err := parse(encoded, h.weak)
	if err != nil {
		return nil, err
	}
	if s.memory > h.gate.memory {
		return nil, because(ErrTooCostly, "it needs more memory than all hashes may use")
	}
	return s, nil
}
