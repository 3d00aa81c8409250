//! Golden cases: stories of identities in `cases/*.json`, and the whole scores and observations
//! they must lead to.
//!
//! After a deliberate change of an analyzer, `cargo test -p dregs-core --test cases -- --ignored`
//! rewrites what is expected; the difference is then read in the commit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use dregs_core::agent::AgentSignature;
use dregs_core::common::Common;
use dregs_core::dataset::Datasets;
use dregs_core::event::{self, Limits, Origin};
use dregs_core::identity::{self, Profile};
use dregs_core::label::Verdict;
use dregs_core::link::{self, KeyKind, LinkKey};
use dregs_core::mapping::Mapping;
use dregs_core::person;
use dregs_core::score::{ANALYZERS, Analysis, Category, Weights, aggregate, analyze};
use dregs_core::snapshot::{OtherIdentity, SharedKey, Snapshot};
use dregs_core::state::IdentityState;
use dregs_core::time::{DAY_MS, MINUTE_MS, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// 2026-11-23T09:30:00Z: where every story begins.
const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);

#[path = "support/told.rs"]
mod truth;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    /// The connection of the browser that sends the events; a backend sends them if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<Browser>,
    events: Vec<Told>,
    /// Who else has the identity's keys of a kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shared: Vec<Shared>,
    #[serde(default)]
    expected: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Browser {
    ip: String,
    user_agent: String,
}

/// The same event at one or more times.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Told {
    at_seconds: Vec<f64>,
    event: Value,
    /// The signature of the agent that made the request, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<AgentSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shared {
    kind: KeyKind,
    others_count: u32,
    others: Vec<String>,
    /// When each came to the key, in minutes from the start of the story; those it does not say came in
    /// other months.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    at_minutes: Vec<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    /// What people have decided of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    verdicts: Vec<Verdict>,
}

impl Shared {
    fn others(&self) -> Vec<OtherIdentity> {
        let at = |n: u32| match self.at_minutes.get(n as usize) {
            Some(minute) => START.plus_millis(minute * MINUTE_MS),
            None => START.plus_millis(-i64::from(n + 1) * 30 * DAY_MS),
        };
        let id = |n: u32| self.others.get(n as usize).cloned().unwrap_or_else(|| format!("other_{n}"));
        (0..self.others_count)
            .map(|n| OtherIdentity {
                id: id(n),
                first_seen_at: at(n),
                name: self.names.get(n as usize).cloned(),
                email: self.emails.get(n as usize).cloned(),
                verdict: self.verdicts.get(n as usize).copied(),
                ..OtherIdentity::default()
            })
            .collect()
    }
}

impl Case {
    fn analysis(&self) -> Analysis {
        self.analyses(1).pop().unwrap()
    }

    /// After each of the last few events.
    fn analyses(&self, last: usize) -> Vec<Analysis> {
        let origin = match &self.browser {
            Some(browser) => Origin::Browser {
                ip: Some(browser.ip.parse().unwrap()),
                user_agent: Some(browser.user_agent.clone()),
            },
            None => Origin::UNSEEN_BACKEND,
        };
        let mut bodies: Vec<_> = self.events.iter().flat_map(Told::bodies).collect();
        bodies.sort_by_key(|(at, ..)| *at);

        let (mut data, mut state) = (Map::new(), IdentityState::default());
        let mut analyses = Vec::new();
        for (number, (at, body, signature)) in bodies.iter().enumerate() {
            let accepted =
                event::read(body.to_string().as_bytes(), &origin, *at, Limits::default(), &mut || {
                    format!("dregs-{number}")
                });
            let mut event = accepted.unwrap_or_else(|refused| panic!("{}: {refused:?}", self.about)).event;
            event.signature.clone_from(signature);
            if let Some(identity) = &event.identity {
                identity::merge(&mut data, &identity.data).unwrap();
            }
            state.fold(&event);
            if bodies.len() - number <= last {
                analyses.push(self.analysis_of(&data, &state));
            }
        }
        analyses
    }

    fn analysis_of(&self, data: &Map<String, Value>, state: &IdentityState) -> Analysis {
        let profile = Profile::from_data(data, &Mapping::default());
        let email = profile.email.as_deref().and_then(person::mailbox);
        let email = email.map(|value| LinkKey { kind: KeyKind::Email, value });
        let shared: Vec<_> = link::current_keys(state, &profile, &Common::default(), |_| false)
            .iter()
            .chain(&email)
            .flat_map(|key| {
                let same_kind = self.shared.iter().filter(|shared| shared.kind == key.kind);
                same_kind.map(|shared| SharedKey { key: key.clone(), since: START, others: shared.others() })
            })
            .collect();
        let now = state.last_event_at().unwrap_or_default();
        let known = (&Mapping::default(), &Datasets::default(), &Common::default());
        analyze(&Snapshot::new(now, &profile, known, state, &shared), &Weights::default())
    }
}

impl Told {
    fn bodies(&self) -> impl Iterator<Item = (Timestamp, Value, Option<AgentSignature>)> {
        self.at_seconds.iter().map(|seconds| {
            let at = START.plus_millis((seconds * 1_000.0).round() as i64);
            let mut body = self.event.clone();
            body["timestamp"] = json!(at);
            (at, body, self.signature.clone())
        })
    }
}

fn cases() -> Vec<(PathBuf, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let case = serde_json::from_slice(&fs::read(&path).unwrap());
        let case = case.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, case)
    };
    paths.into_iter().map(read).collect()
}

fn told(analysis: &Analysis) -> Value {
    json!({ "scores": analysis.scores, "observations": analysis.observations })
}

#[test]
fn every_story_leads_to_its_scores_and_observations() {
    for (path, case) in cases() {
        let found = told(&case.analysis());
        assert_eq!(found, case.expected, "{}: found {found:#}", path.display());
    }
}

#[test]
fn every_score_follows_from_its_stored_observations() {
    for (path, case) in cases() {
        let analysis = case.analysis();
        let stored = serde_json::to_string(&analysis.observations).unwrap();
        let observations: Vec<_> = serde_json::from_str(&stored).unwrap();
        for category in Category::ALL {
            assert_eq!(
                aggregate(category, &observations),
                analysis.scores.get(category),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_number_that_is_told_stands_beside_it_at_every_cycle() {
    for (path, case) in cases() {
        for found in case.analyses(usize::MAX).iter().flat_map(|analysis| &analysis.observations) {
            let untold = truth::untold(&found.explanation, &found.metadata);
            assert_eq!(untold, None, "{}: {found:#?}", path.display());
        }
    }
}

#[test]
fn the_stories_together_hear_every_analyzer() {
    let mut heard: Vec<_> =
        cases().iter().flat_map(|(_, case)| case.analysis().observations).map(|found| found.id).collect();
    heard.sort();
    heard.dedup();
    let mut all: Vec<_> = ANALYZERS.iter().map(|analyzer| analyzer.id).collect();
    all.sort_unstable();
    assert_eq!(heard, all);
}

#[test]
#[ignore = "rewrites the expectations of the cases"]
fn rewrite() {
    for (path, mut case) in cases() {
        case.expected = told(&case.analysis());
        fs::write(path, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
    }
}
