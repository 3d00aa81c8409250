//! What it costs to look: the processor time of all analyzers on a usual identity, on the heaviest that
//! there can be, and with a long past behind it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use dregs_core::badge::BadgeType;
use dregs_core::common::Common;
use dregs_core::dataset::Datasets;
use dregs_core::event::{Event, EventIdentity, OfBackend};
use dregs_core::identity::Profile;
use dregs_core::link::{self, KeyKind};
use dregs_core::mapping::Mapping;
use dregs_core::place::{Country, Place};
use dregs_core::rules::{
    BadgeRule, Condition, EscalationRule, Facts, Rules, Severity, Standing, Which, decide,
};
use dregs_core::score::{ANALYZERS, Scores, Weights, analyze};
use dregs_core::snapshot::{OtherIdentity, SharedKey, Snapshot};
use dregs_core::state::IdentityState;
use dregs_core::time::{MINUTE_MS, Timestamp};
use serde_json::{Map, Value, json};

use crate::figures::{Error, Report, Target};

const NAME: &str = "cost";
/// 2026-09-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp::from_millis(1_788_220_800_000);
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36";
const RUNS: u32 = 2_000;

/// An identity and who shares its keys.
struct Subject {
    profile: Profile,
    data: String,
    state: Vec<u8>,
    shared: Vec<SharedKey>,
}

/// The median of many runs, in microseconds.
pub fn measure(report: &mut Report) -> Result<(), Error> {
    report.source(NAME, "identities made for this");
    let usual = subject(50, 2, 2, 5, &|n| format!("act {}", n % 6));
    let heaviest = subject(200, 16, 16, usize::MAX, &|n| format!("{:0>60}", n % 32));
    report.figure(NAME, "all analyzers, usual identity, µs", micros(&usual), Some(Target::AtMost(150.0)));
    for (analyzer, cost) in each(&usual)? {
        report.figure(NAME, &format!("of it {analyzer}, µs"), cost, None);
    }
    report.figure(
        NAME,
        "all analyzers, heaviest identity, µs",
        micros(&heaviest),
        Some(Target::AtMost(1_000.0)),
    );
    for (analyzer, cost) in each(&heaviest)? {
        report.figure(NAME, &format!("of it {analyzer}, µs"), cost, None);
    }
    let (young, old) =
        (subject(10, 2, 2, 5, &|_| "act".to_owned()), subject(1_000_000, 2, 2, 5, &|_| "act".to_owned()));
    let (young_us, old_us) = (cycle_micros(&young), cycle_micros(&old));
    report.figure(NAME, "what a cycle computes after 10 events, µs", young_us, None);
    report.figure(NAME, "what a cycle computes after 1,000,000 events, µs", old_us, None);
    report.figure(NAME, "1,000,000 events as a multiple of 10", old_us / young_us, Some(Target::AtMost(1.5)));
    report.figure(NAME, "1,000 rules, µs", rules_micros(), Some(Target::AtMost(1_000.0)));
    Ok(())
}

/// What 500 badge rules and 500 escalation rules cost, all of which hold: the standing is read, decided on
/// and written.
fn rules_micros() -> f64 {
    let below = |category| Condition::ScoreLt { category, threshold: 90 };
    let conditions =
        vec![below(Which::Any), below(Which::Behavior), Condition::IdentityAgeGt { seconds: 60 }];
    let badges = (0..500).map(|id| BadgeRule {
        id,
        revision: 1,
        name: format!("Badge {id}"),
        slug: format!("badge-{id}"),
        badge_type: BadgeType::Bad,
        priority: id,
        conditions: conditions.clone(),
        apply_delay_seconds: 0,
        remove_delay_seconds: 60,
        adds_to_lists: Vec::new(),
    });
    let escalations = (0..500).map(|id| EscalationRule {
        id,
        revision: 1,
        name: format!("Escalation {id}"),
        severity: Severity::Warning,
        channels: Vec::new(),
        conditions: vec![Condition::BadgeExists { badge: format!("badge-{id}") }],
        open_after_seconds: 60,
        close_after_seconds: 60,
        effective_at: None,
        adds_to_lists: Vec::new(),
    });
    let rules = Rules { badges: badges.collect(), escalations: escalations.collect() };
    let scores = Scores { humanity: Some(40), behavior: Some(60), ..Scores::default() };
    let facts = Facts {
        scores: &scores,
        first_seen_at: BEGIN,
        disregarded: false,
        badges: Vec::new(),
        agent: None,
        events: None,
        lists: None,
        anew: &[],
        asked_before: false,
    };
    let mut kept = None;
    let mut now = BEGIN.plus_millis(MINUTE_MS);
    median(|| {
        now = now.plus_millis(1_000);
        let before = Standing::decode(kept.as_deref()).unwrap_or_default();
        kept = decide(&before, &facts, &rules, now).after.encode().unwrap_or_default();
    })
}

/// An identity after so many events, on so many devices and addresses, with so many others on each key.
fn subject(
    events: usize,
    devices: usize,
    addresses: usize,
    others: usize,
    name: &dyn Fn(usize) -> String,
) -> Subject {
    let long = others == usize::MAX;
    let mut data = Map::new();
    data.insert("name".to_owned(), json!("Anna Maria van der Lindenstein"));
    data.insert("email".to_owned(), json!("anna.lindenstein77@some-small-company.example.org"));
    if long {
        data.insert("dob".to_owned(), json!("1990-04-17"));
        data.insert(
            "address".to_owned(),
            json!("12 Mill Lane, Upper Flat, Little Hollow, Bern 3012, Switzerland"),
        );
    }
    let mut state = IdentityState::default();
    for n in 0..events {
        let agent = if long { format!("{AGENT}{:a>140}", n % 8) } else { AGENT.to_owned() };
        state.fold(&Event {
            id: String::new(),
            name: name(n),
            timestamp: BEGIN.plus_millis(n as i64 * 7_001 + (n as i64 * n as i64 * 7_919) % 5_000),
            source: None,
            identity: Some(EventIdentity { id: "u".to_owned(), data: data.clone() }),
            groups: Vec::new(),
            data: Map::new(),
            fingerprint: Some(format!("{:032}", n % devices)),
            components: None,
            interaction: None,
            session: Some(format!("s{}", n / 20)),
            url: None,
            ip: Some(IpAddr::V4(Ipv4Addr::new(203, 0, (n % addresses) as u8, 7))),
            user_agent: Some(agent),
            place: Some(Place {
                country: Country::parse("DE"),
                asn: Some(3_320),
                position: Some((5_252 + (n % 8) as i16, 1_340)),
            }),
            of_backend: OfBackend::default(),
            signature: None,
        });
    }
    let mapping = Mapping::default();
    let profile = Profile::from_data(&data, &mapping);
    let shared = link::current_keys(&state, &profile, &Common::default(), |_| false).into_iter().map(|key| {
        let count = if long { key.kind.others_max() } else { others.min(key.kind.others_max()) };
        let others = (0..count).map(|n| OtherIdentity {
            id: format!("{:?}-{n}", key.kind),
            first_seen_at: BEGIN.plus_millis(n as i64 * 13 * MINUTE_MS),
            name: Some(format!("Hanna Maria van der Lindenstien {n}")),
            email: Some(format!("anna.lindenstein{n}@another-company.example.org")),
            date_of_birth: Some("1990-04-71".to_owned()),
            address: Some(format!("{n} Mill Lane, Upper Flat, Little Hollow, Bern 3012, Switzerland")),
            first_hour: link::first_hour(&state, &key),
            verdict: None,
        });
        SharedKey { since: BEGIN, others: others.collect(), key }
    });
    // A usual identity shares a device and an address, and no more.
    let is_usual = |key: &SharedKey| long || matches!(key.key.kind, KeyKind::Device | KeyKind::Ip);
    let shared = shared.filter(is_usual).collect();
    Subject { profile, data: Value::Object(data).to_string(), state: state.encode(), shared }
}

fn with<T>(subject: &Subject, look: impl FnOnce(&Snapshot) -> T) -> Option<T> {
    let state = IdentityState::decode(&subject.state)?;
    let (mapping, datasets, common) = (Mapping::default(), Datasets::default(), Common::default());
    let known = (&mapping, &datasets, &common);
    Some(look(&Snapshot::new(state.last_event_at()?, &subject.profile, known, &state, &subject.shared)))
}

/// The median of reading the state and looking at it with every analyzer.
fn micros(subject: &Subject) -> f64 {
    median(|| {
        std::hint::black_box(with(subject, |snapshot| analyze(snapshot, &Weights::default())));
    })
}

/// The median of everything that a cycle computes: profile and state are read, the keys to look others up
/// by are made, every analyzer looks, and what they found is written as it is stored.
fn cycle_micros(subject: &Subject) -> f64 {
    median(|| {
        let data = serde_json::from_str(&subject.data).unwrap_or_default();
        let profile = Profile::from_data(&data, &Mapping::default());
        let keys = with(subject, |snapshot| {
            link::current_keys(snapshot.state, &profile, snapshot.common, |_| false)
        });
        let found = with(subject, |snapshot| analyze(snapshot, &Weights::default()))
            .map(|analysis| serde_json::to_vec(&analysis.observations));
        std::hint::black_box((keys, found));
    })
}

/// The dearest analyzers.
fn each(subject: &Subject) -> Result<Vec<(&'static str, f64)>, Error> {
    let costs = with(subject, |snapshot| {
        let cost = |analyzer: &dregs_core::score::Analyzer| {
            (
                analyzer.id,
                median(|| {
                    std::hint::black_box((analyzer.observe)(snapshot));
                }),
            )
        };
        ANALYZERS.iter().map(cost).collect::<Vec<_>>()
    });
    let mut costs = costs.ok_or("a state that cannot be read")?;
    costs.sort_by(|one, other| other.1.total_cmp(&one.1));
    costs.truncate(4);
    Ok(costs)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn median(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
