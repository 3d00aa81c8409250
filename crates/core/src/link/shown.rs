//! Links as people see them: what two identities have in common, how much that says, and in words.

use serde_json::{Map, Value};

use crate::identity::Profile;
use crate::key::{KeyKind, OTHERS_MAX};
use crate::person::{self, Resemblance, SAME_NAME_MIN_LIKENESS};

/// How two identities are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    SameDevice,
    SameSession,
    SharedIp,
    SimilarEmail,
    SimilarName,
    SimilarBehavior,
}

impl LinkType {
    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameDevice => "SAME_DEVICE",
            Self::SameSession => "SAME_SESSION",
            Self::SharedIp => "SHARED_IP",
            Self::SimilarEmail => "SIMILAR_EMAIL",
            Self::SimilarName => "SIMILAR_NAME",
            Self::SimilarBehavior => "SIMILAR_BEHAVIOR",
        }
    }
}

/// What an identity has in common with one other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    pub kind: KeyKind,
    /// How many keys of this kind both have.
    pub keys: usize,
    /// How many identities besides the one looked at have the least common of these keys, at most
    /// [`OTHERS_MAX`].
    pub others: usize,
}

/// A link in words and numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownLink {
    pub link_type: LinkType,
    /// How strongly they are linked: 1.0 is the same person.
    pub value: f64,
    /// How sure that is, 0.0 to 1.0.
    pub confidence: f64,
    pub explanation: String,
    /// The numbers behind the explanation.
    pub metadata: Map<String, Value>,
}

/// Others on a key up to this many, how strongly a shared device links, and how surely. A device
/// that many use is one in an internet café or a school.
const DEVICE: &[(usize, f64, f64)] =
    &[(1, 0.95, 0.9), (4, 0.85, 0.9), (10, 0.7, 0.85), (50, 0.4, 0.7), (OTHERS_MAX, 0.2, 0.6)];
/// From so many others on a device is one of those, and holds no cluster together: see [`DEVICE`].
pub const MANY_HANDS_MIN_OTHERS: usize = 11;
/// The same for a device that differs in one part: an update or a repair explains that, and so does another
/// piece of the same model, so that it holds no cluster together.
const NEAR_DEVICE: &[(usize, f64, f64)] = &[(1, 0.6, 0.5), (4, 0.5, 0.5), (10, 0.3, 0.4), (19, 0.2, 0.3)];
/// The same for an address: weak from the start, since households and offices share one.
const ADDRESS: &[(usize, f64, f64)] =
    &[(1, 0.5, 0.4), (4, 0.4, 0.4), (10, 0.25, 0.3), (50, 0.1, 0.2), (OTHERS_MAX, 0.05, 0.1)];
/// A session is one browser from one visit to the end of it: whoever else is in it signed in there.
const SESSION: (f64, f64) = (0.98, 0.95);
/// The same first steps at the same pace: one alike is chance, and so are all who are led by the hand.
const JOURNEY: &[(usize, f64, f64)] = &[(1, 0.3, 0.3), (4, 0.5, 0.5), (10, 0.4, 0.4)];
/// A mailbox has one owner.
const EMAIL: (f64, f64) = (1.0, 0.95);
/// The same but for digits, signs and tags, at one domain.
const SIMILAR_EMAIL: f64 = 0.5;
/// The same name, which few have, at two large providers, as people have it.
const SAME_MAILBOX_NAME: f64 = 0.4;
/// Each further key in common takes this part of what is missing to 1.0.
const FURTHER_KEY: f64 = 0.5;

/// Names alike, and how surely that is one person: people have namesakes.
const NAME: (f64, f64) = (0.4, 0.4);
/// A name with its date of birth or address is hardly anybody else's.
const PERSON: (f64, f64) = (0.9, 0.8);
/// A phone is one person's or one family's.
const PHONE: (f64, f64) = (0.6, 0.7);
const SIMILAR_EMAIL_CONFIDENCE: f64 = 0.6;

/// What it says that two identities share this; `None` for what ties nobody to anybody: a network or a
/// code in common, or names and addresses that only begin alike.
pub fn show(shared: Shared, own: &Profile, other: &Profile) -> Option<ShownLink> {
    let Shared { kind, keys, others } = shared;
    let (link_type, (value, confidence)) = match kind {
        KeyKind::Network | KeyKind::Code | KeyKind::Agent => return None,
        KeyKind::Birth | KeyKind::Home => {
            own.record()?.is_same_person(&other.record()?).then_some(())?;
            (LinkType::SimilarName, PERSON)
        }
        KeyKind::Mailbox => {
            let value = match resemblance(own, other)? {
                Resemblance::Identical | Resemblance::SameMailbox => EMAIL.0,
                Resemblance::Variant => SIMILAR_EMAIL,
                Resemblance::SameName => SAME_MAILBOX_NAME,
            };
            (LinkType::SimilarEmail, (value, SIMILAR_EMAIL_CONFIDENCE))
        }
        KeyKind::Name => {
            let likeness = person::name_likeness(own.name.as_deref()?, other.name.as_deref()?);
            Some(likeness).filter(|likeness| *likeness >= SAME_NAME_MIN_LIKENESS)?;
            (LinkType::SimilarName, NAME)
        }
        KeyKind::Phone => (LinkType::SimilarName, PHONE),
        KeyKind::Journey => (LinkType::SimilarBehavior, by_others(JOURNEY, others)),
        KeyKind::Device => (LinkType::SameDevice, by_others(DEVICE, others)),
        // With as many as are looked at, it is a common model.
        KeyKind::ButDrawing | KeyKind::ButSound | KeyKind::ButScreen | KeyKind::ButMachine
            if others >= kind.others_max() =>
        {
            return None;
        }
        KeyKind::ButDrawing | KeyKind::ButSound | KeyKind::ButScreen | KeyKind::ButMachine => {
            (LinkType::SameDevice, by_others(NEAR_DEVICE, others))
        }
        KeyKind::Session => (LinkType::SameSession, SESSION),
        KeyKind::Ip => (LinkType::SharedIp, by_others(ADDRESS, others)),
        KeyKind::Email => (LinkType::SimilarEmail, EMAIL),
    };
    let missing = (1.0 - value) * FURTHER_KEY.powi(i32::try_from(keys.saturating_sub(1)).unwrap_or(i32::MAX));
    let value = ((1.0 - missing) * 1_000.0).round() / 1_000.0;
    let mut metadata = Map::new();
    metadata.insert("keysInCommon".to_owned(), keys.into());
    metadata.insert("otherIdentities".to_owned(), others.into());
    let same_name = person::same_name_words(own.name.as_deref(), other.name.as_deref());
    let explanation = explain(shared, resemblance(own, other), same_name);
    Some(ShownLink { link_type, value, confidence, explanation, metadata })
}

/// What the addresses of two have in common, unless they are numbered mailboxes of one organisation.
fn resemblance(own: &Profile, other: &Profile) -> Option<Resemblance> {
    let email = own.email.as_deref()?.trim().to_lowercase();
    let found = person::resemblance(&email, other.email.as_deref()?)?;
    let is_role = || person::EmailParts::of(&email).is_some_and(|own| own.is_role() && !own.is_free());
    (found != Resemblance::Variant || !is_role()).then_some(found)
}

fn of_mailbox(resemblance: Option<Resemblance>) -> &'static str {
    match resemblance {
        Some(Resemblance::Identical) => "Both have the same e-mail address",
        Some(Resemblance::SameMailbox) => "Both have an address of the same mailbox, written in two ways",
        Some(Resemblance::SameName) => "Both have the same name before the @ of their e-mail addresses",
        Some(Resemblance::Variant) | None => "Both have nearly the same e-mail address",
    }
}

fn explain(
    Shared { kind, keys, others }: Shared,
    resemblance: Option<Resemblance>,
    same_name: &str,
) -> String {
    let what = match (kind, keys) {
        (KeyKind::Device, 1) => "Both used the same device".to_owned(),
        (KeyKind::Device, _) => format!("Both used the same {keys} devices"),
        (KeyKind::ButDrawing | KeyKind::ButSound | KeyKind::ButScreen | KeyKind::ButMachine, _) => {
            "Both used nearly the same device".to_owned()
        }
        (KeyKind::Session, 1) => "Both were active in the same browser session".to_owned(),
        (KeyKind::Session, _) => format!("Both were active in the same {keys} browser sessions"),
        (KeyKind::Ip, 1) => "Both came from the same address".to_owned(),
        (KeyKind::Ip, _) => format!("Both came from the same {keys} addresses"),
        (KeyKind::Email, _) => "Both have the same e-mail address".to_owned(),
        (KeyKind::Mailbox, _) => of_mailbox(resemblance).to_owned(),
        (KeyKind::Name, _) => format!("Both have {same_name}"),
        (KeyKind::Phone, _) => "Both have the same phone number".to_owned(),
        (KeyKind::Birth | KeyKind::Home, _) => {
            "Both give nearly the same name, date of birth or address".to_owned()
        }
        (KeyKind::Journey, _) => "Both began with the same steps at the same pace".to_owned(),
        (KeyKind::Code, _) => "Both used the same promotion or referral code".to_owned(),
        (KeyKind::Network, 1) => "Both came from the same network".to_owned(),
        (KeyKind::Agent, _) => "The same program sent the events of both".to_owned(),
        (KeyKind::Network, _) => format!("Both came from the same {keys} networks"),
    };
    let more = if others >= OTHERS_MAX { " or more" } else { "" };
    // Who else has such a key may have another name or address, which only sounds alike.
    let is_alike = matches!(kind, KeyKind::Mailbox | KeyKind::Name | KeyKind::Birth | KeyKind::Home);
    let told = match others.saturating_sub(1) {
        _ if is_alike => what,
        0 => what,
        1 => format!("{what}, and so did 1 other identity"),
        rest => format!("{what}, and so did {rest} other identities{more}"),
    };
    match kind.but() {
        Some(part) => format!("{told}: {}.", part.words()),
        None => format!("{told}."),
    }
}

fn by_others(steps: &[(usize, f64, f64)], others: usize) -> (f64, f64) {
    let step = steps.iter().find(|(up_to, _, _)| others <= *up_to).or(steps.last());
    step.map_or((0.0, 0.0), |(_, value, confidence)| (*value, *confidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Part;

    #[test]
    fn says_what_is_shared_and_how_much_that_means() {
        let cases = [
            (KeyKind::Device, 1, 1, "SAME_DEVICE", 0.95, "Both used the same device."),
            (
                KeyKind::Device,
                2,
                2,
                "SAME_DEVICE",
                0.925,
                "Both used the same 2 devices, and so did 1 other identity.",
            ),
            (
                KeyKind::Device,
                1,
                100,
                "SAME_DEVICE",
                0.2,
                "Both used the same device, and so did 99 other identities or more.",
            ),
            (
                KeyKind::ButScreen,
                1,
                1,
                "SAME_DEVICE",
                0.6,
                "Both used nearly the same device: graphics card, processor, memory, sound, fonts and what it draws are \
                 the same, the screen differs.",
            ),
            (
                KeyKind::ButDrawing,
                1,
                3,
                "SAME_DEVICE",
                0.5,
                "Both used nearly the same device, and so did 2 other identities: graphics card, processor, memory, \
                 screen, sound and fonts are the same, what it draws differs.",
            ),
            (KeyKind::Ip, 1, 1, "SHARED_IP", 0.5, "Both came from the same address."),
            (
                KeyKind::Ip,
                1,
                40,
                "SHARED_IP",
                0.1,
                "Both came from the same address, and so did 39 other identities.",
            ),
            (KeyKind::Session, 1, 1, "SAME_SESSION", 0.98, "Both were active in the same browser session."),
            (KeyKind::Email, 1, 1, "SIMILAR_EMAIL", 1.0, "Both have the same e-mail address."),
        ];
        for (kind, keys, others, name, value, explanation) in cases {
            let link = show(Shared { kind, keys, others }, &Profile::default(), &Profile::default()).unwrap();
            let found = (link.link_type.name(), link.value, link.explanation.as_str());
            assert_eq!(found, (name, value, explanation));
        }
    }

    #[test]
    fn a_crowd_never_strengthens_a_link() {
        for kind in [KeyKind::Device, KeyKind::Ip, KeyKind::Session, KeyKind::Email] {
            let with = |others| {
                show(Shared { kind, keys: 1, others }, &Profile::default(), &Profile::default()).unwrap()
            };
            let mut before = with(1);
            for others in 2..=OTHERS_MAX {
                let link = with(others);
                assert!(
                    link.value <= before.value && link.confidence <= before.confidence,
                    "{kind:?} {others}"
                );
                before = link;
            }
        }
    }

    #[test]
    fn a_device_that_differs_links_less_than_the_same_one_and_a_common_model_nobody() {
        let with =
            |kind, others| show(Shared { kind, keys: 1, others }, &Profile::default(), &Profile::default());
        for kind in Part::ALL.map(KeyKind::all_but) {
            for others in 1..kind.others_max() {
                let (near, same) = (with(kind, others).unwrap(), with(KeyKind::Device, others).unwrap());
                assert!(near.value < same.value && near.confidence < same.confidence, "{kind:?} {others}");
            }
            assert_eq!(with(kind, kind.others_max()), None);
        }
    }

    #[test]
    fn names_and_addresses_must_be_alike_to_link() {
        let of = |name: &str, email: &str| Profile {
            name: Some(name.to_owned()),
            email: Some(email.to_owned()),
            ..Profile::default()
        };
        let own = of("Ada Byron", "ada.b7@web.de");
        let link = |kind, name, email| {
            let link = show(Shared { kind, keys: 1, others: 1 }, &own, &of(name, email))?;
            Some((link.link_type.name(), link.value, link.explanation))
        };
        let near = "Both have nearly the same e-mail address.".to_owned();
        assert_eq!(link(KeyKind::Mailbox, "", "ada_b8@web.de"), Some(("SIMILAR_EMAIL", 0.5, near)));
        let same = "Both have the same e-mail address.".to_owned();
        assert_eq!(link(KeyKind::Mailbox, "", "Ada.B7@web.de"), Some(("SIMILAR_EMAIL", 1.0, same)));
        let mailbox = "Both have an address of the same mailbox, written in two ways.".to_owned();
        assert_eq!(link(KeyKind::Mailbox, "", "ada.b7+x@web.de"), Some(("SIMILAR_EMAIL", 1.0, mailbox)));
        let name = "Both have the same name before the @ of their e-mail addresses.".to_owned();
        assert_eq!(link(KeyKind::Mailbox, "", "ada.b7@gmail.com"), Some(("SIMILAR_EMAIL", 0.4, name)));
        assert_eq!(link(KeyKind::Mailbox, "", "adab@posteo.de"), None);
        let mailbox = |email: &str| Profile { email: Some(email.to_owned()), ..Profile::default() };
        let shared = Shared { kind: KeyKind::Mailbox, keys: 1, others: 1 };
        for (own, other) in [("info@firm-a.de", "info@firm-b.de"), ("info1@firm-a.de", "info2@firm-a.de")] {
            assert_eq!(show(shared, &mailbox(own), &mailbox(other)), None, "{own} {other}");
        }
        for (name, words) in [("Byron, Ada", "the same name"), ("Ada Byronn", "nearly the same name")] {
            let words = format!("Both have {words}.");
            assert_eq!(link(KeyKind::Name, name, ""), Some(("SIMILAR_NAME", 0.4, words)), "{name}");
        }
        assert_eq!(link(KeyKind::Name, "Eda Baron", ""), None);
        assert_eq!(link(KeyKind::Network, "Ada Byron", "ada.b7@web.de"), None);
    }
}
