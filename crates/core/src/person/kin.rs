//! Whether two names are those of two people of one family.

use std::borrow::Cow;

use super::name_words;

/// How family names end for a man and for a woman, in the Slavic, Greek and Baltic languages.
const ENDINGS: [(&str, &str); 14] = [
    ("", "a"),
    ("", "ova"),
    ("a", "ova"),
    ("i", "a"),
    ("y", "a"),
    ("y", "aya"),
    ("ii", "aia"),
    ("s", "a"),
    ("s", ""),
    ("os", "ou"),
    ("as", "iene"),
    ("as", "aite"),
    ("is", "yte"),
    ("us", "ute"),
];
/// Before its ending a name has so many letters.
const STEM_MIN_LETTERS: usize = 3;
/// Words that stand in many names and are nobody's.
const PARTICLES: [&str; 28] = [
    "abu", "al", "bin", "bint", "da", "dal", "das", "de", "dei", "del", "della", "den", "der", "di", "do",
    "dos", "du", "el", "ibn", "la", "le", "mac", "san", "st", "ter", "van", "vom", "von",
];

/// Whether two names, by their [`latin_words`], have a family name in common and different given names.
pub fn is_family(one: &[String], other: &[String]) -> bool {
    let has = |words: &[String], word: &String| words.iter().any(|own| is_same(own, word));
    let shares = one.iter().any(|word| has(other, word));
    // Each has a word of its own: a second given name, a title or a maiden name makes nobody somebody else.
    shares && one.iter().any(|word| !has(other, word)) && other.iter().any(|word| !has(one, word))
}

/// The words of a name in Latin letters, without those that are in many names.
pub fn latin_words(name: &str) -> Vec<String> {
    let name = if name.is_ascii() { Cow::Borrowed(name) } else { Cow::Owned(in_latin(name)) };
    let mut words = name_words(&name);
    words.retain(|word| word.len() > 1 && !PARTICLES.contains(&word.as_str()));
    words
}

/// Whether a name is written in Latin letters: Basic Latin to Latin Extended-B, and Latin Extended Additional
/// (Vietnamese). How another is spelt in an e-mail address is for its owner to say: Yulia, Julia, Iuliia.
pub fn is_latin(name: &str) -> bool {
    let mut letters = name.chars().filter(|char| char.is_alphabetic());
    letters.all(|char| matches!(char, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}'))
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

/// Whether two words are one name, in the forms for a woman and a man (Ivanov and Ivanova, Kowalski and Kowalska), or
/// with an umlaut written in two ways.
fn is_same(one: &str, other: &str) -> bool {
    if one.as_bytes().first() != other.as_bytes().first() {
        return false;
    }
    let (one, other) = (without_umlauts(one), without_umlauts(other));
    let ends = |one: &str, other: &str, (his, hers): (&str, &str)| {
        let stem = one.strip_suffix(his).filter(|stem| stem.len() >= STEM_MIN_LETTERS);
        stem.is_some_and(|stem| other.strip_prefix(stem) == Some(hers))
    };
    one == other || ENDINGS.into_iter().any(|pair| ends(&one, &other, pair) || ends(&other, &one, pair))
}

/// Mueller is Müller, whose dots are gone already.
pub fn without_umlauts(word: &str) -> Cow<'_, str> {
    let has_umlaut = ["ae", "oe", "ue"].iter().any(|umlaut| word.contains(umlaut));
    if !has_umlaut {
        return Cow::Borrowed(word);
    }
    Cow::Owned(word.replace("ae", "a").replace("oe", "o").replace("ue", "u"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_family(one: &str, other: &str) -> bool {
        super::is_family(&latin_words(one), &latin_words(other))
    }

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
            ("Anna Müller", "Ben Mueller"),
            ("Jana Nováková", "Petr Novák"),
            ("Анна Достоевская", "Пётр Достоевский"),
            ("Rasa Kazlauskienė", "Jonas Kazlauskas"),
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
            ("John Carter", "Jack Carver"),
            ("John Peters", "Jane Peterson"),
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
