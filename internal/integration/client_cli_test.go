// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import "testing"

// TestCLIClients is durin's create_client, and what it does not have.
func TestCLIClients(t *testing.T) {
	sh := cliShell(t)
	sh.start()
	sh.run(
		step{args: "client list --address $ADMIN", out: `^NAME +TOKEN TTL +THROTTLE RATE\n\z`},
		step{args: "client add c1 --address $ADMIN", out: `^\z`, err: `^Client c1 created!$`},
		step{args: "client add c1 --address $ADMIN", fails: true, err: `Can't create client! name: client with this name already exists\.`},
		step{args: "client add c2 --token-ttl 10d --throttle-rate 5/m --address $ADMIN", err: `^Client c2 created!$`},
		step{args: "client add c3 --token-ttl none --config Caddyfile", err: `^Client c3 created!$`},
		step{args: "client add c4 --throttle-rate 5/x --address $ADMIN", fails: true, err: `Can't create client! throttle_rate: invalid period 'x'\.`},
		step{args: "client add c4 --token-ttl x --address $ADMIN", fails: true, err: `token_ttl: Duration has wrong format\. Use one of these formats instead: \[DD\] \[HH:\[MM:\]\]ss\[\.uuuuuu\]\.`},
		step{args: "client add --address $ADMIN", fails: true},
		step{args: "client list --address $ADMIN", out: `^NAME +TOKEN TTL +THROTTLE RATE
c1 +24h0m0s +-
c2 +240h0m0s +5/m
c3 +none +-
\z`},
		step{args: "client list --address $ADMIN --json", out: `"throttle_rate": "5/m"`},
		step{args: "client set c2 --throttle-rate= --address $ADMIN", out: `^\z`, err: "^changed client c2$"},
		step{args: "client set c3 --token-ttl 1h --throttle-rate 9/h --address $ADMIN", err: "^changed client c3$"},
		step{args: "client set c3 --throttle-rate 9/x --address $ADMIN", fails: true, err: `throttle_rate: invalid period 'x'\.`},
		step{args: "client set c3 --address $ADMIN", fails: true, err: "nothing to set; see 'caddy rest-auth client set --help'"},
		step{args: "client set c9 --token-ttl 1h --address $ADMIN", fails: true, err: "there is no client 'c9'"},
		step{args: "client list --address $ADMIN", out: `^NAME +TOKEN TTL +THROTTLE RATE
c1 +24h0m0s +-
c2 +240h0m0s +-
c3 +1h0m0s +9/h
\z`},
		step{args: "client delete c1 --address $ADMIN", err: "^deleted client c1$"},
		step{args: "client delete c1 --address $ADMIN", fails: true, err: "there is no client 'c1'"},
		step{args: "client --address $ADMIN", fails: true, err: "a command is missing"},
	)
}
