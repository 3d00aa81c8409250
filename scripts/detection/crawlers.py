#!/usr/bin/env python3
"""Makes crates/core/data/crawlers.tsv: what crawlers and HTTP libraries call themselves in a user agent.

    scripts/detection/packages.sh && scripts/detection/crawlers.py           writes it
    scripts/detection/packages.sh && scripts/detection/crawlers.py --check   fails if it is not current

From the packages crawler-user-agents (npm, MIT), which has a tag for each, and crawlerdetect (PyPI, MIT). Both have
regular expressions, and user agents that they are to find. A name is the whole words in which an expression finds
something, so that it does not stand in other words; or the expression, if it is plain text that finds nothing there.

Each name has the places where it was found inside the user agent of a whole browser: s in the comment that names
the system, p in that of a phone, t in what follows. There it counts nowhere else: people's browsers name devices, apps and extensions of any name. A
name that stands in the user agents of real devices is left out, and so is a word of the dictionary (english_words on
PyPI, MIT), which any app may have for its name.
"""

import collections
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
TARGET = ROOT / "crates/core/data/crawlers.tsv"
# A name that so many real devices have in their user agents says nothing; inside a whole browser's, one is enough.
DEVICES_MAX = 5
SHORTEST = 3
METACHARACTERS = re.compile(r"[\[\]\\*?{}|$^]")
# An expression that finds words of any beginning tells a crawler, but not its name from others'.
GENERIC = re.compile(r"\[a-z0-9\\-_\]\*\(")
EDGE = " ;()[],/\"'{}<>"
BROWSER = re.compile(r"Chrome/|CriOS/|Firefox/|FxiOS/|Safari/|MSIE |Trident/|Opera[/ ]|Gecko/|Konqueror/|Mobile/")
PHONE = re.compile(r"android|iphone|ipad")
ADDRESS = re.compile(r"://|www\.|\w@\w+\.[a-z]|compatible;")
# Browsers and editors of people; what stands between people and the server; what reports of people, and visits nobody.
NO_CRAWLERS = re.compile(
    r"webhook|\bscim\b|\bhook|amazon cloudfront|microsoft (office|outlook)"
    r"|^(code|daum|fluid|libvlc|mail|oppo a33|readable|slack|trae|vlc|word|xbmc)$"
    r"|^(bugsnag|hubspot|ifttt|integromat|klaviyo|mailchimp|mattermost|paypal|powerpoint|zapier)$"
)
# Words of every language, and programs of people: inside a browser's they may be a device, an app, an extension.
NOT_INSIDE = set("checker dlc hotjar netcraft newsai newsnow observatory qqdownload quiterss rigor seznam spider".split())
# Words that programs alone go by in user agents.
PROGRAMS = {"colly", "curl", "scrapy", "puppeteer", "selenium", "playwright", "mechanize"}
# Words that say what a program does.
VISITORS = {"crawl", "crawler", "crawling", "scraper", "spider"}
# Words of user agents that are nobody's name.
COMMON = set(
    "android applewebkit build chrome compatible cpu firefox gecko http https intel iphone ipad khtml linux macintosh "
    "mobile mozilla msie opera safari version windows x11 client agent app bot browser service user-agent the web url "
    "java php python ruby perl net http: https: www apple google microsoft com org archiver transcoder uptime validator "
    "fetcher cron checker reader extractor monitoring analyzer".split()
)


def plain(pattern):
    """The text that an expression without operators stands for, in lower case."""
    text = re.sub(r"\\([/.\-() +!:@])", r"\1", pattern)
    either_case = lambda match: match[1] if match[1].lower() == match[2].lower() else match[0]
    return re.sub(r"\[([a-zA-Z])([a-zA-Z])\]", either_case, text).lstrip("^").lower()


def name_at(agent, begin, end):
    """The whole words around a place, without a version."""
    while begin < end and agent[begin] in EDGE:
        begin += 1
    while begin > 0 and agent[begin - 1] not in EDGE:
        begin -= 1
    # The version ends a name, even if the expression goes on.
    end = agent.find("/", begin, end) if "/" in agent[begin:end] and "://" not in agent[begin:end] else end
    while end < len(agent) and agent[end] not in EDGE:
        end += 1
    name = agent[begin:end].lower().removesuffix(" mozilla").strip(EDGE + "+-_.:")
    return re.sub(r"[-_. ]*\bv?\d+(\.[\w\-+]+)*$", "", name).strip(EDGE + "+-_.:")


def place(agent, name):
    """Where a name stands in a whole browser's user agent; empty if that is none, or gives itself away besides."""
    is_version = f"/{name}" in agent.lower() and f"//{name}" not in agent.lower()
    if is_version or not agent.startswith(("Mozilla/", "Opera/")) or not BROWSER.search(agent):
        return ""
    system, _, rest = agent.lower().partition(")")
    if name in system:
        return "p" if PHONE.search(system) else "s"
    return "" if ADDRESS.search(rest) and not PHONE.search(system) else "t"


def is_name(name):
    is_address = re.search(r"://|www\.|^\+http|@|[()\[\];]", name)
    return len(name) >= SHORTEST and name not in COMMON and not is_address and re.search("[a-z]", name)


def sources():
    """Expression, tag, user agents that it is to find."""
    (tagged,) = PACKAGES.glob("crawler-user-agents-*/crawler-user-agents.json")
    (listed,) = PACKAGES.glob("crawlerdetect-*/crawlerdetect/providers/crawlers.py")
    (agents,) = PACKAGES.glob("crawlerdetect-*/tests/fixtures/user_agent/crawlers.txt")
    for entry in json.loads(tagged.read_text()):
        yield entry["pattern"], (entry.get("tags") or [""])[0], entry["instances"]
    patterns = re.findall(r"""^\s*r?["'](.+?)["'],?\s*$""", listed.read_text(), re.MULTILINE)
    # The generic one last: it tells the name only where no other does.
    patterns.sort(key=lambda pattern: bool(GENERIC.search(pattern)))
    left = agents.read_text(errors="replace").splitlines()
    for pattern in patterns:
        text = "" if METACHARACTERS.search(plain(pattern)) else plain(pattern)
        expression = re.compile(pattern, re.IGNORECASE)
        hits = [agent for agent in left if text in agent.lower() and expression.search(agent)]
        yield pattern, "", hits
        left = [agent for agent in left if agent not in hits]


def found():
    """Each name, its tag and its places."""
    tags, places = {}, collections.defaultdict(set)
    for pattern, tag, agents in sources():
        expression = re.compile(pattern, re.IGNORECASE)
        names = set()
        for agent in agents:
            for match in expression.finditer(agent):
                name = name_at(agent, *match.span())
                if is_name(name):
                    names.add(name)
                    places[name].update(place(agent, name))
        text = plain(pattern).strip(EDGE)
        if not names and not METACHARACTERS.search(text) and is_name(text):
            names.add(text)
        for name in names:
            tags[name] = tags.get(name) or tag
    return tags, places


def dictionary():
    (package,) = PACKAGES.glob("english_words-*/english_words")
    sys.path.insert(0, str(package.parent))
    from english_words import get_english_words_set

    return get_english_words_set(["web2"], alpha=True, lower=True) - VISITORS


def main():
    (devices,) = PACKAGES.glob("crawlerdetect-*/tests/fixtures/user_agent/devices.txt")
    seen = devices.read_text(errors="replace").lower()
    tags, places = found()
    lines = []
    words = collections.Counter(re.findall(r"[\w.\-+!&']+", re.sub(r"/[^\s;,()]*", " ", seen)))
    ordinary = dictionary()
    for name in sorted(tags):
        is_ordinary = name in ordinary and name not in PROGRAMS
        if is_ordinary or NO_CRAWLERS.search(name):
            continue
        count = seen.count(name) if " " in name else words[name]
        if count <= DEVICES_MAX:
            inside = "" if count or name in NOT_INSIDE else "".join(sorted(places[name]))
            lines.append(f"{name}\t{tags[name]}\t{inside}\n")
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == "".join(lines) else f"{TARGET} is not what {__file__} makes")
    TARGET.write_text("".join(lines))
    print(f"{len(lines)} names in {TARGET}")


main()
