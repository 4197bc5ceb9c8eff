# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0

GO       ?= go
# Executions, not seconds: at the end of a time go reports what was under way
# as a failure, now and then.
FUZZTIME ?= 50000x
# Under CI the race detector is on.
RACE     ?= $(if $(filter true,$(CI)),-race,)
# What xcaddy and Caddy's own releases build with.
XCADDY   := CGO_ENABLED=0 $(GO) build -tags nobadger,nomysql,nopgx

.PHONY: help build run test race lint fuzz chaos bench ci clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build ./caddy, Caddy with this module
	$(GO) build -o caddy ./cmd/caddy

run: build ## serve a protected site on http://localhost:8080/
	@./examples/demo/run

test: ## run every test
	$(GO) build ./...
	$(XCADDY) ./...
	$(GO) vet ./...
	@test -z "$$(gofmt -s -l .)" || { echo "gofmt -s wants:"; gofmt -s -l .; exit 1; }
	$(GO) test $(RACE) -timeout 20m ./...
ifneq ($(RACE),)
	@# What is killed or revoked thousands of times, at full count.
	$(GO) test -timeout 10m ./tokenstore/sqlite
endif

race: ## run every test with the race detector
	$(MAKE) test RACE=-race

lint: ## run the linters
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

fuzz: ## run each fuzz target for FUZZTIME
	@set -e; for file in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' $$file); do \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file); \
		done; \
	done

chaos: ## fail PostgreSQL under two nodes, in every way, and watch (part of test)
	$(GO) test -count=1 -run Chaos -v ./internal/fleet

bench: ## measure against plain Caddy, basic_auth and forward_auth; issuing, counting, sweeping
	$(GO) run ./internal/benchmark
	$(GO) test -run '^$$' -bench 'Knox|session|tokenHit|throttled|JWT' .
	$(GO) test -run '^$$' -bench 'FirstSight|Parse$$' ./internal/jose
	$(GO) test -run '^$$' -bench 'Create|Issue|Hit|Attempt' ./tokenstore/memory ./tokenstore/sqlite
	SQLITE_BENCH_MILLION=1 $(GO) test -run '^$$' -bench Sweep -benchtime 1x ./tokenstore/memory ./tokenstore/sqlite

ci: test ## what CI runs
	$(MAKE) fuzz FUZZTIME=30000x

clean: ## remove what was built
	rm -rf caddy .run
