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

.DEFAULT_GOAL := help
.PHONY: help build test demo bench lint generate clean

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r t d; do printf '  make %-10s %s\n' "$$t" "$$d"; done

build: ## build build/xftp, a static binary
	@GO=$(GO) .ci/build

test: ## run every test that this machine can run; as root all of them
	@GO=$(GO) .ci/test

demo: ## move 256 MB over AF_XDP between two namespaces, and prove it; needs root
	@[ "$$(id -u)" = 0 ] || { echo "make demo makes network namespaces, so it needs root; type: sudo make demo" >&2; exit 1; }
	@GO=$(GO) .ci/build
	@build/xftp demo

bench: ## run the Go benchmarks; BENCH=regexp picks some
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem $(BENCHED)

lint: build/golangci-lint ## run the linters, at the versions that tools/go.mod names
	build/golangci-lint run ./...

build/golangci-lint: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

generate: ## compile the XDP program; needs clang and llvm-strip as in xdp/CLANG_VERSION
	$(GO) generate ./xdp

clean: ## remove what was built or fetched
	rm -rf build
