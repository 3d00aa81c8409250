#!/usr/bin/env bash
# The published Python clients, for tests, in a virtual environment of this checkout.
#   scripts/python-clients.sh   makes it, unless it is there and current
set -euo pipefail
cd "$(dirname "$0")/.."
folder="$PWD/target/python-clients"
wanted=crates/server/tests/clients/requirements.txt
installed="$folder/installed.txt"

if cmp -s "$wanted" "$installed"; then exit; fi
rm -rf "$folder"
mkdir -p target
if ! python3 -c 'import ensurepip' 2>/dev/null; then
  echo "installing python3-venv with apt-get" >&2
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq python3-venv >&2
fi
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
# Last, so that an installation that broke off is made again.
cp "$wanted" "$installed"
