// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"container/heap"
	"time"
)

// A schedule says what may end in which second, so that a sweep need not look at
// everything while others wait. It may know too much: what was removed, or lasts
// longer by now, is found out when it is due.
type schedule struct {
	seconds seconds
	due     map[int64][]mortal
}

// A mortal is a key of one of the maps whose values end.
type mortal struct {
	kind mortality
	key  string
}

type mortality byte

const (
	mortalRecord mortality = iota
	mortalKey
	mortalFamily
)

// expect schedules what ends at a time; the zero time never comes.
func (s *schedule) expect(m mortal, end time.Time) {
	if end.IsZero() {
		return
	}
	second := end.Unix()
	if s.due == nil {
		s.due = make(map[int64][]mortal)
	}
	if _, known := s.due[second]; !known {
		heap.Push(&s.seconds, second)
	}
	s.due[second] = append(s.due[second], m)
}

// end is when it ends, as things are now; the zero time if it does not, or is gone.
func (s *state) end(m mortal) time.Time {
	switch m.kind {
	case mortalRecord:
		if e := s.records[m.key]; e != nil {
			return e.end()
		}
	case mortalKey:
		return s.remembered[m.key]
	case mortalFamily:
		return s.revoked[m.key]
	}
	return time.Time{}
}

// bury removes what has ended.
func (s *state) bury(m mortal) {
	end := s.end(m)
	switch m.kind {
	case mortalRecord:
		e := s.records[m.key]
		s.remove(e)
		if e.Origin != "" && e.spent {
			put(s, s.tombs, m.key, true)
		}
	case mortalKey:
		drop(s, s.remembered, m.key)
	case mortalFamily:
		drop(s, s.revoked, m.key)
	}
	s.journal = append(s.journal, func() { s.schedule.expect(m, end) })
}

// sweep looks at no more than a number of those that are due, and buries at most
// limit of them. It reports whether there may be more.
func (s *state) sweep(before time.Time, limit, looks int) (buried int, more bool) {
	last := before.Unix()
	var later []mortal // of the second of before itself
	for len(s.schedule.seconds) > 0 && s.schedule.seconds[0] <= last {
		second := s.schedule.seconds[0]
		due := s.schedule.due[second]
		for len(due) > 0 && looks > 0 && buried < limit {
			m := due[len(due)-1]
			due[len(due)-1] = mortal{}
			due, looks = due[:len(due)-1], looks-1
			switch end := s.end(m); {
			case end.IsZero():
				// It may come back, if this transaction is undone.
				s.journal = append(s.journal, func() { s.schedule.expect(m, time.Unix(second, 0)) })
			case end.Before(before):
				s.bury(m)
				buried++
			case end.Unix() <= last:
				later = append(later, m)
				looks++ // it will be looked at again, which is no progress
			default:
				s.schedule.expect(m, end)
			}
		}
		if len(due) > 0 {
			s.schedule.due[second] = due
			more = true
			break
		}
		delete(s.schedule.due, second)
		heap.Pop(&s.schedule.seconds)
	}
	for _, m := range later {
		s.schedule.expect(m, s.end(m))
	}
	return buried, more
}

// seconds is a heap.
type seconds []int64

func (s seconds) Len() int           { return len(s) }
func (s seconds) Less(i, j int) bool { return s[i] < s[j] }
func (s seconds) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *seconds) Push(x any)        { *s = append(*s, x.(int64)) }
func (s *seconds) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
