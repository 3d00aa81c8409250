//! Domains that are to be taken for those of large providers.

use strsim::osa_distance;

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
                && osa_distance(unicode, provider) == 1
                && !NEAR.lines().any(|known| known == ascii)
        };
        ascii != *provider && (skeleton == **provider || is_slip())
    })
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
            ("hotmail.de", None),
            ("pcloud.com", None),
            ("five.com", None),
            ("example.com", None),
        ];
        for (domain, expected) in cases {
            let ascii = crate::dataset::ascii_domain(domain).unwrap();
            assert_eq!(imitated(&ascii, domain), expected, "{domain}");
        }
    }
}
