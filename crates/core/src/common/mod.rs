//! What most of a team's identities have in common. A user agent, an address or a device that nearly all of
//! them share belongs to the customer's own systems, or to nobody, and says nothing of one person.
//!
//! It is learned from the team's own events in the order of their arrival, by a [`Sample`] of its identities,
//! and kept: what the customer's backend sent during an import says nothing of those people a year later either.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::agent::{self, Kind, may_be_a_backends, program_name};
use crate::event::Event;
use crate::key::{KeyKind, LinkKey, address_keys};

mod sample;

pub use sample::{HOLDERS_MIN, RECENT_IDENTITIES, REGULAR_IDENTITIES, Sample};

/// Values that are kept of a team: far more than its own systems have.
pub const VALUES_OF_TEAM_MAX: usize = 256;

/// What is known to be common among a team's identities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    keys: HashSet<LinkKey>,
}

impl Common {
    /// Adds a value.
    pub fn insert(&mut self, key: LinkKey) {
        self.keys.insert(key);
    }

    pub fn contains(&self, key: &LinkKey) -> bool {
        !self.keys.is_empty() && self.keys.contains(key)
    }

    /// Whether a user agent is the customer's own program's.
    pub fn has_agent(&self, agent: &str) -> bool {
        !self.keys.is_empty() && may_be_a_backends(agent) && self.has(KeyKind::Agent, program_name(agent))
    }

    /// Whether an address is the customer's own, or in a network of theirs.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        !self.keys.is_empty() && address_keys(ip).any(|key| self.contains(&key))
    }

    pub fn has_device(&self, fingerprint: &str) -> bool {
        !self.keys.is_empty() && self.has(KeyKind::Device, fingerprint.to_owned())
    }

    pub fn has_session(&self, session: &str) -> bool {
        !self.keys.is_empty() && self.has(KeyKind::Session, session.to_owned())
    }

    fn has(&self, kind: KeyKind, value: String) -> bool {
        self.contains(&LinkKey { kind, value })
    }
}

/// What an event shows of its identity that others may show as well: the program that sent it, and what links
/// identities; `new_keys` are those that the event brought its identity.
pub fn values<'k>(event: &Event, new_keys: impl IntoIterator<Item = &'k LinkKey>) -> Vec<LinkKey> {
    // The connection of a person's agent is neither the person's nor the customer's.
    let is_of_agent = event.is_of_agent();
    // What introduces itself as crawlers do is a backend's where nothing of a person comes with it.
    let has_company = event.fingerprint.is_some() || event.session.is_some();
    let may_be = |agent: &&str| {
        !is_of_agent && may_be_a_backends(agent) && !(has_company && agent::kind(agent).0 == Kind::Crawler)
    };
    let program = event.user_agent.as_deref().filter(may_be);
    let program = program.map(|agent| LinkKey { kind: KeyKind::Agent, value: program_name(agent) });
    let device = event.fingerprint.clone().map(|value| LinkKey { kind: KeyKind::Device, value });
    let addresses = event.ip.filter(|_| !is_of_agent).into_iter().flat_map(address_keys);
    // A backend's own address is no network of those it tells of.
    let addresses = addresses.filter(|key| key.kind == KeyKind::Ip || !event.of_backend.ip);
    let session = event.session.clone().map(|value| LinkKey { kind: KeyKind::Session, value });
    let of_event = program.into_iter().chain(device).chain(addresses).chain(session);
    let mut values: Vec<_> = of_event.chain(new_keys.into_iter().cloned()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// What a customer is told whose integration sends the same for most of its users, and how it is sent better.
pub fn advice(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Agent => {
            "Most of your users come with the same program as their user agent. It is taken for your own, and \
             left out of scores. Send the end user's agent as `userAgent`, or none."
        }
        KeyKind::Ip | KeyKind::Network => {
            "Most of your users come from the same address. It is taken for your own, and left out of scores. \
             Send the end user's address as `ip`, or none; behind a proxy, name it in `trusted_proxies`."
        }
        KeyKind::Device
        | KeyKind::ButDrawing
        | KeyKind::ButSound
        | KeyKind::ButScreen
        | KeyKind::ButMachine => {
            "Most of your users come with the same device. It is taken for none, and left out of scores. Send \
             the device that dregs.js reports, or none."
        }
        KeyKind::Session => {
            "Most of your users come in the same session. It is taken for none, and left out of scores. Send a \
             session of the end user's own as `session`, or none."
        }
        KeyKind::Journey | KeyKind::Code => {
            "Most of your users take the same first steps or use the same code. It says nothing of any of them, \
             and is left out of scores."
        }
        KeyKind::Email
        | KeyKind::Mailbox
        | KeyKind::Name
        | KeyKind::Phone
        | KeyKind::Birth
        | KeyKind::Home => {
            "Most of your users have the same details, such as a placeholder that a form fills in. They are left \
             out of scores. Send what each user has said, or nothing."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn key(kind: KeyKind, value: &str) -> LinkKey {
        LinkKey { kind, value: value.to_owned() }
    }

    /// What an event of a backend, or of a browser, shows of its program.
    fn program(agent: &str, device: Option<&str>, session: Option<&str>) -> Option<String> {
        let body = serde_json::json!({
            "type": "user.created", "id": "e", "identity": {"id": "u"}, "userAgent": agent, "ip": "203.0.113.7",
        });
        let now = Timestamp::from_millis(1_795_426_200_000);
        let read = crate::event::read(
            body.to_string().as_bytes(),
            &crate::event::Origin::UNSEEN_BACKEND,
            now,
            crate::event::Limits::default(),
            &mut String::new,
        );
        let mut event = read.unwrap().event;
        (event.fingerprint, event.session) = (device.map(str::to_owned), session.map(str::to_owned));
        values(&event, []).into_iter().find(|key| key.kind == KeyKind::Agent).map(|key| key.value)
    }

    #[test]
    fn a_backend_may_introduce_itself_as_crawlers_do_and_has_no_device() {
        for (agent, expected) in [
            ("WordPress/6.7.1; https://shop.example", "wordpress"),
            ("AcmeBackend/2.1 (+https://acme.example)", "acmebackend"),
            ("Mozilla/5.0", "mozilla"),
            (
                "Mozilla/5.0 (compatible; Acme/2.1; +https://acme.example)",
                "mozilla/ (compatible; acme/; +https://acmeexample)",
            ),
        ] {
            assert_eq!(program(agent, None, None).as_deref(), Some(expected));
            let common = Common { keys: [key(KeyKind::Agent, expected)].into() };
            assert!(common.has_agent(agent) && common.has_agent(&agent.replace("2.1", "2.2")), "{agent}");
        }
        let visitor = "FooBot/1.0 (+https://foo.example)";
        assert_eq!(program(visitor, Some("d"), None), None);
        assert_eq!(program(visitor, None, Some("s")), None);
        let common = Common { keys: [key(KeyKind::Agent, "mozilla")].into() };
        assert!(!common.has_agent("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"));
    }

    #[test]
    fn programs_have_names_and_browsers_are_none() {
        let common = Common { keys: [key(KeyKind::Agent, "python-requests")].into() };
        for (agent, expected) in [
            ("python-requests/2.32.5", true),
            ("Python-Requests/1", true),
            ("python-requests", true),
            ("curl/8.5.0", false),
            ("", false),
        ] {
            assert_eq!(common.has_agent(agent), expected, "{agent}");
        }
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36";
        assert!(
            !may_be_a_backends(browser)
                && !may_be_a_backends(&browser.replace("Headless", ""))
                && may_be_a_backends("Acme/1")
        );
    }
}
