// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password/argon2ref"
)

// Bounds of an Argon2 hash. Its time grows with memory times passes.
const (
	maxArgon2Memory  = 256 << 10 // KiB
	maxArgon2Passes  = 1 << 10
	maxArgon2Lanes   = 16
	maxArgon2Work    = 1 << 20 // KiB times passes
	minArgon2Salt    = 8       // as the reference implementation
	newSaltLength    = 16
	newKeyLength     = 32
	argon2OldVersion = 0x10
)

// newHash is what Hash makes: the OWASP recommendation with the least memory
// that two passes allow.
var newHash = argon2Parameters{variant: "argon2id", version: argon2.Version, memory: 19456, passes: 2, lanes: 1}

type argon2Parameters struct {
	variant string
	version uint64
	memory  uint64 // KiB
	passes  uint64
	lanes   uint64
}

var argon2Formats = []format{
	{claim: prefixed("$argon2id$"), parse: parseArgon2},
	{claim: prefixed("$argon2i$"), parse: parseArgon2},
	{claim: prefixed("$argon2d$"), parse: parseArgon2},
}

// parseArgon2 reads the PHC string of any Argon2 variant:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// Without "v=" it is of version 16.
func parseArgon2(encoded string) (*stored, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 5 && len(fields) != 6 {
		return nil, malformed("argon2 has four or five fields")
	}
	p := argon2Parameters{variant: fields[1], version: argon2OldVersion}
	fields = fields[2:]
	if len(fields) == 4 {
		switch fields[0] {
		case "v=19":
			p.version = argon2.Version
		case "v=16":
		default:
			return nil, malformed("argon2 has versions 16 and 19 only")
		}
		fields = fields[1:]
	}
	if err := p.read(fields[0]); err != nil {
		return nil, err
	}
	salt, err := decode(base64.RawStdEncoding, fields[1], minArgon2Salt)
	if err != nil {
		return nil, err
	}
	want, err := decode(base64.RawStdEncoding, fields[2], minKey)
	if err != nil {
		return nil, err
	}
	return &stored{
		cost:   p.cost(),
		memory: p.bytes(),
		current: p.variant == newHash.variant && p.version == newHash.version &&
			p.memory >= newHash.memory && p.passes >= newHash.passes &&
			len(salt) >= newSaltLength && len(want) >= minKey,
		match: func(password string) (bool, error) {
			return equal(p.key([]byte(password), salt, uint32(len(want))), want), nil
		},
	}, nil
}

func (p *argon2Parameters) read(s string) error {
	err := parameters(s,
		parameter{"m", maxArgon2Memory, &p.memory},
		parameter{"t", maxArgon2Passes, &p.passes},
		parameter{"p", maxArgon2Lanes, &p.lanes})
	switch {
	case err != nil:
		return err
	case p.memory < 8*p.lanes:
		return malformed("argon2 needs 8 KiB for each lane")
	case p.memory*p.passes > maxArgon2Work:
		return because(ErrTooCostly, "argon2 makes too many passes over its memory")
	}
	return nil
}

func (p *argon2Parameters) cost() string {
	return fmt.Sprintf("%s %d %d %d %d", p.variant, p.version, p.memory, p.passes, p.lanes)
}

func (p *argon2Parameters) bytes() int64 { return int64(p.memory) << 10 }

func (p *argon2Parameters) key(password, salt []byte, length uint32) []byte {
	memory, passes, lanes := uint32(p.memory), uint32(p.passes), uint8(p.lanes)
	switch {
	case p.version != argon2.Version || p.variant == "argon2d":
		return argon2ref.Key(argon2ref.Parameters{
			Variant: argon2ref.Variant(p.variant),
			Version: uint32(p.version),
			Memory:  memory,
			Passes:  passes,
			Lanes:   uint32(lanes),
		}, password, salt, length)
	case p.variant == "argon2i":
		return argon2.Key(password, salt, passes, memory, lanes, length)
	default:
		return argon2.IDKey(password, salt, passes, memory, lanes, length)
	}
}

func (p *argon2Parameters) encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", p.variant, p.version,
		p.memory, p.passes, p.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}
