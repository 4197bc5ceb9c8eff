// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/keyset"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/outbound"
)

func issuersCommand() *cobra.Command {
	return action("issuers", "Shows whose tokens are verified, by which keys, and how old they are", cobra.NoArgs, func(flags *pflag.FlagSet) {
		flags.Bool("fetch", false, "Fetch all keys anew before, as after one was given away")
		jsonFlag(flags)
	}, listIssuers)
}

// issuers is what the admin API says of them.
type issuers struct {
	Issuers       []keyset.Status   `json:"issuers"`
	Metadata      []outbound.Status `json:"metadata"`
	Introspection []outbound.Status `json:"introspection"`
}

func listIssuers(s *invocation) error {
	if s.Bool("offline") {
		return errors.New("--offline opens a store; only a running Caddy has keys of issuers")
	}
	method := http.MethodGet
	if s.Bool("fetch") {
		method = http.MethodPost
	}
	var answer issuers
	if err := s.call(method, "issuers", nil, &answer); err != nil {
		return err
	}
	if s.Bool("json") {
		return s.json(answer)
	}
	rows := answer.Issuers
	for _, status := range slices.Concat(answer.Metadata, answer.Introspection) {
		rows = append(rows, keyset.Status{Status: status})
	}
	return table(s, rows, "SOURCE\tKIND\tSTATE\tKEYS\tFETCHED\tNEXT\tERROR", func(status keyset.Status) []string {
		return []string{status.Source, status.Kind, status.State, keyNames(&status), when(status.Fetched), when(status.Next), problem(&status)}
	})
}

// keyNames are the kids, each with what it verifies.
func keyNames(status *keyset.Status) string {
	var names []string
	for _, key := range status.Keys {
		what := key.Type
		if len(key.Algorithms) == 1 {
			what = key.Algorithms[0]
		}
		names = append(names, strings.TrimSpace(key.ID+" "+what))
	}
	return strings.Join(names, ", ")
}

// problem is why the last fetch failed, or how many keys are not used.
func problem(status *keyset.Status) string {
	switch {
	case status.Error != "":
		return strings.Join(strings.Fields(status.Error), " ")
	case len(status.Left) > 0:
		return strconv.Itoa(len(status.Left)) + " noted: " + strings.Join(status.Left, "; ")
	}
	return ""
}
