//! User agents by their kind, in `agents.json`, and the Humanity of an identity of which one event with each
//! and an address are all that is known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use dregs_core::agent;
use dregs_core::common::Common;
use dregs_core::dataset::Datasets;
use dregs_core::event::{self, Limits, Origin};
use dregs_core::identity::Profile;
use dregs_core::mapping::Mapping;
use dregs_core::score::{Analysis, Weights, analyze};
use dregs_core::snapshot::Snapshot;
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

/// 2026-11-23T09:30:00Z
const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

#[derive(Deserialize)]
struct Kind {
    about: String,
    humanity: Level,
    agents: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// What rules are made for.
    Low,
    /// No reason to suspect anything.
    Fair,
    /// A little in favour.
    Good,
}

impl Level {
    /// A prior of 70 is what one has of whom nothing is known.
    fn of(humanity: u8) -> Option<Self> {
        match humanity {
            0..30 => Some(Self::Low),
            60..70 => Some(Self::Fair),
            70.. => Some(Self::Good),
            _ => None,
        }
    }
}

fn analysis(agent: &str) -> Analysis {
    let body = json!({
        "type": "user.created", "identity": {"id": "u"}, "timestamp": NOW, "userAgent": agent, "ip": "203.0.113.7",
    });
    let body = body.to_string();
    let accepted =
        event::read(body.as_bytes(), &Origin::UNSEEN_BACKEND, NOW, Limits::default(), &mut || "e".to_owned());
    let mut state = IdentityState::default();
    state.fold(&accepted.unwrap().event);
    let (mapping, datasets, profile) = (Mapping::default(), Datasets::default(), Profile::default());
    let known = (&mapping, &datasets, &Common::default());
    analyze(&Snapshot::new(NOW, &profile, known, &state, &[]), &Weights::default())
}

#[test]
fn a_user_agent_says_what_its_kind_says() {
    let kinds: Vec<Kind> = serde_json::from_str(include_str!("agents.json")).unwrap();
    let mut wrong = Vec::new();
    for kind in &kinds {
        for agent in &kind.agents {
            let analysis = analysis(agent);
            let humanity = analysis.scores.humanity.unwrap();
            let is_right = match kind.humanity {
                // A whole browser of long ago is fair, and one that says more good.
                Level::Fair => humanity >= 60,
                expected => Level::of(humanity) == Some(expected),
            };
            if !is_right {
                wrong.push(format!("{}: {humanity}: {}", kind.about, analysis.observations[0].explanation));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} kinds:\n{}", wrong.len(), kinds.len(), wrong.join("\n"));
}

proptest! {
    #[test]
    fn any_text_is_some_kind(agent in "\\PC{0,80}|[ -~]{0,80}|(Mozilla/5.0|[(\\[;,/) ]|compatible|bot|[é ß]){0,30}") {
        let (_, name) = agent::kind(&agent);
        prop_assert!(name.is_none_or(|name| !name.is_empty()));
        let _ = agent::contradiction(&agent);
        let _ = agent::age_years(&agent, NOW);
        let _ = agent::good_crawler(&agent, None);
    }
}

#[test]
fn a_long_text_takes_no_longer_than_its_length() {
    const LENGTH: usize = 50_000;
    /// A hundred times what it takes; in proportion to the square it would be minutes.
    const DEADLINE: Duration = Duration::from_secs(10);
    let patterns = [
        "(",
        ")",
        "[",
        "a",
        "a ",
        "a/",
        "1 ",
        "; ",
        "bot-",
        "bot ",
        "(a;",
        "a@",
        "+http ",
        "Mozilla/5.0 ",
        "compatible;",
    ];
    for pattern in patterns {
        for beginning in ["", "Mozilla/5.0 (Windows NT 10.0) Chrome/1 ", "Mozilla/5.0 ("] {
            let agent = beginning.to_owned() + &pattern.repeat(LENGTH / pattern.len());
            #[expect(clippy::disallowed_methods, reason = "what is measured here is time")]
            let begun = Instant::now();
            let _ = agent::kind(&agent);
            assert!(begun.elapsed() < DEADLINE, "{beginning}{pattern}…: {:?}", begun.elapsed());
        }
    }
}
