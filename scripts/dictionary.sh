#!/usr/bin/env bash
# Trains a dictionary by which the store compresses analyses (store/codec.rs), on those of simulated people.
#   scripts/dictionary.sh FILE
set -euo pipefail
file=$(realpath "${1:?a file to write}")
cd "$(dirname "$0")/.."
command -v zstd >/dev/null || sudo -n apt-get install -y -qq zstd || apt-get install -y -qq zstd
scripts/detection/packages.sh
cargo run --locked --profile perf -p dregs-bench --bin detection -- --samples target/samples
find target/samples -name '*.json' | sort >target/samples/list
# Twice as much makes an analysis six bytes smaller.
zstd -q -f --train --filelist target/samples/list --maxdict=32768 -o "$file"
