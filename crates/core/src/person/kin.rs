//! Whether two names are those of two people of one family.

use std::borrow::Cow;

use super::{likeness, name_words};

/// Words of a name so much alike are one, in two spellings or in the forms for a woman and a man (Ivanov and
/// Ivanova, Kowalski and Kowalska).
const SAME_WORD_MIN_LIKENESS: f64 = 0.9;
/// Shorter words must be equal.
const LIKENED_MIN_LETTERS: usize = 5;
/// Words that stand in many names and are nobody's.
const PARTICLES: [&str; 28] = [
    "abu", "al", "bin", "bint", "da", "dal", "das", "de", "dei", "del", "della", "den", "der", "di", "do",
    "dos", "du", "el", "ibn", "la", "le", "mac", "san", "st", "ter", "van", "vom", "von",
];

/// Whether two names have a family name in common, in whatever script, and different given names.
pub fn is_family(one: &str, other: &str) -> bool {
    let (one, other) = (latin_words(one), latin_words(other));
    let has = |words: &[String], word: &String| words.iter().any(|own| is_same(own, word));
    let shares = one.iter().any(|word| has(&other, word));
    // Each has a word of its own: a second given name, a title or a maiden name makes nobody somebody else.
    shares && one.iter().any(|word| !has(&other, word)) && other.iter().any(|word| !has(&one, word))
}

/// The words of a name in Latin letters, without those that are in many names.
pub fn latin_words(name: &str) -> Vec<String> {
    let name = if name.is_ascii() { Cow::Borrowed(name) } else { Cow::Owned(in_latin(name)) };
    let mut words = name_words(&name);
    words.retain(|word| word.len() > 1 && !PARTICLES.contains(&word.as_str()));
    words
}

/// A name in Latin letters; each syllable of Korean is a word, as each of Chinese is: the first is the family's.
fn in_latin(name: &str) -> String {
    let is_whole = !name.trim().contains(char::is_whitespace);
    let mut latin = String::with_capacity(name.len() * 2);
    for char in name.chars() {
        if is_whole && ('\u{ac00}'..='\u{d7a3}').contains(&char) {
            latin.push(' ');
        }
        latin.push_str(deunicode::deunicode_char(char).unwrap_or_default());
    }
    latin
}

fn is_same(one: &str, other: &str) -> bool {
    one == other
        || one.len().min(other.len()) >= LIKENED_MIN_LETTERS && likeness(one, other) >= SAME_WORD_MIN_LIKENESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_share_a_name_and_have_one_each() {
        let families = [
            ("Anna Weber", "Ben Weber"),
            ("Weber, Anna", "Ben Weber"),
            ("Anna-Lena Weber", "Tom Weber"),
            ("Анна Иванова", "Dmitri Ivanov"),
            ("Zofia Kowalska", "Jan Kowalski"),
            ("Σοφία Παπαδοπούλου", "Nikos Papadopoulos"),
            ("Lucía García López", "Mateo García Ruiz"),
            ("Maria van der Berg", "Jan van der Berg"),
            ("王小明", "Wang Fang"),
            ("김민수", "김지영"),
            ("Nguyễn Văn An", "Nguyen Thi Binh"),
            ("Gülşen Öztürk", "Emre Ozturk"),
        ];
        for (one, other) in families {
            assert!(is_family(one, other) && is_family(other, one), "{one}, {other}");
        }
        let others = [
            ("Anna Weber", "Anna Weber"),
            ("Anna Weber", "Weber, Anna"),
            ("Anna Weber", "Anna Maria Weber"),
            ("Jo Doe 1", "Jo Doe 2"),
            ("Anna Weber", "Ben Keller"),
            ("Jan van der Berg", "Piet van der Meer"),
            ("Anna", "Ben"),
            ("Anna", "Anna Weber"),
            ("", "Anna Weber"),
        ];
        for (one, other) in others {
            assert!(!is_family(one, other) && !is_family(other, one), "{one}, {other}");
        }
    }
}
