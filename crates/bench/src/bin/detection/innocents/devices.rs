//! Several people on one device, or on devices with one fingerprint.

use super::cast::{employ, go_home, innocent, join, local_moment, morning, own_domain};
use super::scenario::Scenario;
use crate::stage::sources::Name;
use crate::stage::{DAY, HOUR, MINUTE, Person, Stage, groups};

const DESK: &str = "six people of a firm on one desk's device, in 40 min";
const FAMILY: &str = "a family on one tablet, one surname, in 19 min";
const CHILDREN: &str = "three children with tagged addresses of a parent";
const CLASS: &str = "a class on managed laptops with one fingerprint, in ten minutes";
const FLEET: &str = "a fleet with one fingerprint, in one building, in a day";
const SITES: &str = "a fleet with one fingerprint, at many sites, in a month";
const CALL_DESK: &str = "a call center's desk makes accounts for customers, in a day";
const LIBRARY: &str = "a library's computer, in a month";

pub fn scenarios() -> Vec<Scenario> {
    let of = |row, sizes, enter: fn(&mut Stage, usize)| Scenario::new(row, sizes, enter).shared_device();
    vec![
        of("couples on one laptop", &[4, 40], groups::couples),
        of(DESK, &[6], desk),
        of(FAMILY, &[4, 2, 3, 6], family),
        of(CHILDREN, &[3], children),
        of(CLASS, &[28, 8, 60], class),
        of(FLEET, &[8, 40, 200], |stage, n| fleet(stage, n, FLEET)),
        of(SITES, &[8, 40, 200], |stage, n| fleet(stage, n, SITES)),
        of(CALL_DESK, &[8, 40], call_desk),
        of(LIBRARY, &[8, 28], library),
    ]
}

/// Somebody who sits where another sits.
fn beside(stage: &mut Stage, row: &'static str, first: &Person) -> Person {
    let mut person = innocent(stage, row);
    person.sit_beside(first);
    person
}

/// Everybody's account is made at the same desk; then each works at their own.
fn desk(stage: &mut Stage, people: usize) {
    let mut first = innocent(stage, DESK);
    first.device = Some(stage.device());
    let domain = own_domain(stage, &first.name);
    let begun = morning(stage);
    for n in 0..people as i64 {
        let mut person = if n == 0 { first.clone() } else { beside(stage, DESK, &first) };
        employ(stage, &mut person, &domain);
        let at = begun + n * 7 * MINUTE;
        join(stage, &mut person, at, 5);
        person.device = Some(stage.device());
        stage.come_back(&mut person, at, 20);
    }
}

/// One after the other, and then whoever has the tablet.
fn family(stage: &mut Stage, people: usize) {
    let mut first = innocent(stage, FAMILY);
    first.device = Some(stage.device());
    let begun = local_moment(stage, &first, 2);
    let gap = 19 * MINUTE / people as i64;
    for n in 0..people as i64 {
        let mut person = first.clone();
        if n > 0 {
            person = beside(stage, FAMILY, &first);
            let name = stage.name().with_last(&first.name);
            let email = stage.email(&name);
            person.rename(name, email);
        }
        let at = begun + n * gap;
        join(stage, &mut person, at, 4);
        stage.come_back(&mut person, at, 20);
    }
}

/// A parent, and an account for each child at the parent's address with a tag.
fn children(stage: &mut Stage, count: usize) {
    let mut parent = innocent(stage, CHILDREN);
    parent.device = Some(stage.device());
    let mailbox = format!("{}.{}", parent.name.first, parent.name.last);
    parent.rename(parent.name.clone(), format!("{mailbox}@gmail.com"));
    let begun = local_moment(stage, &parent, 2);
    join(stage, &mut parent, begun - 3 * DAY, 6);
    stage.come_back(&mut parent, begun - 3 * DAY, 20);
    for n in 0..count as i64 {
        let mut child = beside(stage, CHILDREN, &parent);
        let name: Name = stage.name().with_last(&parent.name);
        let email = format!("{mailbox}+{}@gmail.com", name.first);
        child.rename(name, email);
        let at = begun + n * 8 * MINUTE;
        join(stage, &mut child, at, 4);
        stage.come_back(&mut child, at, 20);
    }
}

/// All at once, at the school's address, with the school's browsers.
pub fn class(stage: &mut Stage, people: usize) {
    let mut first = innocent(stage, CLASS);
    first.device = Some(stage.device());
    let teacher = stage.name();
    let school = own_domain(stage, &teacher);
    let has_addresses = stage.rng.bool();
    let begun = morning(stage);
    for n in 0..people {
        let mut person = if n == 0 { first.clone() } else { beside(stage, CLASS, &first) };
        if has_addresses {
            employ(stage, &mut person, &school);
        }
        let at = begun + stage.rng.i64(0..10 * MINUTE);
        join(stage, &mut person, at, 12);
        for week in 1..=stage.at_most(21) / 7 {
            let late = stage.rng.i64(0..5 * MINUTE);
            stage.visit(&mut person, at + week * 7 * DAY + late);
        }
    }
}

/// A firm's computers are set up from one image: in its building, or wherever its people are.
fn fleet(stage: &mut Stage, people: usize, row: &'static str) {
    let mut first = innocent(stage, row);
    first.device = Some(stage.device());
    let domain = own_domain(stage, &first.name);
    let begun = morning(stage);
    for n in 0..people {
        let mut person = if n == 0 { first.clone() } else { innocent(stage, row) };
        let at = if row == SITES {
            (person.device, person.agent) = (first.device.clone(), first.agent.clone());
            begun + stage.rng.i64(0..20) * DAY + stage.rng.i64(0..9 * HOUR)
        } else {
            person.sit_beside(&first);
            begun + stage.rng.i64(0..9 * HOUR)
        };
        employ(stage, &mut person, &domain);
        stage.live(&mut person, at, 7);
    }
}

/// One clerk types in what customers say; they use their accounts at home.
fn call_desk(stage: &mut Stage, customers: usize) {
    let mut clerk = stage.person(crate::stage::Truth::Innocent(CALL_DESK));
    clerk.device = Some(stage.device());
    let begun = morning(stage);
    let gap = 8 * HOUR / customers as i64;
    for n in 0..customers as i64 {
        let mut person = beside(stage, CALL_DESK, &clerk);
        let at = begun + n * gap + stage.rng.i64(0..gap / 2);
        stage.act(&person, "customer.created", at);
        let ordered = at + stage.rng.i64(2 * MINUTE..5 * MINUTE);
        stage.act(&person, "order_placed", ordered);
        go_home(stage, &mut person, at, 14);
    }
    stage.live(&mut clerk, begun - 2 * HOUR, 14);
}

/// Whoever comes by; most come back, to the library or elsewhere.
fn library(stage: &mut Stage, people: usize) {
    let mut first = innocent(stage, LIBRARY);
    first.device = Some(stage.device());
    for n in 0..people {
        let mut person = if n == 0 { first.clone() } else { beside(stage, LIBRARY, &first) };
        let day = stage.rng.i64(0..20);
        let at = local_moment(stage, &first, day);
        join(stage, &mut person, at, 8);
        if stage.rng.bool() {
            stage.come_back(&mut person, at, 10);
        } else {
            go_home(stage, &mut person, at, 10);
        }
    }
}
