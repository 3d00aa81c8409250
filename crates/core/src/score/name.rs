//! Authenticity: whether its name is one that a person bears.

use super::{Analyzer, Category, Finding};
use crate::person::name_words;
use crate::snapshot::Snapshot;

mod language;

pub(super) use language::cost as letters_cost;

/// Less than usual: names are as various as people, and rules about them are often wrong.
const WEIGHT: f64 = 0.8;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "authenticity.name",
    label: "Name",
    category: Category::Authenticity,
    weight: WEIGHT,
    observe,
};

/// Whether a name is one that nobody bears; `None` for one in letters that are not known here.
pub fn is_made_up(name: &str) -> Option<bool> {
    Kind::of(name).map(|kind| !matches!(kind, Kind::Ordinary | Kind::TooShort))
}

/// Names given in place of one's own, in lower case.
const PLACEHOLDERS: &[&str] = &[
    "test",
    "tester",
    "testing",
    "test test",
    "test user",
    "user",
    "user name",
    "admin",
    "asdf",
    "asd",
    "qwerty",
    "foo",
    "bar",
    "foo bar",
    "abc",
    "xyz",
    "n/a",
    "na",
    "none",
    "null",
    "undefined",
    "unknown",
    "anonymous",
    "nobody",
    "name",
    "first last",
    "firstname lastname",
    "john doe",
    "jane doe",
    "max mustermann",
    "erika mustermann",
    "mickey mouse",
    "donald duck",
    "fake name",
    "fake",
    "no name",
    "noname",
    "me",
    "xxx",
];

/// Words that are nobody's name; those that are also names (Dick, Cock, Fuchs) are left out.
const PROFANITY: [&str; 20] = [
    "arschloch",
    "asshole",
    "bastard",
    "bitch",
    "cazzo",
    "connard",
    "cunt",
    "fuck",
    "fucker",
    "fucking",
    "hurensohn",
    "merde",
    "mierda",
    "motherfucker",
    "pendejo",
    "puta",
    "putain",
    "shit",
    "whore",
    "wichser",
];

/// Rows of the common Latin keyboards.
const KEY_ROWS: [&str; 5] = ["qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm"];
/// Neighbouring keys in a row that are no accident. Four occur in names (Trewin), five do not.
const WALK_MIN_KEYS: usize = 5;
/// Unless the walk is the whole word (asdf).
const WALK_WORD_MIN_KEYS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Placeholder,
    Profanity,
    KeyboardWalk,
    Repeated,
    Digits,
    Unspeakable,
    NoLanguage,
    TooShort,
    Ordinary,
}

impl Kind {
    /// `None` for names that the rules, made for Latin letters, know nothing about.
    fn of(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if name.chars().any(|char| char.is_alphabetic() && !is_latin(char)) {
            return None;
        }
        let words: Vec<&str> =
            name.split([' ', '.', '-', '_', ',']).filter(|word| !word.is_empty()).collect();
        let letters = name.chars().filter(|char| char.is_alphabetic()).count();
        Some(match words.as_slice() {
            _ if PLACEHOLDERS.contains(&name.as_str()) || PLACEHOLDERS.contains(&&*words.join(" ")) => {
                Self::Placeholder
            }
            words if words.iter().any(|word| PROFANITY.contains(word)) => Self::Profanity,
            words if words.iter().any(|word| is_keyboard_walk(word)) => Self::KeyboardWalk,
            words if words.iter().any(|word| is_repeated(word)) => Self::Repeated,
            words if words.iter().any(|word| has_digit(word) && !is_ordinal(word)) => Self::Digits,
            words if words.iter().any(|word| is_unspeakable(word)) => Self::Unspeakable,
            _ if name_words(&name).iter().any(|word| is_no_language(word)) => Self::NoLanguage,
            _ if letters < 2 => Self::TooShort,
            _ => Self::Ordinary,
        })
    }

    /// Value, confidence and words.
    fn meaning(self) -> (f64, f64, &'static str) {
        match self {
            Self::Placeholder => (0.12, 0.8, "is one that people give in place of their own"),
            Self::Profanity => (0.12, 0.8, "is an insult or an obscenity"),
            Self::KeyboardWalk => (0.1, 0.8, "runs along a row of the keyboard"),
            Self::Repeated => (0.15, 0.7, "repeats the same letters"),
            Self::Digits => (0.3, 0.5, "has digits in it, which names do not"),
            Self::Unspeakable => (0.3, 0.5, "has a long word without a vowel"),
            Self::NoLanguage => (0.15, 0.7, "has letters in an order that names of no language have"),
            Self::TooShort => (0.35, 0.4, "has fewer than two letters"),
            Self::Ordinary => (0.7, 0.5, "looks like one that a person bears"),
        }
    }
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let name = snapshot.profile.name.as_deref()?;
    let (value, confidence, words) = Kind::of(name)?.meaning();
    // Without the name itself: observations are sent on and logged.
    Some(Finding::new(value, confidence, format!("Its name {words}.")))
}

/// Basic Latin to Latin Extended-B, and Latin Extended Additional (Vietnamese).
fn is_latin(char: char) -> bool {
    matches!(char, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

fn is_keyboard_walk(word: &str) -> bool {
    let min = if word.len() == WALK_WORD_MIN_KEYS { WALK_WORD_MIN_KEYS } else { WALK_MIN_KEYS };
    let backwards: String = word.chars().rev().collect();
    [word, &backwards].into_iter().any(|word| {
        let walks = word.as_bytes().windows(min);
        walks
            .into_iter()
            .any(|walk| KEY_ROWS.iter().any(|row| row.as_bytes().windows(min).any(|keys| keys == walk)))
    })
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

/// Whether a word's letters follow one another as in no name.
fn is_no_language(word: &str) -> bool {
    language::unlikeliness(word).is_some_and(|unlikeliness| unlikeliness >= language::UNLIKELY_MIN)
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
        let ordinary = [
            "Ada Lovelace",
            "Brewer",
            "Trewin",
            "Momo",
            "Nguyễn Văn Ánh",
            "Krzysztof Brzęczyszczykiewicz",
            "O'Neil-Smith",
            "Ng",
            "John Smith 3rd",
            "Lili",
            "Björk",
            "Hrvoje Hrvat",
            "Anne-Marie",
            "Bobo Bo",
        ];
        for name in ordinary {
            assert_eq!(Kind::of(name), Some(Kind::Ordinary), "{name}");
        }
        let cases = [
            ("Test", Kind::Placeholder),
            ("JOHN DOE", Kind::Placeholder),
            ("john.doe", Kind::Placeholder),
            ("n/a", Kind::Placeholder),
            ("asdf", Kind::Placeholder),
            ("sdfg", Kind::KeyboardWalk),
            ("Qwertzu Meier", Kind::KeyboardWalk),
            ("poiuytr", Kind::KeyboardWalk),
            ("aaaa", Kind::Repeated),
            ("Abcabcabc", Kind::Repeated),
            ("xoxoxo", Kind::Repeated),
            ("Ada99", Kind::Digits),
            ("Bcdfgh", Kind::Unspeakable),
            ("Aiuqytru Gaugpafn", Kind::NoLanguage),
            ("X", Kind::TooShort),
            ("!!", Kind::TooShort),
        ];
        for (name, kind) in cases {
            assert_eq!(Kind::of(name), Some(kind), "{name}");
        }
    }

    #[test]
    fn abstains_on_what_it_knows_nothing_about() {
        assert_eq!(Identity::default().observe(ANALYZER), None);
        for name in ["王小明", "Фёдор", "محمد", "Ada 王"] {
            assert_eq!(Kind::of(name), None, "{name}");
        }
    }

    #[test]
    fn says_what_is_odd_and_not_whose() {
        let profile = Profile { name: Some("Qwertz Qwertz".to_owned()), ..Profile::default() };
        let finding = Identity { profile, ..Identity::default() }.observe(ANALYZER);
        assert_eq!(said(finding), Some((0.1, "Its name runs along a row of the keyboard.".to_owned())));
    }
}
