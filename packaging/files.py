"""What scripts/package.sh does with files, where the programs for it differ between Linux and macOS.

  files.py platform BINARY              the platform that a binary is for, as npm calls it
  files.py glibc BINARY                 the newest version of the GNU C library that an ELF file asks for
  files.py cargo BINARY                 a stand-in for cargo, which says that it has built the binary
  files.py archive FOLDER NAME... >FILE a .tar.gz, the same for the same files
  files.py mail-date                    the time in SOURCE_DATE_EPOCH
  files.py sums FOLDER VERSION          SHA256SUMS of the packages there
"""

import email.utils
import gzip
import hashlib
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

ELF, MACH_O = b"\x7fELF", struct.pack("<I", 0xFEEDFACF)
MACHINES = {
    (ELF, 62): "linux x64",
    (ELF, 183): "linux arm64",
    (MACH_O, 0x01000007): "darwin x64",
    (MACH_O, 0x0100000C): "darwin arm64",
}


def platform(binary):
    head = Path(binary).open("rb").read(20)
    kind = head[:4]
    machine = struct.unpack("<H", head[18:20])[0] if kind == ELF else struct.unpack("<I", head[4:8])[0]
    return MACHINES.get((kind, machine), "no platform that has packages")


def glibc(binary):
    with open(binary, "rb") as file:
        needed = [section for section in ELFFile(file).iter_sections() if isinstance(section, GNUVerNeedSection)]
        names = [version.name for section in needed for _, versions in section.iter_versions() for version in versions]
    found = [re.fullmatch(r"GLIBC_([0-9.]+)", name) for name in names]
    versions = [tuple(map(int, match[1].split("."))) for match in found if match]
    if not versions:
        sys.exit(f"{binary}: it asks for no version of the GNU C library")
    return ".".join(map(str, max(versions)))


def cargo(binary):
    """maturin asks it to build, and reads in its answer where the binary is; all else is the real one's."""
    real = shutil.which("cargo")
    package = subprocess.run([real, "pkgid", "-p", "dregs-server"], capture_output=True, check=True, text=True).stdout.strip()
    main = str(Path("crates/server/src/main.rs").resolve())
    kinds = {"kind": ["bin"], "crate_types": ["bin"]}
    profile = {"opt_level": "3", "debuginfo": 0, "debug_assertions": False, "overflow_checks": False, "test": False}
    built = {
        "reason": "compiler-artifact",
        "package_id": package,
        "manifest_path": str(Path("crates/server/Cargo.toml").resolve()),
        "target": {"name": "dregs", "src_path": main, "edition": "2024", "doc": True, "doctest": False, "test": True, **kinds},
        "profile": profile,
        "features": [],
        "filenames": [binary],
        "executable": binary,
        "fresh": True,
    }
    lines = [json.dumps(built), json.dumps({"reason": "build-finished", "success": True})]
    said = shlex.quote("\n".join(lines))
    return f"""#!/bin/sh
case "$1" in
  rustc | build) printf '%s\\n' {said} ;;
  *) exec {shlex.quote(real)} "$@" ;;
esac"""


def archive(folder, *names):
    def plain(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
        return entry

    with gzip.GzipFile(filename="", fileobj=sys.stdout.buffer, mode="wb", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archived:
            for name in names:
                archived.add(Path(folder) / name, arcname=name, filter=plain)


def mail_date():
    return email.utils.formatdate(int(os.environ["SOURCE_DATE_EPOCH"]))


def sums(folder, version):
    packages = sorted(path for path in Path(folder).glob(f"*dregs*{version}*"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in packages]
    (Path(folder) / "SHA256SUMS").write_text("".join(lines))


COMMANDS = {
    "platform": platform,
    "glibc": glibc,
    "cargo": cargo,
    "archive": archive,
    "mail-date": mail_date,
    "sums": sums,
}

said = COMMANDS[sys.argv[1]](*sys.argv[2:])
if said is not None:
    print(said)
