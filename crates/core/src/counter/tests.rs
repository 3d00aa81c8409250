use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::state::BUCKETS_OF_WINDOW;
use super::*;
use crate::common::Common;
use crate::dataset::Datasets;
use crate::event::{Event, OfBackend};
use crate::fact::{OfIdentity, OfTeam, Value};
use crate::identity::Profile;
use crate::mapping::Mapping;
use crate::state::IdentityState;
use crate::time::MINUTE_MS;

const HASHER: KeyHasher = KeyHasher::new([7; 16]);
const NOON: i64 = 1_795_435_200_000;

fn event(at_ms: i64, name: &str, data: Json) -> Event {
    Event {
        id: String::new(),
        name: name.to_owned(),
        timestamp: Timestamp::from_millis(at_ms),
        source: None,
        identity: None,
        groups: Vec::new(),
        data: data.as_object().cloned().unwrap_or_default(),
        fingerprint: None,
        components: None,
        interaction: None,
        session: None,
        url: None,
        ip: "203.0.113.7".parse().ok(),
        user_agent: None,
        place: None,
        of_backend: OfBackend::default(),
        signature: None,
    }
}

/// Asks about an event of somebody.
fn of<T>(id: &str, event: &Event, ask: impl FnOnce(&Subject) -> T) -> T {
    static KNOWN: LazyLock<(Mapping, Datasets, Common)> = LazyLock::new(Default::default);
    let (mapping, datasets, common) = &*KNOWN;
    let (data, state) = (Map::new(), IdentityState::default());
    let known = OfIdentity {
        id: Some(id),
        data: &data,
        profile: &Profile::default(),
        state: &state,
        first_seen_at: None,
        email_since: None,
    };
    ask(&Subject::new(Some(event), known, OfTeam { mapping, datasets, common }))
}

fn fact(name: &str) -> Fact {
    Fact::parse(name).unwrap()
}

fn counter(id: i64, function: &str, of: Option<&str>, per: &str, window_seconds: u64) -> Counter {
    Counter {
        id,
        revision: 1,
        slug: format!("counter-{id}"),
        name: format!("Counter {id}"),
        function: Function::parse(function, of.map(fact)).unwrap(),
        per: fact(per),
        conditions: Vec::new(),
        window_seconds,
        counts_from: Timestamp::default(),
        is_ready: true,
    }
}

/// One of each kind, over the same card.
fn all_kinds() -> Counters {
    let kinds = [
        ("COUNT", None),
        ("DISTINCT", Some("identity.id")),
        ("SUM", Some("event.data.amount")),
        ("MIN", Some("event.data.amount")),
        ("MAX", Some("event.data.amount")),
    ];
    let card = "event.data.card";
    let all = kinds.iter().zip(1..).map(|((function, of), id)| counter(id, function, *of, card, 3_600));
    Counters::new(all.collect())
}

/// Minutes from noon, who, which card, how much in cents.
type Past = Vec<(i64, u8, u8, Option<i32>)>;

fn bought(&(at, _, card, cents): &(i64, u8, u8, Option<i32>)) -> Event {
    let amount = cents.map(|cents| f64::from(cents) / 100.0);
    event(NOON + at * MINUTE_MS, "purchase", json!({"card": card.to_string(), "amount": amount}))
}

fn time(one: &(i64, u8, u8, Option<i32>)) -> Timestamp {
    Timestamp::from_millis(NOON + one.0 * MINUTE_MS)
}

fn name(who: u8) -> String {
    format!("user-{who}")
}

fn tally(counters: &Counters, past: &[(i64, u8, u8, Option<i32>)]) -> Tally {
    let mut tally = Tally::new(HASHER);
    for one in past {
        of(&name(one.1), &bought(one), |subject| tally.fold(counters, subject));
    }
    tally
}

/// By the definition, over the whole past.
fn brute(counter: &Counter, past: &Past, asked: &(i64, u8, u8, Option<i32>)) -> Option<f64> {
    let last = counter.bucket(time(asked));
    let window = past.iter().filter(|one| {
        let bucket = counter.bucket(time(one));
        one.2 == asked.2 && (last - BUCKETS_OF_WINDOW + 1..=last).contains(&bucket)
    });
    let cents: Vec<i64> = window.clone().filter_map(|one| one.3).map(i64::from).collect();
    Some(match counter.function {
        Function::Count => window.count() as f64,
        Function::Distinct(_) => window.map(|one| one.1).collect::<BTreeSet<_>>().len() as f64,
        Function::Sum(_) => cents.iter().sum::<i64>() as f64 / 100.0,
        Function::Min(_) => *cents.iter().min()? as f64 / 100.0,
        Function::Max(_) => *cents.iter().max()? as f64 / 100.0,
    })
}

fn pasts() -> impl Strategy<Value = Past> {
    // Less than two windows, so that every bucket is still there.
    prop::collection::vec((0..115_i64, 0..8_u8, 0..3_u8, prop::option::of(-50_000..50_000)), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_tally_says_what_the_definition_says_in_whatever_order_events_came(past in pasts(), turn in 0..60_usize) {
        let counters = all_kinds();
        let mut order = past.clone();
        order.rotate_left(turn % past.len().max(1));
        order.reverse();
        let tallies = [tally(&counters, &past), tally(&counters, &order)];
        for asked in &past {
            for counter in counters.iter() {
                let said = tallies.each_ref().map(|tally| {
                    of(&name(asked.1), &bought(asked), |subject| tally.value(counter, subject))
                });
                let expected = brute(counter, &past, asked);
                prop_assert_eq!(said, [expected, expected], "{:?}", counter.function);
            }
        }
    }

    #[test]
    fn parts_of_the_past_make_the_whole(past in pasts(), cut in 0..60_usize) {
        let counters = all_kinds();
        let cut = cut.min(past.len());
        let state = |past: &[(i64, u8, u8, Option<i32>)]| {
            let mut state = State::default();
            for one in past {
                let added = of(&name(one.1), &bought(one), |subject| additions(counters.iter(), subject, &HASHER));
                added.iter().for_each(|addition| state.add(addition));
            }
            state
        };
        let whole = state(&past);
        let (mut first, second) = (state(&past[..cut]), state(&past[cut..]));
        first.merge(&second);
        prop_assert_eq!(&first, &whole);
        prop_assert_eq!(State::decode(&whole.encode()), Some(whole));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..400_usize, by in 1..=255_u8) {
        let counters = all_kinds();
        let mut seen = State::default();
        for who in 0..90_u8 {
            let added = of(&name(who), &bought(&(0, who, 1, Some(5))), |subject| {
                additions(counters.iter(), subject, &HASHER)
            });
            added.iter().for_each(|addition| seen.add(addition));
        }
        let mut changed = seen.encode();
        let place = at % changed.len();
        changed[place] ^= by;
        for bytes in [bytes, changed] {
            if let Some(mut state) = State::decode(&bytes) {
                state.merge(&seen);
                for counter in counters.iter() {
                    let value = state.value(counter, Timestamp::from_millis(NOON));
                    prop_assert!(value.is_none_or(f64::is_finite));
                }
                let _ = state.expires_at();
            }
        }
    }
}

#[test]
fn a_state_has_a_bound_and_the_newest_stay_in_whatever_order() {
    let counters = all_kinds();
    let distinct = counters.iter().nth(1).unwrap();
    let all: Vec<i64> = (0..60).collect();
    let mut states = [State::default(), State::default()];
    for (state, order) in states.iter_mut().zip([all.clone(), all.iter().rev().copied().collect()]) {
        for at in order {
            for who in 0..70 {
                let event = bought(&(at * 3, who, 1, Some(1)));
                let added = of(&name(who), &event, |subject| additions(counters.iter(), subject, &HASHER));
                added.iter().for_each(|addition| state.add(addition));
            }
        }
    }
    assert_eq!(states[0], states[1]);
    let bytes = states[0].encode().len();
    assert!(bytes < BUCKETS_MAX * 600, "{bytes}");
    // What has made room is counted no more, the newest window is.
    let value =
        |minutes: i64| states[0].value(distinct, Timestamp::from_millis(NOON + minutes * MINUTE_MS)).unwrap();
    assert_eq!(value(0), 0.0);
    assert!((56.0..84.0).contains(&value(59 * 3)), "{}", value(59 * 3));
    let last = Timestamp::from_millis(NOON + 59 * 3 * MINUTE_MS);
    let end = Timestamp::from_millis((distinct.bucket(last) + BUCKETS_OF_WINDOW) * distinct.width_ms());
    assert_eq!(states[0].expires_at(), end);
    assert_eq!(states[0].value(distinct, end), Some(0.0));
    assert!(states[0].value(distinct, end.plus_millis(-1)).unwrap() > 0.0);
}

#[test]
fn what_counters_of_before_have_left_is_dropped_and_what_newer_ones_have_stays() {
    let state = |counters: &[Counter]| {
        let mut state = State::default();
        let event = bought(&(0, 1, 1, Some(1)));
        of("a", &event, |subject| additions(counters.iter(), subject, &HASHER))
            .iter()
            .for_each(|one| state.add(one));
        state
    };
    let of_id = |id, revision| Counter { revision, ..counter(id, "COUNT", None, "event.data.card", 60) };
    let mut all = state(&[of_id(1, 1), of_id(1, 2), of_id(1, 3), of_id(2, 1), of_id(3, 1), of_id(4, 1)]);
    all.retain(&Counters::new(vec![of_id(1, 2), of_id(3, 1)]));
    assert_eq!(all, state(&[of_id(1, 2), of_id(1, 3), of_id(3, 1), of_id(4, 1)]));
}

#[test]
fn conditions_choose_events_and_each_value_is_a_key() {
    let only = |conditions: Json, function: &str, of: Option<&str>, per: &str| Counter {
        conditions: serde_json::from_value(conditions).unwrap(),
        ..counter(1, function, of, per, 600)
    };
    let said = |counter: &Counter, data: &[Json], asked: Json| {
        let counters = Counters::new(vec![counter.clone()]);
        let mut tally = Tally::new(HASHER);
        for data in data {
            let name = data["type"].as_str().unwrap_or("purchase");
            of("ada", &event(NOON, name, data.clone()), |subject| tally.fold(&counters, subject));
        }
        of("ada", &event(NOON, "view", asked), |subject| tally.value(counter, subject))
    };
    let card = json!({"card": "A"});
    let failed =
        only(json!([{"type": "EVENT_IS", "events": ["LOGIN_FAILED"]}]), "COUNT", None, "identity.id");
    let logins =
        [json!({"type": "login_failed"}), json!({"type": "login"}), json!({"type": "Failed sign in"})];
    assert_eq!(said(&failed, &logins, json!({})), Some(2.0));

    let count = only(json!([]), "COUNT", None, "event.data.card");
    // In any case, as a number or as a text; of several keys the greatest; none, and nothing is counted.
    let cards =
        [json!({"card": " a "}), json!({"card": ["A", "b", "a"]}), json!({"card": 7}), json!({"card": "7"})];
    assert_eq!(said(&count, &cards, card.clone()), Some(2.0));
    assert_eq!(said(&count, &cards, json!({"card": ["b", 7]})), Some(2.0));
    assert_eq!(said(&count, &cards, json!({"card": "c"})), Some(0.0));
    assert_eq!(said(&count, &cards, json!({"card": [null, ""]})), None);
    let many: Vec<_> = (0..50).collect();
    assert_eq!(said(&count, &[json!({"card": many})], json!({"card": KEYS_OF_EVENT_MAX - 1})), Some(1.0));
    assert_eq!(said(&count, &[json!({"card": many})], json!({"card": KEYS_OF_EVENT_MAX})), Some(0.0));

    // What is no number is not summed up, and what is too large counts as the most.
    let sum = only(json!([]), "SUM", Some("event.data.amount"), "event.data.card");
    let amounts = [json!(0.1), json!(0.2), json!("3"), json!("x"), json!(null), json!("inf"), json!([1, 2])];
    let amounts: Vec<_> = amounts.iter().map(|amount| json!({"card": "A", "amount": amount})).collect();
    assert_eq!(said(&sum, &amounts, card.clone()), Some(6.3));
    assert_eq!(said(&sum, &[json!({"card": "A", "amount": 1e300})], card.clone()), Some(1e15));
    assert_eq!(said(&sum, &[], card.clone()), Some(0.0));
    let least = only(json!([]), "MIN", Some("event.data.amount"), "event.data.card");
    assert_eq!(said(&least, &amounts, card.clone()), Some(0.1));
    assert_eq!(said(&least, &[], card), None);
}

#[test]
fn windows_end_where_they_should() {
    let count = counter(1, "COUNT", None, "identity.id", 60);
    assert_eq!(count.width_ms(), 2_500);
    let counters = Counters::new(vec![count.clone()]);
    let mut tally = Tally::new(HASHER);
    of("ada", &event(NOON, "view", json!({})), |subject| tally.fold(&counters, subject));
    let value = |after_ms: i64| {
        of("ada", &event(NOON + after_ms, "view", json!({})), |subject| tally.value(&count, subject))
    };
    assert_eq!([-1, 0, 57_499, 59_999, 60_000].map(value), [0.0, 1.0, 1.0, 1.0, 0.0].map(Some));
    for seconds in [WINDOW_MIN_SECONDS, 61, 3_601, WINDOW_MAX_SECONDS] {
        let width_ms = counter(1, "COUNT", None, "ip", seconds).width_ms();
        let window_ms = i64::try_from(seconds).unwrap() * SECOND_MS;
        assert!(
            (window_ms..window_ms + BUCKETS_OF_WINDOW).contains(&(width_ms * BUCKETS_OF_WINDOW)),
            "{seconds}"
        );
    }
    for at in [i64::MIN, i64::MAX] {
        let at = Timestamp::from_millis(at);
        assert_eq!(State::default().value(&count, at), Some(0.0));
    }
}

#[test]
fn a_counter_is_said_in_words() {
    let conditions = |json| serde_json::from_value::<Vec<Condition>>(json).unwrap();
    let said = |function, of, per, seconds, of_events: Json| {
        Counter { conditions: conditions(of_events), ..counter(1, function, of, per, seconds) }.words()
    };
    assert_eq!(
        said(
            "DISTINCT",
            Some("identity.id"),
            "device",
            3_600,
            json!([{"type": "EVENT_IS", "events": ["REGISTRATION"]}])
        ),
        "distinct accounts per device in 1 hour, of events that are REGISTRATION"
    );
    assert_eq!(said("COUNT", None, "ip", 600, json!([])), "events per IP address in 10 minutes");
    assert_eq!(
        said(
            "SUM",
            Some("event.data.amount"),
            "identity.id",
            86_400,
            json!([{"type": "FACT_GT", "fact": "event.data.amount", "value": 5.0}])
        ),
        "sum of the event's \"amount\" per account in 1 day, where the event's \"amount\" is above 5"
    );
}

#[test]
fn the_catalogue_is_a_dozen_that_can_be_made() {
    let names: BTreeSet<_> = CATALOGUE.iter().map(|template| template.name).collect();
    assert_eq!(names.len(), 12);
    for template in &CATALOGUE {
        let (function, per) = template.counts().unwrap();
        assert!(is_key(&per) && function.of().is_none_or(Fact::is_of_event), "{}", template.name);
        assert!((WINDOW_MIN_SECONDS..=WINDOW_MAX_SECONDS).contains(&template.window_seconds));
        assert!(template.conditions().iter().all(Condition::is_of_counters));
        let Some(Condition::EventIs { events }) = template.conditions().into_iter().next() else { continue };
        for name in events {
            let known = crate::mapping::TYPES.iter().any(|of| of.name() == name);
            assert!(known, "{name}");
        }
    }
}

#[test]
fn values_are_never_stored_in_clear() {
    let counters = Counters::new(vec![counter(1, "DISTINCT", Some("event.data.card"), "identity.id", 60)]);
    let mut state = State::default();
    let event = event(NOON, "view", json!({"card": "4111111111111111"}));
    of("ada", &event, |subject| additions(counters.iter(), subject, &HASHER))
        .iter()
        .for_each(|one| state.add(one));
    let bytes = state.encode();
    assert!(!bytes.windows(4).any(|part| part == b"4111"));
    assert_ne!(HASHER.counted("ada"), KeyHasher::new([8; 16]).counted("ada"));
    assert_ne!(HASHER.counter_key("ip", "x"), HASHER.counter_key("device", "x"));
    assert_eq!(Value::from("ADA ").folded(), "ada");
}

#[test]
fn what_no_state_can_hold_is_not_read() {
    let bytes = |width_ms: i64, contents: Vec<Content>| {
        let buckets: Vec<_> = contents.into_iter().map(|content| (1_i64, content)).collect();
        postcard::to_extend(&vec![((1_i64, 1_i64), width_ms, buckets)], vec![1_u8]).unwrap()
    };
    let is_read = |bytes: &[u8]| State::decode(bytes).is_some();
    assert!(is_read(&bytes(150_000, vec![Content::Count(1), Content::Max(2.0)])));
    for unsound in [
        Content::Min(f64::NAN),
        Content::Max(f64::INFINITY),
        Content::Distinct(Sketch::Exact(vec![2, 1])),
        Content::Distinct(Sketch::Estimated(vec![0; 5])),
        Content::Distinct(Sketch::Estimated(vec![200; 512])),
    ] {
        assert!(!is_read(&bytes(150_000, vec![unsound.clone()])), "{unsound:?}");
    }
    assert!(!is_read(&bytes(0, vec![Content::Count(1)])) && !is_read(&bytes(1, vec![])));
    assert!(!is_read(&bytes(1, vec![Content::Count(1); BUCKETS_MAX + 1])));
    let whole = bytes(1, vec![Content::Count(1)]);
    assert!(!is_read(&whole[..whole.len() - 1]) && !is_read(&[&whole[..], &[0]].concat()));
    assert!(!is_read(&[]) && !is_read(&[&[9], &whole[1..]].concat()));
}
