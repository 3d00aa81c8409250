#!/usr/bin/env bash
# What makes packages and lints them, in virtual environments of this checkout; makes them, unless they are there and current.
#   scripts/packaging-tools.sh        target/packaging-tools: what makes packages
#   scripts/packaging-tools.sh lint   target/packaging-lint too: what lints
set -euo pipefail
cd "$(dirname "$0")/.."

# A virtual environment, with what a file of requirements names.
environment() {
  local folder="$1" wanted="$2"
  if cmp -s "$wanted" "$folder/installed.txt"; then return; fi
  rm -rf "$folder"
  mkdir -p target
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
  # Last, so that an installation that broke off is made again.
  cp "$wanted" "$folder/installed.txt"
}

environment target/packaging-tools packaging/requirements.txt
[ "${1:-}" = lint ] || exit 0
lint=target/packaging-lint
environment "$lint" packaging/lint/requirements.txt
# Of Prometheus, what checks rules: taken out of Debian's package, which would start a server.
if [ ! -x "$lint/prometheus/usr/bin/promtool" ] && command -v apt-get >/dev/null; then
  rm -rf "$lint/prometheus"
  mkdir "$lint/prometheus"
  if (cd "$lint/prometheus" && apt-get download -qq prometheus >/dev/null 2>&1); then
    dpkg-deb -x "$lint"/prometheus/*.deb "$lint/prometheus"
    rm "$lint"/prometheus/*.deb
  fi
fi
if ! cmp -s packaging/lint/package-lock.json "$lint/node/installed.json"; then
  rm -rf "$lint/node"
  mkdir "$lint/node"
  cp packaging/lint/package.json packaging/lint/package-lock.json "$lint/node/"
  npm ci --silent --no-audit --no-fund --prefix "$lint/node"
  cp packaging/lint/package-lock.json "$lint/node/installed.json"
fi
