"""A stand-in for a binary of another platform, by its header, of a small program of this one. Nobody can run it.

  stand_in.py PROGRAM TRIPLE >FILE
"""

import struct
import sys
from pathlib import Path

MACHINES = {"x86_64-unknown-linux-gnu": 62, "aarch64-unknown-linux-gnu": 183}
# Of a Mach-O file: magic, processor and its kind, an executable, no commands.
MACH_O = {
    "x86_64-apple-darwin": (0xFEEDFACF, 0x01000007, 3, 2, 0, 0, 0, 0),
    "aarch64-apple-darwin": (0xFEEDFACF, 0x0100000C, 0, 2, 0, 0, 0, 0),
}

triple = sys.argv[2]
if triple in MACH_O:
    text = struct.pack("<8I", *MACH_O[triple])
else:
    text = bytearray(Path(sys.argv[1]).read_bytes())
    text[18:20] = struct.pack("<H", MACHINES[triple])
    # The first version that there was of the C library for x86-64; for AArch64 it was 2.17.
    text = bytes(text).replace(b"GLIBC_2.2.5\0", b"GLIBC_2.17\0\0")
sys.stdout.buffer.write(text)
