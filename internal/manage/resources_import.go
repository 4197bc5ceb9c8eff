// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package manage

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/django"
)

const (
	// maxDump is the longest dump that is read.
	maxDump = 8 << 30

	// idleDump is how long a client may pause while it sends one.
	idleDump = time.Minute

	// drainDump bounds what is read of a dump that was refused, so that the
	// client is not cut off before it reads why.
	drainDump = 30 * time.Second
)

// imports reads the dump as it arrives.
func (c *call) imports(string) error {
	params, err := c.query("origin", "user_model", "username_field", "passwords", "prune", "deleted", "dry_run", "secret_keys")
	if err != nil {
		return err
	}
	o := ImportOptions{Origin: params["origin"], UserModel: params["user_model"], UsernameField: params["username_field"]}
	keysFirst := false
	for name, to := range map[string]*bool{
		"passwords": &o.Passwords, "prune": &o.Prune, "deleted": &o.Deleted, "dry_run": &o.DryRun, "secret_keys": &keysFirst,
	} {
		if *to, err = strconv.ParseBool(params[name]); err != nil && params[name] != "" {
			return invalid(name, "must be true or false")
		}
	}
	if err := o.check(); err != nil {
		return err
	}
	// No form and no simple request of a browser can send these.
	switch media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); {
	case err != nil, media != "application/json" && media != "application/x-ndjson" && media != "application/jsonl":
		return refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/json, or application/jsonl for one record a line")
	}
	body := &patientBody{from: http.MaxBytesReader(c.w, c.r.Body, maxDump), control: http.NewResponseController(c.w)}
	report, err := c.importFrom(body, o, keysFirst)
	if err != nil {
		body.drain()
	}
	if problems := (*django.BadDumpError)(nil); errors.As(err, &problems) {
		answer := ImportRefusal{Error: err.Error(), Problems: problems.List, More: problems.More, Advice: problems.Advice}
		writeJSON(c.w, http.StatusBadRequest, answer)
		return nil
	}
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, report)
	return nil
}

func (c *call) importFrom(body io.Reader, o ImportOptions, keysFirst bool) (report ImportReport, err error) {
	if keysFirst {
		buffered := bufio.NewReaderSize(body, maxSecretBytes)
		if o.SecretKeys, err = decodeSecretKeys(buffered); err != nil {
			return report, err
		}
		body = buffered
	}
	return c.Import(c.r.Context(), body, o)
}

// An ImportRefusal is the answer to a dump that cannot be imported.
type ImportRefusal struct {
	Error    string           `json:"error"`
	Problems []django.Problem `json:"problems"`
	More     bool             `json:"more,omitempty"`   // there are more than are listed
	Advice   string           `json:"advice,omitempty"` // how to dump instead
}

// A patientBody is read for as long as it arrives: Caddy's admin endpoint gives a
// whole request ten seconds. After its end no deadline is left, which would end
// the request's context while the dump is being stored.
type patientBody struct {
	from    io.Reader
	control *http.ResponseController
	ended   bool
}

func (b *patientBody) Read(p []byte) (int, error) {
	// Not every writer has deadlines, as none has that is in this process.
	_ = b.control.SetReadDeadline(time.Now().Add(idleDump))
	n, err := b.from.Read(p)
	if err != nil {
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (b *patientBody) drain() {
	if b.ended {
		return
	}
	_ = b.control.SetReadDeadline(time.Now().Add(drainDump))
	_, _ = io.Copy(io.Discard, b.from)
	_ = b.control.SetReadDeadline(time.Time{})
}

// export streams. Once bytes have gone out an error can only be told by cutting
// the connection, and by the last line that is missing.
func (c *call) export(string) error {
	if _, err := c.query(); err != nil {
		return err
	}
	c.takeTime()
	out := &counter{to: c.w}
	c.w.Header().Set("Content-Type", "application/jsonl")
	err := c.Export(c.r.Context(), out)
	if err != nil && out.n > 0 {
		c.Log.Error("an export was cut short", zap.Int64("bytes", out.n), zap.Error(err))
		panic(http.ErrAbortHandler)
	}
	return err
}
