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
/// Likewise, the short ones behind more letters, since more names end so by chance: as they are spelled in Latin letters in one way or
/// another, with the sound that goes before an ending, and of two women, one of whom is married.
const LONGER_ENDINGS: [(&str, &str); 44] = [
    // Russian, Ukrainian, Belarusian, Polish.
    ("iy", "aya"),
    ("iy", "aia"),
    ("iy", "a"),
    ("ij", "aja"),
    ("ij", "aya"),
    ("ij", "a"),
    ("yj", "aja"),
    ("yy", "aya"),
    ("yy", "a"),
    ("yi", "a"),
    ("ii", "aya"),
    ("ii", "a"),
    ("i", "aya"),
    ("i", "aia"),
    ("oy", "aya"),
    ("oi", "aia"),
    ("oi", "aya"),
    ("oj", "aja"),
    ("y", "aia"),
    ("", "owa"),
    ("", "owna"),
    ("a", "anka"),
    // Czech and Slovak.
    ("ek", "kova"),
    ("ec", "cova"),
    ("el", "lova"),
    ("en", "nova"),
    ("er", "rova"),
    ("e", "ova"),
    ("o", "ova"),
    // Greek.
    ("is", "ou"),
    ("is", "i"),
    ("es", "ou"),
    // Lithuanian and Latvian.
    ("ys", "yte"),
    ("ys", "iene"),
    ("is", "iene"),
    ("us", "iene"),
    ("us", "uviene"),
    ("as", "e"),
    ("is", "e"),
    ("us", "e"),
    ("iene", "aite"),
    ("iene", "yte"),
    ("iene", "ute"),
    // Icelandic and Faroese.
    ("son", "dottir"),
];
const LONGER_STEM_MIN_LETTERS: usize = 4;
/// An ending of so many letters is no chance.
const TELLING_MIN_LETTERS: usize = 3;
/// In Hungarian a wife may have her husband's family name, or his whole name, with this behind it.
const WIFE: &str = "ne";
/// Words that stand in many names and are nobody's.
const PARTICLES: [&str; 28] = [
    "abu", "al", "bin", "bint", "da", "dal", "das", "de", "dei", "del", "della", "den", "der", "di", "do",
    "dos", "du", "el", "ibn", "la", "le", "mac", "san", "st", "ter", "van", "vom", "von",
];

/// Whether two names, by their [`latin_words`], have a family name in common and different given names.
pub fn is_family(one: &[String], other: &[String]) -> bool {
    let has = |words: &[String], word: &String| words.iter().any(|own| is_same(own, word));
    let is_wife = |wife: &str, word: &str| {
        wife.strip_suffix(WIFE).is_some_and(|stem| stem.len() >= LONGER_STEM_MIN_LETTERS && stem == word)
    };
    let of_wives = |word: &String| other.iter().any(|other| is_wife(word, other) || is_wife(other, word));
    let shares = one.iter().any(|word| has(other, word) || of_wives(word));
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
    let ends = |one: &str, other: &str, (his, hers): (&str, &str), least: usize| {
        let stem = one.strip_suffix(his).filter(|stem| stem.len() >= least);
        stem.is_some_and(|stem| other.strip_prefix(stem) == Some(hers))
    };
    let either =
        |pair: (&str, &str), least| ends(&one, &other, pair, least) || ends(&other, &one, pair, least);
    one == other
        || ENDINGS.into_iter().any(|pair| either(pair, STEM_MIN_LETTERS))
        || LONGER_ENDINGS.into_iter().any(|pair| {
            let is_telling = pair.0.len().max(pair.1.len()) >= TELLING_MIN_LETTERS;
            either(pair, if is_telling { STEM_MIN_LETTERS } else { LONGER_STEM_MIN_LETTERS })
        })
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
            ("Rasa Kazlauskaitė", "Jonas Kazlauskas"),
            ("Rasa Kazlauskienė", "Ona Kazlauskaitė"),
            ("Rasa Kazlauskė", "Jonas Kazlauskas"),
            ("Ieva Butkutė", "Tomas Butkus"),
            ("Ona Butkienė", "Tomas Butkus"),
            ("Greta Rimkutė", "Ona Rimkienė"),
            ("Inga Žukytė", "Marius Žukys"),
            ("Ilze Bērziņa", "Jānis Bērziņš"),
            ("Liga Zvirbule", "Maris Zvirbulis"),
            ("Anna Dostoevskaya", "Fyodor Dostoevskiy"),
            ("Anna Dostoyevskaya", "Fyodor Dostoyevsky"),
            ("Maria Rimskaja", "Nikolaj Rimskij"),
            ("Sofia Tolstaya", "Lev Tolstoy"),
            ("Софья Толстая", "Лев Толстой"),
            ("Olena Zelenska", "Volodymyr Zelenskyi"),
            ("Олена Зеленська", "Володимир Зеленський"),
            ("Olena Zelenska", "Volodymyr Zelenskyy"),
            ("Maryna Chorna", "Ivan Chornyi"),
            ("Vera Bielaja", "Ales Bielyj"),
            ("Zofia Kowalczykowa", "Jan Kowalczyk"),
            ("Anna Potocka", "Jan Potocki"),
            ("Ewa Wyszyńska", "Stefan Wyszyński"),
            ("Barbara Zawadzka", "Piotr Zawadzki"),
            ("Marie Hájková", "Jiří Hájek"),
            ("Božena Němcová", "Josef Němec"),
            ("Jana Svobodová", "Petr Svoboda"),
            ("Eva Havlová", "Tomáš Havel"),
            ("Lucie Novotná", "Karel Novotný"),
            ("Zuzana Horská", "Milan Horský"),
            ("Eleni Konstantinidou", "Giorgos Konstantinidis"),
            ("Ελένη Κωνσταντινίδου", "Γιώργος Κωνσταντινίδης"),
            ("Maria Papadaki", "Kostas Papadakis"),
            ("Anna Pappa", "Nikos Pappas"),
            ("Sofia Georgiou", "Andreas Georgiou"),
            ("Katrín Einarsdóttir", "Jón Einarsson"),
            ("Anna Guðmundsdóttir", "Ólafur Guðmundsson"),
            ("Kovács Jánosné", "Kovács János"),
            ("Kovácsné Szabó Anna", "Kovács Béla"),
            ("Мария Иванова", "Олег Иванов"),
            ("Elena Georgieva", "Ivan Georgiev"),
            ("Tanja Petrović", "Marko Petrović"),
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
            ("Jón Einarsson", "Anna Einars"),
            ("John Lukas", "Amy Luke"),
            ("Ann Davis", "Dave Smith"),
            ("Kate Pace", "Ann Pacine"),
            ("Ann Mason", "John Masdottir"),
            ("Anna Keller", "Ben Kellova"),
            ("Mary Hughes", "Tom Hugh"),
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
