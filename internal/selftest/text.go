// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package selftest

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// shown is how many spellings and names are written of a finding; JSON has all.
const shown = 4

// Write writes the report for people, the worst first.
func (r *Report) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Findings {
		r.writeFinding(b, f)
	}
	for _, name := range slices.Sorted(maps.Keys(r.LeftOut)) {
		fmt.Fprintf(b, "left out  %s: %s\n", plain(name), r.LeftOut[name])
	}
	fmt.Fprintf(b, "%s, %s, %s: %s\n",
		number(len(r.Proxies), "proxy", "proxies"), number(r.headers(), "identity header", "identity headers"),
		number(r.Requests, "request", "requests"), r.verdict())
	return b.Flush()
}

func (r *Report) writeFinding(b *bufio.Writer, f Finding) {
	fmt.Fprintf(b, "%-10s%s\n", label(f.Severity), r.names(f))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "%10s%-9s %s\n", "", name, value)
		}
	}
	if f.Header != "" {
		line("header", plain(f.Header))
	}
	line("", f.Text)
	line("request", plain(f.Request))
	line("client", strings.Join(f.As, ", "))
	line("sent", some(f.Spellings, " | "))
	line("arrived", some(f.Saw, ", "))
	if f.Severity == Unreached {
		line("where", plain(r.Proxies[f.Proxy-1].Where))
	}
}

// WriteList writes the proxies and the ways to them.
func (r *Report) WriteList(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, p := range r.Proxies {
		fmt.Fprintln(b, r.name(p.Number))
		fmt.Fprintf(b, "  where    %s\n", plain(p.Where))
		fmt.Fprintf(b, "  headers  %s\n", orNone(plain(strings.Join(p.Headers, ", "))))
		if len(p.Ways) == 0 {
			fmt.Fprintln(b, "  way      none found; name one with --url")
		}
		for _, way := range p.Ways {
			fmt.Fprintf(b, "  way      %s\n", plain(way.Request))
			fmt.Fprintf(b, "  through  %s\n", orNone(plain(strings.Join(way.Guards, ", "))))
		}
	}
	return b.Flush()
}

func (r *Report) headers() int {
	var all []string
	for _, p := range r.Proxies {
		all = union(all, p.Headers)
	}
	return len(all)
}

func (r *Report) verdict() string {
	switch {
	case len(r.Proxies) == 0:
		return "no upstream is told anything"
	case r.headers() == 0 && r.OK:
		return "no identity header is known, so nothing was spoofed; name one with --header"
	}
	var said []string
	for s, words := range map[Severity][2]string{Leak: {"leak", "leaks"}, Lost: {"header lost", "headers lost"}, Unreached: {"proxy unreached", "proxies unreached"}} {
		if n := r.Count(s); n > 0 {
			said = append(said, number(n, words[0], words[1]))
		}
	}
	slices.Sort(said)
	if len(said) == 0 {
		return "nothing leaks"
	}
	return strings.Join(said, ", ")
}

// some writes the first of a list.
func some(list []string, separator string) string {
	if more := len(list) - shown; more > 0 {
		list = append(slices.Clone(list[:shown]), fmt.Sprintf("and %d more", more))
	}
	return plain(strings.Join(list, separator))
}

// names says which proxies are meant.
func (r *Report) names(f Finding) string {
	switch {
	case f.Proxy > 0:
		return r.name(f.Proxy)
	case len(f.Proxies) == 1:
		return r.name(f.Proxies[0])
	case len(f.Proxies) > 1:
		return "proxies " + strings.Trim(strings.ReplaceAll(fmt.Sprint(f.Proxies), " ", ", "), "[]")
	}
	return "the configuration"
}

func (r *Report) name(n int) string {
	p := r.Proxies[n-1]
	said := fmt.Sprintf("proxy %d", n)
	if len(p.Sites) > 0 {
		said += " of " + strings.Join(p.Sites, ", ")
	}
	return plain(said + " to " + orNone(p.Upstream))
}

func label(s Severity) string {
	if s == Notice {
		return string(s)
	}
	return strings.ToUpper(string(s))
}

func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// plain keeps what the configuration says from controlling a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' || r == '\u2028' {
			return '?'
		}
		return r
	}, text)
}
