#!/usr/bin/env bash
# Installs strace where it is missing: by a program's calls tests tell what of its files survives a power cut.
set -euo pipefail
command -v strace >/dev/null && exit
echo "installing strace with apt-get" >&2
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq strace >&2
