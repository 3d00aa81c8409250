"""Checks that a folder has the packages of some platforms and of no others, and that each names its own.

  check_packages.py FOLDER VERSION TRIPLE...
"""

import gzip
import hashlib
import io
import json
import re
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

# What each kind of package calls a platform: npm, the wheel's tag, Debian, RPM, and how its binaries begin.
ELF, MACH_O = b"\x7fELF", b"\xcf\xfa\xed\xfe"
PLATFORMS = {
    "x86_64-unknown-linux-gnu": ("linux", "x64", r"manylinux_2_\d+_x86_64", "amd64", "x86_64", ELF, b"\x3e"),
    "aarch64-unknown-linux-gnu": ("linux", "arm64", r"manylinux_2_\d+_aarch64", "arm64", "aarch64", ELF, b"\xb7"),
    "x86_64-apple-darwin": ("darwin", "x64", r"macosx_10_\d+_x86_64", None, None, MACH_O, b"\x07"),
    "aarch64-apple-darwin": ("darwin", "arm64", r"macosx_11_0_arm64", None, None, MACH_O, b"\x0c"),
}
MACHINE_AT = {ELF: 18, MACH_O: 4}
RPM_LEAD, RPM_ARCH, RPM_REQUIRES, RPM_REQUIRES_VERSION = 96, 1022, 1049, 1050


def check(holds, what):
    if not holds:
        sys.exit(f"check_packages.py: {what}")


def the_one(paths, what):
    paths = list(paths)
    check(len(paths) == 1, f"{len(paths)} files instead of one: {what}")
    return paths[0]


def check_binary(file, bytes_, mode, begins, machine):
    check(mode & 0o777 == 0o755, f"{file}: the binary has the mode {mode:o}")
    at = MACHINE_AT[begins]
    check(bytes_.startswith(begins) and bytes_[at : at + 1] == machine, f"{file}: its binary is for another platform")


def check_wheel(file, tag, begins, machine):
    wheel = zipfile.ZipFile(file)
    meta = wheel.read(the_one([name for name in wheel.namelist() if name.endswith("dist-info/WHEEL")], f"WHEEL in {file}"))
    tags = re.findall(r"^Tag: (.*)$", meta.decode(), re.M)
    check(tags and all(re.fullmatch(f"py3-none-({tag})", one) for one in tags if "manylinux2" not in one), f"{file}: {tags}")
    binary = the_one([one for one in wheel.infolist() if "/scripts/dregs" in one.filename], f"dregs in {file}")
    check_binary(file, wheel.read(binary), binary.external_attr >> 16, begins, machine)
    check(any("/sboms/" in name for name in wheel.namelist()), f"{file}: no bill of materials")


def npm_manifest(file):
    archive = tarfile.open(file)
    return archive, json.load(archive.extractfile("package/package.json"))


def check_npm(file, os, cpu, version, begins, machine):
    archive, manifest = npm_manifest(file)
    libc = {"libc": ["glibc"]} if os == "linux" else {}
    wanted = {"name": f"dregs-server-{os}-{cpu}", "version": version, "os": [os], "cpu": [cpu], **libc}
    for key in ("name", "version", "os", "cpu", "libc"):
        check(manifest.get(key) == wanted.get(key), f"{file}: {key} is {manifest.get(key)}")
    binary = archive.getmember("package/bin/dregs")
    check_binary(file, archive.extractfile(binary).read(), binary.mode, begins, machine)


def members(file):
    """Of an ar archive, which a Debian package is."""
    text = file.read_bytes()
    check(text.startswith(b"!<arch>\n"), f"{file}: no Debian package")
    at, found = 8, {}
    while at < len(text):
        name, size = text[at : at + 16].decode().strip().rstrip("/"), int(text[at + 48 : at + 58])
        found[name] = text[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    return found


def check_deb(file, arch, version, begins, machine):
    found = members(file)
    control = tarfile.open(fileobj=io.BytesIO(gzip.decompress(found["control.tar.gz"])))
    text = control.extractfile("./control").read().decode()
    fields = dict(re.findall(r"^(\w[\w-]*): (.*)$", text, re.M))
    check(fields["Architecture"] == arch, f"{file}: Architecture is {fields['Architecture']}")
    check(fields["Version"] == f"{version}-1", f"{file}: Version is {fields['Version']}")
    check(re.fullmatch(r"libc6 \(>= 2\.\d+(\.\d+)?\)", fields["Depends"]), f"{file}: Depends is {fields['Depends']}")
    data = tarfile.open(fileobj=io.BytesIO(gzip.decompress(found["data.tar.gz"])))
    binary = data.getmember("./usr/bin/dregs")
    check_binary(file, data.extractfile(binary).read(), binary.mode, begins, machine)
    return fields["Depends"].removeprefix("libc6 ").strip("()")


def rpm_header(text, at):
    """What a header has under each tag, and where it ends."""
    check(text[at : at + 3] == b"\x8e\xad\xe8", "no header of an RPM")
    count, size = struct.unpack(">II", text[at + 8 : at + 16])
    store = at + 16 + 16 * count
    found = {}
    for index in range(count):
        tag, kind, offset, items = struct.unpack(">IIII", text[at + 16 + 16 * index : at + 32 + 16 * index])
        if kind in (6, 8, 9):
            found[tag] = [one.decode() for one in text[store + offset : store + size].split(b"\0")[:items]]
    return found, store + size


def check_rpm(file, arch, needs):
    text = file.read_bytes()
    check(text.startswith(b"\xed\xab\xee\xdb"), f"{file}: no RPM")
    _, end = rpm_header(text, RPM_LEAD)
    header, _ = rpm_header(text, (end + 7) // 8 * 8)
    check(header[RPM_ARCH] == [arch], f"{file}: it is for {header[RPM_ARCH]}")
    required = dict(zip(header[RPM_REQUIRES], header[RPM_REQUIRES_VERSION]))
    check(f">= {required.get('glibc')}" == needs, f"{file}: it requires {required}")


folder, version, *triples = Path(sys.argv[1]), sys.argv[2], *sys.argv[3:]
unexpected = {path.name for path in folder.iterdir()}


def expect(pattern):
    file = the_one(folder.glob(pattern), f"{folder}/{pattern}")
    unexpected.discard(file.name)
    return file


# The wheel's tag names a version of the C library as well: the one that Linux packages ask for, or the next with a tag.
NEXT_TAG = 2


def check_same_library(wheel, needs):
    tag = int(re.search(r"manylinux_2_(\d+)_", wheel.name)[1])
    needed = int(re.search(r">= 2\.(\d+)", needs)[1])
    check(needed <= tag <= needed + NEXT_TAG, f"{wheel}: Linux packages ask for {needs}")


names = []
for triple in triples:
    os, cpu, tag, deb, rpm, begins, machine = PLATFORMS[triple]
    wheels = [path for path in folder.glob("*.whl") if re.search(f"-py3-none-({tag})", path.name)]
    wheel = expect(the_one(wheels, f"a wheel for {triple}").name)
    check_wheel(wheel, tag, begins, machine)
    check_npm(expect(f"dregs-server-{os}-{cpu}-{version}.tgz"), os, cpu, version, begins, machine)
    names.append(f"dregs-server-{os}-{cpu}")
    if deb:
        needs = check_deb(expect(f"dregs-server_{version}-1_{deb}.deb"), deb, version, begins, machine)
        check_rpm(expect(f"dregs-server-{version}-1.{rpm}.rpm"), rpm, needs)
        check_same_library(wheel, needs)

launcher = expect(f"dregs-server-{version}.tgz")
_, manifest = npm_manifest(launcher)
wanted = {name: version for name in names}
check(manifest["optionalDependencies"] == wanted, f"{launcher}: {manifest['optionalDependencies']}")

pages = tarfile.open(expect(f"dregs-{version}-man-completions.tar.gz")).getnames()
check("man/dregs-serve.1.gz" in pages and "completions/dregs.bash" in pages, f"manual pages: {pages}")
for bill in ("crates", "web"):
    expect(f"dregs-{version}-{bill}.cdx.json")

sums = dict(reversed(line.split("  ")) for line in expect("SHA256SUMS").read_text().splitlines())
check(set(sums) == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}, f"SHA256SUMS names {sorted(sums)}")
for name, digest in sums.items():
    check(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, f"SHA256SUMS: another {name}")
check(not unexpected, f"{folder} has more: {sorted(unexpected)}")
