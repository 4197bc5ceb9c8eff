// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// jwtFloods is the name by which -only selects what follows.
const jwtFloods = "JWT floods"

const (
	kidTime   = 10 * time.Second
	kidCount  = 10_000
	kidBursts = 1_000

	// askEvery is how often a client with a good token asks meanwhile.
	askEvery = 2 * time.Millisecond
)

// kidFlood is what tokens of keys that the issuer does not have do to others.
type kidFlood struct {
	sent, fetches              int
	before, during             time.Duration // 99 % of the answers to good tokens
	besideBefore, besideDuring time.Duration // the same of the unguarded site
}

// forgedFlood is how large the server is before and after the tokens.
type forgedFlood struct {
	sent          int
	before, after int64
}

// measureJWT finds what floods of bad tokens do.
func (b *benchmark) measureJWT(ctx context.Context, f *found, progress io.Writer) (err error) {
	fmt.Fprintln(progress, "floods of bad tokens")
	if f.kids, err = b.floodKids(ctx); err != nil {
		return fmt.Errorf("unknown keys: %w", err)
	}
	if f.forged, err = b.floodForged(ctx); err != nil {
		return fmt.Errorf("bad signatures: %w", err)
	}
	return nil
}

// floodKids sends tokens of which each names another key, in even bursts, while
// a client with a good token goes on asking.
func (b *benchmark) floodKids(ctx context.Context) (k kidFlood, err error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return k, err
	}
	var fetches atomic.Int64
	provider := &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fetches.Add(1)
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = w.Write(b.sites.issuer.public)
		}),
	}
	go func() { _ = provider.Serve(listener) }()
	defer provider.Close()

	good, err := b.sites.issuer.list("RS256", 1)
	if err != nil {
		return k, err
	}
	s := scenario{
		ask: good, stored: fewTokens,
		site: guarded(authenticateJWT(fmt.Sprintf("jwks_url http://%s/jwks.json\nallow_http\nallow_internal loopback", listener.Addr())),
			anyUser),
	}
	err = b.serve(ctx, &s, adminOff, func(own, beside *target) error {
		if k.besideBefore, err = answersWithin(beside.servers[0].addrs[1], "", kidTime/2); err != nil {
			return err
		}
		addr := own.servers[0].addrs[0]
		if k.before, err = answersWithin(addr, good.list[0], kidTime/2); err != nil {
			return err
		}
		bad, err := dial(addr)
		if err != nil {
			return err
		}
		defer bad.close()
		known := fetches.Load()
		flood := newRequests(addr, credentials{list: unknownKids(good.list[0], kidCount)})
		type answered struct {
			within time.Duration
			err    error
		}
		guarded, unguarded := make(chan answered, 1), make(chan answered, 1)
		for to, site := range map[chan answered]*net.TCPAddr{guarded: addr, unguarded: own.servers[0].addrs[1]} {
			go func() {
				within, err := answersWithin(site, good.list[0], kidTime)
				to <- answered{within, err}
			}()
		}
		from := time.Now()
		for burst := range kidBursts {
			n, err := bad.run(flood, http.StatusUnauthorized, kidCount/kidBursts, time.Minute)
			if err != nil {
				return err
			}
			k.sent += n
			time.Sleep(time.Until(from.Add(kidTime * time.Duration(burst+1) / kidBursts)))
		}
		during, besideDuring := <-guarded, <-unguarded
		k.during, k.besideDuring = during.within, besideDuring.within
		k.fetches = int(fetches.Load() - known)
		if during.err != nil {
			return during.err
		}
		return besideDuring.err
	})
	return k, err
}

// unknownKids are tokens as the good one, but for the kid and the signature.
func unknownKids(good string, n int) []string {
	parts := strings.Split(good, ".")
	kids := make([]string, n)
	for i := range kids {
		header := fmt.Sprintf(`{"alg":"RS256","typ":"at+jwt","kid":"%s"}`, appendToken(nil, i))
		kids[i] = "Bearer " + base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "." + parts[2]
	}
	return kids
}

// answersWithin asks again and again for a while, and returns within which time
// 99 % of the answers came.
func answersWithin(addr *net.TCPAddr, authorization string, lasting time.Duration) (time.Duration, error) {
	conn, err := net.DialTCP("tcp4", nil, addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	request := newRequests(addr, credentials{authorization: authorization}).next()
	var (
		times  []time.Duration
		buffer [16 << 10]byte
	)
	from := time.Now()
	for at := from; at.Sub(from) < lasting; at = at.Add(askEvery) {
		time.Sleep(time.Until(at))
		began := time.Now()
		if err := conn.SetDeadline(began.Add(patience)); err != nil {
			return 0, err
		}
		if _, err := conn.Write(request); err != nil {
			return 0, err
		}
		filled := 0
		for {
			n, err := conn.Read(buffer[filled:])
			if err != nil {
				return 0, err
			}
			filled += n
			status, size, err := parseResponse(buffer[:filled])
			if err != nil {
				return 0, err
			}
			if size > 0 && filled >= size {
				if status != http.StatusOK {
					return 0, fmt.Errorf("a good token is answered: %s", bytes.TrimSpace(buffer[:filled]))
				}
				break
			}
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)*99/100], nil
}

// floodForged sends tokens whose signatures do not verify, all of them
// different.
func (b *benchmark) floodForged(ctx context.Context) (f forgedFlood, err error) {
	ask, err := b.sites.issuer.forged(allTokens)
	if err != nil {
		return f, err
	}
	s := scenario{ask: ask, stored: fewTokens, status: http.StatusUnauthorized, site: guardedJWT("jwks_file %s")}
	err = b.serve(ctx, &s, adminOff, func(own, _ *target) error {
		if f.before, _, err = own.servers[0].memory(); err != nil {
			return err
		}
		sent, err := own.run(allTokens, 10*time.Minute)
		if err != nil {
			return err
		}
		f.sent = sent.requests
		f.after, _, err = own.servers[0].memory()
		return err
	})
	return f, err
}
