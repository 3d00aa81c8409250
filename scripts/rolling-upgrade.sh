#!/usr/bin/env bash
# Replaces nodes of an earlier build one by one by nodes of this one, under load, on one PostgreSQL.
#   scripts/rolling-upgrade.sh [COMMIT]   the build before: by default the newest commit before the newest migration
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:-$(git log -1 --format=%H -- crates/server/migrations)^}
before=target/before
[ -e "$before/tree/.git" ] || git worktree add --detach --force "$before/tree" "$commit" >&2
git -C "$before/tree" checkout --quiet --detach "$(git rev-parse "$commit")"
CARGO_TARGET_DIR=$PWD/$before/target cargo build --locked --workspace --bin dregs --manifest-path "$before/tree/Cargo.toml"
scripts/postgres.sh start >/dev/null
DREGS_TEST_BINARY_BEFORE=$PWD/$before/target/debug/dregs \
  cargo nextest run --locked --workspace --run-ignored only -E 'test(flow::kill::upgrade::)' --success-output final
