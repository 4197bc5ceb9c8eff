// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// meterEvery is how often a meter is drawn.
const meterEvery = 200 * time.Millisecond

// A meter shows people how far a file was read, if they look: on a terminal
// alone.
type meter struct {
	from  io.Reader
	to    io.Writer // nil: nobody looks
	total int64     // 0 if it is not known

	mu    sync.Mutex
	done  bool
	read  int64
	drawn time.Time
}

func (s *invocation) meter(from io.Reader) *meter {
	m := &meter{from: from}
	if f, ok := s.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		m.to = f
	}
	if f, ok := from.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			m.total = info.Size()
		}
	}
	return m
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read += int64(n)
	if m.to == nil || m.done || err == nil && time.Since(m.drawn) < meterEvery {
		return n, err
	}
	m.drawn = time.Now()
	switch {
	case err != nil:
		fmt.Fprint(m.to, "\r\x1b[Kstoring …")
	case m.total > 0:
		fmt.Fprintf(m.to, "\r\x1b[Kreading %d %%", 100*m.read/m.total)
	default:
		fmt.Fprintf(m.to, "\r\x1b[Kreading %d MB", m.read/1e6)
	}
	return n, err
}

// clear removes the meter.
func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = true
	if m.to != nil && !m.drawn.IsZero() {
		fmt.Fprint(m.to, "\r\x1b[K")
	}
}
