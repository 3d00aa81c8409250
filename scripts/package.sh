#!/usr/bin/env bash
# Makes what is released, for one platform: a wheel, npm packages, a Debian package, an RPM, bills of materials, manual
# pages and completions. Nothing is published.
#   scripts/package.sh                              into target/package, of the profile `dist`, for this platform
#   scripts/package.sh --target TRIPLE              for another; cargo has to have it, and a linker for it
#   scripts/package.sh --binary FILE                of a binary that is there: cargo builds none
#   scripts/package.sh --profile dev --out FOLDER   of what is built already, for tests
#   scripts/package.sh --gather --out FOLDER        only what names the packages of all platforms that are there
# .github/workflows/release.yml runs it once a target, and gathers. It is for Linux and macOS, whose bash is 3.2.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=dist
host="$(rustc -vV | sed -n 's/^host: //p')"
target="$host"
binary=
only_gather=false
out=target/package
while [ $# -gt 0 ]; do
  case "$1" in
    --gather) only_gather=true; shift; continue ;;
    --profile) profile="$2" ;;
    --target) target="$2" ;;
    --binary) binary="$2" ;;
    --out) out="$2" ;;
    *) echo "package.sh: there is no $1" >&2; exit 2 ;;
  esac
  shift 2
done

# What each kind of package calls the platform.
case "$target" in
  x86_64-unknown-linux-gnu) npm="linux x64"; linux=amd64 ;;
  aarch64-unknown-linux-gnu) npm="linux arm64"; linux=arm64 ;;
  x86_64-apple-darwin) npm="darwin x64"; linux="" ;;
  aarch64-apple-darwin) npm="darwin arm64"; linux="" ;;
  *) echo "package.sh: there are no packages for $target" >&2; exit 2 ;;
esac

scripts/packaging-tools.sh
tools="$PWD/target/packaging-tools/bin"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"

files() { "$tools/python" packaging/files.py "$@"; }

# The npm package `dregs-server` names all platforms that are there.
gather() {
  node packaging/npm/pack.js main "$out" "$version"
  files sums "$out" "$version"
  ls -l "$out"
}
if $only_gather; then
  gather
  exit
fi

stage="$(mktemp -d)"
trap 'rm -r "$stage"' EXIT
# The same commit gives the same packages.
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH
# Crates of C are compiled anew where it changes; what a developer has built already was built without.
as_built=(env -u SOURCE_DATE_EPOCH)

echo "the binary and its wheel, for $target" >&2
built="${CARGO_TARGET_DIR:-$PWD/target}"
other=()
if [ "$target" != "$host" ]; then
  built="$built/$target"
  other=(--target "$target")
fi
[ "$profile" = dev ] && built="$built/debug" || built="$built/$profile"
path="$PATH"
if [ -n "$binary" ]; then
  built="$stage/built"
  mkdir "$built" "$stage/bin"
  install -m 0755 "$binary" "$built/dregs"
  files cargo "$built/dregs" >"$stage/bin/cargo"
  chmod 0755 "$stage/bin/cargo"
  path="$stage/bin:$PATH"
fi
build=("$tools/maturin" build --profile "$profile" --out "$stage/wheel")
[ "$profile" != dev ] || build=("${as_built[@]}" "${build[@]}")
# An empty array is an unset one to bash 3.2.
(cd packaging/wheel && unset CARGO && PATH="$path" "${build[@]}" ${other[@]+"${other[@]}"})
install -m 0755 "$built/dregs" "$stage/dregs"
is="$(files platform "$stage/dregs")"
[ "$is" = "$npm" ] || { echo "package.sh: the binary is for $is, and not for $npm" >&2; exit 1; }
# The profile `dist` has none of what this takes away; and this machine's strip reads its own binaries alone.
if [ "$profile" = dev ] && [ "$target" = "$host" ]; then strip "$stage/dregs"; fi

echo "manual pages and completions" >&2
dregs() {
  if [ "$target" = "$host" ] && [ -z "$binary" ]; then
    "$stage/dregs" "$@"
  else
    "${as_built[@]}" cargo run --quiet --locked -p dregs-server -- "$@"
  fi
}
dregs man "$stage/man"
gzip -n9 "$stage"/man/*.1
mkdir "$stage/completions"
dregs completions bash >"$stage/completions/dregs.bash"
dregs completions zsh >"$stage/completions/_dregs"
dregs completions fish >"$stage/completions/dregs.fish"
gzip -n9c CHANGELOG.md >"$stage/changelog.gz"
files archive "$stage" man completions >"$out/dregs-$version-man-completions.tar.gz"

echo "npm packages" >&2
# shellcheck disable=SC2086
node packaging/npm/pack.js platform "$out" "$version" $npm "$stage/dregs"

if [ -n "$linux" ]; then
  echo "Linux packages" >&2
  glibc="$(files glibc "$stage/dregs")"
  export PACKAGE_ARCH="$linux" PACKAGE_VERSION="$version" PACKAGE_GLIBC="$glibc" PACKAGE_STAGE="$stage"
  export PACKAGE_MAINTAINER="${PACKAGE_MAINTAINER:-dregs contributors <dregs@example.com>}"
  printf 'dregs-server (%s-1) unstable; urgency=medium\n\n  * What has changed is in changelog.gz.\n\n -- %s  %s\n' \
    "$version" "$PACKAGE_MAINTAINER" "$(files mail-date)" |
    gzip -n9 >"$stage/changelog.Debian.gz"
  for packager in deb rpm; do
    "$tools/nfpm" package --config packaging/nfpm.yaml --packager "$packager" --target "$out" >&2
  done
fi

echo "bills of materials" >&2
# maturin writes that of the crates into the wheel.
"$tools/python" - "$stage"/wheel/*.whl >"$out/dregs-$version-crates.cdx.json" <<'EOF'
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
[bill] = [name for name in wheel.namelist() if "/sboms/" in name]
sys.stdout.write(wheel.read(bill).decode())
EOF
mv "$stage"/wheel/*.whl "$out/"
# What is bundled into the dashboard and the script.
node packaging/npm/web_bill.js "$version" >"$out/dregs-$version-web.cdx.json"
gather
