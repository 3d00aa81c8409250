//! People one by one.

use dregs_core::device::{Interaction, Stroke};
use serde_json::json;

use super::cast::{innocent, local_moment};
use super::scenario::Scenario;
use crate::stage::{DAY, HOUR, Person, Stage, groups};

const ORDINARY: &str = "ordinary people of 25 countries";
pub const TEAM: &str = "ordinary people of 25 countries, a whole team in a month";
/// Within which they come, and how long they stay.
const DAYS: i64 = 28;
const HANDS_ROW: &str = "people who operate the page by keyboard, by voice, with a password manager";
const STRAIGHT_ROW: &str = "a long past by hand, and a pointer that once went straight";
/// A stroke of the pointer by a hand, and one by a program or along a ruler.
const FREE: Stroke = Stroke { samples: 24, x: 280.0, y: 190.0, bend: 14.0, variation: 0.8 };
pub const RULED: Stroke = Stroke { samples: 20, x: 310.0, y: -120.0, bend: 0.0, variation: 0.05 };
/// That of a pointing stick pushed one way, which is straight, at one speed, and level.
const PUSHED: Stroke = Stroke { samples: 12, x: 240.0, y: 0.0, bend: 0.0, variation: 0.1 };
/// Apps of customers, whose agents name the app and the system.
const APPS: [&str; 4] = [
    "MyApp/3.2 (iPhone; iOS 19.1)",
    "okhttp/4.12.0",
    "AcmeShop/5.4.1 (Android 15; Pixel 9)",
    "AcmeShop/812 CFNetwork/3826.500.131 Darwin/24.5.0",
];

/// What the script of a page sums up between two events.
fn by_hand() -> Interaction {
    Interaction {
        clicks: 3,
        moves: 70,
        keys: 14,
        scrolls: 6,
        strokes: vec![FREE; 6],
        key_intervals: Some(12),
        key_interval_millis: Some(190.0),
        key_interval_deviation_millis: Some(85.0),
        ..Interaction::default()
    }
}

/// Those who use no mouse, or little of it.
fn other_hands() -> [(&'static str, Interaction); 5] {
    let of = |clicks| Interaction { clicks, ..Interaction::default() };
    [
        ("keyboard", Interaction { keys: 24, ..of(2) }),
        ("voice, or a screen reader's cursor", of(4)),
        ("password manager", Interaction { scripted_clicks: 1, moves: 30, strokes: vec![FREE; 2], ..of(2) }),
        ("a finger", Interaction { touches: 3, scrolls: 4, ..of(3) }),
        ("a pointing stick, short and straight", Interaction { moves: 12, strokes: vec![PUSHED], ..of(1) }),
    ]
}

pub fn scenarios() -> Vec<Scenario> {
    [
        Scenario::new(ORDINARY, &[28, 100, 500], ordinary),
        Scenario::new("travelers", &[8, 40], groups::travellers),
        Scenario::new("people behind VPNs, with privacy browsers", &[8, 40], groups::privacy),
        Scenario::new("twenty to a VPN's exit, in a day", &[1, 4], one_exit),
        Scenario::new("night shifts", &[8], groups::night_workers),
        Scenario::new("screen readers", &[8, 40], groups::slow_readers),
        Scenario::new("people who come back after months", &[8, 40], groups::returners),
        Scenario::new(STRAIGHT_ROW, &[8], once_straight),
    ]
    .into_iter()
    .chain(other_hands().map(|(words, hand)| {
        Scenario::new(HANDS_ROW, &[8], move |stage, n| operated(stage, n, &hand)).variant(words)
    }))
    .collect()
}

/// By browsers, some of which give no fingerprint, and by apps; half of them say where they live.
pub fn ordinary(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = innocent(stage, ORDINARY);
        dress(stage, &mut person);
        let day = stage.rng.i64(0..DAYS);
        let at = local_moment(stage, &person, day);
        stage.live(&mut person, at, DAYS - day);
    }
}

pub fn dress(stage: &mut Stage, person: &mut Person) {
    match stage.rng.usize(..10) {
        0 => person.device = None,
        1 | 2 => person.agent = Some(APPS[stage.rng.usize(..APPS.len())].to_owned()),
        _ => {}
    }
    if stage.rng.bool()
        && let Some(home) = person.name.home
    {
        person.data.insert("country".to_owned(), json!(home.code()));
    }
}

/// Strangers who use the same VPN come out at one address.
fn one_exit(stage: &mut Stage, exits: usize) {
    for _ in 0..exits {
        let (ip, place) = (Some(stage.exit()), Some(stage.place(None)));
        let day = stage.moment(5);
        for _ in 0..20 {
            let mut person = innocent(stage, "twenty to a VPN's exit, in a day");
            (person.ip, person.place) = (ip, place);
            let at = day + stage.rng.i64(0..DAY - 4 * HOUR);
            stage.live(&mut person, at, 7);
        }
    }
}

fn operated(stage: &mut Stage, people: usize, hand: &Interaction) {
    for _ in 0..people {
        let mut person = innocent(stage, HANDS_ROW);
        person.hand = Some(hand.clone());
        let at = local_moment(stage, &person, 1);
        stage.live(&mut person, at, 7);
    }
}

/// Months of use, and one visit, not the last, by a remote desktop or along a ruler.
fn once_straight(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = innocent(stage, STRAIGHT_ROW);
        person.hand = Some(by_hand());
        let at = local_moment(stage, &person, 1);
        stage.live(&mut person, at, 60);
        person.hand = Some(Interaction { moves: 40, strokes: vec![RULED; 4], ..by_hand() });
        stage.act(&person, "page_view", at + 60 * DAY);
        person.hand = Some(by_hand());
        stage.come_back(&mut person, at + 60 * DAY, 20);
    }
}
