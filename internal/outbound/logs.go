// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"slices"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Logs is where what several configurations share writes its log: that of the
// latest of them, since those of configurations that ended may be closed.
type Logs struct {
	mu   sync.Mutex
	uses []*Use
}

// Use is one configuration's part in Logs.
type Use struct{ logger *zap.Logger }

// Join has the log written to logger. One that writes nothing, of who hears of it
// otherwise, leaves it to that of others.
func (l *Logs) Join(logger *zap.Logger) *Use {
	use := &Use{logger}
	if logger == nil || !logger.Core().Enabled(zapcore.ErrorLevel) {
		return use
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uses = append(l.uses, use)
	return use
}

// Part gives the log back to the latest use that is left: a configuration that
// failed to load parts before the one that stays.
func (l *Logs) Part(use *Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uses = slices.DeleteFunc(l.uses, func(other *Use) bool { return other == use })
}

// Logger returns where to write now.
func (l *Logs) Logger() *zap.Logger {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.uses); n > 0 {
		return l.uses[n-1].logger
	}
	return zap.NewNop()
}

// Report tells the log when fetching a document begins to fail, fails in
// another way, gives its last good answer up, or works again.
func Report[T any](logger *zap.Logger, what, of string, old, now State[T]) {
	logger = logger.With(zap.String("source", of))
	switch {
	case now.Err == nil && old.Failures > 0:
		logger.Info("fetched "+what+" again", zap.Int("failures", old.Failures))
	case now.Err == nil:
		logger.Debug("fetched " + what)
	case old.Value != nil && now.Value == nil:
		logger.Error("the last good "+what+" is too old; credentials that need it are answered 503", zap.Error(now.Err))
	case old.Failures > 0 && old.Err.Error() == now.Err.Error():
		logger.Debug("fetching "+what+" failed again", zap.Error(now.Err), zap.Int("failures", now.Failures))
	case now.Value != nil:
		logger.Warn("fetching "+what+" failed; the last good answer stands", zap.Error(now.Err))
	default:
		logger.Error("fetching "+what+" failed; credentials that need it are answered 503", zap.Error(now.Err))
	}
}
