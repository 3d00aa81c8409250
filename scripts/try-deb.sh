#!/usr/bin/env bash
# Installs a Debian package, upgrades, removes and purges it, and checks what is there after each. All of that is in a root
# of its own, a temporary folder: dpkg runs the package's scripts in there, by chroot, and nothing of this machine changes.
# It takes root. The root has this machine's shell, C library, rm, systemd-sysusers and systemctl; no systemd runs in it.
#   scripts/try-deb.sh FILE
set -euo pipefail
deb="$(realpath "$1")"
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"

fail() {
  echo "try-deb.sh: $*" >&2
  exit 1
}

# The folders that are links on this machine are links there.
mkdir -p "$root"/{etc/systemd/system,usr/bin,usr/sbin,usr/lib,usr/lib64,var/log,var/lib/dpkg/info,var/lib/dpkg/updates,run,tmp,dev}
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then ln -s "usr/$folder" "$root/$folder"; else mkdir "$root/$folder"; fi
done
# A program of this machine, and the libraries that programs are linked with.
libraries() { ldd "$1" | grep -o '/[^ ]*'; }
bring() {
  local file
  for file in "$@"; do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
}
unpacked="$root/tmp/unpacked"
dpkg-deb --extract "$deb" "$unpacked"
for program in /bin/sh /bin/rm "$(command -v systemd-sysusers)" "$(command -v systemctl)"; do
  mapfile -t needed < <(libraries "$program")
  bring "$program" "${needed[@]}"
done
mapfile -t needed < <(libraries "$unpacked/usr/bin/dregs")
bring "${needed[@]}"
rm -r "$unpacked"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
echo 'root:*:1::::::' >"$root/etc/shadow"
echo 'root:*::' >"$root/etc/gshadow"
# What the package depends on is installed there, as it is here.
dpkg-query --status libc6 >"$root/var/lib/dpkg/status"
touch "$root/var/lib/dpkg/info/libc6:$(dpkg --print-architecture).list"
# The package's scripts take systemd to be there; systemctl does what it can without it.
mkdir -p "$root/run/systemd/system"
export SYSTEMD_OFFLINE=1

# The shell writes there; a file does.
touch "$root/dev/null"
chmod 0666 "$root/dev/null"

# This machine's settings of dpkg, which may leave out manual pages, do not count.
in_root() {
  dpkg --root="$root" --log="$root/var/log/dpkg.log" --path-include='/*' "$@" >"$root/var/log/said" 2>&1 || {
    cat "$root/var/log/said" >&2
    fail "dpkg $*"
  }
}
everything() { (cd "$root" && find . -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -print | sort); }
status() { dpkg-query --root="$root" --showformat '${Status}' --show dregs-server 2>/dev/null || true; }
is_there() { [ -e "$root/$1" ] || [ -L "$root/$1" ] || fail "$2: there is no /$1"; }
is_gone() { [ ! -e "$root/$1" ] && [ ! -L "$root/$1" ] || fail "$2: there still is /$1"; }
has_mode() {
  local mode
  mode="$(stat --format '%a %u:%g' "$root/$1")"
  [ "$mode" = "$2 0:0" ] || fail "/$1 has $mode"
}
as_dregs() { chroot --userspec=dregs:dregs "$root" /bin/sh -c "$1" 2>/dev/null; }

wanted=etc/systemd/system/multi-user.target.wants/dregs.service
everything >"$root/var/log/before"

in_root --install "$deb"
[ "$(status)" = "install ok installed" ] || fail "installed: $(status)"
grep -Eq '^dregs:[!*x]+:[0-9]{1,3}:[0-9]{1,3}:dregs server:/var/lib/dregs:/usr/sbin/nologin$' "$root/etc/passwd" ||
  fail "the user is $(grep '^dregs' "$root/etc/passwd" || echo missing)"
grep -Eq '^dregs:!' "$root/etc/shadow" || fail "somebody can sign in as dregs"
has_mode usr/bin/dregs 755
has_mode etc/dregs/dregs.toml 644
has_mode etc/dregs/dregs.env 600
has_mode lib/systemd/system/dregs.service 644
for file in usr/share/{man/man1/dregs-serve.1.gz,bash-completion/completions/dregs,doc/dregs-server/copyright}; do
  is_there "$file" "installed"
done
said="$(dpkg --root="$root" --verify dregs-server)"
[ -z "$said" ] || fail "dpkg --verify: $said"
is_gone "$wanted" "the first start is the administrator's"
as_dregs 'exec /usr/bin/dregs --version' >/dev/null || fail "the user dregs cannot run it"
as_dregs 'read line </etc/dregs/dregs.toml' || fail "the user dregs cannot read its settings"
! as_dregs 'read line </etc/dregs/dregs.env' || fail "the user dregs can read secrets that systemd reads for it"

# What an administrator does, and the service.
systemctl --root="$root" enable --quiet dregs.service
is_there "$wanted" "enabled"
echo '# mine' >>"$root/etc/dregs/dregs.toml"
mkdir "$root/var/lib/dregs"
echo data >"$root/var/lib/dregs/dregs.sqlite"
users="$(cat "$root/etc/passwd")"

in_root --install "$deb"
[ "$(status)" = "install ok installed" ] || fail "upgraded: $(status)"
is_there "$wanted" "upgraded"
grep -q '^# mine$' "$root/etc/dregs/dregs.toml" || fail "an upgrade has lost the administrator's settings"
[ "$(cat "$root/etc/passwd")" = "$users" ] || fail "an upgrade has made another user"

in_root --remove dregs-server
[ "$(status)" = "deinstall ok config-files" ] || fail "removed: $(status)"
is_gone "$wanted" "removed"
is_gone usr/bin/dregs "removed"
is_gone lib/systemd/system/dregs.service "removed"
is_there etc/dregs/dregs.toml "removed"
is_there var/lib/dregs/dregs.sqlite "removed"

in_root --purge dregs-server
[ -z "$(status)" ] || [ "$(status)" = "unknown ok not-installed" ] || fail "purged: $(status)"
is_there var/lib/dregs/dregs.sqlite "purged"
# The user stays, as the owner of the data.
grep -q '^dregs:' "$root/etc/passwd" || fail "purged: the owner of the data is gone"
left="$(comm -13 "$root/var/log/before" <(everything) |
  grep -Ev '^\./etc/(\.pwd\.lock|(passwd|group|shadow|gshadow)-)$' | tr '\n' ' ')"
[ "$left" = "./var/lib/dregs ./var/lib/dregs/dregs.sqlite " ] || fail "purged: $left"
