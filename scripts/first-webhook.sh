#!/usr/bin/env bash
# From nothing to the first verified webhook, in a fresh folder, by each way to install dregs; prints the seconds.
#   scripts/first-webhook.sh source                 git clone, `make run`; what cargo downloads may be there already
#   scripts/first-webhook.sh [--packages FOLDER] wheel|npm|deb ...   from what scripts/package.sh has made
#   --no-limits   only says how long it took: other work may share the machine
# A second start, on the same data, is measured too. It fails where a way takes longer than it may, and where a build from
# source does not show what it does meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD"
packages="$root/target/package"
are_limits=true
ways=()
while [ $# -gt 0 ]; do
  case "$1" in
    --packages) packages="$(cd "$2" && pwd)"; shift ;;
    --no-limits) are_limits=false ;;
    source | wheel | npm | deb) ways+=("$1") ;;
    *) echo "first-webhook.sh: there is no $1" >&2; exit 2 ;;
  esac
  shift
done
[ ${#ways[@]} -gt 0 ] || ways=(source wheel npm deb)

# What each may take, in seconds, and after how long nothing is waited for any more.
SOURCE_MAX=180
PACKAGE_MAX=60
SECOND_START_MAX=10
PATIENCE=3600
STEP_PATIENCE=60
# After how many seconds a build from source has to have shown what it does.
SILENCE_MAX=30

# Nothing of the caller's settings.
while IFS= read -r name; do unset "$name"; done < <(compgen -e DREGS_ || true)
unset CARGO_TARGET_DIR
export DREGS_LISTEN=127.0.0.1:0

folder=
pids=()
finish() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
clean_up() {
  finish
  [ -z "$folder" ] || rm -rf "$folder"
}
trap clean_up EXIT

now() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; }

# Starts a command in a group of its own; what it says goes to a file.
start() {
  local log="$1"
  shift
  set -m
  "$@" >"$log" 2>"$log.errors" </dev/null &
  pids+=($!)
  set +m
}

# The first line of a file that has a text, within so many seconds.
line_with() {
  local file="$1" text="$2" patience="$3" begun=$SECONDS
  until grep -m1 -e "$text" "$file" 2>/dev/null; do
    if [ $((SECONDS - begun)) -ge "$patience" ] || ! kill -0 "${pids[-1]}" 2>/dev/null; then
      echo "first-webhook.sh: no line with \"$text\":" >&2
      tail -n 20 "$file" "$file.errors" >&2 2>/dev/null || true
      return 1
    fi
    sleep 0.05
  done
}

# A server by the command $1, a receiver by the command $2, an event, and its webhook.
webhook() {
  local serve="$1" dregs="$2" log="$3" patience="$4" address
  # shellcheck disable=SC2086
  start "$log.server" $serve
  if ! $is_built; then
    line_with "$log.server.errors" '^ *Compiling ' "$SILENCE_MAX" >/dev/null
    if grep -q 'listens on' "$log.server"; then return 1; fi
  fi
  address="$(line_with "$log.server" 'listens on http://' "$patience" | grep -o 'http://[0-9.:]*')"
  if [ -z "${DREGS_SECRET_KEY:-}" ]; then
    DREGS_SECRET_KEY="$(sed -n 's/^ *secret key *//p' "$log.server")"
  fi
  # shellcheck disable=SC2086
  start "$log.listen" env DREGS_SECRET_KEY="$DREGS_SECRET_KEY" $dregs listen --port 0 --server "$address"
  line_with "$log.listen" '^Channel ' "$STEP_PATIENCE" >/dev/null
  curl -sS --fail-with-body --max-time "$STEP_PATIENCE" "$address/api/events" -H "Authorization: Bearer $DREGS_SECRET_KEY" \
    -H 'Content-Type: application/json' -o "$log.answer" \
    -d '{"type": "user.signup", "identity": {"id": "'"user_$RANDOM"'", "data": {"email": "qwrtzpl@yopmail.com"}}}'
  line_with "$log.listen" 'IDENTITY_SCORED.*verified' "$STEP_PATIENCE" >/dev/null
}

# Prints and judges a time.
took() {
  local what="$1" seconds="$2" max="$3"
  printf '%-8s %-14s %8.1f s   (at most %d s)\n' "$way" "$what" "$seconds" "$max"
  if $are_limits && awk -v took="$seconds" -v max="$max" 'BEGIN { exit !(took > max) }'; then
    missed=true
  fi
}

# What a build has shown to whoever waited: what it compiles, to the end, and then the server's own lines.
shown() {
  local log="$1" line compiled
  for line in '^ *Compiling dregs-core ' '^ *Compiling dregs-server ' '^ *Finished '; do
    grep -q "$line" "$log.errors" || { echo "first-webhook.sh: the build did not show \"$line\"" >&2; return 1; }
  done
  for line in '^ *secret key ' '^dregs .* listens on '; do
    grep -q "$line" "$log" || { echo "first-webhook.sh: the server did not show \"$line\"" >&2; return 1; }
  done
  compiled="$(grep -c '^ *Compiling ' "$log.errors")"
  printf '%-8s %-14s %8d crates named, the first within %d s\n' "$way" "shown" "$compiled" "$SILENCE_MAX"
}

# The one file of a kind among the packages.
file() {
  local found
  mapfile -t found < <(find "$packages" -maxdepth 1 -name "$1")
  if [ ${#found[@]} != 1 ]; then
    echo "first-webhook.sh: there is to be one $1 in $packages: run scripts/package.sh" >&2
    return 1
  fi
  echo "${found[0]}"
}

# Each way installs in the folder, and sets how the server is started and how `dregs` is called there.
install_source() {
  git clone --quiet "$root" "$folder/dregs"
  serve="make --no-print-directory -C $folder/dregs run"
  dregs="$folder/dregs/target/release/dregs"
}
install_wheel() {
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$(file 'dregs_server-*.whl')"
  dregs="$folder/venv/bin/dregs"
  serve="$dregs serve --egress-allow 127.0.0.0/8"
}
install_npm() {
  (cd "$folder" && npm init --yes >/dev/null &&
    npm install --silent --no-audit --no-fund "$(file 'dregs-server-linux-*.tgz')" "$(file 'dregs-server-[0-9]*.tgz')")
  dregs="npx --no-install --prefix $folder dregs-server"
  serve="$dregs serve --egress-allow 127.0.0.0/8"
}
install_deb() {
  # Unpacked, and not installed: that takes root.
  dpkg-deb --extract "$(file 'dregs-server_*.deb')" "$folder/root"
  dregs="$folder/root/usr/bin/dregs"
  serve="$dregs serve --egress-allow 127.0.0.0/8"
}

missed=false
for way in "${ways[@]}"; do
  folder="$(mktemp -d)"
  export DREGS_DATA_DIR="$folder/data"
  unset DREGS_SECRET_KEY
  [ "$way" = source ] && max=$SOURCE_MAX || max=$PACKAGE_MAX
  [ "$way" = source ] && is_built=false || is_built=true
  begun="$(now)"
  "install_$way"
  cd "$folder"
  webhook "$serve" "$dregs" "$folder/first" "$PATIENCE"
  took "first webhook" "$(since "$begun")" "$max"
  $is_built || shown "$folder/first.server"
  is_built=true
  finish
  begun="$(now)"
  webhook "$serve" "$dregs" "$folder/second" "$STEP_PATIENCE"
  took "second start" "$(since "$begun")" "$SECOND_START_MAX"
  finish
  cd "$root"
  rm -rf "$folder"
  folder=
done
uptime | sed 's/^.*load/load/'
! $missed || { echo "first-webhook.sh: it took longer than it may" >&2; exit 1; }
