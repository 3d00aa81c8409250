#!/usr/bin/env python3
"""Makes crates/core/data/free.txt: domains at which anybody gets a mailbox, so that two people there are no colleagues.

    scripts/detection/packages.sh && scripts/detection/free_mail.py           writes it
    scripts/detection/packages.sh && scripts/detection/free_mail.py --check   fails if it is not current

From the packages free-email-domains (npm, MIT) and freemail (npm, ISC), without what mailchecker has.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
TARGET = ROOT / "crates/core/data/free.txt"
DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+")


def load(pattern, file):
    (folder,) = PACKAGES.glob(pattern)
    return (folder / file).read_text()


def main():
    free = set(json.loads(load("free-email-domains-*", "domains.json")))
    free |= set(load("freemail-*", "data/free.txt").splitlines())
    disposable = set(re.findall(r"[\"']([a-z0-9.-]+)[\"']", load("mailchecker-*", "platform/node/index.js")))
    kept = {domain.strip().lower() for domain in free} - disposable
    content = "".join(f"{domain}\n" for domain in sorted(kept) if DOMAIN.fullmatch(domain))
    if "--check" not in sys.argv:
        TARGET.write_text(content)
    elif TARGET.read_text() != content:
        sys.exit(f"{TARGET} is not what {__file__} makes")


main()
