//! Identities for the tests of analyzers.

use serde_json::Map;

use super::{Analyzer, Finding};
use crate::dataset::Datasets;
use crate::event::Event;
use crate::identity::Profile;
use crate::link::{KeyKind, LinkKey};
use crate::mapping::Mapping;
use crate::snapshot::{OtherIdentity, SharedKey, Snapshot};
use crate::state::IdentityState;
use crate::time::Timestamp;

/// An identity under construction.
#[derive(Default)]
pub struct Identity {
    pub profile: Profile,
    pub mapping: Mapping,
    pub datasets: Datasets,
    pub state: IdentityState,
    pub shared: Vec<SharedKey>,
}

impl Identity {
    /// Folds an event called `name`, `after_ms` from the start of the story, changed by `change`.
    pub fn event(mut self, name: &str, after_ms: i64, change: impl FnOnce(&mut Event)) -> Self {
        let mut event = Event {
            id: "e".to_owned(),
            name: name.to_owned(),
            timestamp: Timestamp::from_millis(1_795_426_200_000 + after_ms),
            source: None,
            identity: None,
            groups: Vec::new(),
            data: Map::new(),
            fingerprint: None,
            components: None,
            session: None,
            url: None,
            ip: None,
            user_agent: None,
        };
        change(&mut event);
        self.state.fold(&event);
        self
    }

    /// Folds an event `name` at each of these times.
    pub fn events(self, name: &str, times_ms: impl IntoIterator<Item = i64>) -> Self {
        times_ms.into_iter().fold(self, |identity, at| identity.event(name, at, |_| ()))
    }

    /// Shares a key with `count` others, whose ids begin with `prefix`.
    pub fn shares(mut self, kind: KeyKind, value: &str, count: u32, prefix: &str) -> Self {
        let others = (0..count.min(20))
            .map(|n| OtherIdentity { id: format!("{prefix}{n}"), first_seen_at: Timestamp::from_millis(0) });
        let key = LinkKey { kind, value: value.to_owned() };
        self.shared.push(SharedKey { key, others_count: count, others: others.collect() });
        self
    }

    pub fn observe(&self, analyzer: Analyzer) -> Option<Finding> {
        (analyzer.observe)(&self.snapshot())
    }

    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            now: self.state.last_event_at().unwrap_or_default(),
            profile: &self.profile,
            mapping: &self.mapping,
            datasets: &self.datasets,
            state: &self.state,
            shared: &self.shared,
        }
    }
}

/// A finding's value and explanation, for tables.
pub fn said(finding: Option<Finding>) -> Option<(f64, String)> {
    finding.map(|finding| (super::thousandths(finding.value), finding.explanation))
}
