# What one does with Catchall. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build run test test-openstack check format bench prove fuzz dist new-provider clean-cache services

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the program, target/debug/catchall
	cargo build --locked

run: ## build, start a simulated cloud and Catchall on SQLite, say where to look; Ctrl-C stops both
	@scripts/run

services: ## bring what the tests need beyond Rust (PostgreSQL, RabbitMQ, moto, …) into .cache/
	@scripts/services

test: services ## all tests; SKIP=postgres,moto leaves these two out, aloud
	@scripts/test

test-openstack: ## the live test: makes a genuine OpenStack from Debian's packages, runs Catchall on it, removes it
	@scripts/test-openstack

prove: services ## the long proof: RUNS=50 on each database, from SEED; see docs/prove.md
	@scripts/prove

check: ## formatting, clippy and rustdoc, warnings are errors
	cargo fmt --check
	@# The registry's macro hides the providers' folders from cargo fmt.
	find src/providers -mindepth 2 -name '*.rs' -print0 | xargs -0 -r rustfmt --edition 2024 --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

format: ## format everything, the providers' folders too
	cargo fmt
	find src/providers -mindepth 2 -name '*.rs' -print0 | xargs -0 -r rustfmt --edition 2024

bench: ## the benchmarks, optimized; SKIP=postgres leaves it out, aloud
	SKIP="$${SKIP:+$$SKIP,}moto,cargo-deb,systemd" scripts/services
	@# As in production: a commit is on the disk before it is answered.
	CATCHALL_PG_FSYNC=on cargo bench --locked --bench parse --bench commit --bench end_to_end \
		--bench refresh --bench refreshed --bench day --bench switchboard --bench storm --bench many --bench timeline \
		--bench openstack

fuzz: ## each fuzz target for 10 minutes; FUZZ_SECONDS=60 or TARGET=events for less, see docs/fuzz.md
	@scripts/fuzz

dist: ## the Debian package, a tarball and their sums, into dist/; needs cargo-deb, which make services brings
	@scripts/dist

new-provider: ## NAME=x: write src/providers/x from the skeleton and register it
	@scripts/new-provider "$(NAME)"

clean-cache: ## remove what make services and make run brought
	@# PostgreSQL may lie outside, see scripts/services.
	if [[ -L .cache/postgresql ]]; then rm -rf "$$(readlink .cache/postgresql)"; fi
	rm -rf .cache .run
