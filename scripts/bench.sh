#!/usr/bin/env bash
# Builds what is shipped and measures it, on SQLite and on PostgreSQL; the table is printed and
# written to target/bench.md. Arguments go to dregs-bench.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked --profile dist -p dregs-server -p dregs-bench
url=$(scripts/postgres.sh start)
scripts/web.sh install
target/dist/dregs-bench --postgres "$url" --markdown target/bench.md "$@"
