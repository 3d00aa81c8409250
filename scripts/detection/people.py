#!/usr/bin/env python3
"""Writes target/detection/people.tsv: first and last names of two dozen countries, as people write them, from the
package Faker (PyPI, MIT), with which `make bench-detection` fills its scenarios.

    scripts/detection/packages.sh && scripts/detection/names.py && scripts/detection/people.py

Four columns: "first" or "last", country and gender, the name, and the name in plain Latin letters. Where there are
enough words that the table of letters was not made from, the others are left out. Where the package cannot say how a
name is written in Latin letters, another one of the region stands there.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
(package,) = PACKAGES.glob("faker-*")
sys.path.insert(0, str(package))

from faker import Faker  # noqa: E402
from faker.decode import unidecode  # noqa: E402

COUNTRIES = {
    "AE": "ar_SA", "AL": "sq_AL", "BG": "bg_BG", "BR": "pt_BR", "CN": "zh_CN", "CZ": "cs_CZ", "DE": "de_DE",
    "ES": "es_ES", "FR": "fr_FR", "GB": "en_GB", "GR": "el_GR", "ID": "id_ID", "IN": "en_IN", "IR": "fa_IR",
    "IT": "it_IT", "JP": "ja_JP", "KR": "ko_KR", "MX": "es_MX", "NG": "yo_NG", "PL": "pl_PL", "RU": "ru_RU",
    "TR": "tr_TR", "UA": "uk_UA", "US": "en_US", "VN": "vi_VN",
}
# Arabic and Persian letters leave out vowels: without them nobody would know the names again.
LATIN_FROM = {"AE": "fr_DZ", "IR": "en_PK"}
DRAWN = 1_500
KEPT_MAX = 300
ENOUGH = 30


def plain(name):
    return re.sub("[^a-z]", "", unidecode(name).lower())


def draw(locale, kind, gender):
    """Names as they are drawn, in order, each once, and in Latin letters."""
    faker = Faker(locale)
    faker.seed_instance(20_261_126)
    of_gender = "female" if gender == "f" else "male"
    pair = getattr(faker, f"{kind}_name_{of_gender}_pair", None) or getattr(faker, f"{kind}_name_pair", None)
    if pair is not None:  # as characters, as they sound, and in Latin letters
        return {name: plain(latin) for name, _, latin in (pair() for _ in range(DRAWN))}
    one = getattr(faker, f"{kind}_name_{of_gender}", None) or getattr(faker, f"{kind}_name")
    return {name: plain(name) for name in (one() for _ in range(DRAWN))}


def names_of(country, kind, gender, unseen):
    """Unseen ones alone where there are enough."""
    names = draw(COUNTRIES[country], kind, gender)
    if country in LATIN_FROM:
        names = dict(zip(names, draw(LATIN_FROM[country], kind, gender).values()))
    names = {name: latin for name, latin in names.items() if len(latin) >= 2}
    fresh = {name: latin for name, latin in names.items() if latin in unseen}
    return list((fresh if len(fresh) >= ENOUGH else names).items())[:KEPT_MAX]


def main():
    rows = (PACKAGES / "names-unseen.tsv").read_text().splitlines()
    unseen = {row.split("\t")[1] for row in rows}
    lines = [
        f"{kind}\t{country} {gender}\t{name}\t{latin}\n"
        for country in COUNTRIES
        for gender in "fm"
        for kind in ("first", "last")
        for name, latin in names_of(country, kind, gender, unseen)
    ]
    # By kind, country and gender, as they are looked up.
    (PACKAGES / "people.tsv").write_text("".join(sorted(lines)))
    print(f"{len(lines)} names of {len(COUNTRIES)} countries")


main()
