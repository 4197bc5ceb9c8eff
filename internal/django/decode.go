// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package django

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
)

// maxUnsorted is how long the fields of a record may be that come before its
// model, as after sorting by name; dumpdata writes the model first.
const maxUnsorted = 1 << 20

// A decoder reads a dump into a Dump.
type decoder struct {
	Options
	*Dump
	s        *scanner
	ctx      context.Context
	problems BadDumpError
}

// A record is one record under way.
type record struct {
	row    int
	model  string
	pk     string
	entity entity
	fields bool
	bad    error // the first mistake
	seen   []string
}

// An entity is what the fields of one record are read into.
type entity interface {
	// field reads the value of a field, and reports whether it is one of its own;
	// then it has read all of it.
	field(f *field) (own bool, err error)

	// finish keeps the entity.
	finish(d *decoder, r *record) error
}

// read reads all records.
func (d *decoder) read() error {
	lines, err := d.s.begin()
	if err == nil {
		if d.Lines = lines; lines {
			err = d.readLines()
		} else {
			err = d.readArray()
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, errTooMany):
		return &d.problems
	case isOurs(err):
		// What cannot be read on is the last problem.
		_ = d.problems.add(Problem{Row: d.Rows, Text: err.Error()})
		return &d.problems
	default:
		return err
	}
	if d.Rows == 0 {
		_ = d.problems.add(Problem{Text: "the dump is empty"})
	}
	return nil
}

func (d *decoder) readArray() error {
	if err := d.s.array(d.record); err != nil {
		return err
	}
	switch _, err := d.s.peek(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errTrailing
}

func (d *decoder) readLines() error {
	for {
		if _, err := d.s.peek(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := d.record(); err != nil {
			return err
		}
	}
}

// record reads one record.
func (d *decoder) record() error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	d.Rows++
	r := &record{row: d.Rows}
	var early []byte // the fields, if they came first
	err := d.s.object(func(name string) (err error) {
		f := &field{d.s, name}
		if slices.Contains([]string{"model", "pk", "fields"}, name) {
			if err := r.once(name); err != nil {
				return err
			}
		}
		switch name {
		case "model":
			if r.model, err = f.text(maxName); err == nil {
				r.entity = d.entity(r.model)
			}
		case "pk":
			r.pk, err = f.text(maxKey)
		case "fields":
			r.fields = true
			if r.model == "" {
				early, err = d.s.capture(maxUnsorted)
				break
			}
			err = r.read(d.s)
		default:
			err = d.s.skip()
		}
		return r.keep(err)
	})
	if err == nil && early != nil {
		err = r.read(newScanner(bytes.NewReader(early)))
	}
	if err != nil {
		return err
	}
	return d.finish(r)
}

// once refuses a member that is there twice: programs differ in which of them
// they take.
func (r *record) once(name string) error {
	if slices.Contains(r.seen, name) {
		return errTwice
	}
	r.seen = append(r.seen, name)
	return nil
}

// keep notes the first mistake, and passes what ends reading.
func (r *record) keep(err error) error {
	var bad error
	if err := keep(&bad, err); err != nil {
		return err
	}
	if r.bad == nil {
		r.bad = bad
	}
	return nil
}

// read reads the fields.
func (r *record) read(s *scanner) error {
	if r.entity == nil {
		return s.skip()
	}
	if c, err := s.inside(); err != nil {
		return err
	} else if c != '{' {
		return r.keep(either(s.skip(), wrong("fields: not an object")))
	}
	fields := new(record)
	return s.object(func(name string) error {
		own, err := r.entity.field(&field{s, name})
		if err := r.keep(err); err != nil {
			return err
		}
		if !own {
			return s.skip()
		}
		return fields.once(name)
	})
}

// finish keeps a record that was read, or notes what is wrong with it.
func (d *decoder) finish(r *record) error {
	if r.model == "" && r.bad == nil {
		r.bad = wrong("it has no model: is this what manage.py dumpdata wrote?")
	}
	if r.bad == nil && r.entity == nil {
		d.count(r.model)
		return nil
	}
	err := r.bad
	if err == nil && !r.fields {
		err = wrong("it has no fields")
	}
	if err == nil {
		err = r.entity.finish(d, r)
	}
	if err == nil || fatal(err) {
		return err
	}
	return d.problem(r, err)
}

func (d *decoder) problem(r *record, err error) error {
	p := Problem{Row: r.row, Model: clip(r.model), PK: clip(r.pk), Text: err.Error()}
	if _, secret := r.entity.(interface{ keyIsSecret() }); secret || r.entity == nil {
		p.PK = ""
	}
	return d.problems.add(p)
}

// count notes a record that is not imported.
func (d *decoder) count(model string) {
	d.OtherRows++
	model = clip(model)
	if _, known := d.Other[model]; known || len(d.Other) < maxModels {
		d.Other[model]++
	}
}
