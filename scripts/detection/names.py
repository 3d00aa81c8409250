#!/usr/bin/env python3
"""Makes crates/core/data/names.bin: how likely each letter of a name is after the two before it.

    scripts/detection/packages.sh && scripts/detection/names.py           writes it
    scripts/detection/packages.sh && scripts/detection/names.py --check   fails if it is not current

From the first and last names of the package Faker (PyPI, MIT), all locales with names in Latin letters. A fifth of
the words, by their checksum, is not learned from but written to target/detection/names-unseen.tsv, with which
`make bench-detection` measures.

The file is a table of 27 x 27 x 27 bytes: for letters a, b, c (0 is the edge of a word, 1 to 26 are a to z) at
27 * (27 * a + b) + c stands -16 ln P(c | a, b), at most 255.
"""

import collections
import importlib
import itertools
import math
import pathlib
import re
import sys
import unicodedata
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
TARGET = ROOT / "crates/core/data/names.bin"
UNSEEN = PACKAGES / "names-unseen.tsv"
EDGE = "`"  # stands before a, so that letters are 0 to 26 from here
SHORTEST = 3
# Locales with fewer words are learned from and not measured: one odd name would be more than 3 %.
MEASURED_MIN_WORDS = 200
UNSEEN_ONE_IN = 5
# Locales count by this power of their number of words, so that the large ones do not drown the small.
LOCALE_POWER = 0.5
# Letters seen in place of what a rare context has not seen.
SMOOTHING = 5.0
SCALE = 16
SAME = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ə": "e"})


def fold(name):
    """Lower case without accents."""
    name = name.lower().translate(SAME)
    for letter, letters in (("ß", "ss"), ("þ", "th"), ("æ", "ae"), ("œ", "oe")):
        name = name.replace(letter, letters)
    return "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))


def words_of(provider):
    """The words of all names of a locale, in Latin letters."""
    words = set()
    for attribute in dir(provider):
        names = getattr(provider, attribute)
        if not re.search("first_name|last_name", attribute) or not isinstance(names, (dict, list, tuple, set)):
            continue
        for name in names:
            if isinstance(name, str):
                words.update(re.split(r"[\s\-.']+", fold(name)))
    return {word for word in words if len(word) >= SHORTEST and re.fullmatch("[a-z]+", word)}


def read():
    """Words by locale."""
    (package,) = PACKAGES.glob("faker-*")
    sys.path.insert(0, str(package))
    locales = {}
    for folder in sorted((package / "faker/providers/person").iterdir()):
        if not re.fullmatch("[a-z]{2}_[A-Z]{2}", folder.name):
            continue
        words = words_of(importlib.import_module(f"faker.providers.person.{folder.name}").Provider)
        if len(words) >= 50:
            locales[folder.name] = words
    return locales


def is_unseen(word):
    return zlib.crc32(word.encode()) % UNSEEN_ONE_IN == 0


def table(locales):
    """The bytes of the file."""
    triples, pairs, singles = (collections.Counter() for _ in range(3))
    for _, words in sorted(locales.items()):
        weight = len(words) ** -LOCALE_POWER * 100
        for word in sorted(words):
            if is_unseen(word):
                continue
            text = EDGE * 2 + word + EDGE
            for place in range(2, len(text)):
                triples[text[place - 2 : place + 1]] += weight
                pairs[text[place - 1 : place + 1]] += weight
                singles[text[place]] += weight
    letters = [chr(ord(EDGE) + index) for index in range(27)]
    total = sum(singles.values())
    after_one, after_two = collections.Counter(), collections.Counter()
    for pair, count in sorted(pairs.items()):
        after_one[pair[0]] += count
    for triple, count in sorted(triples.items()):
        after_two[triple[:2]] += count
    bytes_ = bytearray()
    for first, second, third in itertools.product(letters, repeat=3):
        alone = (singles[third] + 1) / (total + 27)
        of_pair = (pairs[second + third] + SMOOTHING * alone) / (after_one[second] + SMOOTHING)
        context = first + second
        likely = (triples[context + third] + SMOOTHING * of_pair) / (after_two[context] + SMOOTHING)
        bytes_.append(min(255, round(-SCALE * math.log(likely))))
    return bytes(bytes_)


def main():
    locales = read()
    made = table(locales)
    rows = [
        f"{locale}\t{word}\n"
        for locale, words in sorted(locales.items())
        if len(words) >= MEASURED_MIN_WORDS
        for word in sorted(words)
        if is_unseen(word)
    ]
    UNSEEN.write_text("".join(rows))
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_bytes() == made else f"{TARGET} is not what {__file__} makes")
    TARGET.write_bytes(made)
    print(f"{len(locales)} locales, {len(rows)} unseen words in {UNSEEN}")


main()
