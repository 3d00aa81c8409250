//! Authenticity: whether what it says of itself goes together: name, username and e-mail address, country,
//! phone number, timezone, language, and where it comes from.
//!
//! Limits: counts what disagrees only where both details are given; whoever moved, travels or uses a VPN
//! disagrees too, which is why no such sign is worth much alone.

use crate::person::{EmailParts, name_words};
use crate::place::Country;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::snapshot::Snapshot;

/// Weak: people move, marry, travel and use a friend's phone.
const WEIGHT: f64 = 0.8;
const CONFIDENCE: f64 = 0.6;

/// By how many things do not go together; without any, and with some that do.
const VALUE_BY_DISAGREEMENTS: [f64; 4] = [0.62, 0.45, 0.3, 0.2];
/// Parts of a name shorter than this are found in any address.
const PART_MIN_LETTERS: usize = 3;

pub const ANALYZER: Analyzer = Analyzer {
    id: "authenticity.agreement",
    label: "Details that go together",
    category: Category::Authenticity,
    weight: WEIGHT,
    observe,
};

/// Code by ISO 3166-1, calling code by ITU-T E.164 (none where several countries share it), and the first part of its timezones by the IANA database.
const COUNTRIES: &[(&str, &str, &str)] = &[
    ("AE", "971", "Asia"),
    ("AR", "54", "America"),
    ("AT", "43", "Europe"),
    ("AU", "61", "Australia"),
    ("BD", "880", "Asia"),
    ("BE", "32", "Europe"),
    ("BG", "359", "Europe"),
    ("BR", "55", "America"),
    ("CH", "41", "Europe"),
    ("CL", "56", "America"),
    ("CN", "86", "Asia"),
    ("CO", "57", "America"),
    ("CZ", "420", "Europe"),
    ("DE", "49", "Europe"),
    ("DK", "45", "Europe"),
    ("EE", "372", "Europe"),
    ("EG", "20", "Africa"),
    ("ES", "34", "Europe"),
    ("FI", "358", "Europe"),
    ("FR", "33", "Europe"),
    ("GB", "44", "Europe"),
    ("GH", "233", "Africa"),
    ("GR", "30", "Europe"),
    ("HK", "852", "Asia"),
    ("HR", "385", "Europe"),
    ("HU", "36", "Europe"),
    ("ID", "62", "Asia"),
    ("IE", "353", "Europe"),
    ("IL", "972", "Asia"),
    ("IN", "91", "Asia"),
    ("IT", "39", "Europe"),
    ("JP", "81", "Asia"),
    ("KE", "254", "Africa"),
    ("KR", "82", "Asia"),
    ("LT", "370", "Europe"),
    ("LV", "371", "Europe"),
    ("MA", "212", "Africa"),
    ("MX", "52", "America"),
    ("MY", "60", "Asia"),
    ("NG", "234", "Africa"),
    ("NL", "31", "Europe"),
    ("NO", "47", "Europe"),
    ("NZ", "64", "Pacific"),
    ("PE", "51", "America"),
    ("PH", "63", "Asia"),
    ("PK", "92", "Asia"),
    ("PL", "48", "Europe"),
    ("PT", "351", "Europe"),
    ("RO", "40", "Europe"),
    ("RS", "381", "Europe"),
    ("SA", "966", "Asia"),
    ("SE", "46", "Europe"),
    ("SG", "65", "Asia"),
    ("SI", "386", "Europe"),
    ("SK", "421", "Europe"),
    ("TH", "66", "Asia"),
    ("TR", "90", "Europe"),
    ("TW", "886", "Asia"),
    ("UA", "380", "Europe"),
    ("US", "", "America"),
    ("VN", "84", "Asia"),
    ("ZA", "27", "Africa"),
];

/// What was compared.
#[derive(Default)]
struct Compared {
    agree: usize,
    disagree: Vec<String>,
}

impl Compared {
    fn note(&mut self, agrees: Option<bool>, words: impl FnOnce() -> String) {
        match agrees {
            Some(true) => self.agree += 1,
            Some(false) => self.disagree.push(words()),
            None => {}
        }
    }
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let profile = snapshot.profile;
    let mut compared = Compared::default();
    let named = profile.name.as_deref().zip(profile.email.as_deref());
    compared.note(named.and_then(|(name, email)| name_and_email(name, email)), || {
        "its e-mail address bears another name".to_owned()
    });
    // People call themselves what they like: only a username that bears the name says something.
    let handle = profile.username.as_deref().zip(profile.name.as_deref());
    compared.note(handle.and_then(|(handle, name)| bears(handle, name).then_some(true)), String::new);
    let said = profile.country.as_deref().and_then(Country::parse);
    let newest = snapshot.acts().iter().rev().find_map(|act| snapshot.state.places().get(act.event.place?));
    let seen = newest.and_then(|place| place.value.country);
    let country = said.or(seen);
    let phone = profile.phone.as_deref().and_then(calling);
    compared.note(phone.zip(country).map(|((of, _), country)| of == country.code()), || {
        let called = phone.map_or("", |(_, calling)| calling);
        format!("its phone number (+{called}) is not from its country")
    });
    compared.note(
        profile.timezone.as_deref().zip(country).and_then(|(zone, country)| zone_and_country(zone, country)),
        || "its timezone is not one of its country".to_owned(),
    );
    compared.note(
        profile.language.as_deref().zip(country).and_then(|(tag, country)| region_and_country(tag, country)),
        || "its language is another country's".to_owned(),
    );
    compared.note(said.zip(seen).map(|(said, seen)| said == seen), || {
        format!("it comes from {}", seen.as_ref().map_or("elsewhere", Country::code))
    });
    if compared.agree == 0 && compared.disagree.is_empty() {
        return None;
    }
    let explanation = match compared.disagree.as_slice() {
        [] => "Name, e-mail and other details fit together, as far as they can be compared.".to_owned(),
        disagree => format!(
            "Not all goes together: {}; people move and travel, but rarely all at once.",
            disagree.join(", ")
        ),
    };
    let value = VALUE_BY_DISAGREEMENTS[compared.disagree.len().min(VALUE_BY_DISAGREEMENTS.len() - 1)];
    let finding = Finding::new(value, CONFIDENCE, explanation);
    Some(finding.with("agree", compared.agree).with("disagree", compared.disagree.len()))
}

/// Whether a mailbox bears the name: a part of it does, or all initials. `None` for mailboxes that are no
/// names, such as `info` or `sunflower7`.
fn name_and_email(name: &str, email: &str) -> Option<bool> {
    let email = email.to_lowercase();
    let parts = EmailParts::of(&email)?;
    if bears(parts.mailbox, name) {
        return Some(true);
    }
    // Two words with a dot between them are a first and a last name.
    let own: Vec<_> =
        parts.mailbox.split(['.', '_']).filter(|part| part.chars().count() >= PART_MIN_LETTERS).collect();
    let is_name = own.len() == 2 && own.iter().all(|part| part.chars().all(char::is_alphabetic));
    (is_name && name_words(name).len() >= 2 && name.is_ascii()).then_some(false)
}

/// Whether a part of a name is in what somebody is called elsewhere.
fn bears(called: &str, name: &str) -> bool {
    let called = name_words(called).concat();
    name_words(name)
        .iter()
        .any(|word| word.chars().count() >= PART_MIN_LETTERS && called.contains(word.as_str()))
}

/// Whether the region of a language tag (`de-CH`, `pt_BR`) is the country. `None` for tags without one, and
/// for English, which programs put there unasked.
fn region_and_country(tag: &str, country: Country) -> Option<bool> {
    let mut parts = tag.split(['-', '_']);
    let language = parts.next()?;
    let region = parts.find(|part| part.len() == 2)?;
    (!language.eq_ignore_ascii_case("en")).then(|| region.eq_ignore_ascii_case(country.code()))
}

/// The country of a number in international form, and its calling code; `None` for numbers without, and for
/// codes that several countries share.
fn calling(phone: &str) -> Option<(&'static str, &'static str)> {
    let digits: String = phone.trim().strip_prefix('+')?.chars().filter(char::is_ascii_digit).collect();
    let mut matching: Vec<_> = COUNTRIES
        .iter()
        .filter(|(_, calling, _)| !calling.is_empty() && digits.starts_with(calling))
        .collect();
    matching.sort_by_key(|(_, calling, _)| std::cmp::Reverse(calling.len()));
    matching.first().map(|(country, calling, _)| (*country, *calling))
}

/// Whether a timezone (`Europe/Berlin`) lies on the country's continent.
fn zone_and_country(zone: &str, country: Country) -> Option<bool> {
    let (continent, _) = zone.split_once('/')?;
    let (_, _, own) = COUNTRIES.iter().find(|(code, _, _)| *code == country.code())?;
    let known = ["Africa", "America", "Asia", "Australia", "Europe", "Pacific"].contains(&continent);
    known.then_some(continent == *own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::place::Place;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn mailboxes_are_compared_where_they_are_names() {
        let cases = [
            ("Ada Byron", "ada.byron@x.org", Some(true)),
            ("Ada Byron", "abyron77@x.org", Some(true)),
            ("Zoë Müller", "zoe.m@x.org", Some(true)),
            ("Ada Byron", "john.smith@x.org", Some(false)),
            ("Ada Byron", "sunflower7@x.org", None),
            ("Ada", "john.smith@x.org", None),
            ("愛 山田", "john.smith@x.org", None),
        ];
        for (name, email, expected) in cases {
            assert_eq!(name_and_email(name, email), expected, "{name} {email}");
        }
    }

    #[test]
    fn languages_have_regions() {
        let germany = Country::parse("DE").unwrap();
        let cases = [
            ("de-DE", Some(true)),
            ("zh_Hans_CN", Some(false)),
            ("pt_br", Some(false)),
            ("de", None),
            ("en-US", None),
            ("", None),
        ];
        for (tag, expected) in cases {
            assert_eq!(region_and_country(tag, germany), expected, "{tag}");
        }
    }

    #[test]
    fn numbers_have_countries() {
        let cases =
            [("+49 30 123", Some("DE")), ("+351 1", Some("PT")), ("030 123", None), ("+1 212 555", None)];
        for (phone, expected) in cases {
            assert_eq!(calling(phone).map(|(country, _)| country), expected, "{phone}");
        }
    }

    #[test]
    fn each_disagreement_adds_to_the_doubt() {
        let with = |country: &str, phone: &str, zone: &str| {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let profile = Profile {
                name: Some("Ada Byron".to_owned()),
                email: Some("ada.byron@x.org".to_owned()),
                country: given(country),
                phone: given(phone),
                timezone: given(zone),
                ..Profile::default()
            };
            let identity = Identity { profile, ..Identity::default() };
            said(
                identity
                    .event("a", 0, |event| {
                        event.place = Some(Place { country: Country::parse("DE"), ..Place::default() });
                    })
                    .observe(ANALYZER),
            )
        };
        let fine = "Name, e-mail and other details fit together, as far as they can be compared.";
        assert_eq!(with("de", "+49 30 1234567", "Europe/Berlin"), Some((0.62, fine.to_owned())));
        assert_eq!(with("", "", ""), Some((0.62, fine.to_owned())));
        let moved =
            "Not all goes together: it comes from DE; people move and travel, but rarely all at once.";
        assert_eq!(with("FR", "", "Europe/Paris"), Some((0.45, moved.to_owned())));
        let odd = "Not all goes together: its phone number (+234) is not from its country, its timezone is not one of its \
                   country, it comes from DE; people move and travel, but rarely all at once.";
        assert_eq!(with("US", "+234 80 1234", "Asia/Tokyo").map(|(value, _)| value), Some(0.2));
        assert_eq!(with("FR", "+234 80 1234", "Asia/Tokyo"), Some((0.2, odd.to_owned())));
    }
}
