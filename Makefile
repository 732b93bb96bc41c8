# `make check` runs what CI runs.

.PHONY: check build test race lint fmt fuzz bench

check:
	bash .ci/run

build:
	go build -trimpath -o ringback .

test:
	go test ./...

race:
	go test -race ./...

lint:
	bash .ci/run vet fmt static errcheck

fmt:
	go run mvdan.cc/gofumpt@v0.12.0 -w .

# Every fuzz target for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

# Ten runs each, as benchstat wants them: make bench > new.txt; benchstat old.txt new.txt
BENCH ?= .
COUNT ?= 10
bench:
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...
