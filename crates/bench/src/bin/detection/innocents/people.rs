//! People one by one.

use serde_json::json;

use super::cast::{innocent, local_moment};
use super::scenario::Scenario;
use crate::stage::{DAY, HOUR, Person, Stage, groups};

pub const ORDINARY: &str = "ordinary people of 25 countries";
/// Within which they come, and how long they stay.
const DAYS: i64 = 28;
/// Apps of customers, whose agents name the app and the system.
const APPS: [&str; 4] = [
    "MyApp/3.2 (iPhone; iOS 19.1)",
    "okhttp/4.12.0",
    "AcmeShop/5.4.1 (Android 15; Pixel 9)",
    "AcmeShop/812 CFNetwork/3826.500.131 Darwin/24.5.0",
];

pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(ORDINARY, &[28, 100, 500], ordinary),
        Scenario::new("travellers", &[40], groups::travellers),
        Scenario::new("people behind VPNs, with privacy browsers", &[40], groups::privacy),
        Scenario::new("twenty to a VPN's exit, in a day", &[1, 4], one_exit),
        Scenario::new("night shifts", &[8], groups::night_workers),
        Scenario::new("screen readers", &[40], groups::slow_readers),
        Scenario::new("people who come back after months", &[40], groups::returners),
    ]
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
