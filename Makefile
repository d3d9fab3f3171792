# `make help` lists what there is. Builds live outside the clone, so that a fresh clone starts warm.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CACHE ?= $(HOME)/.cache/primus
export CARGO_TARGET_DIR ?= $(CACHE)/target
ROCKSDB_VERSION := $(shell sed -n 's/^librocksdb-sys.*"=\([0-9.]*\)".*/\1/p' xtask/rocksdb/Cargo.toml)
ROCKSDB := $(CACHE)/rocksdb-$(ROCKSDB_VERSION)
# Only targets that link RocksDB set these, so that `make demo` needs neither C++ nor libclang.
WITH_ROCKSDB := ROCKSDB_LIB_DIR=$(ROCKSDB) ROCKSDB_STATIC=1
CARGO := cargo
LOCKED := --locked

.PHONY: help demo test check spec bench bench-peers fuzz swarm canaries audits native claim clean

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: claim ## Builds without C++, runs 13 peers, pays, proves, kills one and heals, prints a verdict.
	@echo "building primus, primus-wallet and primus-testnet into $(CARGO_TARGET_DIR) ..."
	$(CARGO) build $(LOCKED) -p primus-node -p primus-wallet -p primus-testnet --bins \
		--no-default-features --features primus-node/redb
	$(CARGO_TARGET_DIR)/debug/primus-testnet demo

test: claim native ## Installs what is missing and runs every test.
	$(WITH_ROCKSDB) $(CARGO) build $(LOCKED) --workspace --bins
	$(WITH_ROCKSDB) $(CARGO) test $(LOCKED) --workspace

check: claim native ## Formatting, lints, documentation and the import table.
	$(CARGO) fmt --all --check
	$(WITH_ROCKSDB) $(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(WITH_ROCKSDB) $(CARGO) doc $(LOCKED) --workspace --no-deps --quiet
	$(CARGO) run $(LOCKED) --quiet -p xtask -- tidy

spec: $(CACHE)/python/bin/python ## Checks docs/spec/vectors by verifiers in Python that share no code.
	$(CACHE)/python/bin/python docs/spec/verify.py
	$(CACHE)/python/bin/python docs/spec/verify_trees.py

$(CACHE)/python/bin/python:
	python3 -m venv $(CACHE)/python
	$(CACHE)/python/bin/python -m pip install --quiet blake3==1.0.11

bench: claim native ## Prints what each operation costs on this machine.
	$(WITH_ROCKSDB) $(CARGO) build $(LOCKED) --workspace --bins
	$(CARGO_TARGET_DIR)/debug/primus-benches

bench-peers: claim native ## Measures our trees beside those of other projects, in one run.
	$(WITH_ROCKSDB) $(CARGO) run $(LOCKED) --release --manifest-path benches/peers/Cargo.toml

fuzz: ## Fuzzes every decoder for a minute each (needs a nightly toolchain and cargo-fuzz).
	fuzz/run.sh

SEEDS ?= 100

swarm: claim ## Runs the next SEEDS (100) simulated networks after those in docs/runs/swarm.jsonl.
	$(CARGO) build $(LOCKED) -p primus-testnet --features remembering --bin primus-testnet
	$(CARGO_TARGET_DIR)/debug/primus-testnet swarm --seeds $(SEEDS) --log docs/runs/swarm.jsonl

canaries: claim ## Plants bugs one by one and shows which seed and judge find each.
	$(CARGO) build $(LOCKED) -p primus-testnet --features planted,remembering --bin primus-canaries
	$(CARGO_TARGET_DIR)/debug/primus-canaries

AUDITED := --no-default-features -p primus-testnet --bin primus-testnet

audits: claim ## Simulates 20 seeds built for development and for release: both give one audit digest each.
	$(CARGO) build $(LOCKED) $(AUDITED)
	$(CARGO) build $(LOCKED) $(AUDITED) --release
	seeds() { for seed in {0..19}; do $$1 --json sim --seed $$seed; done; }; \
		diff <(seeds $(CARGO_TARGET_DIR)/debug/primus-testnet) \
		     <(seeds $(CARGO_TARGET_DIR)/release/primus-testnet)
	@echo "20 seeds, no difference"

claim:
	@xtask/claim.sh $(CARGO_TARGET_DIR)

native: $(ROCKSDB)/librocksdb.a ## Installs libclang and builds the RocksDB archive once.
	@xtask/native.sh

$(ROCKSDB)/librocksdb.a:
	@xtask/native.sh
	@echo "compiling RocksDB $(ROCKSDB_VERSION) once into $(ROCKSDB) (about 12 minutes on 2 cores) ..."
	CARGO_TARGET_DIR=$(CACHE)/rocksdb-build $(CARGO) build --manifest-path xtask/rocksdb/Cargo.toml
	mkdir -p $(ROCKSDB)
	cp "$$(ls -t $(CACHE)/rocksdb-build/debug/build/librocksdb-sys-*/out/librocksdb.a | head -n 1)" $@.new
	mv $@.new $@

clean: ## Removes this clone's testnets and the build cache.
	rm -rf target $(CACHE)
