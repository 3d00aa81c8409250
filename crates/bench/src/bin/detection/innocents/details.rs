//! People whose names and addresses look odd, or like those of others.

use super::cast::{innocent, join, own_domain};
use super::scenario::Scenario;
use crate::stage::sources::Name;
use crate::stage::{BEGIN, DAY, HOUR, MINUTE, Person, Stage, capital};

/// Mailboxes of firms, in many languages.
const ROLES: [&str; 24] = [
    "info",
    "office",
    "sales",
    "hello",
    "admin",
    "support",
    "billing",
    "contact",
    "team",
    "hr",
    "service",
    "kontakt",
    "buchhaltung",
    "verwaltung",
    "einkauf",
    "contacto",
    "ventas",
    "contabilidad",
    "commercial",
    "comptabilite",
    "amministrazione",
    "biuro",
    "bok",
    "iletisim",
];
/// Of many letters, or with a sign.
const LONG_ROLES: [&str; 6] =
    ["kundenservice", "administration", "comptabilite", "customer-service", "no-reply", "ugyfelszolgalat"];
/// What a firm has several of, and numbers.
const PLACES: [&str; 12] = [
    "filiale", "branch", "agence", "sucursal", "kiosk", "terminal", "kasse", "till", "pokladna", "butik",
    "seat", "station",
];
/// Common in several countries.
const FIRST_NAMES: [&str; 6] = ["anna", "maria", "peter", "ali", "david", "sara"];
/// Real names, short, like words of programs or like rows of a keyboard.
const ODD_NAMES: [&str; 34] = [
    "Xiaoxin Wang",
    "Dmytro Shevchenko",
    "Ara Mkrtchyan",
    "Reza Ahmadi",
    "Azer Aliyev",
    "Anna Wert",
    "Wei O",
    "Christopher Null",
    "Na Li",
    "Miriam Bar",
    "Rodney Bastard",
    "Rezart Hoxha",
    "Ng Wei Ling",
    "Xu Qi",
    "Zbigniew Brzezinski",
    "Krzysztof Szczepkowski",
    "Nguyen Thi Xuan",
    "Ljubica Grgic",
    "Fjolla Krasniqi",
    "Tsvetelina Hristova",
    "Jo Test",
    "Max True",
    "Uma Void",
    "Yu An",
    "Hwang Hyun-jin",
    "Tukufu Zuberi",
    "Björk Guðmundsdóttir",
    "Þórdís Hjálmarsdóttir",
    "Nihāl Wertz",
    "Sacha Dick",
    "Ivana Kuntz",
    "O'Neil Mc-Ewan",
    "Jyoti Asdev",
    "Bo",
];
/// Addresses that work, at services and authorities that exist.
const ODD_EMAILS: [&str; 20] = [
    "priya@nic.in",
    "ravi@gov.in",
    "mira@simplelogin.co",
    "noor@anonaddy.com",
    "lena@feedspot.com",
    "jean@ymail.com",
    "\"ada lovelace\"@gmail.com",
    "ada.@docomo.ne.jp",
    "ada..b@ezweb.ne.jp",
    "ada@müller.de",
    "ada@xn--mller-kva.de",
    "o@t-online.de",
    "me@hey.com",
    "jo@duck.com",
    "kim@passmail.net",
    "x7k2m9q4@privaterelay.appleid.com",
    "tom@rocketmail.com",
    "li@vip.163.com",
    "9812345670@qq.com",
    "post@gemeinde-aue.de",
];

pub fn scenarios() -> Vec<Scenario> {
    const HOUR_ROW: &str = "one role mailbox at many own domains, in an hour";
    const DAY_ROW: &str = "one role mailbox at many own domains, in a day";
    const MIXED: &str = "role mailboxes of many kinds at own domains, in an hour";
    const NAMES: &str = "one first name at many own domains, in an hour";
    const NUMBERED_HOUR: &str = "one first name with numbers at one large provider, in an hour";
    const PROVIDERS_ROW: &str = "one role mailbox at eight large providers, in an hour";
    const PLACES_ROW: &str = "a firm's branches, tills or seats, numbered, in an hour";
    const NUMBERED: &str = "one first name with numbers at large providers, in a day";
    vec![
        Scenario::new(HOUR_ROW, &[8, 40], |stage, n| {
            roles(stage, HOUR_ROW, n, (7 * MINUTE).min(HOUR / n as i64), true)
        })
        .variant("told by a backend"),
        Scenario::new(HOUR_ROW, &[8, 40], |stage, n| roles(stage, HOUR_ROW, n, HOUR / n as i64, false))
            .variant("by browsers"),
        Scenario::new(DAY_ROW, &[8, 40], |stage, n| roles(stage, DAY_ROW, n, DAY / n as i64, true))
            .variant("told by a backend"),
        Scenario::new(DAY_ROW, &[8, 40], |stage, n| roles(stage, DAY_ROW, n, DAY / n as i64, false))
            .variant("by browsers"),
        Scenario::new(MIXED, &[40], |stage, n| mixed_roles(stage, MIXED, n)),
        Scenario::new(NAMES, &[8, 40], |stage, n| first_names(stage, NAMES, n)),
        Scenario::new(NUMBERED, &[8], |stage, n| numbered(stage, NUMBERED, n)),
        Scenario::new(NUMBERED_HOUR, &[8], |stage, n| numbered_at_one(stage, NUMBERED_HOUR, n)),
        Scenario::new(PROVIDERS_ROW, &[8], |stage, n| roles_at_providers(stage, PROVIDERS_ROW, n)),
        Scenario::new(PLACES_ROW, &[8, 40], |stage, n| places(stage, PLACES_ROW, n)),
        Scenario::new("names that look odd and are not", &[1], |stage, _| odd_names(stage)),
        Scenario::new("addresses that look odd and are not", &[1], |stage, _| odd_emails(stage)),
    ]
}

/// Signs up at one moment, by a browser or as told by a backend that says no more than that.
fn sign_up(stage: &mut Stage, person: &mut Person, at: i64, is_backend: bool) {
    if is_backend {
        let told =
            Person { device: None, ip: None, place: None, agent: None, session: None, ..person.clone() };
        stage.act(&told, "user.signup", at);
    } else {
        join(stage, person, at, 4);
    }
}

/// Firms sign up one after the other, each with the same word before its own domain.
fn roles(stage: &mut Stage, row: &'static str, firms: usize, gap: i64, is_backend: bool) {
    let role = ROLES[stage.rng.usize(..ROLES.len())];
    let begun = BEGIN + DAY + 8 * HOUR;
    for n in 0..firms as i64 {
        let mut person = innocent(stage, row);
        let domain = own_domain(stage, &person.name);
        person.rename(person.name.clone(), format!("{role}@{domain}"));
        let at = begun + n * gap + stage.rng.i64(0..gap / 2);
        sign_up(stage, &mut person, at, is_backend);
    }
}

fn mixed_roles(stage: &mut Stage, row: &'static str, firms: usize) {
    let begun = BEGIN + DAY + 8 * HOUR;
    for n in 0..firms {
        let mut person = innocent(stage, row);
        let (role, domain) = (ROLES[stage.rng.usize(..ROLES.len())], own_domain(stage, &person.name));
        person.rename(person.name.clone(), format!("{role}@{domain}"));
        let at = begun + stage.rng.i64(0..HOUR);
        sign_up(stage, &mut person, at, n % 2 == 0);
    }
}

/// Somebody called so.
fn called(person: &Person, first: &str) -> Name {
    let full = format!("{} {}", capital(first), capital(&person.name.last));
    Name { first: first.to_owned(), full, ..person.name.clone() }
}

fn first_names(stage: &mut Stage, row: &'static str, people: usize) {
    let first = FIRST_NAMES[stage.rng.usize(..FIRST_NAMES.len())];
    let begun = BEGIN + DAY + 8 * HOUR;
    for n in 0..people {
        let mut person = innocent(stage, row);
        let domain = own_domain(stage, &person.name);
        person.rename(called(&person, first), format!("{first}@{domain}"));
        let at = begun + stage.rng.i64(0..HOUR);
        sign_up(stage, &mut person, at, n % 2 == 0);
    }
}

fn numbered(stage: &mut Stage, row: &'static str, people: usize) {
    const PROVIDERS: [&str; 4] = ["gmail.com", "outlook.com", "yahoo.com", "gmx.de"];
    let first = FIRST_NAMES[stage.rng.usize(..FIRST_NAMES.len())];
    let begun = BEGIN + DAY;
    for n in 0..people {
        let mut person = innocent(stage, row);
        let email = format!("{first}{}@{}", stage.rng.u32(1_960..2_010), PROVIDERS[n % PROVIDERS.len()]);
        person.rename(called(&person, first), email);
        let at = begun + stage.rng.i64(0..DAY);
        sign_up(stage, &mut person, at, false);
    }
}

fn numbered_at_one(stage: &mut Stage, row: &'static str, people: usize) {
    let first = FIRST_NAMES[stage.rng.usize(..FIRST_NAMES.len())];
    let (begun, from) = (BEGIN + DAY + 9 * HOUR, stage.rng.u32(1..95));
    for n in 0..people {
        let mut person = innocent(stage, row);
        let email = format!("{first}{}@gmail.com", from + n as u32);
        person.rename(called(&person, first), email);
        let at = begun + stage.rng.i64(0..HOUR);
        sign_up(stage, &mut person, at, n % 2 == 0);
    }
}

fn roles_at_providers(stage: &mut Stage, row: &'static str, firms: usize) {
    const LARGE: [&str; 8] = [
        "gmail.com",
        "gmx.de",
        "outlook.com",
        "yahoo.com",
        "aol.com",
        "icloud.com",
        "hotmail.com",
        "proton.me",
    ];
    let role = LONG_ROLES[stage.rng.usize(..LONG_ROLES.len())];
    let begun = BEGIN + DAY + 8 * HOUR;
    for n in 0..firms {
        let mut person = innocent(stage, row);
        person.rename(person.name.clone(), format!("{role}@{}", LARGE[n % LARGE.len()]));
        let at = begun + n as i64 * 7 * MINUTE;
        sign_up(stage, &mut person, at, n % 2 == 0);
    }
}

fn places(stage: &mut Stage, row: &'static str, count: usize) {
    let word = PLACES[stage.rng.usize(..PLACES.len())];
    let boss = stage.name();
    let domain = own_domain(stage, &boss);
    let begun = BEGIN + DAY + 8 * HOUR;
    for n in 0..count {
        let mut person = innocent(stage, row);
        person.rename(person.name.clone(), format!("{word}{}@{domain}", n + 1));
        let at = begun + stage.rng.i64(0..HOUR);
        sign_up(stage, &mut person, at, n % 2 == 0);
    }
}

fn odd_names(stage: &mut Stage) {
    for full in ODD_NAMES {
        let mut person = innocent(stage, "names that look odd and are not");
        let email = stage.email(&person.name);
        person.rename(Name { full: full.to_owned(), ..person.name.clone() }, email);
        let at = stage.moment(20);
        join(stage, &mut person, at, 4);
    }
}

fn odd_emails(stage: &mut Stage) {
    for email in ODD_EMAILS {
        let mut person = innocent(stage, "addresses that look odd and are not");
        person.data.shift_remove("name");
        person.data.insert("email".to_owned(), email.into());
        let at = stage.moment(20);
        join(stage, &mut person, at, 4);
    }
}
