# make help says what there is.

# sudo takes Go from the path where it is not in one of the system's own
# directories.
GO ?= $(firstword $(shell command -v go) $(wildcard /usr/local/go/bin/go /usr/lib/go/bin/go /snap/bin/go))
ifeq ($(GO),)
$(error go is not in PATH)
endif
export GO
export PATH := $(PATH):$(dir $(GO))

# The benchmarks that need neither root nor a network card.
BENCH ?= .
BENCHED = ./frame/... ./stack/... ./xdp/... ./ftpclient/...

# What make bench runs besides xftp: servers, and the peers to compare it with.
PEERS = vsftpd proftpd curl lftp aria2c wget
BENCH_FLAGS ?=
# Only what was measured in full is for others to read.
RESULTS ?= $(if $(BENCH_FLAGS),build/bench.json,bench/results/$(shell date -u +%F).json)
NEWEST = $(lastword $(sort $(wildcard bench/results/*.json)))

.DEFAULT_GOAL := help
.PHONY: help build test demo bench bench-quick bench-go bench-readme bench-run lint generate clean FORCE

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r t d; do printf '  make %-12s %s\n' "$$t" "$$d"; done

build: ## build build/xftp, a static binary
	@GO=$(GO) .ci/build

test: ## run every test that this machine can run; as root all of them
	@GO=$(GO) .ci/test

demo: ## move 256 MB over AF_XDP between two namespaces, and prove it; needs root
	@[ "$$(id -u)" = 0 ] || { echo "make demo makes network namespaces, so it needs root; type: sudo make demo" >&2; exit 1; }
	@GO=$(GO) .ci/build
	@build/xftp demo

bench: ## measure xftp against its peers, all cases, some 20 minutes; needs root; BENCH_FLAGS="-case D1 -n 3"
	@$(MAKE) --no-print-directory bench-run RESULTS=$(RESULTS)

bench-quick: ## the main cases with small files, in less than 2 minutes; needs root
	@$(MAKE) --no-print-directory bench-run RESULTS=build/bench-quick.json BENCH_FLAGS="-quick $(BENCH_FLAGS)"

bench-go: ## run the Go benchmarks; BENCH=regexp picks some
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem $(BENCHED)

bench-readme: build/bench ## put the table of the newest results in bench/results into the README
	@[ -n "$(NEWEST)" ] || { echo "there are no results in bench/results; type: sudo make bench" >&2; exit 1; }
	build/bench readme $(NEWEST) README.md

# What the peers are not there for is left out by name.
bench-run: build/bench
	@[ "$$(id -u)" = 0 ] || { echo "make bench makes network namespaces, so it needs root; type: sudo make bench" >&2; exit 1; }
	@GO=$(GO) .ci/build
	@-$(GO) run ./internal/lab/fetch $(PEERS)
	build/bench -o $(RESULTS) $(BENCH_FLAGS)

build/bench: FORCE
	@$(GO) build -C bench -o ../$@ .

FORCE:

lint: build/golangci-lint ## run the linters, at the versions that tools/go.mod names
	build/golangci-lint run ./...
	cd bench && ../build/golangci-lint run ./...

build/golangci-lint: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

generate: ## compile the XDP program; needs clang and llvm-strip as in xdp/CLANG_VERSION
	$(GO) generate ./xdp

clean: ## remove what was built or fetched
	rm -rf build
