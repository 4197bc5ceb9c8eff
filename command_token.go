// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/manage"
	"github.com/caddy-rest-auth/caddy-rest-auth/tokenstore"
)

func tokenCommand() *cobra.Command {
	kinds := strings.Join(tokenstore.RequestKinds(), ", ")
	return group("token", "Manages tokens",
		action("create <user>", "Issues a token and writes it to standard output, once; the one of kind authtoken whenever asked", cobra.ExactArgs(1), func(flags *pflag.FlagSet) {
			flags.String("label", "", "What the token is for")
			flags.StringSlice("scopes", nil, "What the token may be used for, separated by commas")
			flags.String("expires", "", "When it ends: after a time as 12h or 90d, on a day as 2027-01-31 (its first moment, UTC), or at a time as 2027-01-31T12:00:00Z (default: never)")
			flags.String("kind", tokenstore.KindToken, "One of "+kinds)
			flags.String("client", "", "The application that it is issued to")
			flags.BoolP("reset", "r", false, "End the user's token of kind authtoken, and make another")
			jsonFlag(flags)
		}, createToken),
		action("list", "Lists tokens by their handles", cobra.NoArgs, func(flags *pflag.FlagSet) {
			tokenFilterFlags(flags, kinds)
			jsonFlag(flags)
		}, listTokens),
		action("revoke <handle...> | --user <name> --all | --jwt-stdin | --jti <jti>", "Ends tokens at once", cobra.ArbitraryArgs, func(flags *pflag.FlagSet) {
			tokenFilterFlags(flags, kinds)
			flags.Bool("all", false, "All that the user has, or all of the --kind and --client given")
			jwtFlags(flags)
		}, revokeTokens),
		action("rotate <handle>", "Issues a token in the place of another one and writes it to standard output, once", cobra.ExactArgs(1), func(flags *pflag.FlagSet) {
			flags.String("grace", "0s", "How long the old token is accepted still, as 1h or 7d; 30d at most")
			jsonFlag(flags)
		}, rotateToken),
	)
}

func tokenFilterFlags(flags *pflag.FlagSet, kinds string) {
	flags.String("user", "", "Tokens of this user only")
	flags.String("kind", "", "Tokens of this kind only: "+kinds+", "+tokenstore.KindRefresh)
	flags.String("client", "", "Tokens issued to this application only")
}

func createToken(s *invocation) error {
	in := manage.NewToken{
		User: s.Arg(0), Kind: s.String("kind"), Label: s.String("label"),
		Scopes: s.list("scopes"), Client: s.String("client"), Reset: s.Bool("reset"),
	}
	expires, err := parseExpiry(s.String("expires"), time.Now())
	if err != nil {
		return err
	}
	in.Expires = expires
	var issued manage.IssuedToken
	if err := s.call(http.MethodPost, "tokens", in, &issued); err != nil {
		return err
	}
	if issued.Kind == tokenstore.KindAuthtoken && !s.Bool("json") {
		// The words of drf_create_token, which scripts may read.
		_, err := fmt.Fprintf(s.out, "Generated token %s for user %s\n", issued.Secret, cell(issued.User))
		return err
	}
	return s.issued(issued)
}

// parseExpiry reads a time, a day, or how far away it is.
func parseExpiry(text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return &at, nil
		}
	}
	in, err := caddy.ParseDuration(text)
	if err != nil || in <= 0 {
		return nil, errors.New("--expires must be a time as 90d, 2027-01-31 or 2027-01-31T12:00:00Z")
	}
	at := now.Add(in).UTC().Truncate(time.Second)
	return &at, nil
}

// issued writes the secret to standard output, and what people want to know of
// it elsewhere.
func (s *invocation) issued(token manage.IssuedToken) error {
	if s.Bool("json") {
		return s.json(token)
	}
	if _, err := fmt.Fprintln(s.out, token.Secret); err != nil {
		return fmt.Errorf("writing the token: %w; revoke it by its handle %s", err, token.Handle)
	}
	expires := "never expires"
	if token.Expires != nil {
		expires = "expires " + when(token.Expires)
	}
	fmt.Fprintf(s.err, "token %s of %s %s; it is not shown again\n", token.Handle, cell(token.User), expires)
	if token.Previous != nil {
		fmt.Fprintf(s.err, "token %s is accepted until %s\n", token.Previous.Handle, when(token.Previous.Expires))
	}
	return nil
}

func (s *invocation) tokenQuery() url.Values {
	query := url.Values{}
	for _, name := range []string{"user", "kind", "client"} {
		if value := s.String(name); value != "" {
			query.Set(name, value)
		}
	}
	return query
}

func listTokens(s *invocation) error {
	list, err := all[manage.Token](s, "tokens", s.tokenQuery())
	if err != nil {
		return err
	}
	return table(s, list, "HANDLE\tKIND\tUSER\tLABEL\tSCOPES\tCLIENT\tCREATED\tEXPIRES\tLAST USED\tSTATUS", func(t manage.Token) []string {
		return []string{
			t.Handle, t.Kind, t.User, t.Label, strings.Join(t.Scopes, ","), t.Client,
			when(&t.Created), when(t.Expires), when(t.LastUsed), t.Status,
		}
	})
}

func revokeTokens(s *invocation) error {
	handles := s.Args()
	switch {
	case s.revokesJWT():
		return revokeJWT(s)
	case len(handles) > 0 && s.tokensFiltered():
		return errors.New("either name handles or say --user and --all")
	case len(handles) == 0 && (s.String("user") == "" || !s.Bool("all")):
		return errors.New("name handles, or say both --user and --all")
	case len(handles) == 0:
		var answer struct {
			Revoked int `json:"revoked"`
		}
		if err := s.call(http.MethodDelete, "tokens?"+s.tokenQuery().Encode(), nil, &answer); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "revoked %d tokens of %s\n", answer.Revoked, cell(s.String("user")))
		return nil
	}
	if err := checkHandles(handles...); err != nil {
		return err
	}
	for i, handle := range handles {
		if err := s.call(http.MethodDelete, "tokens/"+escape(handle), nil, nil); err != nil {
			return fmt.Errorf("after %d of %d tokens: %w", i, len(handles), err)
		}
		fmt.Fprintf(s.err, "revoked token %s\n", handle)
	}
	return nil
}

// tokensFiltered reports whether flags select tokens.
func (s *invocation) tokensFiltered() bool {
	return s.String("user") != "" || s.String("kind") != "" || s.String("client") != "" || s.Bool("all")
}

func rotateToken(s *invocation) error {
	if err := checkHandles(s.Arg(0)); err != nil {
		return err
	}
	var issued manage.IssuedToken
	in := map[string]string{"grace": s.String("grace")}
	if err := s.call(http.MethodPost, "tokens/"+escape(s.Arg(0))+"/rotate", in, &issued); err != nil {
		return err
	}
	return s.issued(issued)
}

// checkHandles keeps a secret that was taken for a handle out of the access log
// of the admin API.
func checkHandles(handles ...string) error {
	for _, handle := range handles {
		if manage.LooksSecret(handle) {
			return errors.New("that is no handle, but may be a secret, which other users of this machine may have seen now; 'token list' and 'session list' show handles")
		}
	}
	return nil
}
