#!/usr/bin/env bash
# Makes the pictures of the manual and the README anew: docs/pictures, from what the demo shows after a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
DEMO_SECONDS="${DEMO_SECONDS:-90}"
cargo build --locked -p dregs-server
scripts/web.sh install
store="$(mktemp -d)"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${CARGO_TARGET_DIR:-target}/debug/dregs" demo --keep "$store" --listen "127.0.0.1:$port" >"$store/log" &
demo=$!
trap 'kill "$demo" 2>/dev/null; wait "$demo" 2>/dev/null || true; rm -r "$store"' EXIT
sleep "$DEMO_SECONDS"
mkdir -p docs/pictures
node web/tests/pictures.js "http://127.0.0.1:$port" "$(cat "$store/admin-password")" docs/pictures
