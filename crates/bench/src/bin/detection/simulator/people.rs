//! What everybody on the stage is made of: names, addresses, devices, places, and a way to act.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use dregs_core::event::{Event, EventIdentity};
use dregs_core::place::{Country, Place};
use dregs_core::time::Timestamp;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::Truth;
use crate::figures::Error;
use crate::packages::read;

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Of the simulated time: 2026-09-01T00:00:00Z.
pub const BEGIN: i64 = 1_788_220_800_000;

/// Fingerprints of common models, shared by unrelated people, the first by most.
const COMMON_MODELS: usize = 60;
/// One in so many ordinary people has one of these.
const COMMON_EVERY: usize = 5;
const PROVIDERS: [&str; 8] =
    ["gmail.com", "gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de", "proton.me"];
/// Countries with the position of a large city, in hundredths of a degree.
const COUNTRIES: [(&str, i16, i16); 8] = [
    ("US", 4_071, -7_401),
    ("DE", 5_252, 1_340),
    ("GB", 5_151, -13),
    ("FR", 4_886, 235),
    ("IN", 1_908, 7_288),
    ("BR", -2_355, -4_663),
    ("JP", 3_569, 13_969),
    ("AU", -3_387, 15_121),
];

/// Somebody who acts, as the application sees them at the moment.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub data: Map<String, Value>,
    pub device: Option<String>,
    pub ip: IpAddr,
    pub place: Option<Place>,
    pub agent: String,
    pub session: u64,
    /// The promotion code it redeems: one for everybody, unless somebody refers themself.
    pub code: String,
}

/// Where all that is made comes together.
pub struct Stage {
    pub rng: Rng,
    names: Vec<(String, String)>,
    agents: Vec<String>,
    events: Vec<Event>,
    truths: BTreeMap<String, Truth>,
}

impl Stage {
    pub fn new(packages: &Path, seed: u64) -> Result<Self, Error> {
        let text = std::fs::read_to_string(packages.join("names-unseen.tsv"))?;
        let words: Vec<_> = text.lines().filter_map(|line| line.split_once('\t')).collect();
        let names = words
            .iter()
            .filter(|(_, word)| word.is_ascii() && word.len() > 2)
            .map(|(locale, word)| ((*locale).to_owned(), (*word).to_owned()))
            .collect();
        let profiles: Vec<Value> =
            serde_json::from_str(&read(packages, "user-agents", "dist/user-agents.json")?)?;
        let agents = profiles.iter().filter_map(|profile| Some(profile["userAgent"].as_str()?.to_owned()));
        Ok(Self {
            rng: Rng::with_seed(seed),
            names,
            agents: agents.collect(),
            events: Vec::new(),
            truths: BTreeMap::new(),
        })
    }

    pub fn finish(self) -> (Vec<Event>, BTreeMap<String, Truth>) {
        (self.events, self.truths)
    }

    /// Somebody new, with a name, an address and a device of their own.
    pub fn person(&mut self, truth: Truth) -> Person {
        let id = format!("u{}", self.truths.len());
        self.truths.insert(id.clone(), truth);
        let (first, last) = self.name();
        let email = self.email(&first, &last);
        let mut data = Map::new();
        data.insert("name".to_owned(), json!(format!("{} {}", capital(&first), capital(&last))));
        data.insert("email".to_owned(), json!(email));
        let device = if self.rng.usize(..COMMON_EVERY) == 0 { self.common_model() } else { self.device() };
        Person {
            id,
            data,
            device: Some(device),
            ip: self.address(),
            place: Some(self.place()),
            agent: self.agent(),
            session: self.rng.u64(..),
            code: "WELCOME10".to_owned(),
        }
    }

    /// Says more precisely what somebody is.
    pub fn rename(&mut self, id: &str, truth: Truth) {
        self.truths.insert(id.to_owned(), truth);
    }

    /// A first and a last name of one locale.
    pub fn name(&mut self) -> (String, String) {
        let at = self.rng.usize(..self.names.len());
        let locale = self.names[at].0.clone();
        let from = self.names.partition_point(|(other, _)| *other < locale);
        let to = self.names.partition_point(|(other, _)| *other <= locale);
        (self.names[at].1.clone(), self.names[self.rng.usize(from..to)].1.clone())
    }

    pub fn email(&mut self, first: &str, last: &str) -> String {
        let provider = PROVIDERS[self.rng.usize(..PROVIDERS.len())];
        let number = self.rng.u32(1..100);
        match self.rng.usize(..5) {
            0 => format!("{first}.{last}@{provider}"),
            1 => format!("{first}{last}{number}@{provider}"),
            2 => format!("{first}{}@{provider}", 1_950 + number % 60),
            3 => format!("{first}_{last}@{provider}"),
            _ => format!("{}{last}{number}@{provider}", &first[..1]),
        }
    }

    pub fn device(&mut self) -> String {
        format!("{:032x}", self.rng.u128(..))
    }

    /// One of the common models: the first is on one in eight of their phones, the last on few.
    pub fn common_model(&mut self) -> String {
        let rank = (COMMON_MODELS as f64 * self.rng.f64().powi(2)) as usize;
        format!("model-{rank}")
    }

    /// A home's address: in a network of its own, most often.
    pub fn address(&mut self) -> IpAddr {
        let [_, b, c, d] = self.rng.u32(..).to_be_bytes();
        Ipv4Addr::new(self.rng.u8(60..100), b, c, d).into()
    }

    /// One of a VPN's exits: a few hundred addresses in a few networks.
    pub fn exit(&mut self) -> IpAddr {
        Ipv4Addr::new(185, 220, self.rng.u8(100..104), self.rng.u8(1..120)).into()
    }

    pub fn place(&mut self) -> Place {
        let (country, lat, lon) = COUNTRIES[self.rng.usize(..COUNTRIES.len())];
        Place {
            country: Country::parse(country),
            asn: Some(self.rng.u32(1_000..60_000)),
            position: Some((lat + self.rng.i16(-50..50), lon + self.rng.i16(-50..50))),
        }
    }

    pub fn agent(&mut self) -> String {
        self.agents[self.rng.usize(..self.agents.len())].clone()
    }

    /// A moment in the first `days` days, mostly in daytime.
    pub fn moment(&mut self, days: i64) -> i64 {
        let hour = (self.rng.f64() + self.rng.f64()) * 9.0 + 6.0;
        BEGIN + self.rng.i64(0..days) * DAY + (hour * HOUR as f64) as i64
    }

    /// How long people take from one thing to the next: 12 s in the middle, some much longer.
    pub fn think(&mut self) -> i64 {
        let normal = (0..12).map(|_| self.rng.f64()).sum::<f64>() - 6.0;
        (12_000.0 * normal.exp()).clamp(700.0, 900_000.0) as i64
    }

    pub fn act(&mut self, person: &Person, name: &str, at: i64) {
        let code = (name == "promo_redeemed").then(|| ("promoCode".to_owned(), json!(person.code)));
        self.events.push(Event {
            id: String::new(),
            name: name.to_owned(),
            timestamp: Timestamp::from_millis(at),
            source: None,
            identity: Some(EventIdentity { id: person.id.clone(), data: person.data.clone() }),
            groups: Vec::new(),
            data: code.into_iter().collect(),
            fingerprint: person.device.clone(),
            components: None,
            interaction: None,
            session: Some(format!("{:x}", person.session)),
            url: None,
            ip: Some(person.ip),
            user_agent: Some(person.agent.clone()),
            place: person.place,
        });
    }

    /// Goes from one thing to the next for a while; the answer is when it ended.
    pub fn browse(&mut self, person: &mut Person, mut at: i64, acts: usize) -> i64 {
        const ACTS: [&str; 9] = [
            "page_view",
            "page_view",
            "page_view",
            "search",
            "search",
            "item_viewed",
            "cart_updated",
            "message_sent",
            "settings_viewed",
        ];
        person.session = self.rng.u64(..);
        for _ in 0..acts {
            let name = ACTS[self.rng.usize(..ACTS.len())];
            self.act(person, name, at);
            at += self.think();
        }
        at
    }

    /// Signs up, looks around, comes back on later days, buys now and then.
    pub fn live(&mut self, person: &mut Person, signed_up: i64, days: i64) {
        self.act(person, "signup", signed_up);
        let begun = signed_up + self.think() + self.think();
        let acts = self.rng.usize(2..12);
        self.browse(person, begun, acts);
        for day in 1..days {
            if self.rng.usize(..4) != 0 {
                continue;
            }
            let at = signed_up + day * DAY + self.rng.i64(-4 * HOUR..4 * HOUR);
            self.visit(person, at);
        }
    }

    /// A visit with what goes wrong now and then.
    pub fn visit(&mut self, person: &mut Person, at: i64) {
        let mut at = at;
        if self.rng.usize(..12) == 0 {
            for _ in 0..self.rng.usize(1..4) {
                self.act(person, "login_failed", at);
                at += self.think();
            }
        }
        self.act(person, "login", at);
        let acts = self.rng.usize(2..15);
        let next = at + self.think();
        let mut at = self.browse(person, next, acts);
        if self.rng.usize(..5) == 0 {
            if self.rng.usize(..15) == 0 {
                self.act(person, "payment_failed", at);
                at += self.think() + 20 * SECOND;
            }
            if self.rng.usize(..4) == 0 {
                self.act(person, "promo_redeemed", at - SECOND);
            }
            self.act(person, "purchase", at);
        }
        if self.rng.usize(..60) == 0 {
            self.act(person, "password_changed", at + MINUTE);
        }
    }
}

pub fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
