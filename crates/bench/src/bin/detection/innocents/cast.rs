//! What people of several scenarios have in common.

use crate::stage::sources::Name;
use crate::stage::{BEGIN, DAY, HOUR, Person, Stage, Truth};

const TRADES: [&str; 20] = [
    "bau",
    "works",
    "labs",
    "praxis",
    "studio",
    "foods",
    "cycling",
    "legal",
    "dental",
    "garden",
    "logistics",
    "media",
    "optik",
    "tech",
    "design",
    "consulting",
    "bakery",
    "hotel",
    "physio",
    "auto",
];

pub fn innocent(stage: &mut Stage, row: &'static str) -> Person {
    stage.person(Truth::Innocent(row))
}

/// A moment of a day, between six in the morning and midnight where the person lives, mostly in the afternoon.
pub fn local_moment(stage: &mut Stage, person: &Person, day: i64) -> i64 {
    let hour = (stage.rng.f64() + stage.rng.f64()) * 9.0 + 6.0;
    let ahead = person.name.home.map_or(0, |home| home.hours_ahead);
    BEGIN + day * DAY + (hour * HOUR as f64) as i64 - ahead * HOUR
}

/// A weekday's morning, at which people come to work or to school.
pub fn morning(stage: &mut Stage) -> i64 {
    BEGIN + stage.rng.i64(1..5) * DAY + 8 * HOUR + stage.rng.i64(0..HOUR)
}

/// The domain of somebody's own firm.
pub fn own_domain(stage: &mut Stage, name: &Name) -> String {
    let trade = TRADES[stage.rng.usize(..TRADES.len())];
    let tld = match name.home.map_or("US", |home| home.code()) {
        "US" => "com".to_owned(),
        "GB" => "co.uk".to_owned(),
        "BR" => "com.br".to_owned(),
        "JP" => "co.jp".to_owned(),
        code => code.to_lowercase(),
    };
    match stage.rng.usize(..3) {
        0 => format!("{}-{trade}.{tld}", name.last),
        1 => format!("{}{trade}.com", name.last),
        _ => format!("{trade}-{}{}.{tld}", name.last, stage.rng.u32(1..30)),
    }
}

/// Gives somebody a mailbox at a firm's or a school's domain.
pub fn employ(stage: &mut Stage, person: &mut Person, domain: &str) {
    let email = stage.email_at(&person.name, domain);
    person.rename(person.name.clone(), email);
}

/// Signs up with all that belongs to it, and looks around; the answer is when that ended.
pub fn join(stage: &mut Stage, person: &mut Person, at: i64, acts: usize) -> i64 {
    stage.act(person, "signup", at);
    let next = at + stage.think() + stage.think();
    stage.browse(person, next, acts)
}

/// Goes home: to another device and address, and comes back from there for some days.
pub fn go_home(stage: &mut Stage, person: &mut Person, since: i64, days: i64) {
    (person.device, person.ip) = (Some(stage.device()), Some(stage.address()));
    person.agent = Some(stage.agent());
    stage.come_back(person, since, days);
}
