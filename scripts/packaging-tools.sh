#!/usr/bin/env bash
# What makes and lints packages, in a virtual environment of this checkout.
#   scripts/packaging-tools.sh   makes it, unless it is there and current
set -euo pipefail
cd "$(dirname "$0")/.."
folder="$PWD/target/packaging-tools"
wanted=packaging/requirements.txt
installed="$folder/installed.txt"

if cmp -s "$wanted" "$installed"; then exit; fi
rm -rf "$folder"
mkdir -p target
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
# Last, so that an installation that broke off is made again.
cp "$wanted" "$installed"
