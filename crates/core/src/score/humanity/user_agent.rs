//! Humanity: whether its user agents are those of browsers.
//!
//! Limits: a user agent is whatever its sender writes, so one that copies a browser's passes; an unknown name on
//! few events is taken for your own app, mildly.

use crate::agent::{self, Kind};
use crate::curve::interpolate;
use crate::score::aggregate::logit;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
use crate::snapshot::Snapshot;
use crate::state::Seen;
use crate::time::{DAY_MS, Timestamp};

/// Telling when it says "script", and easily faked when it says "browser": its confidences
/// make the difference.
const WEIGHT: f64 = 1.5;

pub const ANALYZER: Analyzer = Analyzer {
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
        Kind::Crawler => (0.03, 0.9, "a program that introduces itself as crawlers do"),
        Kind::HttpLibrary => (0.05, 0.9, "a programming library"),
        Kind::Fragment => {
            (0.1, 0.7, "a program that sends a part of a browser's user agent, which no browser does")
        }
        Kind::AppLibrary => (0.4, 0.4, "a networking library that both apps and scripts use"),
        Kind::Agent => (0.4, 0.4, "an agent that acts for a person, by its own word"),
        Kind::Unknown => (0.4, 0.4, "an app or a program that is not known"),
        Kind::App => (0.7, 0.5, "an app or a browser that says on what it runs, which is easily imitated"),
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

/// What is left of the confidence in a suspicion, by the share of all events on which it rests. A script that
/// sends as many events again by a browser is one still; of who did one act in fifty by a program, an import, a
/// password manager or a curious hour explain it as well. A judgment: the line between the two is straight.
const KEPT_BY_SHARE: [(f64, f64); 2] = [(0.02, 0.0), (0.5, 1.0)];
/// However small its share, by the days since: at once, half, or a script would be forgotten for as many events
/// of a browser as it cares to send; after three weeks, nothing, since accounts that scripts have made are used
/// before. A judgment, too.
const KEPT_BY_AGE_DAYS: [(f64, f64); 2] = [(0.0, 0.5), (21.0, 0.0)];
/// A suspicion begins below this value; others keep their confidence.
const SUSPICIOUS_BELOW: f64 = 0.5;

/// What speaks most strongly against it, or least for it.
fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let strength = |finding: &Finding| finding.confidence * logit(finding.value);
    let findings = of_agents(snapshot).into_iter().chain(of_missing(snapshot));
    // Events of a backend that names no user agent say nothing of what the person uses.
    findings.min_by(|one, other| strength(one).total_cmp(&strength(other)))
}

/// A finding for each user agent that still counts.
fn of_agents(snapshot: &Snapshot) -> Vec<Finding> {
    let agents = snapshot.state.user_agents();
    let own =
        agents.iter().zip(snapshot.state.bare()).filter(|(seen, bare)| is_of_person(snapshot, seen, **bare));
    let own: Vec<_> = own.map(|(seen, _)| seen).collect();
    // An agent of a person says nothing of who is known by other means.
    let is_known_otherwise = own.iter().any(|seen| agent::kind(&seen.value).0 != Kind::Agent);
    let own = own.into_iter().filter(|seen| !is_known_otherwise || agent::kind(&seen.value).0 != Kind::Agent);
    let judged: Vec<_> = own.map(|seen| (judge(snapshot, &seen.value), seen)).collect();
    let all: u64 = agents.iter().map(|seen| u64::from(seen.count)).sum();
    let finding = |(judgement, seen): &(Judged, &Seen<String>)| {
        let kept = kept(judgement.value, &judged, snapshot.now);
        let days = days_since(seen, snapshot.now);
        let is_past = kept < 1.0 && days >= 1.0;
        let when = if is_past { format!(", {days:.0} days before its latest event") } else { String::new() };
        let explanation = format!(
            "{} of {} with a user agent came from {}: \"{}\"{when}.",
            seen.count,
            counted(all, "event"),
            judgement.words,
            shown(&seen.value)
        );
        let mut finding = Finding::new(judgement.value, judgement.confidence * kept, explanation)
            .with("userAgent", seen.value.as_str())
            .with("events", seen.count)
            .with("allEvents", all);
        if is_past {
            finding = finding.with("daysBefore", days.round());
        }
        if let Some(years) = judgement.years {
            finding = finding.with("browserYears", years);
        }
        (kept > 0.0).then_some(finding)
    };
    judged.iter().filter_map(finding).collect()
}

/// What is left of the confidence in a judgment, by the share and the age of all that are as suspicious.
fn kept(value: f64, judged: &[(Judged, &Seen<String>)], now: Timestamp) -> f64 {
    if value >= SUSPICIOUS_BELOW {
        return 1.0;
    }
    let (mut suspicious, mut all, mut days) = (0.0, 0.0, f64::INFINITY);
    for (judgement, seen) in judged {
        all += f64::from(seen.count);
        if judgement.value <= value {
            suspicious += f64::from(seen.count);
            days = days.min(days_since(seen, now));
        }
    }
    interpolate(&KEPT_BY_SHARE, suspicious / all).max(interpolate(&KEPT_BY_AGE_DAYS, days))
}

/// Days since the user agent was last seen.
fn days_since(seen: &Seen<String>, now: Timestamp) -> f64 {
    now.millis_since(seen.last_at) as f64 / DAY_MS as f64
}

/// When they came is not known: their share alone counts.
fn of_missing(snapshot: &Snapshot) -> Option<Finding> {
    let missing = snapshot.state.agentless_browser_event_count();
    let all = snapshot.state.browser_event_count();
    let kept = interpolate(&KEPT_BY_SHARE, missing as f64 / all as f64);
    let (value, confidence) = MISSING;
    let explanation = format!(
        "{missing} of {} from a browser came without a user agent, which browsers always send.",
        counted(all, "event")
    );
    (missing > 0 && kept > 0.0).then(|| {
        Finding::new(value, confidence * kept, explanation).with("eventsWithout", missing).with("events", all)
    })
}

/// Whether an agent tells of the person. One that most of the team's identities have does not, nor does that of a
/// program that came with nothing else of anybody: both are those of the customer's backend. What drives a browser has a
/// connection of its own. A name that is not known may be an app's, unless the person is known to use something else.
fn is_of_person(snapshot: &Snapshot, agent: &Seen<String>, bare: u32) -> bool {
    let is_known_otherwise = || {
        let mut all = snapshot.state.user_agents().iter().zip(snapshot.state.bare());
        all.any(|(seen, bare)| *bare < seen.count && agent::is_of_person(&seen.value))
    };
    let is_backend = bare == agent.count
        && match agent::kind(&agent.value).0 {
            Kind::HttpLibrary | Kind::Crawler | Kind::Fragment => true,
            Kind::AppLibrary | Kind::Unknown => is_known_otherwise(),
            Kind::Automation | Kind::Agent | Kind::App | Kind::Browser => false,
        };
    !is_backend && !snapshot.common.has_agent(&agent.value)
}

struct Judged {
    value: f64,
    confidence: f64,
    words: String,
    /// How old an old browser is.
    years: Option<f64>,
}

/// What one user agent says by itself.
fn judge(snapshot: &Snapshot, user_agent: &str) -> Judged {
    let judged =
        |(value, confidence): (f64, f64), words: String| Judged { value, confidence, words, years: None };
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
            None => {
                let words = if name.is_some() { "a crawler" } else { words };
                judged((value, confidence), named(words, name))
            }
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
        Some(years) if years > 3.0 => Judged {
            value: interpolate(&VALUE_BY_AGE_YEARS, years),
            confidence,
            words: format!("a browser {years:.0} years old, while browsers update themselves"),
            years: Some(years.round()),
        },
        _ => judged((value, confidence), words.to_owned()),
    }
}

fn named(words: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{words} known as \"{}\"", shown(name)),
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
    fn what_a_backend_calls_itself_says_nothing_of_anybody() {
        let told = |agent: &str, session: Option<&str>| {
            let identity = Identity::default().event("user.created", 0, |event| {
                event.user_agent = Some(agent.to_owned());
                event.session = session.map(str::to_owned);
            });
            identity.observe(ANALYZER).map(|finding| finding.value)
        };
        let backends = [
            "python-requests/2.32.5",
            "WordPress/6.7.1; https://shop.example",
            "ReactorNetty/1.1.22",
            "Google-Apps-Script",
            "AcmeBackend/2.1 (+https://acme.example)",
            "Mozilla/5.0 (compatible; Acme/2.1; +https://acme.example)",
            "Mozilla/5.0",
            "Mozilla/5.0 (test)",
        ];
        for agent in backends {
            assert_eq!(told(agent, None), None, "{agent}");
            assert!(told(agent, Some("s")).is_some_and(|value| value <= 0.1), "{agent}");
        }
        // What drives a browser is nobody's backend.
        for agent in [&CHROME.replace("Chrome", "HeadlessChrome"), "Playwright/1.49.0"] {
            assert!(told(agent, None).is_some_and(|value| value <= 0.1), "{agent}");
        }
        assert_eq!(told("AcmeApp/3.2 (iPhone; iOS 19.1)", None), Some(0.7));
        // An app's library may be a backend's, too, and is one's once somebody is seen by a browser.
        assert_eq!(told("ktor-client", None), Some(0.4));
        let since = Identity::default().event("user.created", 0, |event| {
            (event.user_agent, event.session) = (Some("ktor-client".to_owned()), None);
        });
        let since = since.event("a", 0, |event| event.user_agent = Some(CHROME.replace("126", "148")));
        assert_eq!(since.observe(ANALYZER).map(|finding| finding.value), Some(0.8));
    }

    #[test]
    fn a_browser_without_a_user_agent_is() {
        let identity = Identity::default().event("a", 0, |event| event.components = Some(Map::new()));
        let words = "1 of 1 event from a browser came without a user agent, which browsers always send.";
        assert_eq!(said(identity.observe(ANALYZER)), Some((0.1, words.to_owned())));
        let later = (0..100).fold(identity, |identity, _| {
            identity.event("a", 0, |event| {
                event.components = Some(Map::new());
                event.user_agent = Some(CHROME.to_owned());
            })
        });
        assert_eq!(
            later.observe(ANALYZER).map(|finding| finding.value > 0.5),
            Some(true),
            "one of a hundred"
        );
    }

    #[test]
    fn the_worst_user_agent_counts() {
        let finding = with_agents(&[CHROME, "curl/8.5.0", CHROME]).observe(ANALYZER);
        let words = "1 of 3 events with a user agent came from a programming library known as \"curl\": \"curl/8.5.0\".";
        let expected = Finding::new(0.05, 0.587, words).with("userAgent", "curl/8.5.0");
        let expected = expected.with("events", 1).with("allEvents", 3);
        assert_eq!(finding.map(rounded), Some(expected));
    }

    fn rounded(finding: Finding) -> Finding {
        Finding { confidence: crate::score::aggregate::thousandths(finding.confidence), ..finding }
    }

    /// One event by each of these, then `count` by a browser, the last after so many days: the observation's
    /// value and its confidence.
    fn after(agents: &[&str], count: i64, days: i64) -> (f64, f64) {
        let spent = |n: i64| n * days * DAY_MS / count;
        let identity = (1..=count).fold(with_agents(agents), |identity, n| {
            identity.event("a", spent(n), |event| event.user_agent = Some(CHROME.replace("126", "148")))
        });
        let finding = rounded(identity.observe(ANALYZER).unwrap());
        (finding.value, finding.confidence)
    }

    #[test]
    fn a_suspicion_fades_with_number_and_age() {
        const SCRIPT: &[&str] = &["python-requests/2.32.5"];
        let cases = [
            // The share of a half and more stays, whatever its age.
            ((SCRIPT, 1, 0), (0.05, 0.9)),
            ((SCRIPT, 1, 300), (0.05, 0.9)),
            // Few events more launder nobody, neither at once nor later.
            ((SCRIPT, 2, 0), (0.05, 0.587)),
            ((SCRIPT, 3, 0), (0.05, 0.45)),
            ((SCRIPT, 3, 60), (0.05, 0.431)),
            // Nor do many at once.
            ((SCRIPT, 500, 0), (0.05, 0.45)),
            ((SCRIPT, 217, 7), (0.05, 0.3)),
            ((SCRIPT, 217, 14), (0.05, 0.15)),
            // Time and number together do.
            ((SCRIPT, 217, 28), (0.8, 0.5)),
            // Who changes names is counted together.
            ((&["curl/8.5.0", "curl/8.6.0", "curl/8.7.0"], 3, 60), (0.05, 0.9)),
        ];
        for ((agents, count, days), expected) in cases {
            assert_eq!(after(agents, count, days), expected, "{agents:?}, {count} events over {days} days");
        }
    }

    #[test]
    fn a_faded_suspicion_says_how_old_it_is() {
        let identity = with_agents(&["curl/8.5.0"]).event("a", 10 * DAY_MS, |event| {
            event.user_agent = Some(CHROME.replace("126", "148"));
        });
        let identity =
            identity.event("a", 10 * DAY_MS, |event| event.user_agent = Some(CHROME.replace("126", "148")));
        let words = "1 of 3 events with a user agent came from a programming library known as \"curl\": \"curl/8.5.0\", \
                     10 days before its latest event.";
        assert_eq!(said(identity.observe(ANALYZER)), Some((0.05, words.to_owned())));
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
