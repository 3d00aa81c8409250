#!/usr/bin/env bash
# A PostgreSQL server of this checkout, for tests and benchmarks.
#   scripts/postgres.sh start   installs it if it is missing, starts it and prints its URL
#   scripts/postgres.sh stop    stops it and removes its data
# It listens on loopback only, on a free port that is written down beside its data. Where DREGS_TEST_DATABASE_URL names
# another server, that one is used, and nothing is started or stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
folder="$PWD/target/postgres"
port_file="$folder/port"
# The data is elsewhere: the user that owns it may not be able to enter this checkout.
data_file="$folder/data-is-at"

bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] && echo "$found"
}

install() {
  echo "installing PostgreSQL with apt-get" >&2
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq postgresql >&2
}

# PostgreSQL refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

url() {
  echo "postgres://dregs@127.0.0.1:$(cat "$port_file")/postgres"
}

is_running() {
  [ -f "$port_file" ] && as_owner "$(bin)/pg_ctl" -D "$(cat "$data_file")/data" status >/dev/null 2>&1
}

start() {
  bin >/dev/null || install
  if is_running; then url; return; fi
  stop
  mkdir -p "$folder"
  local place port
  place=$(mktemp -d "${TMPDIR:-/tmp}/dregs-postgres.XXXXXX")
  [ "$(id -u)" != 0 ] || chown postgres "$place"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  (
    cd "$place"
    as_owner "$(bin)/initdb" -D "$place/data" -U dregs -A trust -E UTF8 --no-locale
    as_owner "$(bin)/pg_ctl" -D "$place/data" -l "$place/server.log" -w \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$place -c max_connections=300" start
  ) >"$folder/start.log" 2>&1 || { cat "$folder/start.log" >&2; exit 1; }
  echo "$place" >"$data_file"
  echo "$port" >"$port_file"
  url
}

stop() {
  if is_running; then as_owner "$(bin)/pg_ctl" -D "$(cat "$data_file")/data" -m fast -w stop >/dev/null; fi
  if [ -f "$data_file" ]; then rm -rf "$(cat "$data_file")"; fi
  rm -rf "$folder"
}

case "${1:-}${DREGS_TEST_DATABASE_URL:+-elsewhere}" in
  start | stop) "$1" ;;
  start-elsewhere) echo "$DREGS_TEST_DATABASE_URL" ;;
  stop-elsewhere) ;;
  *) sed -n 2,6p "$0" | cut -c3- >&2; exit 2 ;;
esac
