#!/usr/bin/env bash
# Installs the small ones of the runtimes that the samples of docs/manual are written for. Go and Java are large: their
# samples run where they are installed.
set -euo pipefail
missing=()
ruby -e 'require "webrick"' 2>/dev/null || missing+=(ruby ruby-webrick)
command -v php >/dev/null || missing+=(php-cli)
command -v sqlite3 >/dev/null || missing+=(sqlite3)
[ ${#missing[@]} = 0 ] && exit
command -v apt-get >/dev/null || { echo "not installed, since there is no apt-get: ${missing[*]}" >&2; exit; }
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
