//! What an endpoint must have been told, by the model: from the scores of each cycle it says which messages there must be,
//! with what numbers and in which order. Of the database it knows nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dregs_core::badge::Badge;
use dregs_core::event::Event;
use dregs_core::rules::{Facts, Standing, decide};
use dregs_core::score::{Scores, Weights};
use dregs_core::time::Timestamp;
use dregs_core::world::World;
use serde_json::{Value, json};

use super::judge::{BADGE, rules};
use super::show;

/// Neither rule has a delay, so that it is the same at any time.
const AT: Timestamp = Timestamp::from_millis(1_795_426_200_000);

/// What an endpoint was told of one identity, by the numbers of the messages: the type and the data of each.
pub type Heard = BTreeMap<i64, (String, Value)>;

/// What of it is compared; of an escalation, whose it is.
fn essence((event, data): &(String, Value)) -> Value {
    let slugs = |field: &str| slugs(&data[field]);
    match event.as_str() {
        "IDENTITY_SCORED" => json!([event, data["previousScores"], slugs("badges")]),
        "IDENTITY_BADGES_CHANGED" => json!([event, slugs("added"), slugs("removed"), slugs("badges")]),
        _ => json!([event, data["rule"]["name"], data["scores"]]),
    }
}

fn slugs(badges: &Value) -> BTreeSet<String> {
    let badges = badges.as_array().into_iter().flatten();
    badges.map(|badge| badge["slug"].as_str().unwrap().to_owned()).collect()
}

/// Where what was heard of somebody is not what the model says, in the order of the numbers.
pub fn complaint(name: &str, heard: &Heard) -> Option<String> {
    let expected = expected(heard);
    let heard: Vec<_> = heard.iter().map(|(number, message)| (*number, essence(message))).collect();
    let at = heard.iter().zip(&expected).take_while(|(heard, expected)| heard == expected).count();
    (heard != expected).then(|| {
        format!("{name} was told of by {:?}, where the model says {:?}", heard.get(at), expected.get(at))
    })
}

/// What there must be, given what each cycle has found.
fn expected(heard: &Heard) -> Vec<(i64, Value)> {
    let rules = rules();
    let (mut standing, mut before, mut said) = (Standing::default(), Value::Null, Vec::new());
    for (_, data) in heard.values().filter(|(event, _)| event == "IDENTITY_SCORED") {
        let scores: Scores = serde_json::from_value(data["scores"].clone()).unwrap();
        let found: Vec<Badge> = serde_json::from_value(data["badges"].clone()).unwrap();
        let facts = Facts {
            scores: &scores,
            first_seen_at: AT,
            disregarded: false,
            // What no rule has given is of an analyzer.
            badges: found.into_iter().filter(|badge| badge.slug != BADGE).collect(),
            agent: None,
            events: None,
            lists: None,
            anew: &[],
            asked_before: false,
        };
        let decision = decide(&standing, &facts, &rules, AT);
        let slugs = |badges: &[Badge]| badges.iter().map(|badge| badge.slug.clone()).collect::<BTreeSet<_>>();
        let (added, removed) = (slugs(&decision.added), slugs(&decision.removed));
        let now = slugs(&decision.after.badges);
        said.push(json!(["IDENTITY_SCORED", before, now]));
        if !added.is_empty() || !removed.is_empty() {
            said.push(json!(["IDENTITY_BADGES_CHANGED", added, removed, now]));
        }
        let moved = [("ESCALATION_CLOSED", &decision.closed), ("ESCALATION_OPENED", &decision.opened)];
        for (event, moved) in moved {
            let name = &rules.escalations[0].name;
            said.extend(moved.iter().map(|_| json!([event, name, data["scores"]])));
        }
        before = data["scores"].clone();
        standing = decision.after;
    }
    (1..).zip(said).collect()
}

/// Whose cycles have found what the model finds at no instant at which they may have begun. Given all events in the order in
/// which they were stored, it scores each identity as it was after so many of its own as the cycle had seen, until the next.
pub fn untimely(mut world: World, events: &[Event], heard: &BTreeMap<(i64, String), Heard>) -> Vec<String> {
    let mut cycles: BTreeMap<&str, VecDeque<Cycle>> = BTreeMap::new();
    for ((_, name), heard) in heard {
        let scored = heard.values().filter(|(event, _)| event == "IDENTITY_SCORED");
        // Every channel hears the same.
        cycles.insert(name, scored.map(|(_, data)| Cycle::new(data)).collect());
    }
    let (mut seen, mut complaints) = (BTreeMap::<&str, u64>::new(), Vec::new());
    let mut told = 0;
    for event in events {
        let Some(identity) = &event.identity else { continue };
        let own = seen.entry(identity.id.as_str()).or_default();
        if let Some(late) = cycles.get_mut(identity.id.as_str()) {
            while late.front().is_some_and(|cycle| cycle.events <= *own)
                && let Some(cycle) = late.pop_front()
            {
                complaints.push(format!("{} {cycle:?}: the model never finds that", identity.id));
            }
        }
        world.take(event);
        *own += 1;
        for (name, cycles) in &mut cycles {
            let count = seen.get(name).copied().unwrap_or_default();
            if cycles.front().is_none_or(|cycle| cycle.events != count) {
                continue;
            }
            let scores = world.analyze(name, &Weights::default()).map(|analysis| analysis.scores);
            let is_found = |cycle: &Cycle| cycle.events == count && Some(cycle.scores) == scores;
            while cycles.front().is_some_and(is_found) {
                cycles.pop_front();
                told += 1;
            }
        }
    }
    for (name, left) in cycles {
        complaints.extend(left.iter().map(|cycle| format!("{name} {cycle:?}: the model never finds that")));
    }
    show(&format!("{told} cycles have found what the model finds, of {} events", events.len()));
    complaints
}

#[derive(Debug)]
struct Cycle {
    /// How many events of its identity it has seen.
    events: u64,
    scores: Scores,
}

impl Cycle {
    fn new(data: &Value) -> Self {
        let scores = serde_json::from_value(data["scores"].clone()).unwrap();
        Self { events: data["eventCount"].as_u64().unwrap(), scores }
    }
}

#[cfg(test)]
mod tests {
    use dregs_core::event::{Limits, Origin, read};

    use super::*;

    const LOW: u8 = 10;
    const HIGH: u8 = 90;

    fn scores(humanity: u8) -> Value {
        json!({"humanity": humanity, "authenticity": null, "uniqueness": 80, "behavior": null})
    }

    fn scored(humanity: u8, before: &Value, is_low: bool) -> (String, Value) {
        let badge = json!({"slug": BADGE, "name": "Low", "type": "BAD", "explanation": "."});
        let badges: Vec<_> = is_low.then_some(badge).into_iter().collect();
        let data = json!({"scores": scores(humanity), "previousScores": before, "badges": badges});
        ("IDENTITY_SCORED".into(), data)
    }

    fn heard() -> Heard {
        let badge = json!([{"slug": BADGE}]);
        let none = json!([]);
        let changed = |added: &Value, removed: &Value, badges: &Value| {
            let data = json!({"added": added, "removed": removed, "badges": badges});
            ("IDENTITY_BADGES_CHANGED".to_owned(), data)
        };
        let moved = |event: &str, humanity| {
            (event.to_owned(), json!({"rule": {"name": "Low"}, "scores": scores(humanity)}))
        };
        let all = [
            scored(HIGH, &Value::Null, false),
            scored(LOW, &scores(HIGH), true),
            changed(&badge, &none, &badge),
            moved("ESCALATION_OPENED", LOW),
            scored(LOW + 1, &scores(LOW), true),
            scored(HIGH, &scores(LOW + 1), false),
            changed(&none, &badge, &none),
            moved("ESCALATION_CLOSED", HIGH),
        ];
        (1..).zip(all).collect()
    }

    #[test]
    fn a_cycle_that_the_model_finds_at_no_instant_is_found() {
        let at = |seconds: i64| AT.plus_millis(seconds * 1_000).to_string();
        let sent = |id: &str, user: &str, seconds: i64| {
            let device = json!({"fingerprint": "shared"});
            let event = json!({"type": "login", "id": id, "identity": {"id": user}, "device": device, "timestamp": at(seconds)});
            let (text, limits) = (event.to_string(), Limits::default());
            read(text.as_bytes(), &Origin::UNSEEN_BACKEND, AT.plus_millis(60_000), limits, &mut String::new)
                .unwrap()
                .event
        };
        let users = ["ada", "bob", "eve", "joe", "kim", "mia"];
        let events: Vec<_> = (0..).zip(users).map(|(n, user)| sent(&format!("e{n}"), user, n)).collect();
        // As ada is scored alone, and when all have come to her device.
        let scored = |after: usize| {
            let mut world = World::default();
            events[..after].iter().for_each(|event| drop(world.take(event)));
            json!({"scores": world.analyze("ada", &Weights::default()).unwrap().scores, "eventCount": 1})
        };
        let told = |cycles: &[Value]| {
            let cycles = cycles.iter().map(|data| ("IDENTITY_SCORED".to_owned(), data.clone()));
            untimely(
                World::default(),
                &events,
                &BTreeMap::from([((1, "ada".to_owned()), (1..).zip(cycles).collect())]),
            )
            .len()
        };
        let (alone, last) = (scored(1), scored(users.len()));
        assert_ne!(alone, last);
        assert_eq!(told(&[alone.clone(), alone.clone(), last.clone(), last.clone()]), 0);
        assert_eq!(told(&[last.clone(), alone.clone()]), 1, "time does not go back");
        let mut other = alone.clone();
        other["scores"]["uniqueness"] = json!(1);
        assert_eq!(told(&[other]), 1);
        let mut other = alone;
        other["eventCount"] = json!(2);
        assert_eq!(told(&[other]), 1, "of an event that never came");
    }

    #[test]
    fn what_is_missing_doubled_or_false_is_found() {
        assert_eq!(complaint("ada", &heard()), None);
        for number in 1..=8 {
            let mut missing = heard();
            missing.remove(&number);
            // That there was a ninth cannot be seen.
            assert!(complaint("ada", &missing).is_some(), "without {number}");
        }
        let mut doubled = heard();
        let opened = doubled[&4].clone();
        doubled.insert(9, opened);
        assert!(complaint("ada", &doubled).is_some());
        let mut other = heard();
        other.insert(5, scored(LOW + 1, &scores(HIGH), true));
        assert!(complaint("ada", &other).is_some(), "not the scores of the cycle before");
        let mut other = heard();
        other.insert(5, scored(LOW + 1, &scores(LOW), false));
        assert!(complaint("ada", &other).is_some(), "without its badge");
    }
}
