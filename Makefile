# Touchbox: what one does with this repository. `make` alone lists it.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/touchbox/touchbox/cmd/internal/app.Version=$(VERSION)
COMPOSE ?= docker-compose
FOR     ?= 20s
PKG     ?= ./...
COUNT   ?= 6
RACE    ?=

# The toolchain that go.mod names, where the installed one is older and would not fetch it by itself.
export GOTOOLCHAIN ?= auto

.DEFAULT_GOAL := help
.PHONY: pictures help run demo build test short race lint bench profile cover images secrets up down clean vuln fuzz

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## ingest, worker and queue in one process, by ./touchbox.yaml
	go run -ldflags '$(LDFLAGS)' ./cmd/touchbox up

demo: ## simulated Calltouch to simulated Mindbox for FOR=20s
	go run -ldflags '$(LDFLAGS)' ./cmd/touchbox demo --for $(FOR)

build: ## static binaries into ./bin
	CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

test: ## all tests; those with containers run where Docker and the images are
	go test $(RACE) -shuffle=on -timeout 15m $(PKG)

short: ## the tests that are quick by nature: under a minute on two cores
	go test -short -p 4 $(PKG)

race: ## all tests with the race detector, in random order (needs cgo)
	$(MAKE) test RACE=-race

lint: ## gofmt, go vet, staticcheck, dead code
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go tool -modfile=tools/lint.mod staticcheck ./...
	tools/deadcode

# vuln.go.dev need not be reachable: the database is a module, of the day that tools/lint.mod names.
VULNDB = $(shell go mod download -modfile=tools/lint.mod golang.org/x/vulndb && go list -modfile=tools/lint.mod -m -f '{{.Dir}}' golang.org/x/vulndb)

vuln: ## known vulnerabilities that the commands reach (govulncheck): none
	go tool -modfile=tools/lint.mod govulncheck -db "file://$(VULNDB)/data/osv" ./cmd/...

pictures: ## every page of the web console, both languages, light, dark, wide and narrow, into ./out/console (needs Chromium)
	PICTURES=$(CURDIR)/out/console NEED_BROWSER=1 go test -count 1 -run TestPictures ./pkg/console

fuzz: ## every fuzz target for FOR=20s each
	tools/fuzz $(FOR)

# What an event costs on its way, step by step; the same benchmarks of two trees are what benchstat compares.
HOT = ^Benchmark(Identify|Publish|Parse|Filter|Render|Judge|Deliver|Record|Settle|Drain(Ten)?|Ingest)$$

bench: ## the hot paths with their allocations, COUNT=6 times: make bench >new.txt, then benchstat old.txt new.txt
	@go test -run '^$$' -bench '$(HOT)' -benchmem -count $(COUNT) ./pkg/calltouch ./pkg/link ./pkg/mindbox ./pkg/queue ./pkg/pipeline ./cmd/internal/app

profile: ## CPU and heap profiles of a worker that drains 50,000 events, into ./out
	@mkdir -p out
	PROFILES=$(CURDIR)/out go test -run '^$$' -bench '^BenchmarkDrain$$/^0s$$' -benchtime 50000x -benchmem -o out/drain.test ./pkg/pipeline
	go tool pprof -top -nodecount 25 out/drain.test out/cpu.pprof
	@echo "more: go tool pprof -http : out/drain.test out/cpu.pprof (or out/heap.pprof)"

cover: ## coverage by function; the pages are in out/cover.html
	@mkdir -p out
	go test -coverpkg=./pkg/... -coverprofile=out/cover.out $(PKG)
	go tool cover -html=out/cover.out -o out/cover.html
	go tool cover -func=out/cover.out | tail -1

images: ## container images from binaries built here; nothing is pulled
	VERSION=$(VERSION) deploy/build-images.sh

secrets: ## random passwords into .env, mode 0600; what stands there stays
	deploy/make-secrets

# Only the demonstration may run by the demonstration's file: its key is no secret. It is a project of its own to Docker, so that the real
# thing, started later, does not find its events.
DEMO = TOUCHBOX_CONFIG_DIR=./deploy/demo $(COMPOSE) -p touchbox-demo

up: secrets ## start the containers with the simulators (after make images)
	$(DEMO) --profile demo up -d
	@echo; echo 'The console, by a link that signs in once, for ten minutes:'
	@$(DEMO) run --rm touchbox console sign-in
	@echo 'Every other command: $(DEMO) run --rm touchbox links'

down: ## stop the containers; the queue's volume stays
	$(DEMO) --profile demo down

clean: ## remove what was built (not ./data)
	rm -rf bin out
