//! Many people at one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dregs_core::place::Place;

use super::cast::{employ, innocent, join, morning, own_domain};
use super::scenario::Scenario;
use crate::stage::{BEGIN, DAY, HOUR, MINUTE, Person, Stage, groups};

const LESSON: &str = "a lesson: a class signs up within ten minutes, on its own devices";
const CAMPUS: &str = "a lesson, each with another address of the campus's network";
const OFFICE: &str = "an office in its first day";
const ONE_MODEL: &str = "an office, half of it on the firm's standard laptop with one fingerprint";
const CONFERENCE: &str = "a conference on one Wi-Fi";
const CALL_CENTRE: &str = "a call center makes accounts for customers, at its own address";
const CARRIER: &str = "people behind one carrier's address";
const NIGHT_SHIFT: &str = "a night shift that starts at ten, in one building";

pub fn scenarios() -> Vec<Scenario> {
    const CLASSES: &[usize] = &[28, 8, 14, 36, 40];
    vec![
        Scenario::new(LESSON, CLASSES, |stage, n| lesson(stage, n, false)).variant("addresses of their own"),
        Scenario::new(LESSON, CLASSES, |stage, n| lesson(stage, n, true))
            .variant("the school's, at one IPv6 network"),
        Scenario::new(CAMPUS, CLASSES, campus),
        Scenario::new(CONFERENCE, &[100, 500], |stage, n| conference(stage, n, HOUR)).variant("in an hour"),
        Scenario::new(CONFERENCE, &[100, 500], |stage, n| conference(stage, n, 8 * HOUR)).variant("in a day"),
        Scenario::new(OFFICE, &[10, 50, 200], |stage, n| office(stage, n, false)),
        Scenario::new(ONE_MODEL, &[10, 50], |stage, n| office(stage, n, true)).shared_device(),
        Scenario::new("a dormitory in its first days", &[28, 100], groups::dormitory),
        Scenario::new(CALL_CENTRE, &[8, 40, 100], call_centre),
        Scenario::new(CARRIER, &[100, 500, 3_000], carrier),
        Scenario::new(NIGHT_SHIFT, &[28], night_shift),
    ]
}

/// One address for everybody, or another one of the same IPv6 network for each.
struct Building {
    ip: IpAddr,
    place: Place,
}

impl Building {
    fn new(stage: &mut Stage, has_v6: bool) -> Self {
        let ip = if has_v6 {
            Ipv6Addr::new(0x2a02, 0x810, stage.rng.u16(..), stage.rng.u16(..), 0, 0, 0, 1).into()
        } else {
            stage.address()
        };
        Self { ip, place: stage.place(None) }
    }

    fn admit(&self, stage: &mut Stage, person: &mut Person) {
        let ip = match self.ip {
            IpAddr::V4(_) => self.ip,
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                let [e, f, g, h] = [(); 4].map(|()| stage.rng.u16(..));
                Ipv6Addr::new(a, b, c, d, e, f, g, h).into()
            }
        };
        (person.ip, person.place) = (Some(ip), Some(self.place));
    }
}

/// Signs up at school, works there for a lesson, and comes back from home and from school.
pub fn lesson(stage: &mut Stage, people: usize, is_of_school: bool) {
    let building = Building::new(stage, is_of_school);
    let teacher = stage.name();
    let school = own_domain(stage, &teacher);
    let begun = morning(stage);
    for _ in 0..people {
        let mut person = innocent(stage, LESSON);
        // Near the school.
        let at_home = (person.ip, Some(building.place));
        if is_of_school {
            employ(stage, &mut person, &school);
        }
        building.admit(stage, &mut person);
        let at = begun + stage.rng.i64(0..10 * MINUTE);
        join(stage, &mut person, at, 20);
        for week in 1..=stage.at_most(21) / 7 {
            stage.visit(&mut person, at + week * 7 * DAY);
        }
        (person.ip, person.place) = at_home;
        stage.come_back(&mut person, at + 9 * HOUR, 8);
    }
}

/// Everybody has another address of one /24.
fn campus(stage: &mut Stage, people: usize) {
    let building = Building::new(stage, false);
    let begun = morning(stage);
    for n in 0..people {
        let mut person = innocent(stage, CAMPUS);
        let at_home = (person.ip, Some(building.place));
        building.admit(stage, &mut person);
        if let Some(IpAddr::V4(ip)) = person.ip {
            let [a, b, c, _] = ip.octets();
            person.ip = Some(Ipv4Addr::new(a, b, c, n as u8 + 10).into());
        }
        let at = begun + stage.rng.i64(0..10 * MINUTE);
        join(stage, &mut person, at, 20);
        (person.ip, person.place) = at_home;
        stage.come_back(&mut person, at + 9 * HOUR, 8);
    }
}

pub fn conference(stage: &mut Stage, people: usize, span: i64) {
    let building = Building::new(stage, false);
    let begun = morning(stage);
    for _ in 0..people {
        let mut person = innocent(stage, CONFERENCE);
        let elsewhere = (person.ip, person.place);
        building.admit(stage, &mut person);
        let at = begun + stage.rng.i64(0..span);
        join(stage, &mut person, at, 6);
        (person.ip, person.place) = elsewhere;
        stage.come_back(&mut person, at, 5);
    }
}

/// Everybody on a device of their own, or half of them on the firm's standard laptop.
pub fn office(stage: &mut Stage, people: usize, has_standard: bool) {
    let row = if has_standard { ONE_MODEL } else { OFFICE };
    let building = Building::new(stage, false);
    let (boss, laptop) = (stage.name(), stage.device());
    let domain = own_domain(stage, &boss);
    let begun = morning(stage);
    for _ in 0..people {
        let mut person = innocent(stage, row);
        building.admit(stage, &mut person);
        if has_standard && stage.rng.bool() {
            person.device = Some(laptop.clone());
        }
        employ(stage, &mut person, &domain);
        let at = begun + stage.rng.i64(0..8 * HOUR);
        stage.live(&mut person, at, 7);
    }
}

/// Agents at many desks type in what customers say on the telephone; the application tells no device.
fn call_centre(stage: &mut Stage, customers: usize) {
    let building = Building::new(stage, false);
    let begun = morning(stage);
    for _ in 0..customers {
        let mut person = innocent(stage, CALL_CENTRE);
        let own = (person.ip, person.place);
        let mut told = person.clone();
        (told.device, told.session) = (None, None);
        building.admit(stage, &mut told);
        let at = begun + stage.rng.i64(0..8 * HOUR);
        stage.act(&told, "customer.created", at);
        let ordered = at + stage.rng.i64(2 * MINUTE..8 * MINUTE);
        stage.act(&told, "order_placed", ordered);
        (person.ip, person.place) = own;
        stage.come_back(&mut person, at, 14);
    }
}

fn carrier(stage: &mut Stage, people: usize) {
    let building = Building::new(stage, false);
    for _ in 0..people {
        let mut person = innocent(stage, CARRIER);
        building.admit(stage, &mut person);
        let at = stage.moment(14);
        join(stage, &mut person, at, 4);
        if stage.rng.usize(..3) == 0 {
            let back = at + stage.rng.i64(DAY..5 * DAY);
            stage.visit(&mut person, back);
        }
    }
}

fn night_shift(stage: &mut Stage, people: usize) {
    let building = Building::new(stage, false);
    for _ in 0..people {
        let mut person = innocent(stage, NIGHT_SHIFT);
        building.admit(stage, &mut person);
        let at = BEGIN + 22 * HOUR + stage.rng.i64(0..30 * MINUTE);
        join(stage, &mut person, at, 6);
        for night in (1..stage.at_most(12)).filter(|night| night % 7 < 5) {
            for hour in 0..8 {
                if stage.rng.usize(..4) == 0 {
                    let busy = at + night * DAY + hour * HOUR + stage.rng.i64(0..20 * MINUTE);
                    stage.visit(&mut person, busy);
                }
            }
        }
    }
}
