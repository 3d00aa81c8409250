//! Identities for the tests of analyzers.

use serde_json::Map;

use crate::common::Common;
use crate::dataset::Datasets;
use crate::event::{Event, OfBackend};
use crate::identity::Profile;
use crate::key::{KeyKind, LinkKey};
use crate::mapping::Mapping;
use crate::score::aggregate::thousandths;
use crate::score::contract::{Analyzer, Finding};
use crate::snapshot::{OtherIdentity, SharedKey, Snapshot};
use crate::state::IdentityState;
use crate::time::{DAY_MS, MINUTE_MS, Timestamp};

#[path = "../../tests/support/told.rs"]
mod truth;

/// Where every story begins.
pub const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);

/// An identity under construction.
#[derive(Default)]
pub struct Identity {
    pub profile: Profile,
    pub mapping: Mapping,
    pub datasets: Datasets,
    pub common: Common,
    pub state: IdentityState,
    pub shared: Vec<SharedKey>,
}

impl Identity {
    /// Folds an event of one visit, called `name`, `after_ms` from the start of the story, changed by `change`.
    pub fn event(mut self, name: &str, after_ms: i64, change: impl FnOnce(&mut Event)) -> Self {
        let mut event = Event {
            id: "e".to_owned(),
            name: name.to_owned(),
            timestamp: START.plus_millis(after_ms),
            source: None,
            identity: None,
            groups: Vec::new(),
            data: Map::new(),
            fingerprint: None,
            components: None,
            interaction: None,
            session: Some("visit".to_owned()),
            url: None,
            ip: None,
            user_agent: None,
            place: None,
            of_backend: OfBackend::default(),
            signature: None,
        };
        change(&mut event);
        self.state.fold(&event);
        self
    }

    /// Folds an event `name` at each of these times.
    pub fn events(self, name: &str, times_ms: impl IntoIterator<Item = i64>) -> Self {
        times_ms.into_iter().fold(self, |identity, at| identity.event(name, at, |_| ()))
    }

    /// Shares a key with `count` others, whose ids begin with `prefix` and who came in other months.
    pub fn shares(mut self, kind: KeyKind, value: &str, count: u32, prefix: &str) -> Self {
        let key = LinkKey { kind, value: value.to_owned() };
        let others = (0..count).map(|n| OtherIdentity {
            id: format!("{prefix}{n}"),
            first_seen_at: START.plus_millis(-i64::from(n + 1) * 30 * DAY_MS),
            ..OtherIdentity::default()
        });
        self.shared.push(SharedKey { key, since: START, others: others.collect() });
        self
    }

    /// Shares a key with others who came to it so many minutes from the start of the story, the same ones
    /// for every key.
    pub fn shares_at(self, kind: KeyKind, value: &str, minutes: impl IntoIterator<Item = i64>) -> Self {
        let others = minutes.into_iter().map(|minute| (minute, "", ""));
        self.shares_with(kind, value, others)
    }

    /// Likewise, with the names and e-mail addresses of the others.
    pub fn shares_with<'a>(
        mut self,
        kind: KeyKind,
        value: &str,
        others: impl IntoIterator<Item = (i64, &'a str, &'a str)>,
    ) -> Self {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let others = others.into_iter().zip(0..).map(|((minute, name, email), n)| OtherIdentity {
            id: format!("other{n}"),
            first_seen_at: START.plus_millis(minute * MINUTE_MS),
            name: given(name),
            email: given(email),
            ..OtherIdentity::default()
        });
        let key = LinkKey { kind, value: value.to_owned() };
        self.shared.push(SharedKey { key, since: START, others: others.collect() });
        self
    }

    /// What an analyzer says, every number of which stands beside it.
    pub fn observe(&self, analyzer: Analyzer) -> Option<Finding> {
        let finding = (analyzer.observe)(&self.snapshot());
        let untold = finding.as_ref().and_then(|found| truth::untold(&found.explanation, &found.metadata));
        assert_eq!(untold, None, "{finding:#?}");
        finding
    }

    pub fn snapshot(&self) -> Snapshot<'_> {
        let now = self.state.last_event_at().unwrap_or_default();
        let known = (&self.mapping, &self.datasets, &self.common);
        Snapshot::new(now, &self.profile, known, &self.state, &self.shared)
    }
}

/// A finding's value and explanation, for tables.
pub fn said(finding: Option<Finding>) -> Option<(f64, String)> {
    finding.map(|finding| (thousandths(finding.value), finding.explanation))
}
