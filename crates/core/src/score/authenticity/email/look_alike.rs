//! Domains that are to be taken for those of large providers.

use crate::person;

/// The providers with most mailboxes, long enough that a slip of one letter is no other word.
const IMITATED: [&str; 12] = [
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "fastmail.com",
    "yandex.com",
    "live.com",
    "web.de",
];
/// Shorter domains have neighbors by chance.
const SLIP_MIN_BYTES: usize = 9;

/// Known domains that are one letter off from a provider's; made by `scripts/detection/domains.py`.
const NEAR: &str = include_str!("../../../../data/near.txt");

/// The provider that a domain, spelled in both ways, is made to resemble: written with letters of other
/// scripts that look the same, with digits for letters, or one letter off. The domain itself must be none of
/// a provider.
pub fn imitated(ascii: &str, unicode: &str) -> Option<&'static str> {
    let skeleton = skeleton(unicode);
    IMITATED.into_iter().find(|provider| {
        let is_slip = || {
            provider.len() >= SLIP_MIN_BYTES
                && unicode.chars().count().abs_diff(provider.len()) <= 1
                && is_slip(unicode, provider)
                && !NEAR.lines().any(|known| known == ascii)
        };
        ascii != *provider && (skeleton == **provider || is_slip())
    })
}

/// Rows of keys, each a third of a key further to the right than the one above.
const KEYS: [&str; 4] = ["1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm,."];
/// Letters that are taken for one another.
const ALIKE: [&str; 8] = ["il1j", "o0", "vy", "uv", "ce", "nm", "s5", "e3"];

/// Whether a hand that means `word` may type `typed`: two letters the other way round, one left out, one twice or with
/// the key beside it, or another one in its place that is beside it or looks like it. The first letter is the one that
/// people see: `pmail.com` is a name, and so are the others of the kind.
fn is_slip(typed: &str, word: &str) -> bool {
    let (typed, word): (Vec<char>, Vec<char>) = (typed.chars().collect(), word.chars().collect());
    let same = typed.iter().zip(&word).take_while(|(one, other)| one == other).count();
    let (rest, meant) = (&typed[same..], &word[same..]);
    match (rest, meant) {
        // Left out.
        (_, [_, after @ ..]) if rest == after => same > 0,
        // Put in beside one of its neighbours, or twice.
        ([extra, after @ ..], _) if after == meant => {
            let beside = [same.checked_sub(1).and_then(|at| word.get(at)), meant.first()];
            let is_near = |other: &&char| *extra == **other || are_near(*extra, **other);
            same > 0 && beside.iter().flatten().any(is_near)
        }
        ([one, other, after @ ..], [first, second, end @ ..])
            if after == end && (one, other) == (second, first) =>
        {
            true
        }
        ([extra, after @ ..], [letter, end @ ..]) if after == end => {
            let is_alike = ALIKE.iter().any(|set| set.contains(*extra) && set.contains(*letter))
                || is_accented(*extra, *letter);
            // The key before it once more.
            let is_twice = same.checked_sub(1).is_some_and(|at| word[at] == *extra);
            is_alike || is_twice || same > 0 && are_near(*extra, *letter)
        }
        _ => false,
    }
}

/// Whether two keys are side by side, or one below the other.
fn are_near(one: char, other: char) -> bool {
    let place = |key: char| {
        let at = |(row, keys): (usize, &&str)| Some((row as f64, keys.find(key)? as f64 + row as f64 * 0.4));
        KEYS.iter().enumerate().find_map(at)
    };
    place(one).zip(place(other)).is_some_and(|((row, column), (other_row, other_column))| {
        (row - other_row).abs() <= 1.0 && (column - other_column).abs() <= 1.0
    })
}

fn is_accented(one: char, plain: char) -> bool {
    !one.is_ascii() && person::name_words(&one.to_string()) == [plain.to_string()]
}

/// With every letter replaced by the Latin one that it is taken for (after Unicode Technical Standard 39).
fn skeleton(domain: &str) -> String {
    let plain = domain.chars().map(|char| match char {
        'а' | 'ɑ' | 'α' => 'a',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' => 'e',
        'ɡ' => 'g',
        'һ' => 'h',
        'і' | 'ı' | 'ι' => 'i',
        'ӏ' | '1' => 'l',
        'о' | 'ο' | '0' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'ʏ' | 'у' | 'γ' => 'y',
        'х' => 'x',
        other => other,
    });
    plain.collect::<String>().replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imitations_are_found_and_neighbours_left_alone() {
        let cases = [
            ("gmail.com", None),
            ("gmial.com", Some("gmail.com")),
            ("gmai1.com", Some("gmail.com")),
            ("grnail.com", Some("gmail.com")),
            ("0utl00k.com", Some("outlook.com")),
            ("yаhoo.com", Some("yahoo.com")),
            ("gmàil.com", Some("gmail.com")),
            ("gmal.com", Some("gmail.com")),
            ("gamil.com", Some("gmail.com")),
            ("gmaill.com", Some("gmail.com")),
            ("gnail.com", Some("gmail.com")),
            ("gmsil.com", Some("gmail.com")),
            ("gmail.co", Some("gmail.com")),
            ("hotmsil.com", Some("hotmail.com")),
            ("hotnail.com", Some("hotmail.com")),
            ("homail.com", Some("hotmail.com")),
            ("outlok.com", Some("outlook.com")),
            ("yahho.com", Some("yahoo.com")),
            ("vahoo.com", Some("yahoo.com")),
            ("yaho.com", Some("yahoo.com")),
            ("icloud.con", Some("icloud.com")),
            ("iclould.com", None),
            ("protonmai.com", Some("protonmail.com")),
            ("gbail.com", None),
            ("photon.me", None),
            ("cotmail.com", None),
            ("gmailx.com", None),
            ("hotmail.de", None),
            ("pcloud.com", None),
            ("five.com", None),
            ("example.com", None),
        ];
        for letter in 'a'..='z' {
            let domain = format!("{letter}mail.com");
            assert_eq!(imitated(&domain, &domain), None, "{domain}");
        }
        for (domain, expected) in cases {
            let ascii = crate::dataset::ascii_domain(domain).unwrap();
            assert_eq!(imitated(&ascii, domain), expected, "{domain}");
        }
    }
}
