//! People who do nothing wrong and look as if one of them had many accounts, and beside each a ring that does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use dregs_core::badge;
use dregs_core::event::{Event, EventIdentity, OfBackend};
use dregs_core::score::{Analysis, Category, Weights};
use dregs_core::time::Timestamp;
use dregs_core::world::World;
use serde_json::{Map, json};

mod backends;
mod crowds;
mod mailboxes;
#[path = "../support/told.rs"]
mod truth;

/// 2026-11-23T09:30:00Z.
const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/// What the rules of a new team go by: below it somebody is called suspicious, and below that it is critical.
const SUSPICIOUS: u8 = 40;
const LOW: u8 = 60;

const FIRST: [&str; 16] = [
    "Anna", "Ben", "Carla", "David", "Elif", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leon",
    "Mira", "Noah", "Olga", "Paul",
];
const LAST: [&str; 17] = [
    "Keller", "Brandt", "Yilmaz", "Novak", "Fischer", "Okafor", "Lindner", "Santos", "Wagner", "Petrov",
    "Hoffmann", "Rossi", "Schulz", "Nguyen", "Krause", "Dubois", "Albrecht",
];

/// Somebody of a story.
#[derive(Clone, Default)]
struct Person {
    name: String,
    email: String,
    device: Option<String>,
    ip: Option<&'static str>,
    session: Option<String>,
    agent: Option<&'static str>,
    code: Option<&'static str>,
    phone: Option<&'static str>,
    /// Which of this is the backend's own.
    of_backend: OfBackend,
    /// In seconds from the start; the first is the sign-up.
    acts: Vec<f64>,
}

fn name(n: usize) -> (&'static str, &'static str) {
    (FIRST[n % FIRST.len()], LAST[n % LAST.len()])
}

fn called(n: usize) -> String {
    let (first, last) = name(n);
    format!("{first} {last}")
}

fn at(n: usize, domain: &str) -> String {
    let (first, last) = name(n);
    format!("{first}.{last}@{domain}").to_lowercase()
}

/// An address at one of the providers where everybody gets one.
fn free(n: usize) -> String {
    const PROVIDERS: [&str; 6] = ["gmail.com", "web.de", "outlook.com", "gmx.de", "posteo.de", "yahoo.fr"];
    let (first, last) = name(n);
    let number = 60 + n * 7 % 39;
    format!("{first}{}{last}{number}@{}", [".", "", "_"][n % 3], PROVIDERS[n % PROVIDERS.len()])
        .to_lowercase()
}

/// People on ordinary browsers who sign up `every` seconds apart.
fn people(count: usize, every: f64, email: impl Fn(usize) -> String) -> Vec<Person> {
    (0..count)
        .map(|n| Person {
            name: called(n),
            email: email(n),
            ip: Some("203.0.113.7"),
            agent: Some(CHROME),
            acts: vec![n as f64 * every],
            ..Person::default()
        })
        .collect()
}

fn with(mut people: Vec<Person>, change: impl Fn(usize, &mut Person)) -> Vec<Person> {
    people.iter_mut().enumerate().for_each(|(n, person)| change(n, person));
    people
}

/// Goes on after the sign-up as people do, with pauses of seconds to minutes.
fn lives(n: usize, person: &mut Person, acts: usize) {
    let mut seed = 88_172_645_463_325_252_u64 ^ (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut last = person.acts[0];
    for _ in 0..acts {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let part = (seed >> 11) as f64 / (1_u64 << 53) as f64;
        last += 3.0 * 40_f64.powf(part);
        person.acts.push(last);
    }
}

fn event(person: &Person, id: &str, n: usize, at: f64) -> Event {
    const NAMES: [&str; 6] =
        ["user.signup", "page.viewed", "task.opened", "page.viewed", "answer.saved", "search"];
    let mut data = Map::new();
    let given = |text: &str| Some(json!(text)).filter(|_| !text.is_empty());
    data.extend(given(&person.name).map(|name| ("name".to_owned(), name)));
    data.extend(given(&person.email).map(|email| ("email".to_owned(), email)));
    data.extend(person.phone.map(|phone| ("phone".to_owned(), json!(phone))));
    let code = person.code.filter(|_| n == 0).map(|code| ("promoCode".to_owned(), json!(code)));
    Event {
        id: format!("{id}-{n}"),
        name: if n == 0 { NAMES[0] } else { NAMES[1 + (n * 7 + id.len()) % 5] }.to_owned(),
        timestamp: START.plus_millis((at * 1_000.0) as i64),
        source: None,
        identity: Some(EventIdentity { id: id.to_owned(), data }),
        groups: Vec::new(),
        data: code.into_iter().collect(),
        fingerprint: person.device.clone(),
        components: None,
        interaction: None,
        session: person.session.clone(),
        url: None,
        ip: person.ip.map(|ip| ip.parse().unwrap()),
        user_agent: person.agent.map(str::to_owned),
        place: None,
        of_backend: person.of_backend,
        signature: None,
    }
}

/// Users of the team who have nothing to do with a story. What a whole new team has in common would be taken for
/// its backend's, see [`dregs_core::common`].
const REGULARS: usize = 30;

fn regulars() -> impl Iterator<Item = Event> {
    const DAYS_AGO: f64 = -3.0 * 86_400.0;
    (0..REGULARS).flat_map(|n| {
        let regular = Person { acts: vec![DAYS_AGO + n as f64, n as f64 - 600.0], ..Person::default() };
        let id = format!("regular-{n}");
        (0..2).map(move |act| event(&regular, &id, act, regular.acts[act]))
    })
}

/// What is found of everybody at the end.
fn told(people: &[Person]) -> Vec<Analysis> {
    told_beside(regulars(), people)
}

fn told_beside(others: impl Iterator<Item = Event>, people: &[Person]) -> Vec<Analysis> {
    let ids: Vec<String> = (0..people.len()).map(|n| format!("u{n}")).collect();
    let mut events: Vec<Event> = others.collect();
    for (person, id) in people.iter().zip(&ids) {
        events.extend(person.acts.iter().enumerate().map(|(n, at)| event(person, id, n, *at)));
    }
    events.sort_by_key(|event| event.timestamp);
    let mut world = World::default();
    events.iter().for_each(|event| drop(world.take(event)));
    let analyses: Vec<_> = ids.iter().map(|id| world.analyze(id, &Weights::default()).unwrap()).collect();
    for found in analyses.iter().flat_map(|analysis| &analysis.observations) {
        assert_eq!(truth::untold(&found.explanation, &found.metadata), None, "{found:#?}");
    }
    analyses
}

fn lowest(analysis: &Analysis, categories: &[Category]) -> u8 {
    categories.iter().filter_map(|category| analysis.scores.get(*category)).min().unwrap_or(70)
}

const ONE_OF_MANY: [Category; 2] = [Category::Uniqueness, Category::Behavior];

/// Why the first of them scores as it does.
fn why(analysis: &Analysis) -> String {
    let said = analysis.observations.iter().filter(|seen| ONE_OF_MANY.contains(&seen.category));
    let said = said.map(|seen| format!("{} {} {}", seen.id, seen.value, seen.explanation));
    format!("{:?}\n{}", analysis.scores, said.collect::<Vec<_>>().join("\n"))
}

/// Nobody is below `min`, and nobody carries a badge.
fn acquitted(story: &str, people: &[Person], min: u8) {
    for (n, analysis) in told(people).iter().enumerate() {
        let badges: Vec<_> = badge::of_analyzers(&analysis.observations).map(|badge| badge.slug).collect();
        let is_fine = lowest(analysis, &ONE_OF_MANY) >= min && badges.is_empty();
        assert!(is_fine, "{story}: number {n} {badges:?} {}", why(analysis));
    }
}

/// All but one in ten are below `max` in Uniqueness or Behavior.
fn convicted(story: &str, people: &[Person], max: u8) {
    let all = told(people);
    let below = all.iter().filter(|analysis| lowest(analysis, &ONE_OF_MANY) < max).count();
    assert!(below * 10 >= all.len() * 9, "{story}: {below} of {} {}", all.len(), why(&all[0]));
}

/// Addresses of one network.
const CAMPUS: [&str; 40] = [
    "203.0.113.10",
    "203.0.113.11",
    "203.0.113.12",
    "203.0.113.13",
    "203.0.113.14",
    "203.0.113.15",
    "203.0.113.16",
    "203.0.113.17",
    "203.0.113.18",
    "203.0.113.19",
    "203.0.113.20",
    "203.0.113.21",
    "203.0.113.22",
    "203.0.113.23",
    "203.0.113.24",
    "203.0.113.25",
    "203.0.113.26",
    "203.0.113.27",
    "203.0.113.28",
    "203.0.113.29",
    "203.0.113.30",
    "203.0.113.31",
    "203.0.113.32",
    "203.0.113.33",
    "203.0.113.34",
    "203.0.113.35",
    "203.0.113.36",
    "203.0.113.37",
    "203.0.113.38",
    "203.0.113.39",
    "203.0.113.40",
    "203.0.113.41",
    "203.0.113.42",
    "203.0.113.43",
    "203.0.113.44",
    "203.0.113.45",
    "203.0.113.46",
    "203.0.113.47",
    "203.0.113.48",
    "203.0.113.49",
];

fn own_device(n: usize, person: &mut Person) {
    person.device = Some(format!("{:032x}", 7_919 * (n + 1)));
    person.session = Some(format!("s-{n}"));
}

fn one_device(n: usize, person: &mut Person) {
    person.device = Some("one".to_owned());
    person.session = Some(format!("s-{n}"));
}

fn one_session(_: usize, person: &mut Person) {
    person.device = Some("one".to_owned());
    person.session = Some("s".to_owned());
}
