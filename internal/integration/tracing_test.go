// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func init() {
	caddy.RegisterModule(new(testSpan))
	httpcaddyfile.RegisterHandlerDirective("test_span", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return new(testSpan), noArgs(h.Dispenser)
	})
	httpcaddyfile.RegisterDirectiveOrder("test_span", httpcaddyfile.Before, "request_header")
}

var (
	spans  = tracetest.NewSpanRecorder()
	tracer = trace.NewTracerProvider(trace.WithSpanProcessor(spans)).Tracer("test")
)

// testSpan records a span around the request, as Caddy's handler tracing does.
type testSpan struct{}

func (*testSpan) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_span", New: func() caddy.Module { return new(testSpan) }}
}

func (*testSpan) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	ctx, span := tracer.Start(r.Context(), "request")
	defer span.End()
	return next.ServeHTTP(w, r.WithContext(ctx))
}

func TestSpanAttributes(t *testing.T) {
	s := serve(t, `{{site}} {
	route {
		test_span
		rest_auth {
			authenticate token
			authenticate basic
			require any read_only staff
		}
		respond "in"
	}
}`)
	s.seed()
	for _, row := range []struct {
		method, line string
		want         map[string]string
	}{
		{"GET", token("token-alice"), map[string]string{
			"enduser.id": "alice", "rest_auth.authenticator": "token", "rest_auth.verdict": "allowed", "rest_auth.credential": "id-token-alice",
		}},
		{"GET", "X-None: 1", map[string]string{"rest_auth.verdict": "anonymous"}},
		{"POST", "X-None: 1", map[string]string{"rest_auth.verdict": "unauthenticated", "rest_auth.code": "not_authenticated"}},
		{"POST", token("token-alice"), map[string]string{
			"rest_auth.verdict": "denied", "rest_auth.code": "permission_denied", "rest_auth.authenticator": "token", "rest_auth.candidate": "alice",
		}},
		{"GET", token("canary"), map[string]string{
			"rest_auth.verdict": "failed", "rest_auth.code": "authentication_failed", "rest_auth.authenticator": "token",
		}},
		{"GET", basic("alice", "canary"), map[string]string{
			"rest_auth.verdict": "failed", "rest_auth.code": "authentication_failed", "rest_auth.authenticator": "basic", "rest_auth.candidate": "alice",
		}},
	} {
		spans.Reset()
		s.do(row.method, "/", row.line)
		got := make(map[string]string)
		for deadline := time.Now().Add(10 * time.Second); len(spans.Ended()) == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // the answer leaves before the span ends
		}
		for _, span := range spans.Ended() {
			for _, attribute := range span.Attributes() {
				got[string(attribute.Key)] = attribute.Value.AsString()
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s %q: (-want +got)\n%s", row.method, row.line, diff)
		}
	}
}

// Caddy's own handler puts its span where ours looks for it: what it exports
// has the attributes.
func TestSpanOfCaddy(t *testing.T) {
	var mu sync.Mutex
	var exported bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(&exported, r.Body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_TRACES_EXPORTER", "otlp")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	s := serve(t, `{{site}} {
	tracing {
		span request
	}
	rest_auth {
		authenticate token
	}
	respond "in"
}`)
	s.seed()
	s.get("/", token("token-alice"))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		text := exported.String()
		mu.Unlock()
		if strings.Contains(text, "enduser.id") && strings.Contains(text, "id-token-alice") && strings.Contains(text, "rest_auth.verdict") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Caddy exported %q", text)
		}
	}
}
