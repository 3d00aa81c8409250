//! What there must be of everybody, by the model in `core`: it is given what was sent, and not what is in the database.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use dregs_core::badge::{self, BadgeType};
use dregs_core::event::{Event, Limits, Origin, read};
use dregs_core::rules::{
    BadgeRule, Condition, EscalationRule, Facts, Rules, Severity, Standing, Which, decide,
};
use dregs_core::score::{Analysis, Category, Observation, Weights};
use dregs_core::world::World;
use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::{Store, codec};
use reqwest::Method;
use serde_json::{Value, json};

use super::traffic::Traffic;
use super::{call, quiet};

/// Below which a score is low by the two rules.
const LOW: u8 = 60;
/// The badge of the one rule.
pub const BADGE: &str = "low";
/// Of whom an escalation was opened.
const LIST: &str = "low";

/// Puts two rules without delays, one for a badge and one for an escalation of which both channels are told and which puts
/// whom it finds on a list, in the place of those there are.
pub async fn set_rules(address: SocketAddr) {
    for path in ["/escalation-rules", "/badge-rules"] {
        let rules = call(address, Method::GET, path, Value::Null).await;
        for rule in rules["content"].as_array().unwrap() {
            call(address, Method::DELETE, &format!("{path}/{}?force=true", rule["id"]), Value::Null).await;
        }
    }
    let low = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": LOW}]);
    let rule = json!({"name": "Low", "type": "BAD", "conditions": low});
    call(address, Method::POST, "/badge-rules", rule).await;
    call(address, Method::POST, "/lists", json!({"name": LIST, "type": "IDENTITY"})).await;
    let rule = json!({"name": "Low", "severity": "INFO", "channels": ["first", "second"], "conditions": low,
        "addsToLists": [{"list": LIST, "what": "IDENTITY"}]});
    call(address, Method::POST, "/escalation-rules", rule).await;
}

/// The two rules that [`set_rules`] makes.
pub fn rules() -> Rules {
    let conditions = vec![Condition::ScoreLt { category: Which::Any, threshold: LOW }];
    let badge = BadgeRule {
        id: 1,
        revision: 1,
        name: "Low".to_owned(),
        slug: BADGE.to_owned(),
        badge_type: BadgeType::Bad,
        priority: 0,
        conditions: conditions.clone(),
        apply_delay_seconds: 0,
        remove_delay_seconds: 0,
        adds_to_lists: Vec::new(),
    };
    let escalation = EscalationRule {
        id: 1,
        revision: 1,
        name: "Low".to_owned(),
        severity: Severity::Info,
        channels: Vec::new(),
        conditions,
        open_after_seconds: 0,
        close_after_seconds: 0,
        effective_at: None,
        adds_to_lists: Vec::new(),
    };
    Rules { badges: vec![badge], escalations: vec![escalation] }
}

/// What of an identity is compared: its scores and each observation, its badges, and whether an escalation is open.
#[derive(Debug, PartialEq)]
struct Verdict {
    observations: Vec<Observation>,
    scores: [Option<u8>; 4],
    badges: Vec<String>,
    is_escalated: bool,
}

/// What of one is not in the other.
fn difference(one: &Verdict, other: &Verdict) -> String {
    let missing = |in_one: &Verdict, from: &Verdict| -> Vec<String> {
        let missing = in_one.observations.iter().filter(|one| !from.observations.contains(one));
        missing.map(|one| format!("{} {}: {}", one.id, one.value, one.explanation)).collect()
    };
    let rest = |of: &Verdict| format!("{:?} {:?} {}", of.scores, of.badges, of.is_escalated);
    format!("{:#?} {} instead of {:#?} {}", missing(one, other), rest(one), missing(other, one), rest(other))
}

impl Verdict {
    fn expected(analysis: Analysis, rules: &Rules) -> Self {
        let Analysis { scores, mut observations, .. } = analysis;
        let facts = Facts {
            scores: &scores,
            first_seen_at: SystemClock.now(),
            disregarded: false,
            badges: badge::of_analyzers(&observations).collect(),
            agent: None,
            events: None,
            lists: None,
            anew: &[],
            asked_before: false,
        };
        let decision = decide(&Standing::default(), &facts, rules, SystemClock.now());
        let mut badges: Vec<_> = decision.after.badges.into_iter().map(|badge| badge.slug).collect();
        badges.sort_unstable();
        observations.sort_by(|one, other| one.id.cmp(&other.id));
        Self {
            observations,
            scores: Category::ALL.map(|category| scores.get(category)),
            badges,
            is_escalated: !decision.opened.is_empty(),
        }
    }

    async fn found(address: SocketAddr, user: &str) -> Self {
        let get = async |path: String| call(address, Method::GET, &path, Value::Null).await;
        let identity = get(format!("/identities/{user}")).await;
        let analysis = get(format!("/identities/{user}/analysis")).await;
        let of_categories = analysis["scores"].as_array().unwrap().iter();
        let mut observations: Vec<Observation> = of_categories
            .flat_map(|score| score["observations"].as_array().unwrap())
            .map(|observation| serde_json::from_value(observation.clone()).unwrap())
            .collect();
        observations.sort_by(|one, other| one.id.cmp(&other.id));
        let score = |name: &str| identity[name].as_u64().map(|score| u8::try_from(score).unwrap());
        let badges = identity["badges"].as_array().unwrap().iter();
        let mut badges: Vec<_> = badges.map(|badge| badge["slug"].as_str().unwrap().to_owned()).collect();
        badges.sort_unstable();
        let open = get(format!("/escalations?identity={user}&status=OPEN")).await;
        Self {
            observations,
            scores: ["humanityScore", "authenticityScore", "uniquenessScore", "behaviorScore"].map(score),
            badges,
            is_escalated: open["totalElements"] == 1,
        }
    }
}

/// How much of what the model says is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    All,
    /// Not the words and numbers behind observations: which others on a key they name depends on the order in which those came, which several
    /// nodes, or servers that come and go, do not keep.
    NoWords,
}

/// Has the server at `address` score everybody once more, and says who is not as the model says.
pub async fn judge(address: SocketAddr, store: &Store, traffic: &Traffic, patience: Duration) -> Vec<String> {
    judge_by(Compare::All, address, store, traffic, patience).await
}

/// The same, where less of it is compared. Whoever sent it may be gone, and an event on its way still: a connection
/// that was silent holds it up for seconds. So it judges again until no event has come meanwhile.
pub async fn judge_by(
    compare: Compare,
    address: SocketAddr,
    store: &Store,
    traffic: &Traffic,
    patience: Duration,
) -> Vec<String> {
    loop {
        let stored = order(store).await;
        let complaints = judge_stored(&stored, compare, address, store, traffic, patience).await;
        if order(store).await == stored {
            return complaints;
        }
    }
}

async fn judge_stored(
    stored: &[String],
    compare: Compare,
    address: SocketAddr,
    store: &Store,
    traffic: &Traffic,
    patience: Duration,
) -> Vec<String> {
    let mut world = world(store).await;
    let (events, mut complaints) = events(stored, traffic);
    for event in &events {
        world.take(event);
    }
    for user in world.ids() {
        call(address, Method::POST, &format!("/identities/{user}/actions/analyze"), Value::Null).await;
    }
    quiet(store, patience).await;
    let rules = rules();
    for user in world.ids() {
        let Some(analysis) = world.analyze(user, &Weights::default()) else { continue };
        let mut expected = Verdict::expected(analysis, &rules);
        let mut found = Verdict::found(address, user).await;
        if compare == Compare::NoWords {
            let observations = expected.observations.iter_mut().chain(&mut found.observations);
            observations.for_each(|observation| {
                observation.explanation.clear();
                observation.metadata.clear();
            });
        }
        if found != expected {
            complaints.push(format!("{user}: {}", difference(&found, &expected)));
        }
    }
    complaints.extend(judge_list(address).await);
    complaints
}

/// The model, which knows in which order the server has numbered identities: of many on a key the newest are looked at.
pub async fn world(store: &Store) -> World {
    let sql = "select external_id from identities order by id";
    let ids = store.read(|tx| tx.query(sql, &[], |row| row.get::<String>(0))).await.unwrap();
    let mut world = World::default();
    world.number(ids.iter().map(String::as_str));
    world
}

/// Stored events as the model reads them, and what is wrong with the rest.
pub fn events(stored: &[String], traffic: &Traffic) -> (Vec<Event>, Vec<String>) {
    let (mut events, mut complaints) = (Vec::with_capacity(stored.len()), Vec::new());
    for id in stored {
        let Some(sent) = traffic.ledger().sent(id).map(Value::to_string) else {
            complaints.push(format!("{id} was never sent"));
            continue;
        };
        let (now, limits) = (SystemClock.now(), Limits::default());
        let read = read(sent.as_bytes(), &Origin::UNSEEN_BACKEND, now, limits, &mut String::new).unwrap();
        events.push(read.event);
    }
    (events, complaints)
}

/// Whoever had an escalation is on the list once, and nobody else.
async fn judge_list(address: SocketAddr) -> Option<String> {
    let get = async |path: &str| call(address, Method::GET, path, Value::Null).await;
    let mut escalated = BTreeSet::new();
    for page in 0.. {
        let found = get(&format!("/escalations?pageSize=100&pageNumber={page}")).await;
        let content = found["content"].as_array().unwrap().iter();
        escalated.extend(content.map(|one| one["identity"]["id"].as_str().unwrap().to_owned()));
        if found["last"] == true {
            break;
        }
    }
    let lists = get("/lists").await;
    let list = lists.as_array().unwrap().iter().find(|list| list["slug"] == LIST).unwrap();
    let listed = get(&format!("/lists/{}/entries", list["id"])).await;
    assert_eq!(listed["next"], Value::Null, "there are fewer people than are on a page");
    let listed = listed["content"].as_array().unwrap().iter();
    let listed: Vec<_> = listed.map(|entry| entry["value"].as_str().unwrap().to_owned()).collect();
    let escalated: Vec<_> = escalated.into_iter().collect();
    (listed != escalated).then(|| format!("on the list are {listed:?} instead of {escalated:?}"))
}

/// The stored events in the order in which they came.
pub async fn order(store: &Store) -> Vec<String> {
    let read = |tx: &mut dregs_server::store::Tx| {
        // In the order in which they were folded, whatever a clock said.
        let sql = "select external_id from events order by id";
        tx.query(sql, &[], |row| Ok(codec::unpack_id(&row.get::<Vec<u8>>(0)?)))
    };
    store.read(read).await.unwrap()
}
