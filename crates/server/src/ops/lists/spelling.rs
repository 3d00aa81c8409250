//! What is looked for is told in any spelling: with accents or without, as a program has copied it, in the syntax of a
//! mail or of an address with its port. Here what is stored and what is asked are brought into one.

use std::net::{IpAddr, SocketAddr};

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization as _;

/// Schemes of addresses that are copied out of links, and where in them the address ends.
const SCHEMES: [(&str, &[char]); 4] =
    [("mailto:", &['?']), ("tel:", &[';', '?']), ("sms:", &[';', '?']), ("callto:", &[';', '?'])];
/// How the label of a domain begins that is spelled in ASCII (RFC 5890).
const ASCII_LABEL: &str = "xn--";

/// A text as it is looked for, and looked for in: in lower case, without accents and points, ligatures and
/// typographic signs as they are typed, domains in letters, and names in Chinese, Japanese and Korean without spaces.
/// Has no zero byte.
pub fn folded(text: &str) -> String {
    joined(&folded_words(text))
}

/// [`folded`], with all spaces.
fn folded_words(text: &str) -> String {
    let lower = if text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'`') {
        text.to_ascii_lowercase()
    } else {
        text.chars().filter(|char| !is_invisible(*char)).map(typed).collect::<String>().to_lowercase()
    };
    let plain = in_letters(lower);
    if plain.is_ascii() {
        return plain;
    }
    let mut folded = String::with_capacity(plain.len());
    for char in plain.nfkd().flat_map(char::to_lowercase).filter(|char| !is_mark(*char)) {
        match typed(char) {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            char => folded.push(char),
        }
    }
    // Syllables, and letters with signs that belong to them, are one again.
    folded.nfc().collect()
}

/// A sign as it is typed.
const fn typed(char: char) -> char {
    match char {
        '\u{2018}'..='\u{201b}' | '\u{2bb}'..='\u{2bd}' | '\u{2032}' | '\u{b4}' | '`' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        char => char,
    }
}

/// Accents of Latin, Greek and Cyrillic letters; points of Arabic and Hebrew ones, which most people leave out. Signs of
/// other scripts are letters.
const fn is_mark(char: char) -> bool {
    matches!(char,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}'
        | '\u{5c7}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// What is copied and not seen: control characters, hyphens that may be, and marks of direction and of no width.
fn is_invisible(char: char) -> bool {
    char.is_control() && !char.is_whitespace()
        || matches!(char,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Labels of domains that are spelled in ASCII (`xn--mller-kva`), in letters. Others are left as they are.
fn in_letters(text: String) -> String {
    if !text.contains(ASCII_LABEL) {
        return text;
    }
    let ends = |char: char| !(char.is_alphanumeric() || char == '-');
    let mut letters = String::with_capacity(text.len());
    for part in text.split_inclusive(ends) {
        let label = part.trim_end_matches(ends);
        let (unicode, is_valid) = idna::domain_to_unicode(label);
        letters.push_str(if label.starts_with(ASCII_LABEL) && is_valid.is_ok() { &unicode } else { label });
        letters.push_str(&part[label.len()..]);
    }
    letters
}

/// A text without the spaces and points between letters of scripts that set none between words.
fn joined(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let is_between = |char: char| char.is_whitespace() || matches!(char, '\u{b7}' | '\u{30fb}' | '\u{2027}');
    let mut joined = String::with_capacity(text.len());
    let mut between = String::new();
    for char in text.chars() {
        if is_between(char) {
            between.push(char);
            continue;
        }
        if !(is_unspaced(char) && joined.chars().next_back().is_some_and(is_unspaced)) {
            joined.push_str(&between);
        }
        between.clear();
        joined.push(char);
    }
    joined + &between
}

/// Whether a letter is of a script whose names are written with spaces and without: Chinese, Japanese and Korean.
pub const fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// What may be meant by what was typed: all of it, first; what stands in quotes; the address in `Ada <ada@example.com>`,
/// in `mailto:ada@example.com`, and in `203.0.113.7:443`. At least one, none of them empty, where anything was typed.
pub fn readings(term: &str) -> Vec<String> {
    let visible = term.chars().filter(|char| !is_invisible(*char)).map(typed);
    let term: String = visible.nfkc().collect();
    let mut found: Vec<String> = Vec::new();
    let mut put = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && found.iter().all(|known| known != text) {
            found.push(text.to_owned());
        }
    };
    put(&term);
    put(unquoted(&term));
    for part in term.split('<').skip(1).filter_map(|part| part.split_once('>')) {
        if part.0.contains('@') {
            put(part.0);
            addresses(part.0).iter().for_each(|address| put(address));
        }
    }
    addresses(unquoted(&term)).iter().for_each(|address| put(address));
    if let Some(ip) = ip(&term) {
        put(&ip.to_canonical().to_string());
    }
    found
}

/// What was typed without the signs around it that are none of a name or an address.
pub fn unquoted(term: &str) -> &str {
    term.trim_matches(|char: char| char.is_whitespace() || "\"',;()<>".contains(char))
}

/// The addresses in a link.
fn addresses(link: &str) -> Vec<String> {
    let lower = link.to_ascii_lowercase();
    let Some((scheme, ends)) = SCHEMES.into_iter().find(|(scheme, _)| lower.starts_with(scheme)) else {
        return Vec::new();
    };
    let address = link[scheme.len()..].split(ends).next().unwrap_or_default();
    let address = percent_decode_str(address).decode_utf8_lossy();
    address.split(',').map(|address| address.trim().to_owned()).collect()
}

/// The address on the network, with a port or without, that was typed.
pub fn ip(term: &str) -> Option<IpAddr> {
    let term = unquoted(term);
    let with_port = || term.parse::<SocketAddr>().ok().map(|address| address.ip());
    term.trim_matches(['[', ']']).parse().ok().or_else(with_port)
}

/// The words of a reading, each in the spellings in which it may stand.
pub fn words(reading: &str) -> Vec<Vec<String>> {
    let folded = folded_words(reading);
    let parts = folded.split(|char: char| char.is_whitespace() || "\",;()<>".contains(char));
    let parts = parts.flat_map(|part| {
        // A double name; an id of letters and digits is one word.
        let is_name = part.chars().all(|char| char.is_alphabetic() || "-'".contains(char));
        let words: Vec<_> = if is_name { part.split('-').collect() } else { vec![part] };
        words
    });
    let parts = parts.map(|part| part.trim_matches('\'')).filter(|part| !part.is_empty());
    parts.map(spellings).collect()
}

/// A word with its apostrophe and without: O'Brien is Obrien where no other sign than letters was allowed.
pub fn spellings(word: &str) -> Vec<String> {
    let mut found = vec![word.to_owned()];
    if word.contains('\'') {
        found.push(word.replace('\'', ""));
    } else if word.len() > 2
        && word.starts_with(['o', 'd', 'l'])
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        found.push(format!("{}'{}", &word[..1], &word[1..]));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_text_are_one() {
        let cases: [(&str, &[&str]); 11] = [
            (
                "zoe muller",
                &[
                    "Zoë Müller",
                    "ZOE\u{308} MU\u{308}LLER",
                    "ｚｏｅ ｍｕｌｌｅｒ",
                    "Zo\u{ad}e Mu\u{200b}ller\u{0}",
                ],
            ),
            ("strasse", &["Straße", "STRASSE", "STRAẞE"]),
            ("zoe@muller.de", &["zoe@müller.de", "Zoe@xn--mller-kva.de", "zoe@XN--MLLER-KVA.DE"]),
            ("o'brien", &["O’Brien", "Oʼbrien", "O`Brien", "O´Brien"]),
            ("李小龙", &["李 小龙", "李\u{3000}小龙", "李·小龙"]),
            ("김철수", &["김 철수", "\u{1100}\u{1175}\u{11b7} 철수"]),
            ("lodz", &["Łódź"]),
            ("istanbul", &["İstanbul", "ıstanbul", "ISTANBUL"]),
            ("jean-luc", &["Jean‑Luc", "Jean–Luc"]),
            ("οδυσσευσ", &["Οδυσσεύς", "ΟΔΥΣΣΕΥΣ"]),
            ("", &["\u{0}", "\u{301}", "\u{200b}"]),
        ];
        for (expected, texts) in cases {
            for text in texts {
                assert_eq!(folded(text), expected, "{text}");
            }
        }
        assert_eq!(folded("user_xn--1 xn--"), "user_xn--1 xn--", "what is no label stays");
        assert_ne!(folded("か"), folded("が"), "a sign that makes another letter");
        assert_ne!(folded("क"), folded("कि"));
    }

    #[test]
    fn what_was_typed_is_read_as_what_it_may_be() {
        let cases: [(&str, &[&str]); 10] = [
            ("Ada Byron", &["Ada Byron"]),
            ("\"Ada Byron\",", &["\"Ada Byron\",", "Ada Byron"]),
            ("Ada <ada@example.com>", &["Ada <ada@example.com>", "Ada <ada@example.com", "ada@example.com"]),
            ("mailto:a%40b.c,d@e.f?subject=x", &["mailto:a%40b.c,d@e.f?subject=x", "a@b.c", "d@e.f"]),
            ("TEL:+491701234567;ext=1", &["TEL:+491701234567;ext=1", "+491701234567"]),
            ("203.0.113.7:443", &["203.0.113.7:443", "203.0.113.7"]),
            ("[2001:DB8::1]:443", &["[2001:DB8::1]:443", "2001:db8::1"]),
            ("mailto:", &["mailto:"]),
            ("\"\"", &["\"\""]),
            (" \u{0}\u{200b} ", &[]),
        ];
        for (term, expected) in cases {
            assert_eq!(readings(term), expected, "{term}");
        }
        let spelled = |reading| words(reading).into_iter().map(|word| word.join("|")).collect::<Vec<_>>();
        assert_eq!(spelled("Byron-King, Ada"), ["byron", "king", "ada"]);
        assert_eq!(spelled("O’Brien 'Pat' obrien"), ["o'brien|obrien", "pat", "obrien|o'brien"]);
        assert_eq!(spelled("3f-2a x@y-z.de"), ["3f-2a", "x@y-z.de"]);
        assert_eq!(spelled("小龙 李"), ["小龙", "李"]);
        assert!(spelled("\" , \u{301} -").is_empty());
    }

    proptest! {
        /// What is stored is found by itself, also once more folded, as what was typed is.
        #[test]
        fn a_text_is_folded_once_and_has_no_zero_byte(text in "\\PC{0,12}|[a-zA-ZäöüßÄÖÜİŁ’´ \u{0}\u{300}-\u{320}\u{3042}-\u{3050}李小\u{ac00}]{0,12}") {
            let once = folded(&text);
            prop_assert!(!once.contains('\0'));
            prop_assert_eq!(folded(&once), once);
        }
    }
}
