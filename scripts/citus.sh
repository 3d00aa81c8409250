#!/usr/bin/env bash
# A Citus cluster of this checkout, for tests: a coordinator and two workers on loopback.
#   scripts/citus.sh start   starts it, empty, and prints the URL of the coordinator
#   scripts/citus.sh stop    stops it and removes its data
# Citus itself is not installed here; see CONTRIBUTING.md.
set -euo pipefail
cd "$(dirname "$0")/.."
data_file="$PWD/target/citus/data-is-at"
coordinator_port=55430

# The newest PostgreSQL that has Citus.
bin() {
  ls -d /usr/lib/postgresql/*/lib/citus.so 2>/dev/null | sort -V | tail -n 1 | sed 's|lib/citus.so$|bin|'
}

# PostgreSQL refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

ask() {
  "$(bin)/psql" -X -q -h 127.0.0.1 -p "$1" -U dregs postgres -c "$2" >/dev/null
}

stop() {
  [ -f "$data_file" ] || return 0
  local data
  data=$(cat "$data_file")
  for node in 0 1 2; do
    as_owner "$(bin)/pg_ctl" -D "$data/$node" -m immediate stop >/dev/null 2>&1 || true
  done
  rm -rf "$data" "$data_file"
}

start() {
  [ -n "$(bin)" ] || { echo "there is no Citus: CONTRIBUTING.md says where its packages are" >&2; exit 1; }
  stop
  local data
  data=$(as_owner mktemp -d "${TMPDIR:-/tmp}/dregs-citus.XXXXXX")
  mkdir -p "$(dirname "$data_file")"
  echo "$data" >"$data_file"
  for node in 0 1 2; do
    local port=$((coordinator_port + node))
    as_owner "$(bin)/initdb" -D "$data/$node" -U dregs -A trust --no-sync >/dev/null
    # A test that fails tells more than a disk that was not waited for.
    as_owner tee -a "$data/$node/postgresql.conf" >/dev/null <<END
shared_preload_libraries = 'citus'
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 500
max_prepared_transactions = 500
fsync = off
END
    as_owner "$(bin)/pg_ctl" -D "$data/$node" -l "$data/$node.log" -w start >/dev/null
    ask "$port" "create extension citus"
  done
  ask "$coordinator_port" "select citus_set_coordinator_host('127.0.0.1', $coordinator_port)"
  for node in 1 2; do
    ask "$coordinator_port" "select citus_add_node('127.0.0.1', $((coordinator_port + node)))"
  done
  echo "postgres://dregs@127.0.0.1:$coordinator_port/postgres"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *) sed -n '2,5p' "$0" | cut -c3- >&2; exit 2 ;;
esac
