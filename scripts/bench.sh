#!/usr/bin/env bash
# Builds what is shipped and measures it, on SQLite and on PostgreSQL. Arguments go to dregs-bench.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked --release -p dregs-server -p dregs-bench
url=$(scripts/postgres.sh start)
target/release/dregs-bench --postgres "$url" "$@"
