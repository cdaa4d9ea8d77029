# pgvigil's workshop. `make` alone lists the targets; every target fetches what
# it needs (Go modules, npm packages and, as root, Debian's packages) and says so.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL = go tool -modfile=tools/go.mod
PG_MAJORS = 14 16 17 18
GO_SOURCES = $(shell git ls-files '*.go' '*.sql' '*.html' '*.css' '*.js' 'go.mod' 2>/dev/null)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
.PHONY: help

## ---- what has to be there first

node_modules/.done: package.json package-lock.json
	@echo "== fetching ECharts, esbuild and Postgres 14, 16, 17, 18 from npm"
	@command -v npm >/dev/null || { echo "make: npm is missing: install Node.js 18 or newer (Debian: apt-get install nodejs npm)" >&2; exit 2; }
	npm ci --no-audit --no-fund --ignore-scripts
	@for v in $(PG_MAJORS); do \
	  if [ -d node_modules/postgres-$$v ]; then (cd node_modules/postgres-$$v && node scripts/hydrate-symlinks.js) || exit 1; fi; done
	@touch $@

tools: node_modules/.done ## fetch the npm packages: ECharts, esbuild, Postgres servers
.PHONY: tools

debian: ## install Debian's Postgres 15, HypoPG, Chromium and Alertmanager (root only)
	@.ci/debian
.PHONY: debian

reports/assets/echarts.min.js: node_modules/.done reports/assets/build.mjs
	@echo "== bundling ECharts"
	node reports/assets/build.mjs

## ---- what people use

build: bin/pgvigil ## build bin/pgvigil
.PHONY: build

bin/pgvigil: reports/assets/echarts.min.js $(GO_SOURCES)
	@echo "== building bin/pgvigil (the first build compiles a SQL parser in C and takes some minutes)"
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o $@ ./cmd/pgvigil

FAULT ?= dropped-index
demo: bin/pgvigil ## watch a CI database, break it, see the alert, the fix and the report (FAULT=name)
	bin/pgvigil demo --fault $(FAULT) $(DEMOFLAGS)
.PHONY: demo

## ---- what developers use

test: debian node_modules/.done reports/assets/echarts.min.js ## vet, lint, and all tests on Postgres 14 to 18
	@.ci/test
.PHONY: test

test-all: debian node_modules/.done reports/assets/echarts.min.js ## the same with every test on every version
	@PGVIGIL_TEST_ALL=1 .ci/test
.PHONY: test-all

lint: bin/golangci-lint ## the linters alone
	bin/golangci-lint run ./...
.PHONY: lint

bin/golangci-lint: tools/go.mod
	@echo "== building the linter (some minutes, once)"
	go build -modfile=tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

format: bin/golangci-lint ## rewrite the sources as the linters want them
	bin/golangci-lint fmt ./...
.PHONY: format

BENCH ?= .
bench: node_modules/.done ## history write and read, fingerprints, interval making: ns/op and bytes
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./query ./internal/interval ./internal/store/... ./analyzer/... ./collector | tee bench.txt
.PHONY: bench

bench-collector: ## what a pass costs a server, beside other readers: writes docs/bench-collector.md
	go run ./internal/peers > docs/bench-collector.md.new && mv docs/bench-collector.md.new docs/bench-collector.md
.PHONY: bench-collector

BASE ?= main
bench-diff: ## the same beside another revision (BASE=main), by benchstat
	@.ci/bench-diff $(BASE) '$(BENCH)'
.PHONY: bench-diff

golden: ## rewrite golden files; read the difference in review
	go test $$(git grep -l '"update"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's#^#./#') -update
.PHONY: golden

FUZZTIME ?= 20s
fuzz: ## fuzz everything that eats foreign bytes (FUZZTIME=20s each)
	@.ci/fuzz $(FUZZTIME)
.PHONY: fuzz

cover: node_modules/.done ## coverage of the tests, by package
	go test -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -1
.PHONY: cover

vuln: ## known vulnerabilities in what we import
	@$(TOOL) govulncheck ./... || { code=$$?; [ $$code -eq 3 ] && exit 3; echo "make vuln: it did NOT run: the vulnerability database could not be reached" >&2; exit $$code; }
.PHONY: vuln

faults: bin/pgvigil ## run the demo with every fault and write docs/faults.md
	@.ci/faults
.PHONY: faults

bloat-table: node_modules/.done ## compare figures of bloat with the truth and write docs/bloat.md
	go test ./collector -run TestBloatFiguresAreNearTheTruth -count=1 -bloat-table
.PHONY: bloat-table

clean: ## remove what was built; fetched packages stay
	rm -rf bin reports/assets/echarts.min.js bench.txt coverage.out
.PHONY: clean
