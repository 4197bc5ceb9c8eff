// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const profileTime = 5 * time.Second

// profile writes a CPU profile of every scenario, for `go tool pprof`.
func (b *benchmark) profile(ctx context.Context, only *regexp.Regexp, dir string, progress io.Writer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i := range b.results.scenarios {
		s := &b.results.scenarios[i]
		if !only.MatchString(s.name) {
			continue
		}
		admin, err := freePort()
		if err != nil {
			return err
		}
		file := filepath.Join(dir, fileName(s.name)+".pprof")
		err = b.serve(ctx, s, "\tadmin "+admin.String()+"\n", func(own, _ *target) error {
			written := make(chan error, 1)
			go func() { written <- fetchProfile(ctx, "http://"+admin.String(), file) }()
			if _, err := own.window(profileTime + time.Second); err != nil {
				return err
			}
			return <-written
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintln(progress, file)
	}
	return nil
}

func fetchProfile(ctx context.Context, admin, file string) error {
	url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", admin, int(profileTime.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("profiling: the server answers %s", resp.Status)
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, resp.Body); err != nil {
		out.Close()
		return fmt.Errorf("writing a profile: %w", err)
	}
	return out.Close()
}

// fileName keeps letters and digits.
func fileName(scenario string) string {
	return strings.Trim(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(scenario, "-"), "-")
}
