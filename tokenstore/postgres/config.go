// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/sqlstore"
)

// schemas are the names that need no quotes, and of which a channel's name can be
// made.
var schemas = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

func isSchema(name string) bool {
	return schemas.MatchString(name) && !strings.HasPrefix(strings.ToLower(name), "pg_")
}

// configure resolves the placeholders and reads the connection string. Neither
// it nor a part of it goes into an error, since any part may be the password.
func (d *Driver) configure() error {
	dsn, err := resolve(d.DSN)
	if err != nil {
		return fmt.Errorf("resolving the dsn: %w", err)
	}
	if d.PasswordFile, err = resolve(d.PasswordFile); err != nil {
		return fmt.Errorf("resolving password_file: %w", err)
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("parsing the dsn: %s", harmless(err))
	}
	if misread(dsn, config.ConnConfig) {
		return errors.New("parsing the dsn: a password in a URL must have / ? # [ ] @ : and % percent-encoded")
	}
	if readOnly(config.ConnConfig.ValidateConnect) {
		return errors.New("the dsn asks for a standby by target_session_attrs; the store needs a server that takes writes")
	}
	if mode := config.ConnConfig.DefaultQueryExecMode; mode == pgx.QueryExecModeCacheStatement && config.ConnConfig.StatementCacheCapacity == 0 ||
		mode == pgx.QueryExecModeCacheDescribe && config.ConnConfig.DescriptionCacheCapacity == 0 {
		return errors.New("the dsn takes the cache away from its default_query_exec_mode; use exec without one")
	}
	switch {
	case d.MaxConnections > 0:
		config.MaxConns = int32(d.MaxConnections)
	case !strings.Contains(dsn, "pool_max_conns"):
		config.MaxConns = defaultMaxConnections
	}
	d.MaxConnections = int(config.MaxConns)
	// A connection that does not answer is noticed by its use.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	d.tune(config.ConnConfig)
	config.BeforeConnect = d.beforeConnect
	d.config = config
	d.identifier = d.identify(dsn)
	d.reports = &sqlstore.Reports{Logger: d.logger, Place: zap.String("store", d.identifier)}
	return nil
}

// resolve replaces global placeholders. An error of Caddy's names what stands
// between braces, which in a password may be anything.
func resolve(text string) (string, error) {
	resolved, err := caddy.NewReplacer().ReplaceOrErr(text, true, true)
	if err == nil {
		return resolved, nil
	}
	for _, known := range regexp.MustCompile(`\{(env|file)\.[^{}]*\}`).FindAllString(text, -1) {
		if _, err := caddy.NewReplacer().ReplaceOrErr(known, true, true); err != nil {
			return "", fmt.Errorf("placeholder %s is unknown or empty", known)
		}
	}
	return "", errors.New("a placeholder is unknown or empty; a brace that begins none is written \\{")
}

// explained are the complaints of pgx that quote nothing of the string.
var explained = []string{
	"invalid port", "could not match", "invalid connect_timeout", "unknown target_session_attrs value", "unknown channel_binding value",
	"invalid min_protocol_version", "invalid max_protocol_version", "invalid require_auth", "invalid default_query_exec_mode", "invalid sslnegotiation",
	"cannot parse statement_cache_capacity", "cannot parse description_cache_capacity",
	"cannot parse pool_max_conns", "pool_max_conns too small", "cannot parse pool_min_conns", "cannot parse pool_min_idle_conns",
	"cannot parse pool_max_conn_lifetime", "cannot parse pool_max_conn_idle_time", "cannot parse pool_health_check_period", "cannot parse pool_ping_timeout",
}

// harmless says what is wrong with a connection string without quoting it.
func harmless(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "`: "); i >= 0 {
		text = text[i+len("`: "):]
	}
	for _, complaint := range explained {
		if strings.HasPrefix(text, complaint) {
			return complaint
		}
	}
	for _, files := range []string{"failed to configure TLS", "failed to read service"} {
		var path *os.PathError
		switch {
		case !strings.HasPrefix(text, files):
		case errors.As(err, &path):
			return files + ": " + path.Error()
		default:
			return files
		}
	}
	return "it is neither a URL (postgres://user@host/database) nor keywords (host=… dbname=…) as libpq has them"
}

// misread reports whether a part of a password was taken for another part of the
// URL, which is shown.
func misread(dsn string, config *pgx.ConnConfig) bool {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return false
	}
	shown := []string{config.Host, config.Database}
	for _, fallback := range config.Fallbacks {
		shown = append(shown, fallback.Host)
	}
	return slices.ContainsFunc(shown, func(part string) bool { return strings.Contains(part, "@") })
}

// readOnly reports whether a server is asked for that takes no writes.
func readOnly(validate pgconn.ValidateConnectFunc) bool {
	return slices.ContainsFunc([]pgconn.ValidateConnectFunc{
		pgconn.ValidateConnectTargetSessionAttrsReadOnly,
		pgconn.ValidateConnectTargetSessionAttrsStandby,
		pgconn.ValidateConnectTargetSessionAttrsPreferStandby,
	}, func(other pgconn.ValidateConnectFunc) bool { return samePointer(validate, other) })
}

func samePointer(a, b pgconn.ValidateConnectFunc) bool {
	return fmt.Sprintf("%p", a) == fmt.Sprintf("%p", b)
}

// clientside are options of libpq that pgx would send to the server. What they
// are for is done by the timeouts here.
var clientside = []string{
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
	"gssencmode", "fallback_application_name",
}

// silence is when a peer that says nothing at all is given up, by TCP.
var silence = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// tune sets what every connection has in common.
func (d *Driver) tune(config *pgx.ConnConfig) {
	for _, option := range clientside {
		delete(config.RuntimeParams, option)
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = applicationName
	}
	config.ConnectTimeout = time.Duration(d.ConnectTimeout)
	dialer := &net.Dialer{KeepAliveConfig: silence}
	config.DialFunc = dialer.DialContext
	if config.ValidateConnect == nil {
		// Of several hosts the one that takes writes is looked for.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// fingerprints are keyed for each process anew, so that they tell nothing.
var fingerprints = func() []byte {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return key
}()

// identify names the place of the data, followed by a fingerprint of everything
// else, the password included: a configuration that changes it gets connections of
// its own.
func (d *Driver) identify(dsn string) string {
	config := d.config.ConnConfig
	var hosts []string
	add := func(host string, port uint16) {
		place := net.JoinHostPort(host, strconv.Itoa(int(port)))
		if network, address := pgconn.NetworkAddress(host, port); network == "unix" {
			place = address
		}
		if !slices.Contains(hosts, place) {
			hosts = append(hosts, place)
		}
	}
	add(config.Host, config.Port)
	for _, fallback := range config.Fallbacks {
		add(fallback.Host, fallback.Port)
	}
	mac := hmac.New(sha256.New, fingerprints)
	fmt.Fprintf(mac, "%q %q %q %d %d %d", dsn, config.Password, d.PasswordFile, d.MaxConnections, d.ConnectTimeout, d.StatementTimeout)
	return fmt.Sprintf("postgres:%s@%s/%s?schema=%s#%s", config.User, strings.Join(hosts, ","), config.Database, d.Schema,
		hex.EncodeToString(mac.Sum(nil)[:4]))
}
