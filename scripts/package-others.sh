#!/usr/bin/env bash
# Makes the packages of each platform that this one is not, of a stand-in for its binary, and checks what they say of the
# platform. Nothing is built for another, so this is of the packages alone.
#   scripts/package-others.sh FOLDER   into a folder, which is made anew
set -euo pipefail
cd "$(dirname "$0")/.."
out="$1"
host="$(rustc -vV | sed -n 's/^host: //p')"
version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
begun=$SECONDS
work="$(mktemp -d)"
trap 'rm -r "$work"' EXIT
rm -rf "$out"

# A program of this machine, small, and linked as Rust's are.
printf 'int main(void) { return 0; }\n' >"$work/main.c"
cc -o "$work/here" "$work/main.c"

others=()
for target in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-apple-darwin aarch64-apple-darwin; do
  [ "$target" != "$host" ] || continue
  others+=("$target")
  python3 packaging/lint/stand_in.py "$work/here" "$target" >"$work/$target"
  scripts/package.sh --target "$target" --binary "$work/$target" --profile dev --out "$out" >"$work/said" 2>&1 || {
    cat "$work/said" >&2
    exit 1
  }
done
# As CI does with what it has made on several machines: over what is there.
rm "$out/SHA256SUMS"
scripts/package.sh --gather --out "$out" >/dev/null
target/packaging-tools/bin/python packaging/lint/check_packages.py "$out" "$version" "${others[@]}"

if scripts/package.sh --target "${others[0]}" --binary "$work/here" --profile dev --out "$work/wrong" >"$work/said" 2>&1; then
  echo "package-others.sh: a binary of this machine became a package for ${others[0]}" >&2
  exit 1
fi
grep -q 'the binary is for' "$work/said" || { cat "$work/said" >&2; exit 1; }
echo "packages for ${others[*]}: $((SECONDS - begun)) s"
