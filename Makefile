# Everything a person does in this repository. `make` alone prints this list.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:

FUZZTIME ?= 60s
export FUZZTIME

##@ Use

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the static binary bin/tollgate (no C compiler needed)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/tollgate ./cmd/tollgate

.PHONY: run
run: ## Start the gateway with tollgate.toml, if there is one
	go run ./cmd/tollgate

.PHONY: demo
demo: ## Start the gateway with a simulated provider
	go run ./cmd/tollgate --demo

##@ Check

.PHONY: test
test: ## Every test, servers and SDKs included, with reduced rounds; installs what is missing
	scripts/test.sh

.PHONY: test-long
test-long: ## The same with full rounds (an hour)
	scripts/test.sh long

.PHONY: test-unit
test-unit: ## What Go alone can test, without servers and SDKs
	go test -shuffle=on ./...

.PHONY: clients
clients: ## Claude Code, Codex and Gemini CLI on providers of every dialect; installs them (700 MB)
	scripts/clients.sh

.PHONY: lint
lint: ## Formatting, golangci-lint, shellcheck
	scripts/lint.sh

.PHONY: vuln
vuln: ## Known vulnerabilities in what we call (asks the Go vulnerability database)
	"$$(scripts/tools.sh govulncheck)" ./...

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME each (60s)
	scripts/fuzz.sh

.PHONY: profile
profile: ## Record anew what the compiler optimises by: cmd/tollgate/default.pgo
	go run ./bench -profile cmd/tollgate/default.pgo -cases 1kb,100kb,sse -rounds 6

.PHONY: bench
bench: ## Speed against nginx in one run, and micro-benchmarks of the hot steps
	scripts/bench.sh

##@ Change

.PHONY: fmt
fmt: ## Format every Go file the way lint wants it
	scripts/fmt.sh

.PHONY: console
console: ## Build the web console into internal/console/dist (needs Node)
	scripts/console.sh build

.PHONY: screenshots
screenshots: ## Every page of the console as pictures, in console/shots
	scripts/test-console.sh screenshots

.PHONY: console-report
console-report: ## How fast and sound the console's first pages are: Lighthouse, weight, a slow device
	scripts/test-console.sh report

.PHONY: generate
generate: ## Make every generated file anew
	go generate ./...

.PHONY: docs
docs: ## Print what each package is for
	@go list -f '{{.ImportPath}}{{"\n    "}}{{.Doc}}' ./...

.PHONY: clean
clean: ## Remove what the targets above left behind (never data/)
	rm -rf bin .cache test/sdk/js/node_modules test/sso/js/node_modules console/node_modules console/shots console/test-results
