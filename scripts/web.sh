#!/usr/bin/env bash
# What runs in browsers: builds it, and tries it in a real Chromium.
#   scripts/web.sh build   web/tracker/dist from web/tracker/src
#   scripts/web.sh test    checks that the build is current, and runs the tests against the debug build of dregs
set -euo pipefail
cd "$(dirname "$0")/../web"
what="${1:-test}"

if ! command -v npm >/dev/null; then
  packages="nodejs npm"
fi
if [ "$what" = test ]; then
  command -v chromium >/dev/null || packages="${packages:-} chromium"
  command -v chromedriver >/dev/null || packages="${packages:-} chromium-driver"
  command -v Xvfb >/dev/null || packages="${packages:-} xvfb"
fi
if [ -n "${packages:-}" ]; then
  echo "installing $packages with apt-get" >&2
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >&2
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq $packages >&2
fi

# Installed anew where the lock file has changed.
install() {
  (
    cd "$1"
    cmp -s package-lock.json node_modules/.installed && exit
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/.installed
  )
}

install tracker
if [ "$what" = build ]; then
  cd tracker
  npm run --silent check
  npm run --silent build
  exit
fi
(
  cd tracker
  npm run --silent check
  fresh="$(mktemp -d)"
  trap 'rm -r "$fresh"' EXIT
  npm run --silent build -- --outfile="$fresh/dregs.js" --log-level=error
  if ! cmp -s "$fresh/dregs.js" dist/dregs.js; then
    echo "web/tracker/dist is not what its source builds: run scripts/web.sh build" >&2
    exit 1
  fi
  bytes="$(gzip -9 -c dist/dregs.js | wc -c)"
  echo "dregs.js: $bytes bytes gzipped"
  [ "$bytes" -le 30720 ]
)
install tests
cd tests
npm test --silent
