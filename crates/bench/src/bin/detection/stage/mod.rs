//! A stage for simulated people: what everybody is made of, names, addresses, devices, places, and a way to
//! act. Everything is made from one seed.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use dregs_core::event::{Event, EventIdentity, OfBackend};
use dregs_core::place::{Country, Place};
use dregs_core::time::Timestamp;
use fastrand::Rng;
use serde_json::{Map, json};

pub mod groups;
mod person;
pub mod sources;

pub use self::person::{Connection, Level, Person, Truth};
use self::sources::{Home, Name, Sources};

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Of the simulated time: 2026-09-01T00:00:00Z.
pub const BEGIN: i64 = 1_788_220_800_000;

/// Fingerprints of common models, shared by unrelated people, the first by most.
const COMMON_MODELS: usize = 60;
/// What their fingerprints begin with here.
pub const MODEL_PREFIX: &str = "model-";
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

/// An event, and when it arrives.
pub type Told = (i64, Event);

/// Where all that is made comes together.
pub struct Stage<'s> {
    pub rng: Rng,
    sources: &'s Sources,
    /// What ids of people begin with.
    prefix: &'static str,
    /// After so many days people do not come back.
    days_max: i64,
    events: Vec<Told>,
    /// Of everybody: two people have two.
    emails: HashSet<String>,
    truths: BTreeMap<String, Truth>,
}

impl<'s> Stage<'s> {
    pub fn new(sources: &'s Sources, seed: u64, prefix: &'static str, days_max: i64) -> Self {
        let rng = Rng::with_seed(seed);
        Self {
            rng,
            sources,
            prefix,
            days_max,
            events: Vec::new(),
            emails: HashSet::new(),
            truths: BTreeMap::new(),
        }
    }

    /// All events, in the order in which they arrive, and who everybody was.
    pub fn finish(mut self) -> (Vec<Told>, BTreeMap<String, Truth>) {
        self.events.sort_by_key(|(arrives_at, _)| *arrives_at);
        (self.events, self.truths)
    }

    /// What was told first.
    pub fn first(&self) -> Option<&Event> {
        self.events.first().map(|(_, event)| event)
    }

    /// Somebody new, with a name, an address and a device of their own.
    pub fn person(&mut self, truth: Truth) -> Person {
        let id = format!("{}{}", self.prefix, self.truths.len());
        self.truths.insert(id.clone(), truth);
        let name = self.name();
        let email = self.email(&name);
        let mut data = Map::new();
        data.insert("name".to_owned(), json!(name.full));
        data.insert("email".to_owned(), json!(email));
        let (device, model) =
            if self.rng.usize(..COMMON_EVERY) == 0 { self.common_model() } else { (self.device(), None) };
        Person {
            id,
            data,
            device: Some(device),
            ip: Some(self.address()),
            place: Some(self.place(name.home)),
            agent: Some(model.unwrap_or(self.agent())),
            backend: None,
            session: Some(self.rng.u64(..)),
            code: "WELCOME10".to_owned(),
            hand: None,
            name,
        }
    }

    /// Says more precisely what somebody is.
    pub fn rename(&mut self, id: &str, truth: Truth) {
        self.truths.insert(id.to_owned(), truth);
    }

    pub fn name(&mut self) -> Name {
        self.sources.name(&mut self.rng)
    }

    /// An address that nobody has yet.
    pub fn email(&mut self, name: &Name) -> String {
        loop {
            let email = self.any_email(name);
            if self.emails.insert(email.clone()) {
                return email;
            }
        }
    }

    /// An address at a firm's domain, with a number where the name is taken.
    pub fn email_at(&mut self, Name { first, last, .. }: &Name, domain: &str) -> String {
        let free = (1..).map(|n| match n {
            1 => format!("{first}.{last}@{domain}"),
            n => format!("{first}.{last}{n}@{domain}"),
        });
        let email = free.into_iter().find(|email| !self.emails.contains(email)).unwrap_or_default();
        self.emails.insert(email.clone());
        email
    }

    fn any_email(&mut self, Name { first, last, home, .. }: &Name) -> String {
        let of_country = home.filter(|_| self.rng.bool()).map(|home| home.providers);
        let provider = match of_country {
            Some(providers) => providers[self.rng.usize(..providers.len())],
            None => PROVIDERS[self.rng.usize(..PROVIDERS.len())],
        };
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

    /// One of the common models, and its browser: the first is on one in eight of their phones, the last on few.
    fn common_model(&mut self) -> (String, Option<String>) {
        let rank = (COMMON_MODELS as f64 * self.rng.f64().powi(2)) as usize;
        let agents = &self.sources.agents;
        (format!("{MODEL_PREFIX}{rank}"), agents.get(rank % agents.len()).cloned())
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

    /// Somewhere at home, if it is known where that is.
    pub fn place(&mut self, home: Option<&'static Home>) -> Place {
        if let Some(home) = home {
            let offset = (self.rng.i16(-50..50), self.rng.i16(-50..50));
            return home.place(self.rng.u32(1_000..60_000), offset);
        }
        let (country, lat, lon) = COUNTRIES[self.rng.usize(..COUNTRIES.len())];
        Place {
            country: Country::parse(country),
            asn: Some(self.rng.u32(1_000..60_000)),
            position: Some((lat + self.rng.i16(-50..50), lon + self.rng.i16(-50..50))),
        }
    }

    pub fn agent(&mut self) -> String {
        let agents = &self.sources.agents;
        agents[self.rng.usize(..agents.len())].clone()
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

    /// Does something, which arrives at once.
    pub fn act(&mut self, person: &Person, name: &str, at: i64) {
        self.tell(person, name, at, at);
    }

    /// Has somebody do something at `at`, of which the server hears at `arrives_at`.
    pub fn tell(&mut self, person: &Person, name: &str, at: i64, arrives_at: i64) {
        let code = (name == "promo_redeemed").then(|| ("promoCode".to_owned(), json!(person.code)));
        let mut event = Event {
            id: String::new(),
            name: name.to_owned(),
            timestamp: Timestamp::from_millis(at),
            source: None,
            identity: Some(EventIdentity { id: person.id.clone(), data: person.data.clone() }),
            groups: Vec::new(),
            data: code.into_iter().collect(),
            fingerprint: person.device.clone(),
            components: None,
            interaction: person.hand.clone(),
            session: person.session.map(|session| format!("{session:x}")),
            url: None,
            ip: person.ip,
            user_agent: person.agent.clone(),
            place: person.place,
            of_backend: OfBackend::default(),
            signature: None,
        };
        if let Some(Connection { ip, agent }) = person.backend {
            event.of_backend = OfBackend::of(&event, ip, agent);
        }
        self.events.push((arrives_at, event));
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
        person.session = Some(self.rng.u64(..));
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
        self.come_back(person, signed_up, days);
    }

    /// So many days, or as many as are played.
    pub fn at_most(&self, days: i64) -> i64 {
        days.min(self.days_max)
    }

    /// Visits on one in four of the days after `since`, around the same time of the day.
    pub fn come_back(&mut self, person: &mut Person, since: i64, days: i64) {
        for day in 1..self.at_most(days) {
            if self.rng.usize(..4) != 0 {
                continue;
            }
            let at = since + day * DAY + self.rng.i64(-4 * HOUR..4 * HOUR);
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
