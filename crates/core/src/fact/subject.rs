//! What facts are asked of: an event, and its identity as it was with that event.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Fact, Value};
use crate::agent::{self, Kind};
use crate::badge::Slugs;
use crate::common::Common;
use crate::dataset::{Dataset, Datasets, ascii_domain};
use crate::event::Event;
use crate::identity::Profile;
use crate::key::ip_value;
use crate::label::Outcome;
use crate::link::network_value;
use crate::mapping::Mapping;
use crate::score::Scores;
use crate::snapshot::{OtherIdentity, SharedKey};
use crate::state::IdentityState;
use crate::time::Timestamp;

/// Elements of one array that are looked at.
const ELEMENTS_MAX: usize = 100;

/// How many other identities are linked, and how many of them were found bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    pub all: u32,
    pub bad: u32,
}

impl Linked {
    /// Of who shares what with an identity.
    pub fn of(shared: &[SharedKey]) -> Self {
        let mut others: Vec<_> = shared.iter().flat_map(|key| &key.others).collect();
        others.retain(|other| !other.id.is_empty());
        others.sort_unstable_by_key(|other| &other.id);
        others.dedup_by_key(|other| &other.id);
        let is_bad =
            |other: &&OtherIdentity| other.verdict.is_some_and(|verdict| verdict.outcome == Outcome::Bad);
        let bad = others.iter().filter(|other| is_bad(other)).count();
        let whole = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { all: whole(others.len()), bad: whole(bad) }
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// An identity as it was with an event.
#[derive(Clone, Copy, Debug)]
pub struct OfIdentity<'a> {
    pub id: Option<&'a str>,
    pub data: &'a Map<String, Json>,
    pub profile: &'a Profile,
    pub state: &'a IdentityState,
    pub first_seen_at: Option<Timestamp>,
    /// Since when it has its e-mail address.
    pub email_since: Option<Timestamp>,
}

/// What the facts of a team are read with.
#[derive(Clone, Copy, Debug)]
pub struct OfTeam<'a> {
    pub mapping: &'a Mapping,
    pub datasets: &'a Datasets,
    /// What most of the team's identities have: of one of them it is no fact.
    pub common: &'a Common,
}

/// An event, and its identity as it was with that event. What is not known has no facts.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub event: Option<&'a Event>,
    pub known: OfIdentity<'a>,
    pub team: OfTeam<'a>,
    /// OfIdentity in a cycle, not before.
    pub scores: Option<&'a Scores>,
    pub badges: Option<&'a Slugs<'a>>,
    pub linked: Option<Linked>,
}

impl<'a> Subject<'a> {
    /// One that no cycle has scored yet.
    pub const fn new(event: Option<&'a Event>, known: OfIdentity<'a>, team: OfTeam<'a>) -> Self {
        Self { event, known, team, scores: None, badges: None, linked: None }
    }

    /// The values of a fact; none where nothing is known of it.
    pub fn values(&self, fact: &Fact) -> Vec<Value> {
        let text = |text: Option<String>| text.map(Value::Text).into_iter().collect();
        let number = |number: Option<f64>| number.map(Value::Number).into_iter().collect();
        match fact {
            Fact::EventType => self.event_type(),
            Fact::EventData(path) => self.event.map(|event| at(&event.data, path)).unwrap_or_default(),
            Fact::IdentityData(path) => at(self.known.data, path),
            Fact::Identity => text(self.known.id.map(str::to_owned)),
            Fact::IdentityAge => number(self.age(self.known.first_seen_at)),
            Fact::Links => number(self.linked.map(|linked| linked.all.into())),
            Fact::BadLinks => number(self.linked.map(|linked| linked.bad.into())),
            Fact::Score(category) => {
                number(self.scores.and_then(|scores| scores.get(*category)).map(f64::from))
            }
            Fact::Badge => self.badges.into_iter().flatten().map(|slug| Value::from(*slug)).collect(),
            Fact::Ip => text(self.ip().map(|ip| ip.to_canonical().to_string())),
            Fact::Network => text(self.ip().and_then(network_value)),
            Fact::NetworkKind => text(self.ip().map(|ip| self.network_kind(ip).to_owned())),
            Fact::Country => {
                text(self.place().and_then(|place| place.country).map(|one| one.code().to_owned()))
            }
            Fact::Asn => number(self.place().and_then(|place| place.asn).map(f64::from)),
            Fact::Email => text(self.known.profile.email.clone()),
            Fact::EmailDomain => text(self.email_domain()),
            Fact::EmailAge => number(self.age(self.known.email_since)),
            Fact::EmailKind => text(self.email_domain().map(|domain| self.email_kind(&domain).to_owned())),
            Fact::Phone => text(self.known.profile.phone.clone()),
            Fact::Device => text(self.device().map(str::to_owned)),
            Fact::DeviceKind => text(self.agent_kind().map(str::to_owned)),
            Fact::DeviceAge => number(self.age(self.device_since())),
            Fact::Session => text(self.session().map(str::to_owned)),
            Fact::Agent => text(self.event.and_then(Event::agent).map(|agent| agent.name.into_owned())),
            Fact::Group(of) => self.groups(of),
        }
    }

    fn event_type(&self) -> Vec<Value> {
        let Some(event) = self.event else { return Vec::new() };
        let canonical = self.team.mapping.event_type(&event.name).map(|canonical| canonical.name());
        std::iter::once(event.name.as_str()).chain(canonical).map(Value::from).collect()
    }

    /// Seconds from then to the event.
    fn age(&self, since: Option<Timestamp>) -> Option<f64> {
        let millis = self.event?.timestamp.millis_since(since?).max(0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are exact for 285,000 years")]
        Some((millis / 1_000) as f64)
    }

    /// Addresses inside some network, and those that most have, are nobody's.
    fn ip(&self) -> Option<IpAddr> {
        let ip = self.event?.persons_ip()?;
        (ip_value(ip).is_some() && !self.team.common.has_address(ip)).then_some(ip)
    }

    fn place(&self) -> Option<crate::place::Place> {
        self.event?.persons_place()
    }

    fn network_kind(&self, ip: IpAddr) -> &'static str {
        let asn = self.place().and_then(|place| place.asn);
        let is_in = |dataset| self.team.datasets.network(dataset, ip, asn).is_some();
        match () {
            () if is_in(Dataset::Tor) => "TOR",
            () if is_in(Dataset::Hosting) => "HOSTING",
            () => "OTHER",
        }
    }

    fn email_domain(&self) -> Option<String> {
        let (_, domain) = self.known.profile.email.as_deref()?.rsplit_once('@')?;
        ascii_domain(domain)
    }

    fn email_kind(&self, domain: &str) -> &'static str {
        let kinds =
            [(Dataset::Disposable, "DISPOSABLE"), (Dataset::Relay, "RELAY"), (Dataset::Common, "FREE")];
        kinds.iter().find(|(of, _)| self.team.datasets.contain(*of, domain)).map_or("OTHER", |(_, kind)| kind)
    }

    fn device(&self) -> Option<&str> {
        let fingerprint = self.event?.fingerprint.as_deref()?;
        (!self.team.common.has_device(fingerprint)).then_some(fingerprint)
    }

    fn device_since(&self) -> Option<Timestamp> {
        let fingerprint = self.device()?;
        let seen = self.known.state.devices().iter().find(|seen| seen.value == fingerprint)?;
        Some(seen.first_at)
    }

    fn session(&self) -> Option<&str> {
        let session = self.event?.session.as_deref()?;
        (!self.team.common.has_session(session)).then_some(session)
    }

    fn agent_kind(&self) -> Option<&'static str> {
        let agent = self.event?.persons_user_agent()?;
        Some(match agent::kind(agent).0 {
            Kind::Automation => "AUTOMATION",
            Kind::Crawler => "CRAWLER",
            Kind::HttpLibrary => "HTTP_LIBRARY",
            Kind::Fragment => "FRAGMENT",
            Kind::AppLibrary => "APP_LIBRARY",
            Kind::Agent => "AGENT",
            Kind::Unknown => "UNKNOWN",
            Kind::App => "APP",
            Kind::Browser => "BROWSER",
        })
    }

    fn groups(&self, of: &str) -> Vec<Value> {
        let groups = self.event.map(|event| event.groups.as_slice()).unwrap_or_default();
        groups
            .iter()
            .filter(|group| group.group_type == of)
            .map(|group| Value::from(group.id.as_str()))
            .collect()
    }
}

/// The values at a path in data: keys joined by dots, of which the whole is tried first, since keys may have dots.
fn at(data: &Map<String, Json>, path: &str) -> Vec<Value> {
    let mut found = Vec::new();
    walk(data, path, &mut found);
    found
}

fn walk(data: &Map<String, Json>, path: &str, found: &mut Vec<Value>) {
    if let Some(value) = data.get(path) {
        match value {
            Json::Array(all) => found.extend(all.iter().take(ELEMENTS_MAX).filter_map(Value::of_json)),
            one => found.extend(Value::of_json(one)),
        }
        return;
    }
    for (dot, _) in path.match_indices('.') {
        let rest = &path[dot + 1..];
        match data.get(&path[..dot]) {
            Some(Json::Object(inner)) => walk(inner, rest, found),
            Some(Json::Array(all)) => {
                let objects = all.iter().take(ELEMENTS_MAX).filter_map(Json::as_object);
                objects.for_each(|inner| walk(inner, rest, found));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let Json::Object(data) = json!({
            "amount": 12.5, "cart": {"items": [{"sku": "a"}, {"sku": "b"}], "tags": ["x", null, {"y": 1}]},
            "a.b": "whole", "a": {"b": "parts", "c": {"d": true}}, "none": null,
        }) else {
            return;
        };
        let texts = |path| at(&data, path).iter().map(|value| value.text().into_owned()).collect::<Vec<_>>();
        assert_eq!(texts("amount"), ["12.5"]);
        assert_eq!(texts("cart.items.sku"), ["a", "b"]);
        assert_eq!(texts("cart.tags"), ["x"]);
        assert_eq!(texts("a.b"), ["whole"]);
        assert_eq!(texts("a.c.d"), ["true"]);
        for path in ["none", "cart", "cart.items", "missing", "amount.x"] {
            assert_eq!(texts(path), [] as [&str; 0], "{path}");
        }
    }
}
