#!/usr/bin/env bash
# Checks the licenses and sources of every dependency against deny.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
# The dependencies of every platform, which a build of this one does not fetch.
cargo fetch --locked --quiet
cargo deny --offline --log-level error check licenses bans sources
