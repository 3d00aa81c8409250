#!/usr/bin/env bash
# Makes what is released, for one platform: a wheel, npm packages, a Debian package, an RPM, bills of materials, manual
# pages and completions. Nothing is published.
#   scripts/package.sh                              into target/package, of the profile `dist`, for this platform
#   scripts/package.sh --target TRIPLE              for another; cargo has to have it, and a linker for it
#   scripts/package.sh --profile dev --out FOLDER   of what is built already, for tests
# Release CI runs it once a target into one folder: the npm package `dregs-server` names all platforms that are there.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=dist
host="$(rustc -vV | sed -n 's/^host: //p')"
target="$host"
out=target/package
while [ $# -gt 0 ]; do
  case "$1" in
    --profile) profile="$2" ;;
    --target) target="$2" ;;
    --out) out="$2" ;;
    *) echo "package.sh: there is no $1" >&2; exit 2 ;;
  esac
  shift 2
done

# What each kind of package calls the platform.
case "$target" in
  x86_64-unknown-linux-*) npm=(linux x64); linux=amd64 ;;
  aarch64-unknown-linux-*) npm=(linux arm64); linux=arm64 ;;
  x86_64-apple-darwin) npm=(darwin x64); linux="" ;;
  aarch64-apple-darwin) npm=(darwin arm64); linux="" ;;
  *) echo "package.sh: there are no packages for $target" >&2; exit 2 ;;
esac

scripts/packaging-tools.sh
tools="$PWD/target/packaging-tools/bin"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
stage="$(mktemp -d)"
trap 'rm -r "$stage"' EXIT
version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
# The same commit gives the same packages.
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH

echo "the binary and its wheel, for $target" >&2
built="${CARGO_TARGET_DIR:-$PWD/target}"
other=()
if [ "$target" != "$host" ]; then
  built="$built/$target"
  other=(--target "$target")
fi
(cd packaging/wheel && "$tools/maturin" build --profile "$profile" "${other[@]}" --out "$stage/wheel")
[ "$profile" = dev ] && built="$built/debug" || built="$built/$profile"
install -m 0755 "$built/dregs" "$stage/dregs"
strip "$stage/dregs"

echo "manual pages and completions" >&2
dregs() {
  if [ "$target" = "$host" ]; then "$stage/dregs" "$@"; else cargo run --quiet --locked -p dregs-server -- "$@"; fi
}
dregs man "$stage/man"
gzip -n9 "$stage"/man/*.1
mkdir "$stage/completions"
dregs completions bash >"$stage/completions/dregs.bash"
dregs completions zsh >"$stage/completions/_dregs"
dregs completions fish >"$stage/completions/dregs.fish"
gzip -n9c CHANGELOG.md >"$stage/changelog.gz"
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -c man completions |
  gzip -n9 >"$out/dregs-$version-man-completions.tar.gz"

echo "npm packages" >&2
node packaging/npm/pack.js platform "$out" "$version" "${npm[@]}" "$stage/dregs"
node packaging/npm/pack.js main "$out" "$version"

if [ -n "$linux" ]; then
  echo "Linux packages" >&2
  # The newest of the C library's versions that it asks for.
  glibc="$(objdump -T "$stage/dregs" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -1)"
  export PACKAGE_ARCH="$linux" PACKAGE_VERSION="$version" PACKAGE_GLIBC="$glibc" PACKAGE_STAGE="$stage"
  export PACKAGE_MAINTAINER="${PACKAGE_MAINTAINER:-dregs contributors <dregs@example.com>}"
  printf 'dregs-server (%s-1) unstable; urgency=medium\n\n  * What has changed is in changelog.gz.\n\n -- %s  %s\n' \
    "$version" "$PACKAGE_MAINTAINER" "$(date --utc --date "@$SOURCE_DATE_EPOCH" --rfc-email)" |
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

(cd "$out" && sha256sum -- *dregs*"$version"* >SHA256SUMS && ls -l)
