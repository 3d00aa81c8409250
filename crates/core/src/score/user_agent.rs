//! Humanity: whether its user agents are those of browsers.

use super::{Analyzer, Category, Finding, counted, interpolate};
use crate::agent::{self, Kind};
use crate::snapshot::Snapshot;
use crate::state::Seen;

/// Telling when it says "script", and easily faked when it says "browser": the confidences below
/// make the difference.
const WEIGHT: f64 = 1.5;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "humanity.user-agent",
    label: "User agent",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

/// Value, confidence and words.
fn meaning(kind: Kind) -> (f64, f64, &'static str) {
    match kind {
        Kind::Automation => (0.02, 0.95, "a browser driven by automation software"),
        Kind::Crawler => (0.03, 0.9, "a crawler"),
        Kind::HttpLibrary => (0.05, 0.9, "a programming library"),
        Kind::Program => (0.15, 0.6, "a program that is no browser, app or crawler that is known"),
        Kind::AppLibrary => (0.4, 0.4, "a networking library that both apps and scripts use"),
        Kind::Browser => (0.8, 0.5, "an ordinary browser, which is easily imitated"),
    }
}

/// A crawler of good repute is no person, and no fraud: it says who it is. If it comes from its operator's
/// network it leaves the score alone; if that is not known, nearly so; from another network it is an
/// impostor.
const GOOD_CRAWLER: (f64, f64) = (0.5, 0.9);
const GOOD_CRAWLER_UNVERIFIED: (f64, f64) = (0.3, 0.6);
const IMPOSTOR: (f64, f64) = (0.02, 0.95);
/// What no browser says of itself.
const CONTRADICTION: (f64, f64) = (0.05, 0.9);

/// Years since a browser came out, and the value: browsers update themselves; who has not for years uses an
/// old machine, or a list of old user agents. One from the future is made up.
const VALUE_BY_AGE_YEARS: [(f64, f64); 6] =
    [(-0.6, 0.2), (-0.4, 0.8), (1.5, 0.8), (3.0, 0.6), (5.0, 0.45), (8.0, 0.4)];

/// Hardly any browser hides its user agent; a script with a bare HTTP client often sends none.
const MISSING: (f64, f64) = (0.1, 0.8);

/// Suspicious agents that are a smaller part of all lose at most this much of their confidence:
/// one visit of a script is still one.
const SHARE_MIN: f64 = 0.5;

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let agents = snapshot.state.user_agents();
    let missing = snapshot.state.agentless_browser_event_count();
    let own =
        agents.iter().zip(snapshot.state.bare()).filter(|(seen, bare)| is_of_person(snapshot, seen, **bare));
    let judged = own.map(|(seen, _)| (judge(snapshot, &seen.value), seen));
    let worst = judged.min_by(|(one, _), (other, _)| one.value.total_cmp(&other.value));
    match worst {
        Some((judged, seen)) if missing == 0 || judged.value < MISSING.0 => {
            let all: u64 = agents.iter().map(|seen| u64::from(seen.count)).sum();
            let share = (f64::from(seen.count) / all as f64).max(SHARE_MIN);
            let confidence = if judged.value > 0.5 { judged.confidence } else { judged.confidence * share };
            let explanation = format!(
                "{} of {} with a user agent came from {}: \"{}\".",
                seen.count,
                counted(all, "event"),
                judged.words,
                shown(&seen.value)
            );
            Some(Finding::new(judged.value, confidence, explanation).with("userAgent", seen.value.as_str()))
        }
        _ if missing > 0 => {
            let (value, confidence) = MISSING;
            let all = snapshot.state.browser_event_count();
            let explanation = format!(
                "{missing} of {} from a browser came without a user agent, which browsers always send.",
                counted(all, "event")
            );
            Some(Finding::new(value, confidence, explanation).with("eventsWithout", missing))
        }
        // Events of a backend say nothing of what the person uses.
        _ => None,
    }
}

/// Whether an agent tells of the person. One that most of the team's identities have does not, nor does that of a
/// library that came with nothing else of anybody: both are those of the customer's backend.
fn is_of_person(snapshot: &Snapshot, agent: &Seen<String>, bare: u32) -> bool {
    let is_backend = bare == agent.count && agent::kind(&agent.value).0 == Kind::HttpLibrary;
    !is_backend && !snapshot.common.has_agent(&agent.value)
}

struct Judged {
    value: f64,
    confidence: f64,
    words: String,
}

fn judge(snapshot: &Snapshot, user_agent: &str) -> Judged {
    let judged = |(value, confidence): (f64, f64), words: String| Judged { value, confidence, words };
    let (kind, name) = agent::kind(user_agent);
    let (value, confidence, words) = meaning(kind);
    if kind == Kind::Crawler {
        let asn = snapshot.state.places().iter().find_map(|seen| seen.value.asn);
        return match agent::good_crawler(user_agent, asn) {
            Some((name, Some(true))) => judged(
                GOOD_CRAWLER,
                format!("{name}, a crawler that keeps to the rules, from its own network"),
            ),
            Some((name, None)) => {
                judged(GOOD_CRAWLER_UNVERIFIED, format!("{name}, a crawler, by its own word"))
            }
            Some((name, Some(false))) => {
                judged(IMPOSTOR, format!("somebody else's network under the name of {name}"))
            }
            None => judged((value, confidence), named(words, name)),
        };
    }
    if kind != Kind::Browser {
        return judged((value, confidence), named(words, name));
    }
    if let Some(contradiction) = agent::contradiction(user_agent) {
        return judged(CONTRADICTION, format!("what {contradiction}"));
    }
    match agent::age_years(user_agent, snapshot.now) {
        Some(years) if years < -0.5 => judged(
            (interpolate(&VALUE_BY_AGE_YEARS, years), confidence),
            "a browser that is not out yet".to_owned(),
        ),
        Some(years) if years > 3.0 => judged(
            (interpolate(&VALUE_BY_AGE_YEARS, years), confidence),
            format!("a browser {years:.0} years old, while browsers update themselves"),
        ),
        _ => judged((value, confidence), words.to_owned()),
    }
}

fn named(words: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{words} known as \"{}\"", name.trim_matches([' ', '/', '(', ';', '-'])),
        None => words.to_owned(),
    }
}

fn shown(agent: &str) -> &str {
    const SHOWN_MAX_BYTES: usize = 120;
    &agent[..agent.floor_char_boundary(SHOWN_MAX_BYTES)]
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::place::Place;
    use crate::score::fixture::{Identity, said};

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

    fn with_agents(agents: &[&str]) -> Identity {
        agents.iter().fold(Identity::default(), |identity, agent| {
            identity.event("a", 0, |event| event.user_agent = Some((*agent).to_owned()))
        })
    }

    #[test]
    fn a_backend_that_names_no_user_agent_is_not_suspected() {
        assert_eq!(Identity::default().events("a", [0]).observe(ANALYZER), None);
    }

    #[test]
    fn a_browser_without_a_user_agent_is() {
        let identity = Identity::default().event("a", 0, |event| event.components = Some(Map::new()));
        let words = "1 of 1 event from a browser came without a user agent, which browsers always send.";
        assert_eq!(said(identity.observe(ANALYZER)), Some((0.1, words.to_owned())));
    }

    #[test]
    fn the_worst_user_agent_counts() {
        let finding = with_agents(&[CHROME, "curl/8.5.0", CHROME]).observe(ANALYZER);
        let words = "1 of 3 events with a user agent came from a programming library known as \"curl\": \"curl/8.5.0\".";
        assert_eq!(finding, Some(Finding::new(0.05, 0.45, words).with("userAgent", "curl/8.5.0")));
    }

    #[test]
    fn a_browser_counts_a_little() {
        let finding = with_agents(&[CHROME]).observe(ANALYZER).unwrap();
        assert_eq!((finding.value, finding.confidence), (0.8, 0.5));
    }

    #[test]
    fn a_good_crawler_is_named_and_an_impostor_told() {
        let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        let from = |asn: Option<u32>| {
            let identity = Identity::default().event("a", 0, |event| {
                event.user_agent = Some(google.to_owned());
                event.place = asn.map(|asn| Place { asn: Some(asn), ..Place::default() });
            });
            identity.observe(ANALYZER).map(|finding| finding.value)
        };
        assert_eq!([from(None), from(Some(15_169)), from(Some(24_940))], [Some(0.3), Some(0.5), Some(0.02)]);
    }

    #[test]
    fn an_old_browser_counts_a_little_and_one_of_the_future_more() {
        let value = |version: &str| {
            with_agents(&[&CHROME.replace("126", version)]).observe(ANALYZER).map(|finding| finding.value)
        };
        assert_eq!(value("150"), Some(0.8));
        assert!(value("90") < Some(0.5), "{:?}", value("90"));
        assert_eq!(value("190"), Some(0.2));
    }
}
