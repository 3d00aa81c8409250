#!/usr/bin/env python3
"""Makes crates/core/data/crawlers.tsv: what crawlers and HTTP libraries call themselves in a user agent.

    scripts/detection/packages.sh && scripts/detection/crawlers.py           writes it
    scripts/detection/packages.sh && scripts/detection/crawlers.py --check   fails if it is not current

From the packages crawler-user-agents (npm, MIT), which has a tag for each, and crawlerdetect (PyPI, MIT). Of their
regular expressions those are taken that are plain text, in lower case; a name that stands in the user agents of
many real devices is left out.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
TARGET = ROOT / "crates/core/data/crawlers.tsv"
# A name that so many real devices have in their user agents says nothing.
DEVICES_MAX = 20
SHORTEST = 4
METACHARACTERS = re.compile(r"[\[\]\\*?{}|$^]")


def plain(pattern):
    """The text that a pattern without operators stands for, in lower case."""
    text = re.sub(r"\\([/.\-() +!:@])", r"\1", pattern)
    either_case = lambda match: match[1] if match[1].lower() == match[2].lower() else match[0]
    return re.sub(r"\[([a-zA-Z])([a-zA-Z])\]", either_case, text).lstrip("^").lower()


def main():
    (tagged,) = PACKAGES.glob("crawler-user-agents-*/crawler-user-agents.json")
    (listed,) = PACKAGES.glob("crawlerdetect-*/crawlerdetect/providers/crawlers.py")
    (devices,) = PACKAGES.glob("crawlerdetect-*/tests/fixtures/user_agent/devices.txt")
    names = {}
    for entry in json.loads(tagged.read_text()):
        names.setdefault(plain(entry["pattern"]), (entry.get("tags") or [""])[0])
    for pattern in re.findall(r"""^\s*r?["'](.+?)["'],?\s*$""", listed.read_text(), re.MULTILINE):
        names.setdefault(plain(pattern), "")
    seen = devices.read_text(errors="replace").lower()
    names = {
        name: tag
        for name, tag in names.items()
        if len(name) >= SHORTEST and not METACHARACTERS.search(name) and seen.count(name) <= DEVICES_MAX
    }
    # What a shorter name finds as well needs no entry, unless it says more.
    kept = []
    for name in sorted(names, key=lambda name: (len(name), name)):
        if names[name] or not any(shorter in name for shorter in kept):
            kept.append(name)
    text = "".join(f"{name}\t{names[name]}\n" for name in sorted(kept))
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == text else f"{TARGET} is not what {__file__} makes")
    TARGET.write_text(text)
    print(f"{len(kept)} names in {TARGET}")


main()
