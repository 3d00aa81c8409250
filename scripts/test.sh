#!/usr/bin/env bash
# Sets up what is missing and runs every test; lints too, where CI is set.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest
scripts/postgres.sh start >/dev/null
scripts/strace.sh
scripts/python-clients.sh
# An OpenID provider, too, which tests of the server sign in at.
scripts/web.sh install
scripts/manual-runtimes.sh
scripts/detection/packages.sh
scripts/detection/crawlers.py --check
scripts/detection/names.py --check
scripts/detection/domains.py --check
scripts/detection/free_mail.py --check
cargo nextest run --locked --workspace
cargo build --locked -p dregs-server
# As the manual says to install it, but of the debug build: what is built already is not built again.
begun=$SECONDS
installed="$(mktemp -d)"
trap 'rm -r "$installed"' EXIT
cargo install --debug --locked --path crates/server --root "$installed" --target-dir "${CARGO_TARGET_DIR:-target}"
"$installed/bin/dregs" --version
echo "cargo install: $((SECONDS - begun)) s"
scripts/web.sh test
node --test packaging/npm/dregs.test.js
# Packages of the debug build: that they are whole, not how long they take.
scripts/package.sh --profile dev --out target/package-dev
scripts/package-others.sh target/package-others
scripts/lint-packaging.sh target/package-dev
scripts/first-webhook.sh --no-limits --packages target/package-dev wheel npm deb
