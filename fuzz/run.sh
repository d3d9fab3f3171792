#!/usr/bin/env bash
# Fuzzes each target for SECONDS_EACH (60) seconds; needs cargo-fuzz and a nightly toolchain.
set -euo pipefail
cd "$(dirname "$0")"
command -v cargo-fuzz >/dev/null || { echo "missing cargo-fuzz; run: cargo install cargo-fuzz" >&2; exit 1; }
for target in $(sed -n 's/^name = "\([a-z]*\)"$/\1/p' Cargo.toml); do
    echo "== $target"
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/primus/target}/fuzz" \
        cargo +nightly fuzz run --fuzz-dir . "$target" -- -max_total_time="${SECONDS_EACH:-60}" -max_len=4096
done
