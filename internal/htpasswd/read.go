// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package htpasswd

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A stamp tells whether a file is the one that was seen before.
type stamp struct {
	info    os.FileInfo
	changed time.Time // of the inode, where it is known: no program can set it
}

func (s stamp) same(other stamp) bool {
	return s.info != nil && other.info != nil && os.SameFile(s.info, other.info) &&
		s.info.Size() == other.info.Size() && s.info.ModTime().Equal(other.info.ModTime()) && s.changed.Equal(other.changed)
}

// age is how long the file was left alone. It is negative where the clocks of
// the file system and of this machine differ.
func (s stamp) age(now time.Time) time.Duration {
	last := s.info.ModTime()
	if s.changed.After(last) {
		last = s.changed
	}
	return now.Round(0).Sub(last)
}

func look(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return stamp{}, fmt.Errorf("%s: %w", path, errIrregular)
	}
	return stamp{info: info, changed: changeTime(info)}, nil
}

// content is a file that was read whole.
type content struct {
	stamp  stamp
	text   []byte
	digest [sha256.Size]byte
}

var (
	errIrregular = errors.New("not a regular file")
	errTooLarge  = fmt.Errorf("larger than %d bytes", maxSize)
	errMoving    = errors.New("it is being written")
)

// read returns what the file holds, or errMoving if that changed meanwhile.
func read(path string) (*content, error) {
	before, err := look(path)
	if err != nil {
		return nil, err
	}
	if before.info.Size() > maxSize {
		return nil, fmt.Errorf("%s: %w", path, errTooLarge)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text := make([]byte, before.info.Size()+1)
	n, err := io.ReadFull(file, text)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	text = text[:n]
	after, err := look(path)
	if err != nil {
		return nil, err
	}
	if !before.same(after) || int64(len(text)) != after.info.Size() {
		return nil, fmt.Errorf("%s: %w", path, errMoving)
	}
	return &content{stamp: after, text: text, digest: sha256.Sum256(text)}, nil
}
