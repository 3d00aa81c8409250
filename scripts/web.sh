#!/usr/bin/env bash
# What runs in browsers: builds it, and tries it in a real Chromium.
#   scripts/web.sh install   installs what the others need
#   scripts/web.sh build     web/tracker/dist, web/dashboard/dist and the typed client, from their sources
#   scripts/web.sh test      checks that these are current, and runs the tests against the debug build of dregs
set -euo pipefail
cd "$(dirname "$0")/../web"
what="${1:-test}"
# What dregs.js may be, gzipped.
TRACKER_MAX_BYTES=30720

if ! command -v npm >/dev/null; then
  packages="nodejs npm"
fi
if [ "$what" != build ]; then
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
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund
  cp package-lock.json node_modules/.installed
fi

[ "$what" != install ] || exit 0

# Builds everything into the folder $1, laid out as in web/.
build() {
  mkdir -p "$1/api/src"
  (cd api && npx openapi-typescript ../../openapi.json --output "$1/api/src/schema.d.ts" >/dev/null)
  (cd tracker && npm run --silent build -- --outfile="$1/tracker/dist/dregs.js" --log-level=error)
  (cd dashboard && npm run --silent build -- --outDir "$1/dashboard/dist" --emptyOutDir --logLevel error)
}

check() {
  local workspace
  for workspace in api tracker dashboard; do (cd "$workspace" && npx tsc); done
}

if [ "$what" = build ]; then
  build "$PWD"
  check
  exit
fi
check
fresh="$(mktemp -d)"
trap 'rm -r "$fresh"' EXIT
build "$fresh"
for built in api/src/schema.d.ts tracker/dist dashboard/dist; do
  if ! diff -rq "$fresh/$built" "$built" >&2; then
    echo "web/$built is not what its source builds: run scripts/web.sh build" >&2
    exit 1
  fi
done
tracker="$(gzip -9 -c tracker/dist/dregs.js | wc -c)"
echo "dregs.js: $tracker bytes gzipped"
[ "$tracker" -le "$TRACKER_MAX_BYTES" ]
cd tests
npm test --silent
