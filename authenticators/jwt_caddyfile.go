// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/accesstoken"
)

// UnmarshalCaddyfile sets up the authenticator from Caddyfile tokens. Syntax:
//
//	authenticate jwt {
//	    issuer <issuer> [{
//	        # the lines of accesstoken.Issuer.ParseLine
//	    }]
//	    # the same lines, for all issuers
//	    # the lines of bearer.Sources.ParseLine and bearer.Challenger.ParseLine
//	}
//
// The line issuer may stand several times.
func (j *JWT) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the authenticator
	if d.NextArg() {
		return d.ArgErr()
	}
	block := false // of any issuer
	for d.NextBlock(0) {
		if d.Val() == "issuer" {
			hasBlock, err := j.parseIssuer(d)
			if err != nil {
				return err
			}
			block = block || hasBlock
			continue
		}
		if err := j.parseLine(d); err != nil {
			return err
		}
	}
	// An only issuer without a block is not one of several.
	if len(j.Issuers) == 1 && !block {
		j.Issuer.Issuer = j.Issuers[0].Issuer
		j.Issuers = nil
	}
	return nil
}

func (j *JWT) parseLine(d *caddyfile.Dispenser) error {
	for _, parse := range []func(*caddyfile.Dispenser) (bool, error){
		j.Issuer.ParseLine, j.Sources.ParseLine, j.Challenger.ParseLine,
	} {
		if known, err := parse(d); known || err != nil {
			return err
		}
	}
	return d.Errf("unrecognized subdirective '%s'", d.Val())
}

func (j *JWT) parseIssuer(d *caddyfile.Dispenser) (block bool, err error) {
	issuer := new(accesstoken.Issuer)
	if !d.NextArg() || d.Val() == "" {
		return false, d.ArgErr()
	}
	issuer.Issuer = d.Val()
	if d.NextArg() {
		return false, d.ArgErr()
	}
	for _, other := range j.Issuers {
		if other.Issuer == issuer.Issuer {
			return false, d.Errf("issuer '%s' is given twice", issuer.Issuer)
		}
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		block = true
		known, err := issuer.ParseLine(d)
		if err != nil {
			return false, err
		}
		if !known {
			return false, d.Errf("unrecognized subdirective '%s'", d.Val())
		}
	}
	j.Issuers = append(j.Issuers, issuer)
	return block, nil
}

var _ caddyfile.Unmarshaler = (*JWT)(nil)
