// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Package page writes pages for people: one look, one policy of what a browser
// may do with them, and one file by which a site makes them its own. They work
// without JavaScript and load nothing.
package page

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

//go:embed layout.html
var layout string

//go:embed style.css
var style string

// maxFile bounds a site's own template, lest a device be read for ever.
const maxFile = 1 << 20

// A Layout is what the template around every page is executed with. A site's
// own template knows these names.
type Layout struct {
	// Page names the page, as "login".
	Page string

	// Title is the page's heading, as "Log in".
	Title string

	// Site is the name of the site that the configuration gives, or empty.
	Site string

	// Content is the page itself, without its heading.
	Content template.HTML

	// Style is the built-in style sheet, for a style element with the Nonce.
	Style template.CSS

	// Nonce is new with each answer. Only style elements that carry it apply.
	Nonce string
}

// A Set is the pages of one endpoint. It is safe for concurrent use.
type Set struct {
	layout, contents *template.Template
	site             string
	forms            []string
}

// New returns the pages that text defines as templates, one per name of
// samples, which are examples of what each is executed with. File, unless it is
// empty, is a site's own template: what it says outside of {{define}} replaces
// the layout, and what it defines replaces the page of that name. Forms are URLs
// of other origins that the answer to a form may lead to.
func New(text string, samples map[string]any, site, file string, forms ...string) (*Set, error) {
	s := &Set{site: site}
	for _, form := range forms {
		if u, err := url.Parse(form); err == nil && u.Host != "" {
			s.forms = append(s.forms, u.Scheme+"://"+u.Host)
		}
	}
	var err error
	if s.layout, err = template.New("layout").Parse(layout); err != nil {
		return nil, fmt.Errorf("parsing the layout: %w", err)
	}
	if s.contents, err = template.New("contents").Parse(text); err != nil {
		return nil, fmt.Errorf("parsing the pages: %w", err)
	}
	if file != "" {
		if err := s.override(file); err != nil {
			return nil, err
		}
	}
	// What is wrong with a template shows when it is executed.
	for name, sample := range samples {
		if _, err := s.render("", View{Name: name, Title: "Title", Data: sample}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Set) override(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return fmt.Errorf("reading the template %s: expected a file of at most %d bytes", file, maxFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	own, err := template.New(file).Parse(string(text))
	if err != nil {
		return fmt.Errorf("parsing the template: %w", err)
	}
	for _, defined := range own.Templates() {
		if defined.Name() == file {
			continue
		}
		for _, into := range []*template.Template{s.layout, s.contents} {
			if _, err := into.AddParseTree(defined.Name(), defined.Tree); err != nil {
				return fmt.Errorf("parsing the template: %w", err)
			}
		}
	}
	if own.Tree != nil && len(bytes.TrimSpace([]byte(own.Tree.Root.String()))) > 0 {
		if s.layout, err = s.layout.AddParseTree(file, own.Tree); err != nil {
			return fmt.Errorf("parsing the template: %w", err)
		}
	}
	return nil
}

// A View is one page with what it shows.
type View struct {
	Status int // default: 200
	Name   string
	Title  string
	Data   any

	// Leads lets the answer to its form lead to any site, by however many
	// redirections. It is for forms in which nobody enters anything.
	Leads bool
}

// Write answers with a page. An error means that nothing was written.
func (s *Set) Write(w http.ResponseWriter, v View) error {
	var random [16]byte
	rand.Read(random[:])
	nonce := base64.RawURLEncoding.EncodeToString(random[:])
	body, err := s.render(nonce, v)
	if err != nil {
		return err
	}
	header := w.Header()
	protect(header, nonce, s.forms, v.Leads)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if v.Status == 0 {
		v.Status = http.StatusOK
	}
	w.WriteHeader(v.Status)
	_, _ = w.Write(body)
	return nil
}

func (s *Set) render(nonce string, v View) ([]byte, error) {
	var content, whole bytes.Buffer
	if err := s.contents.ExecuteTemplate(&content, v.Name, v.Data); err != nil {
		return nil, fmt.Errorf("executing the template: %w", err)
	}
	err := s.layout.Execute(&whole, Layout{
		Page:    v.Name,
		Title:   v.Title,
		Site:    s.site,
		Content: template.HTML(content.String()), //nolint:gosec // it was escaped just now
		Style:   template.CSS(style),             //nolint:gosec // it is our own
		Nonce:   nonce,
	})
	if err != nil {
		return nil, fmt.Errorf("executing the template: %w", err)
	}
	return whole.Bytes(), nil
}

// protect says what a browser may do with a page: no scripts, nothing from
// elsewhere, forms that lead to this origin and those named, no frame around it,
// no copy kept. Browsers hold all redirections after a form against form-action.
func protect(header http.Header, nonce string, forms []string, leads bool) {
	action := ""
	if !leads {
		action = "form-action " + strings.Join(append([]string{"'self'"}, forms...), " ") + "; "
	}
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'nonce-"+nonce+"'; img-src 'self' data:; font-src 'self'; "+
		action+"frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: without it a browser sends "Origin: null" with a form,
	// which no check against forgery takes.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept")
}
