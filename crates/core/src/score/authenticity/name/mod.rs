//! Authenticity: whether its name is one that a person bears.
//!
//! Limits: judges letters, not people: it is silent about scripts it does not know, and a real name that somebody
//! else bears passes.

use std::sync::LazyLock;

use crate::letters;
use crate::person::{is_latin, name_words};
use crate::score::contract::{Analyzer, Category, Finding};
use crate::snapshot::Snapshot;

mod unreal;

use unreal::Unreal;

/// Less than usual: names are as various as people, and rules about them are often wrong.
const WEIGHT: f64 = 0.8;

pub const ANALYZER: Analyzer = Analyzer {
    id: "authenticity.name",
    label: "Name",
    category: Category::Authenticity,
    weight: WEIGHT,
    observe,
};

/// Names that the rules below would be wrong about, sorted; made by `scripts/detection/names.py`.
static KNOWN: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../../../data/known-names.txt").lines().collect());

/// Whether a name is one that nobody bears; `None` for one in letters that are not known here.
pub fn is_made_up(name: &str) -> Option<bool> {
    Kind::of(name, &KNOWN).map(Kind::is_made_up)
}

/// [`is_made_up`] of a name that nobody knows, by its looks alone: for measuring.
pub fn looks_made_up(name: &str) -> Option<bool> {
    Kind::of(name, &[]).map(Kind::is_made_up)
}

/// Rows of the common Latin keyboards.
const KEY_ROWS: [&str; 5] = ["qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm"];
/// Neighboring keys in a row that are no accident. Four occur in names (Trewin), five hardly.
const WALK_MIN_KEYS: usize = 5;
/// Unless the walk is the whole word (asdf), and its letters do not follow one another as in names (Reza, Wert), by
/// [`letters::cost`]: those of qwer and poiu cost 6.
const WALK_WORD_MIN_KEYS: usize = 4;
const WALK_WORD_MIN_COST: u32 = 6;
/// Or the word is a walk twice (rtyrty), and its letters are as odd: a syllable said twice (Werwer) is one.
const WALK_TWICE_MIN_KEYS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unreal(Unreal),
    KeyboardWalk,
    Repeated,
    Digits,
    Unspeakable,
    Typed,
    TooShort,
    Ordinary,
}

impl Kind {
    /// `None` for names that the rules, made for Latin letters, know nothing about.
    fn of(name: &str, known: &[&str]) -> Option<Self> {
        let name = name.to_lowercase();
        if !is_latin(&name) {
            return None;
        }
        let words: Vec<&str> =
            name.split([' ', '.', '-', '_', ',']).filter(|word| !word.is_empty()).collect();
        if let Some(unreal) = unreal::find(&name, &words) {
            return Some(Self::Unreal(unreal));
        }
        if let Some(odd) = name_words(&name).iter().find_map(|word| Self::of_word(word, known)) {
            return Some(odd);
        }
        Some(match name.chars().filter(|char| char.is_alphabetic()).count() {
            _ if words.iter().any(|word| has_digit(word) && !is_ordinal(word)) => Self::Digits,
            ..2 => Self::TooShort,
            _ => Self::Ordinary,
        })
    }

    /// What is odd about a word of a name, in lower case without accents.
    fn of_word(word: &str, known: &[&str]) -> Option<Self> {
        let kind = match word {
            _ if is_keyboard_walk(word) => Self::KeyboardWalk,
            _ if is_repeated(word) => Self::Repeated,
            _ if is_unspeakable(word) => Self::Unspeakable,
            _ if letters::typedness(word) >= Some(letters::MADE_UP_MIN) => Self::Typed,
            _ => return None,
        };
        known.binary_search(&word).is_err().then_some(kind)
    }

    fn is_made_up(self) -> bool {
        !matches!(self, Self::Ordinary)
    }

    /// Value, confidence and words. Where somebody may bear the name, it alone leaves a score above 60.
    fn meaning(self) -> (f64, f64, &'static str) {
        match self {
            Self::Unreal(Unreal::Placeholder) => (0.12, 0.8, "is one that people give in place of their own"),
            Self::Unreal(Unreal::BornePlaceholder) => {
                (0.35, 0.6, "is one that some give in place of their own, and others bear")
            }
            Self::Unreal(Unreal::Missing) => {
                (0.35, 0.6, "is a word that is often written where there is no name")
            }
            Self::Unreal(Unreal::Profanity) => (0.12, 0.8, "is an insult or an obscenity"),
            Self::Unreal(Unreal::BorneProfanity) => {
                (0.35, 0.6, "has a word in it that is an insult, and a family name as well")
            }
            Self::KeyboardWalk => (0.1, 0.8, "runs along a row of the keyboard"),
            Self::Repeated => (0.15, 0.7, "repeats the same letters"),
            Self::Digits => (0.3, 0.5, "has digits in it, which few names have"),
            Self::Unspeakable => (0.3, 0.5, "has a long word without a vowel"),
            Self::Typed => (
                0.15,
                0.7,
                "has letters in an order that is rare in names, and common in what is typed at random",
            ),
            Self::TooShort => (0.35, 0.4, "has fewer than two letters"),
            Self::Ordinary => (0.7, 0.5, "looks like a person's"),
        }
    }
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let name = snapshot.profile.name.as_deref()?;
    let (value, confidence, words) = Kind::of(name, &KNOWN)?.meaning();
    // Without the name itself: observations are sent on and logged.
    Some(Finding::new(value, confidence, format!("The name {words}.")))
}

fn is_keyboard_walk(word: &str) -> bool {
    let is_odd = letters::cost(word) >= WALK_WORD_MIN_COST;
    let min = if is_odd && word.len() == WALK_WORD_MIN_KEYS { WALK_WORD_MIN_KEYS } else { WALK_MIN_KEYS };
    let (first, second) = word.as_bytes().split_at(word.len() / 2);
    let is_twice =
        is_odd && first == second && first.len() >= WALK_TWICE_MIN_KEYS && has_walk(first, first.len());
    is_twice || has_walk(word.as_bytes(), min)
}

/// Whether so many keys in it are neighbors in a row, to the right or to the left.
fn has_walk(word: &[u8], keys: usize) -> bool {
    let backwards: Vec<u8> = word.iter().rev().copied().collect();
    let in_a_row =
        |walk: &[u8]| KEY_ROWS.iter().any(|row| row.as_bytes().windows(keys).any(|keys| keys == walk));
    [word, &backwards].into_iter().any(|word| word.windows(keys).any(in_a_row))
}

/// Whether a letter comes four times in a row, or the word is one to three letters three times or
/// more (`abcabcabc`).
fn is_repeated(word: &str) -> bool {
    const SAME_IN_A_ROW: usize = 4;
    const TIMES_MIN: usize = 3;
    let letters: Vec<char> = word.chars().collect();
    let is_unit = |unit: usize| {
        letters.len() >= (unit * TIMES_MIN).max(SAME_IN_A_ROW)
            && letters.len().is_multiple_of(unit)
            && letters.chunks(unit).all(|chunk| chunk == &letters[..unit])
    };
    letters.windows(SAME_IN_A_ROW).any(|row| row.iter().all(|letter| *letter == row[0]))
        || (1..=3).any(is_unit)
}

fn has_digit(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

/// The 3rd, as in names of dynasties.
fn is_ordinal(word: &str) -> bool {
    let ending = word.trim_start_matches(|char: char| char.is_ascii_digit());
    matches!(ending, "st" | "nd" | "rd" | "th") && word.len() <= 4
}

fn is_unspeakable(word: &str) -> bool {
    const LETTERS_MIN: usize = 6;
    // Any letter outside ASCII may be a vowel.
    word.len() >= LETTERS_MIN
        && word.chars().all(|char| char.is_ascii_alphabetic() && !"aeiouy".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn tells_names_apart() {
        let cases = [
            ("Test", Kind::Unreal(Unreal::Placeholder)),
            ("test test", Kind::Unreal(Unreal::Placeholder)),
            ("Test User", Kind::Unreal(Unreal::Placeholder)),
            ("foo.bar", Kind::Unreal(Unreal::Placeholder)),
            ("asdf asdf", Kind::Unreal(Unreal::Placeholder)),
            ("JOHN DOE", Kind::Unreal(Unreal::BornePlaceholder)),
            ("Bar", Kind::Unreal(Unreal::BornePlaceholder)),
            ("n/a", Kind::Unreal(Unreal::Missing)),
            ("Null", Kind::Unreal(Unreal::Missing)),
            ("fuck you", Kind::Unreal(Unreal::Profanity)),
            ("Max Hurensohn", Kind::Unreal(Unreal::Profanity)),
            ("eat shit", Kind::Unreal(Unreal::Profanity)),
            ("Shit Head", Kind::Unreal(Unreal::Profanity)),
            ("che cazzo", Kind::Unreal(Unreal::Profanity)),
            ("Rodney Bastard", Kind::Unreal(Unreal::BorneProfanity)),
            ("No Name", Kind::Unreal(Unreal::Placeholder)),
            ("sdfg", Kind::KeyboardWalk),
            ("asdf123 meier", Kind::KeyboardWalk),
            ("Qwertzu Meier", Kind::KeyboardWalk),
            ("poiuytr", Kind::KeyboardWalk),
            ("Rtyrty Trewtrew", Kind::KeyboardWalk),
            ("asdasd", Kind::KeyboardWalk),
            ("aaaa", Kind::Repeated),
            ("Abcabcabc", Kind::Repeated),
            ("xoxoxo", Kind::Repeated),
            ("Ada99", Kind::Digits),
            ("Bcdfgh", Kind::Unspeakable),
            ("Aiuqytru Gaugpafn", Kind::Typed),
            ("X", Kind::TooShort),
            ("!!", Kind::TooShort),
        ];
        for (name, kind) in cases {
            assert_eq!(Kind::of(name, &KNOWN), Some(kind), "{name}");
        }
    }

    #[test]
    fn a_name_that_somebody_bears_is_a_name() {
        let names = [
            "Ada Lovelace",
            "Xiaoxin Wang",
            "Zhongxiang Xu",
            "Dmytro Shevchenko",
            "Ara Mkrtchyan",
            "Shpresa Gjonbalaj",
            "Tsvetelina Hristova",
            "Ryunosuke Kuroiwa",
            "Hyeokjun Kwak",
            "Nguyen Thi Phuong",
            "Nguyễn Văn Ánh",
            "Grzegorz Brzęczyszczykiewicz",
            "Oluwaseun Adeyemi",
            "Mpho Ndlovu",
            "Siobhán Ní Bhraonáin",
            "Ljubljana Hrvat",
            "Fjölnir Þorgeirsson",
            "Kanchana Srisawat",
            "Thiruvengadam Muthukrishnan",
            "Abdulkhaliq Al-Ghamdi",
            "Reza Ahmadi",
            "Azer Aliyev",
            "Anna Wert",
            "Brewer",
            "Trewin",
            "Asa Dewey Sasser",
            "Poul Were",
            "Iolo Piotr",
            "Momo",
            "Lili",
            "Nurnur Tangtang Dewdew",
            "Werwer Tretre",
            "Bobo Bo",
            "O'Neil-Smith",
            "Na Li",
            "Bar Refaeli",
            "Gary Null",
            "Jon Tester",
            "Ng",
            "John Smith 3rd",
            "Björk",
            "Anne-Marie",
        ];
        for name in names {
            assert_eq!(Kind::of(name, &KNOWN), Some(Kind::Ordinary), "{name}");
        }
    }

    #[test]
    fn what_somebody_may_be_called_counts_mildly() {
        for name in [
            "O",
            "Null",
            "Na",
            "Bar",
            "Me",
            "Foo",
            "Rodney Bastard",
            "Susanta Shit",
            "Cazzo",
            "Mario Cazzo",
            "Priya Whore",
            "Shit",
            "John Doe",
            "Wichser",
            "R2 D2",
            "Krstvc",
        ] {
            let (value, confidence, _) = Kind::of(name, &KNOWN).unwrap().meaning();
            let moved = crate::score::aggregate::logit(value) * confidence * WEIGHT;
            assert!(moved > -0.44, "{name} alone has less than 60: {moved}");
        }
    }

    #[test]
    fn a_known_name_is_known_because_a_rule_is_wrong_about_it() {
        assert!(KNOWN.is_sorted() && KNOWN.len() > 50);
        for name in KNOWN.iter() {
            assert!(Kind::of_word(name, &[]).is_some(), "no rule is wrong about {name}");
            assert_eq!(Kind::of_word(name, &KNOWN), None, "{name}");
        }
    }

    #[test]
    fn abstains_on_what_it_knows_nothing_about() {
        assert_eq!(Identity::default().observe(ANALYZER), None);
        for name in ["王小明", "Фёдор", "محمد", "Ada 王"] {
            assert_eq!(Kind::of(name, &KNOWN), None, "{name}");
        }
    }

    #[test]
    fn says_what_is_odd_and_not_whose() {
        let profile = Profile { name: Some("Qwertzu Meier".to_owned()), ..Profile::default() };
        let finding = Identity { profile, ..Identity::default() }.observe(ANALYZER);
        assert_eq!(said(finding), Some((0.1, "The name runs along a row of the keyboard.".to_owned())));
    }
}
