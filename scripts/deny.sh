#!/usr/bin/env bash
# Checks the licences and sources of every dependency against deny.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
cargo deny --offline --log-level error check licenses bans sources
