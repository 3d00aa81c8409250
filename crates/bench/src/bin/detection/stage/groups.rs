//! People who do nothing wrong, many of whom look as if they did: so many of each kind.

use serde_json::json;

use super::{BEGIN, DAY, HOUR, MINUTE, MODEL_PREFIX, Stage, Truth};

/// Days in which ordinary people sign up and come back.
const DAYS: i64 = 20;
const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// One in five has a phone whose fingerprint others have as well.
pub fn ordinary(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("ordinary people"));
        if person.device.as_ref().is_some_and(|device| device.starts_with(MODEL_PREFIX)) {
            stage.rename(&person.id, Truth::Innocent("people with a common phone"));
        }
        let at = stage.moment(30);
        stage.live(&mut person, at, DAYS);
    }
}

/// The people of each office are brought on board within a working day, behind one address; half of them have
/// the company's standard laptop.
pub fn offices(stage: &mut Stage, offices: usize, people: usize) {
    for office in 0..offices {
        let (ip, place, day) = (Some(stage.address()), stage.place(None), stage.rng.i64(0..20));
        for _ in 0..people {
            let mut person = stage.person(Truth::Innocent("people in one office"));
            (person.ip, person.place) = (ip, Some(place));
            if stage.rng.bool() {
                person.device = Some(format!("standard laptop of office {office}"));
            }
            let name = stage.name();
            let email = format!("{}.{}@office{office}-works.com", name.first, name.last);
            person.rename(name, email);
            let at = BEGIN + day * DAY + 9 * HOUR + stage.rng.i64(0..8 * HOUR);
            stage.live(&mut person, at, DAYS);
        }
    }
}

/// Behind one address of a mobile carrier.
pub fn carrier(stage: &mut Stage, people: usize) {
    let (ip, place) = (Some(stage.address()), stage.place(None));
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("people behind one carrier's address"));
        (person.ip, person.place) = (ip, Some(place));
        let at = stage.moment(30);
        stage.live(&mut person, at, 8);
    }
}

/// Students who sign up in the evenings of the first days of term.
pub fn dormitory(stage: &mut Stage, people: usize) {
    let (ip, place) = (Some(stage.address()), stage.place(None));
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("people in a dormitory"));
        (person.ip, person.place) = (ip, Some(place));
        let evening = BEGIN + stage.rng.i64(3..7) * DAY + 18 * HOUR;
        let at = evening + stage.rng.i64(0..5 * HOUR);
        stage.live(&mut person, at, DAYS);
    }
}

/// Two people with one laptop, one address and one last name.
pub fn couples(stage: &mut Stage, couples: usize) {
    for _ in 0..couples {
        let mut one = stage.person(Truth::Innocent("couples on one laptop"));
        one.device = Some(stage.device());
        let mut other = stage.person(Truth::Innocent("couples on one laptop"));
        (other.device, other.ip, other.place, other.agent) =
            (one.device.clone(), one.ip, one.place, one.agent.clone());
        let name = stage.name().with_last(&one.name);
        let email = stage.email(&name);
        other.rename(name, email);
        let at = stage.moment(25);
        stage.live(&mut one, at, DAYS);
        let later = if stage.rng.bool() { stage.rng.i64(10 * MINUTE..3 * HOUR) } else { 3 * DAY };
        stage.live(&mut other, at + later, DAYS);
    }
}

/// A browser that gives another fingerprint at every visit, behind a VPN, with a relay's address.
pub fn privacy(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("people with privacy browsers"));
        let relay = format!("{:010x}@privaterelay.appleid.com", stage.rng.u64(..1 << 40));
        person.data.insert("email".to_owned(), json!(relay));
        person.agent = Some(FIREFOX.to_owned());
        (person.ip, person.device) = (Some(stage.exit()), Some(stage.device()));
        let at = stage.moment(30);
        stage.live(&mut person, at, 1);
        for day in 1..15 {
            if stage.rng.usize(..3) == 0 {
                (person.ip, person.device) = (Some(stage.exit()), Some(stage.device()));
                (person.place, person.session) = (Some(stage.place(None)), Some(stage.rng.u64(..)));
                stage.visit(&mut person, at + day * DAY);
            }
        }
    }
}

/// A week at home, a week elsewhere with another address and sometimes another phone, and home again;
/// one in eight changes the password on the way.
pub fn travellers(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("travelers"));
        let at = stage.moment(5);
        stage.live(&mut person, at, 7);
        let home = person.clone();
        for stop in 1..4 {
            (person.ip, person.place) = (Some(stage.address()), Some(stage.place(None)));
            let there = at + (7 + 2 * stop) * DAY;
            stage.visit(&mut person, there);
            if stage.rng.usize(..24) == 0 {
                stage.act(&person, "password_changed", there + 30 * MINUTE);
            }
        }
        person = home;
        stage.visit(&mut person, at + 20 * DAY);
    }
}

/// Awake from ten at night, five days a week, busy the whole shift.
pub fn night_workers(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("night workers"));
        let at = BEGIN + stage.rng.i64(0..3) * DAY + 22 * HOUR + stage.rng.i64(0..2 * HOUR);
        stage.live(&mut person, at, 1);
        for night in (0..stage.at_most(14)).filter(|night| night % 7 < 5) {
            for hour in 0..8 {
                if stage.rng.usize(..3) > 0 {
                    let busy = at + night * DAY + hour * HOUR + stage.rng.i64(0..30 * MINUTE);
                    stage.visit(&mut person, busy);
                }
            }
        }
    }
}

/// People whose software reads the page to them: long and even pauses, steps by keyboard one after the
/// other.
pub fn slow_readers(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("people with screen readers"));
        let mut at = stage.moment(20);
        stage.act(&person, "signup", at);
        for _ in 0..5 {
            for name in ["page_view", "search", "item_viewed", "cart_updated", "page_view", "settings_viewed"]
            {
                at += stage.rng.i64(20_000..45_000);
                stage.act(&person, name, at);
            }
            person.session = Some(stage.rng.u64(..));
            at += stage.rng.i64(DAY / 2..2 * DAY);
        }
    }
}

/// Customers who come back after months, half of them with another phone, at another address.
pub fn returners(stage: &mut Stage, people: usize) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("people who come back after months"));
        let back = stage.moment(25);
        let pause = stage.rng.i64(45 * DAY..200 * DAY);
        stage.live(&mut person, back - pause, 5);
        if stage.rng.bool() {
            (person.device, person.ip) = (Some(stage.device()), Some(stage.address()));
            person.agent = Some(stage.agent());
        }
        stage.visit(&mut person, back);
        stage.visit(&mut person, back + 2 * HOUR);
    }
}
