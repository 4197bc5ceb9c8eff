// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/idptest"
)

// TestDashboard compares every expression of the dashboard and of the alert
// rules with what a real Caddy exposes: names of metrics and of labels, and the
// values that labels are compared with.
func TestDashboard(t *testing.T) {
	idp := idptest.New(t)
	i := newIntrospector(t)
	s, store := serveFailing(t, "authenticate jwt {\nissuer "+idp.Issuer()+"\naudience api\nuser_prefix off\n"+local+"}\n"+
		i.lines("audience api", "user_prefix off"))
	s.get("/", token("token-alice"))
	s.get("/", token("token-alice"))
	s.get("/", basic("alice", "pw"))
	store.Down(true)
	s.get("/", token("token-bob"))
	exposed := exposedMetrics(t, s)

	expressions := dashboardExpressions(t)
	for _, match := range regexp.MustCompile(`(?m)^ +expr: (.+)$`).FindAllStringSubmatch(readText(t, filepath.Join(repository, "docs/grafana/alerts.yml")), -1) {
		expressions = append(expressions, expression{where: "alerts.yml", text: match[1], legend: "{{instance}}"})
	}
	if len(expressions) < 20 {
		t.Fatalf("only %d expressions", len(expressions))
	}
	used := make(map[string]bool)
	for _, e := range expressions {
		for _, name := range e.check(t, exposed) {
			used[name] = true
		}
	}
	for name := range exposed {
		if name = strings.TrimSuffix(name, "_sum"); !used[name] && !used[name+"_count"] && !used[name+"_bucket"] {
			t.Errorf("no panel and no alert shows %s", name)
		}
	}
}

// exposedMetrics are the values of every label, by metric and label.
func exposedMetrics(t *testing.T, s *server) map[string]map[string][]string {
	t.Helper()
	exposed := make(map[string]map[string][]string)
	text := s.send(http.MethodGet, "http://"+s.Admin+"/metrics", nil).Body
	for _, sample := range regexp.MustCompile(`(?m)^(caddy_rest_auth_\w+)(?:\{(.*)\})? \S+$`).FindAllStringSubmatch(text, -1) {
		labels := exposed[sample[1]]
		if labels == nil {
			// Prometheus adds these two.
			labels = map[string][]string{"instance": nil, "job": nil}
			exposed[sample[1]] = labels
		}
		for _, pair := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(sample[2], -1) {
			labels[pair[1]] = append(labels[pair[1]], pair[2])
		}
	}
	if len(exposed) < 8 {
		t.Fatalf("only %d metrics are exposed", len(exposed))
	}
	return exposed
}

// expression is one of PromQL, and the text that is made of its labels.
type expression struct{ where, text, legend string }

func dashboardExpressions(t *testing.T) []expression {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			ID          int
			Title       string
			Description string
			Targets     []struct {
				RefID        string
				Expr         string
				LegendFormat string
			}
		}
	}
	if err := json.Unmarshal([]byte(readText(t, filepath.Join(repository, "docs/grafana/rest_auth.json"))), &dashboard); err != nil {
		t.Fatal(err)
	}
	var all []expression
	ids := make(map[int]bool)
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || panel.Title == "" || panel.Description == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d %q: its number is taken, or it has no description or shows nothing", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			all = append(all, expression{panel.Title + " " + target.RefID, target.Expr, target.LegendFormat})
		}
	}
	return all
}

var (
	selectorPattern = regexp.MustCompile(`([a-z_]{4,})(?:\{([^}]*)\})`)
	matcherPattern  = regexp.MustCompile(`(\w+)(=~|=)"([^"]*)"`)
	byPattern       = regexp.MustCompile(`by \(([^)]*)\)`)
	legendPattern   = regexp.MustCompile(`\{\{(\w+)\}\}`)
	namePattern     = regexp.MustCompile(`caddy_\w+`)
)

// check returns the metrics that the expression is about.
func (e expression) check(t *testing.T, exposed map[string]map[string][]string) []string {
	t.Helper()
	names := namePattern.FindAllString(e.text, -1)
	if len(names) == 0 || strings.Count(e.text, "(") != strings.Count(e.text, ")") {
		t.Errorf("%s: %s is no expression about our metrics", e.where, e.text)
	}
	for _, name := range names {
		if exposed[name] == nil {
			t.Errorf("%s: there is no metric %s", e.where, name)
		}
	}
	for _, selector := range selectorPattern.FindAllStringSubmatch(e.text, -1) {
		for _, matcher := range matcherPattern.FindAllStringSubmatch(selector[2], -1) {
			values, ok := exposed[selector[1]][matcher[1]]
			if !ok {
				t.Errorf("%s: %s has no label %s", e.where, selector[1], matcher[1])
			}
			if values == nil {
				continue
			}
			for value := range strings.SplitSeq(matcher[3], "|") {
				if !slices.Contains(values, value) {
					t.Errorf("%s: the label %s of %s is never %q", e.where, matcher[1], selector[1], value)
				}
			}
		}
	}
	var grouped []string
	for _, by := range byPattern.FindAllStringSubmatch(e.text, -1) {
		for label := range strings.SplitSeq(by[1], ",") {
			label = strings.TrimSpace(label)
			grouped = append(grouped, label)
			if _, ok := exposed[names[0]][label]; !ok {
				t.Errorf("%s: %s has no label %s", e.where, names[0], label)
			}
		}
	}
	for _, label := range legendPattern.FindAllStringSubmatch(e.legend, -1) {
		if !slices.Contains(grouped, label[1]) {
			t.Errorf("%s: the legend has the label %s, and the result has not", e.where, label[1])
		}
	}
	return names
}
