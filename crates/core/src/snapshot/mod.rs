//! All that an analyzer may see of an identity at one moment.

use std::cell::OnceCell;

use crate::agent;
use crate::common::Common;
use crate::dataset::Datasets;
use crate::identity::Profile;
use crate::key::{KeyKind, ip_value};
use crate::list::Trusted;
use crate::mapping::{CanonicalType, Mapping, is_automatic};
use crate::state::{IdentityState, RecentEvent, Trace};
use crate::time::Timestamp;

mod others;
mod relation;

pub use others::{OtherIdentity, SharedKey};
pub use relation::{Own, Relation};

/// An identity as a cycle sees it.
#[derive(Clone, Debug)]
pub struct Snapshot<'a> {
    /// The moment scores are for: the time of the identity's newest event.
    pub now: Timestamp,
    pub profile: &'a Profile,
    /// What its events' names mean.
    pub mapping: &'a Mapping,
    pub datasets: &'a Datasets,
    /// What most of the team's identities have, and which says nothing of this one.
    pub common: &'a Common,
    /// What of it is on the team's trusted lists: who shares that says nothing of it.
    pub trusted: &'a Trusted,
    pub state: &'a IdentityState,
    /// One entry for each of the identity's current keys that somebody else has too, see
    /// [`crate::link::current_keys`].
    pub shared: &'a [SharedKey],
    acts: Vec<Act<'a>>,
    own: OnceCell<Own<'a>>,
}

/// One of the recent events, and what its name means.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    pub event: RecentEvent<'a>,
    /// `None` for names that mean nothing in particular.
    pub meaning: Option<CanonicalType>,
    /// Whether a program sends it on its own: it tells nothing of the person.
    pub is_automatic: bool,
    /// Whether it carries something of the person, so that its time is that of what they did.
    pub is_of_person: bool,
}

impl<'a> Snapshot<'a> {
    pub fn new(
        now: Timestamp,
        profile: &'a Profile,
        (mapping, datasets, common): (&'a Mapping, &'a Datasets, &'a Common),
        state: &'a IdentityState,
        shared: &'a [SharedKey],
    ) -> Self {
        let of_name = |name: &str| (mapping.event_type(name), is_automatic(name));
        let names: Vec<_> = state.names().iter().map(|name| of_name(&name.value)).collect();
        let act = |event: RecentEvent<'a>| {
            let known = event.name_place.and_then(|place| names.get(place));
            let (meaning, is_automatic) = known.copied().unwrap_or_default();
            let is_of_person = event.traces.iter().flatten().any(|trace| counts(state, common, *trace));
            Act { event, meaning, is_automatic, is_of_person }
        };
        let mut acts: Vec<_> = state.recent().map(act).collect();
        acts.sort_by_key(|act| act.event.at);
        let trusted = Trusted::NONE;
        Self { now, profile, mapping, datasets, common, trusted, state, shared, acts, own: OnceCell::new() }
    }

    /// With what of the identity is trusted, which is left out of `shared` but for networks, as what is common is.
    #[must_use]
    pub fn trusting(self, trusted: &'a Trusted) -> Self {
        Self { trusted, ..self }
    }

    /// The recent events, in order of time.
    pub fn acts(&self) -> &[Act<'a>] {
        &self.acts
    }

    /// What is compared of it with others.
    pub fn own(&self) -> &Own<'a> {
        self.own.get_or_init(|| Own::new(self.datasets, self.profile))
    }

    /// The shared keys of one kind.
    pub fn shared(&self, kind: KeyKind) -> impl Iterator<Item = &SharedKey> {
        let says_something = move |shared: &&SharedKey| {
            shared.key.kind == kind && !(kind == KeyKind::Network && self.is_of_team(shared))
        };
        self.shared.iter().filter(says_something)
    }

    /// Networks that are taken for the team's own, or are trusted. Who else is there says nothing of this identity, and how many come
    /// through them says how busy the team is.
    pub fn common_networks(&self) -> impl Iterator<Item = &SharedKey> {
        let networks = self.shared.iter().filter(|shared| shared.key.kind == KeyKind::Network);
        networks.filter(|shared| self.is_of_team(shared))
    }

    fn is_of_team(&self, shared: &SharedKey) -> bool {
        self.common.contains(&shared.key) || self.trusted.has(&shared.key)
    }
}

/// Whether what an event carried is the person's, rather than the customer's.
fn counts(state: &IdentityState, common: &Common, trace: Trace) -> bool {
    match trace {
        Trace::Forgotten => true,
        Trace::Device(place) => {
            state.devices().get(place).is_some_and(|seen| !common.has_device(&seen.value))
        }
        Trace::Address(place) => {
            let address = state.addresses().get(place).map(|seen| seen.value);
            address.is_some_and(|ip| ip_value(ip).is_some() && !common.has_address(ip))
        }
        // Of older sessions no more is known than that they were others.
        Trace::Session(_) => {
            state.sessions().len() > 1 || !state.session().is_some_and(|session| common.has_session(session))
        }
        // That a program sent it is no trace of a person.
        Trace::Agent(place) => state
            .user_agents()
            .get(place)
            .is_some_and(|seen| agent::is_of_person(&seen.value) && !common.has_agent(&seen.value)),
    }
}
