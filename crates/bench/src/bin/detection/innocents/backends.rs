//! Users whom the customer's backend tells of: imports, provisioning, migrations.

use std::net::{IpAddr, Ipv4Addr};

use dregs_core::place::Place;

use super::cast::{employ, innocent, local_moment, own_domain};
use super::people::dress;
use super::scenario::Scenario;
use crate::stage::{BEGIN, Connection, DAY, HOUR, Person, SECOND, Stage};

const IMPORT: &str = "an import by a backend, one event each";
const IMPORT_AND_LIFE: &str = "an import by a backend, then 28 days by browser";
const PROVISIONING: &str = "provisioning by a backend, seven events each";
const OTHER_NAME: &str = "an import or provisioning under a name that the backend's connection does not have";
const MIGRATION: &str = "a migration with the times of the past, then 28 days by browser";
pub const ADDRESS: &str = "a backend that sends its own address, and nothing of the browser";
pub const HIDDEN: &str = "the same, where a proxy hides from where the backend comes";
const EGRESS: &str = "the same, from two or three addresses in turn";
const ADDRESS_AND_AGENT: &str = "a backend that sends its own address, and the browser's agent";
const SIGN_UPS: &str = "a backend that sends its own address with sign-ups, the rest by browser";

const CHECKOUT: &str = "a shop whose checkout makes the account with the order";
/// Of a whole team, over a month.
pub const TEAM: &str =
    "ordinary people whose backend signs them up from its own address, a whole team in a month";

/// What backends call themselves, if anything.
const AGENTS: [Option<&str>; 11] = [
    None,
    Some("python-requests/2.32.5"),
    Some("Go-http-client/2.0"),
    Some("axios/1.12.2"),
    Some("okhttp/4.12.0"),
    Some("Java/17.0.12"),
    Some("Ruby"),
    Some("GuzzleHttp/7"),
    Some("node"),
    Some("curl/8.14.1"),
    Some("Apache-HttpClient/5.4.1 (Java/21.0.4)"),
];
const DIRECTORIES: [Option<&str>; 5] = [
    Some("Okta SCIM Client 1.0.0"),
    Some("Entra-Provisioning/2.0"),
    Some("OneLogin SCIM"),
    Some("Google-Auto-Provisioning"),
    Some("keycloak/26.0.7"),
];
/// Under these a backend tells of people, while its connection has the name of its library: platforms, libraries of apps
/// and servers, a name with an address, what was never filled in.
const OTHER_NAMES: [&str; 16] = [
    "WordPress/6.7.1; https://shop.example",
    "HTTP.rb/5.2",
    "unirest-java/3.11",
    "ReactorNetty/1.1",
    "akka-http/10.5",
    "Zend_Http_Client",
    "Google-HTTP-Java-Client/1.42",
    "SFDC-Callout/58.0",
    "AppEngine-Google; (+http://code.google.com/appengine; appid: s~acme)",
    "Google-Apps-Script",
    "AcmeBackend/2.1 (+https://acme.example)",
    "Mozilla/5.0",
    "okhttp/4.12.0",
    "ktor-client",
    "needle/3.2.0 (Node.js v18; linux x64)",
    "FitBot/3.3",
];
/// From one event to the next.
const GAPS_MS: [i64; 2] = [40, SECOND];
const STEPS: [&str; 7] = [
    "user.created",
    "email.verified",
    "role.assigned",
    "group.added",
    "license.assigned",
    "profile.updated",
    "welcome_email.sent",
];

pub fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for agent in AGENTS {
        let words = agent.unwrap_or("no agent");
        let enter = move |stage: &mut Stage, n| import(stage, IMPORT, n, agent, 0);
        all.push(Scenario::new(IMPORT, &[28, 500, 2_000], enter).variant(words));
        let enter = move |stage: &mut Stage, n| import(stage, IMPORT_AND_LIFE, n, agent, 28);
        all.push(Scenario::new(IMPORT_AND_LIFE, &[8, 28], enter).variant(words));
    }
    for (n, agent) in AGENTS.into_iter().chain(DIRECTORIES).enumerate() {
        for (slow, gap_ms) in GAPS_MS.into_iter().enumerate() {
            let (has_address, is_late) = ((n + slow) % 2 == 0, n / 2 % 2 == 0);
            let enter = move |stage: &mut Stage, n| {
                provision(stage, n, &Plan { agent, gap_ms, has_address, is_late });
            };
            let agent = agent.unwrap_or("no agent");
            let (address, late) = (
                if has_address { ", its own address" } else { "" },
                if is_late { ", told a month later" } else { "" },
            );
            let words = format!("{agent}, {gap_ms} ms apart{address}{late}");
            all.push(Scenario::new(PROVISIONING, &[1, 8, 100], enter).variant(words));
        }
    }
    for agent in OTHER_NAMES {
        let enter = move |stage: &mut Stage, n| under_another_name(stage, n, agent);
        all.push(Scenario::new(OTHER_NAME, &[8, 100], enter).variant(agent));
    }
    all.push(Scenario::new(MIGRATION, &[28, 200], migrate));
    for agent in [None, Some("python-requests/2.32.5"), Some("node")] {
        for row in [ADDRESS, HIDDEN] {
            let enter = move |stage: &mut Stage, n| {
                own_address(stage, row, n, agent);
            };
            all.push(Scenario::new(row, &[40, 100], enter).variant(agent.unwrap_or("no agent")));
        }
    }
    for ways in [2, 3] {
        let enter = move |stage: &mut Stage, n| several_ways_out(stage, n, ways);
        all.push(Scenario::new(EGRESS, &[40, 150], enter).variant(format!("{ways} addresses")));
    }
    all.push(Scenario::new(ADDRESS_AND_AGENT, &[40, 100], passed_through));
    all.push(Scenario::new(SIGN_UPS, &[40, 100], sign_ups));
    for gap_ms in [0, 200] {
        let enter = move |stage: &mut Stage, n| checkout(stage, n, gap_ms);
        all.push(Scenario::new(CHECKOUT, &[40], enter).variant(format!("{gap_ms} ms apart")));
    }
    all
}

/// The backend of an application.
#[derive(Clone, Copy)]
pub struct Backend {
    /// What it calls itself, if anything; so does it in what it tells.
    agent: Option<&'static str>,
    /// Whence it reaches the server.
    own: (IpAddr, Place),
    /// Whether it tells its own address as that of its users.
    tells_address: bool,
    /// Whether a proxy in front of the server hides its address.
    is_hidden: bool,
    /// What its connection calls itself, where that is another name.
    connects_as: Option<&'static str>,
}

impl Backend {
    pub fn new(stage: &mut Stage, agent: Option<&'static str>, tells_address: bool) -> Self {
        let own = (stage.address(), stage.place(None));
        Self { agent, own, tells_address, is_hidden: false, connects_as: None }
    }

    /// On which it tells of somebody.
    pub fn connection(self) -> Option<Connection> {
        let ip = if self.is_hidden { Ipv4Addr::new(10, 0, 0, 7).into() } else { self.own.0 };
        Some(Connection { ip: Some(ip), agent: self.connects_as.or(self.agent) })
    }

    /// Somebody as it tells of them.
    fn tells(self, person: &Person) -> Person {
        let (ip, place) = self.tells_address.then_some(self.own).unzip();
        let (agent, backend) = (self.agent.map(str::to_owned), self.connection());
        Person { device: None, session: None, ip, place, agent, backend, ..person.clone() }
    }
}

/// Everybody there is, 40 ms or a second apart; then their own lives, for so many days.
pub fn import(stage: &mut Stage, row: &'static str, people: usize, agent: Option<&'static str>, days: i64) {
    let gap_ms = GAPS_MS[stage.rng.usize(..GAPS_MS.len())];
    let backend = Backend::new(stage, agent, false);
    let begun = BEGIN + 9 * HOUR;
    for n in 0..people as i64 {
        let mut person = innocent(stage, row);
        let at = begun + n * gap_ms;
        stage.act(&backend.tells(&person), "user.created", at);
        let first = at + stage.rng.i64(HOUR..12 * HOUR);
        if days > 0 {
            stage.come_back(&mut person, first, days);
        }
    }
}

/// One event of each of the first half, seven of the others, and then their own lives.
fn under_another_name(stage: &mut Stage, people: usize, agent: &'static str) {
    let connects_as = Some("node");
    let backend = Backend { connects_as, ..Backend::new(stage, Some(agent), false) };
    let mut at = BEGIN + 9 * HOUR;
    for n in 0..people {
        let mut person = innocent(stage, OTHER_NAME);
        let told = backend.tells(&person);
        let steps = if n * 2 < people { &STEPS[..1] } else { &STEPS[..] };
        for step in steps {
            stage.act(&told, step, at);
            at += GAPS_MS[n % 2];
        }
        if n % 4 == 0 {
            let first = at + stage.rng.i64(HOUR..12 * HOUR);
            stage.come_back(&mut person, first, 28);
        }
    }
}

struct Plan {
    agent: Option<&'static str>,
    gap_ms: i64,
    has_address: bool,
    /// Whether the events have the times of what happened a month ago.
    is_late: bool,
}

/// A firm's people get their accounts from its directory, and a month of work with them.
fn provision(stage: &mut Stage, people: usize, plan: &Plan) {
    let backend = Backend::new(stage, plan.agent, plan.has_address);
    let boss = stage.name();
    let domain = own_domain(stage, &boss);
    let mut at = BEGIN + 9 * HOUR;
    for _ in 0..people {
        let mut person = innocent(stage, PROVISIONING);
        employ(stage, &mut person, &domain);
        let told = backend.tells(&person);
        for step in STEPS {
            let happened = if plan.is_late { at - 30 * DAY } else { at };
            stage.tell(&told, step, happened, at);
            at += plan.gap_ms;
        }
        if people <= 8 {
            let first = at + stage.rng.i64(HOUR..12 * HOUR);
            stage.come_back(&mut person, first, 28);
        }
    }
}

/// Accounts of two years are told of in one go, each with the time at which it was made.
fn migrate(stage: &mut Stage, people: usize) {
    let agent = AGENTS[stage.rng.usize(..AGENTS.len())];
    let backend = Backend::new(stage, agent, false);
    let begun = BEGIN + 9 * HOUR;
    for n in 0..people as i64 {
        let mut person = innocent(stage, MIGRATION);
        let told = backend.tells(&person);
        let made = begun - stage.rng.i64(DAY..700 * DAY);
        stage.tell(&told, "user.created", made, begun + n * 20);
        let verified = made + stage.rng.i64(HOUR..DAY);
        stage.tell(&told, "email.verified", verified, begun + n * 20);
        let first = begun + stage.rng.i64(HOUR..12 * HOUR);
        stage.come_back(&mut person, first, if people > 40 { 5 } else { 28 });
    }
}

/// All events come from the backend, which knows no device; people come within an hour.
pub fn own_address(
    stage: &mut Stage,
    row: &'static str,
    people: usize,
    agent: Option<&'static str>,
) -> Backend {
    let backend = Backend { is_hidden: row == HIDDEN, ..Backend::new(stage, agent, true) };
    for _ in 0..people {
        let person = innocent(stage, row);
        let mut told = backend.tells(&person);
        live_an_hour_apart(stage, &mut told);
    }
    backend
}

/// Behind a gateway that has several addresses.
fn several_ways_out(stage: &mut Stage, people: usize, ways: usize) {
    let backends: Vec<_> =
        (0..ways).map(|_| Backend { is_hidden: true, ..Backend::new(stage, None, true) }).collect();
    for _ in 0..people {
        let person = innocent(stage, EGRESS);
        let mut told = backends[stage.rng.usize(..ways)].tells(&person);
        live_an_hour_apart(stage, &mut told);
    }
}

fn passed_through(stage: &mut Stage, people: usize) {
    let backend = Backend::new(stage, Some("node"), true);
    let (ip, place) = backend.own;
    for _ in 0..people {
        let mut person = innocent(stage, ADDRESS_AND_AGENT);
        (person.ip, person.place, person.backend) = (Some(ip), Some(place), backend.connection());
        live_an_hour_apart(stage, &mut person);
    }
}

/// Signs up within the same hour as the others.
fn live_an_hour_apart(stage: &mut Stage, person: &mut Person) {
    let at = BEGIN + 9 * HOUR + stage.rng.i64(0..HOUR);
    stage.live(person, at, 7);
}

fn sign_ups(stage: &mut Stage, people: usize) {
    let agent = AGENTS[stage.rng.usize(..AGENTS.len())];
    let backend = Backend::new(stage, agent, true);
    for _ in 0..people {
        let mut person = innocent(stage, SIGN_UPS);
        let at = BEGIN + 9 * HOUR + stage.rng.i64(0..HOUR);
        stage.act(&backend.tells(&person), "signup", at);
        let next = at + stage.think() + SECOND;
        stage.browse(&mut person, next, 5);
        stage.come_back(&mut person, at, 14);
    }
}

/// The shop's backend tells of the account and of the order, with the buyer's address and browser.
fn checkout(stage: &mut Stage, buyers: usize, gap_ms: i64) {
    for _ in 0..buyers {
        let mut buyer = innocent(stage, CHECKOUT);
        buyer.device = None;
        let at = local_moment(stage, &buyer, 1);
        stage.act(&buyer, "customer.created", at);
        stage.act(&buyer, "order_placed", at + gap_ms);
        stage.come_back(&mut buyer, at, 14);
    }
}

/// Everybody is made by the backend, with its address and agent, and then lives by browser or app.
pub fn sign_ups_of_a_month(stage: &mut Stage, people: usize) {
    let backend = Backend::new(stage, Some("node"), true);
    for _ in 0..people {
        let mut person = innocent(stage, TEAM);
        dress(stage, &mut person);
        let day = stage.rng.i64(0..28);
        let at = local_moment(stage, &person, day);
        stage.act(&backend.tells(&person), "user.created", at);
        let next = at + stage.think() + SECOND;
        let acts = stage.rng.usize(2..12);
        stage.browse(&mut person, next, acts);
        stage.come_back(&mut person, at, 28 - day);
    }
}
