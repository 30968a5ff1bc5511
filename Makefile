# Touchbox: what one does with this repository. `make` alone lists it.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/touchbox/touchbox/cmd/internal/app.Version=$(VERSION)
COMPOSE ?= docker-compose
FOR     ?= 20s
PKG     ?= ./...

.DEFAULT_GOAL := help
.PHONY: help run demo build test race lint bench cover images up down clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## ingest, worker and queue in one process, by ./touchbox.yaml
	go run -ldflags '$(LDFLAGS)' ./cmd/touchbox up

demo: ## simulated Calltouch to simulated Mindbox for FOR=20s
	go run -ldflags '$(LDFLAGS)' ./cmd/touchbox demo --for $(FOR)

build: ## static binaries into ./bin
	CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

test: ## all tests; those with containers run where Docker and the images are
	go test $(PKG)

race: ## all tests with the race detector, in random order (needs cgo)
	go test -race -shuffle=on $(PKG)

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go tool -modfile=tools/lint.mod staticcheck ./...

bench: ## all benchmarks
	go test -run '^$$' -bench . -benchmem $(PKG)

cover: ## coverage by function; the pages are in out/cover.html
	@mkdir -p out
	go test -coverpkg=./pkg/... -coverprofile=out/cover.out $(PKG)
	go tool cover -html=out/cover.out -o out/cover.html
	go tool cover -func=out/cover.out | tail -1

images: ## container images from binaries built here; nothing is pulled
	VERSION=$(VERSION) deploy/build-images.sh

up: ## start the containers with the simulators (after make images)
	$(COMPOSE) --profile demo up -d

down: ## stop the containers; the queue's volume stays
	$(COMPOSE) --profile demo down

clean: ## remove what was built (not ./data)
	rm -rf bin out
