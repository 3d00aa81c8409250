//! Facts: what conditions of rules, counters and lists may ask of an event and of the identity that it is about.
//!
//! A fact is named by a path, such as `event.data.amount` or `email.domain`. It has no value, one, or several; a condition
//! about a fact without a value does not hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::list::ListType;
use crate::score::Category;

mod email_since;
mod near;
mod subject;
mod value;

pub use email_since::EmailSince;
use near::unknown;
pub use subject::{Linked, OfIdentity, OfTeam, Subject};
pub use value::Value;

/// Longest path of a field of data.
pub const PATH_MAX_BYTES: usize = 200;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Fact {
    /// The event's name as it was sent, and its canonical type.
    EventType,
    /// A field of the event's data, by its path; of an array, each of its elements.
    EventData(String),
    /// Likewise of the identity's data.
    IdentityData(String),
    Identity,
    /// Seconds from the identity's first event to the event.
    IdentityAge,
    /// How many other identities share something with it that links them.
    Links,
    /// Of those, how many people or rules of the application have found bad.
    BadLinks,
    Score(Category),
    /// Slugs.
    Badge,
    Ip,
    /// The /24 of an IPv4 address, the /48 of an IPv6 address.
    Network,
    /// `HOSTING`, `TOR` or `OTHER`.
    NetworkKind,
    Country,
    Asn,
    Email,
    EmailDomain,
    /// `DISPOSABLE`, `RELAY`, `FREE` or `OTHER`.
    EmailKind,
    /// Seconds from the identity's first event with this e-mail address to the event.
    EmailAge,
    Phone,
    Device,
    /// What is behind the user agent, such as `BROWSER` or `HTTP_LIBRARY`.
    DeviceKind,
    /// Seconds from the identity's first event with this device to the event.
    DeviceAge,
    Session,
    /// The AI agent that made the request.
    Agent,
    /// Ids of the event's groups of a type.
    Group(String),
}

const EVENT_DATA: &str = "event.data.";
const IDENTITY_DATA: &str = "identity.data.";
const GROUP: &str = "group.";
const SCORE: &str = "score.";

impl Fact {
    /// Those whose names take nothing.
    pub const PLAIN: [(&'static str, Self); 25] = [
        ("event.type", Self::EventType),
        ("identity.id", Self::Identity),
        ("identity.ageSeconds", Self::IdentityAge),
        ("identity.links", Self::Links),
        ("identity.badLinks", Self::BadLinks),
        ("score.humanity", Self::Score(Category::Humanity)),
        ("score.authenticity", Self::Score(Category::Authenticity)),
        ("score.uniqueness", Self::Score(Category::Uniqueness)),
        ("score.behavior", Self::Score(Category::Behavior)),
        ("badge", Self::Badge),
        ("ip", Self::Ip),
        ("ip.network", Self::Network),
        ("ip.kind", Self::NetworkKind),
        ("ip.country", Self::Country),
        ("ip.asn", Self::Asn),
        ("email", Self::Email),
        ("email.domain", Self::EmailDomain),
        ("email.kind", Self::EmailKind),
        ("email.ageSeconds", Self::EmailAge),
        ("phone", Self::Phone),
        ("device", Self::Device),
        ("device.kind", Self::DeviceKind),
        ("device.ageSeconds", Self::DeviceAge),
        ("session", Self::Session),
        ("agent", Self::Agent),
    ];

    /// The fact of this name; `None` where there is none.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some((_, plain)) = Self::PLAIN.iter().find(|(known, _)| *known == name) {
            return Some(plain.clone());
        }
        let after = |prefix: &str| name.strip_prefix(prefix).filter(|path| is_path(path)).map(str::to_owned);
        after(EVENT_DATA)
            .map(Self::EventData)
            .or_else(|| after(IDENTITY_DATA).map(Self::IdentityData))
            .or_else(|| after(GROUP).map(Self::Group))
    }

    /// Whether it is known before an event is scored, so that counters can go by it.
    pub const fn is_of_event(&self) -> bool {
        !matches!(self, Self::EmailAge | Self::Links | Self::BadLinks | Self::Score(_) | Self::Badge)
    }

    /// Whether it is the value of something that people can share, and that most of a team's identities may have in
    /// common: then it says nothing of one of them.
    pub const fn may_be_common(&self) -> bool {
        matches!(self, Self::Ip | Self::Network | Self::Device | Self::Session)
    }

    /// The types of lists on which its values can be. Fields of data, groups and identities are named by the application,
    /// and may be of any; a text can be anything.
    pub const fn list_types(&self) -> &'static [ListType] {
        use ListType::{Asn, Country, Device, Email, EmailDomain, Ip, Network, Phone, Text};
        match self {
            Self::EventData(_) | Self::IdentityData(_) | Self::Group(_) | Self::Identity => &ListType::ALL,
            Self::Email => &[Email, EmailDomain, Text],
            Self::EmailDomain => &[EmailDomain, Text],
            Self::Ip => &[Ip, Network, Text],
            Self::Network => &[Network, Text],
            Self::Country => &[Country, Text],
            Self::Asn => &[Asn, Text],
            Self::Phone => &[Phone, Text],
            Self::Device => &[Device, Text],
            _ => &[Text],
        }
    }

    /// As it is said, "the e-mail domain".
    pub fn words(&self) -> String {
        let plain = match self {
            Self::EventData(path) => return format!("the event's \"{path}\""),
            Self::IdentityData(path) => return format!("the identity's \"{path}\""),
            Self::Group(of) => return format!("the {of}"),
            Self::Score(category) => return format!("the {} score", category.title()),
            Self::EventType => "the event's type",
            Self::Identity => "the identity",
            Self::IdentityAge => "the account's age in seconds",
            Self::Links => "the number of linked accounts",
            Self::BadLinks => "the number of linked accounts found bad",
            Self::Badge => "a badge",
            Self::Ip => "the IP address",
            Self::Network => "the network",
            Self::NetworkKind => "the kind of network",
            Self::Country => "the IP address's country",
            Self::Asn => "the network's ASN",
            Self::Email => "the e-mail address",
            Self::EmailDomain => "the e-mail domain",
            Self::EmailKind => "the kind of e-mail domain",
            Self::EmailAge => "the e-mail address's age in seconds",
            Self::Phone => "the phone number",
            Self::Device => "the device",
            Self::DeviceKind => "the kind of device",
            Self::DeviceAge => "the device's age in seconds",
            Self::Session => "the session",
            Self::Agent => "the AI agent",
        };
        plain.to_owned()
    }
}

fn is_path(path: &str) -> bool {
    (1..=PATH_MAX_BYTES).contains(&path.len()) && path.split('.').all(|part| !part.is_empty())
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventData(path) => write!(f, "{EVENT_DATA}{path}"),
            Self::IdentityData(path) => write!(f, "{IDENTITY_DATA}{path}"),
            Self::Group(of) => write!(f, "{GROUP}{of}"),
            Self::Score(category) => write!(f, "{SCORE}{}", category.title().to_lowercase()),
            plain => {
                let known = Self::PLAIN.iter().find(|(_, known)| known == plain);
                f.write_str(known.map_or("", |(name, _)| name))
            }
        }
    }
}

impl From<Fact> for String {
    fn from(fact: Fact) -> Self {
        fact.to_string()
    }
}

impl TryFrom<String> for Fact {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or_else(|| unknown(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_fact_can_be_on_lists_of_some_types() {
        let check = |fact: Fact, expected: &[ListType]| assert_eq!(fact.list_types(), expected, "{fact}");
        check(Fact::Email, &[ListType::Email, ListType::EmailDomain, ListType::Text]);
        check(Fact::Network, &[ListType::Network, ListType::Text]);
        check(Fact::IdentityAge, &[ListType::Text]);
        check(Fact::EventData("card".to_owned()), &ListType::ALL);
    }

    #[test]
    fn a_fact_is_read_by_the_name_it_writes() {
        let names = Fact::PLAIN.iter().map(|(name, _)| (*name).to_owned());
        let with_paths =
            ["event.data.cart.total", "identity.data.plan", "group.organization"].map(str::to_owned);
        for name in names.chain(with_paths) {
            assert_eq!(Fact::parse(&name).map(|fact| fact.to_string()), Some(name));
        }
        for none in
            ["", "event", "event.data", "event.data.", "event.data.a..b", "Event.Type", "score.any", "group."]
        {
            assert_eq!(Fact::parse(none), None, "{none}");
        }
    }
}
