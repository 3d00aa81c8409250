//! Who acts in the demo, and how.

use std::ops::Range;
use std::time::Duration;

use dregs_core::time::{DAY_MS, HOUR_MS, SECOND_MS, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use serde_json::{Map, Value, json};

use crate::clock::Clock;

const PEOPLE: usize = 12;
const OFFICE: usize = 8;
const RING: usize = 5;
/// A new account of the ring appears after this long, so that one can watch the others fall.
const RING_JOINS_EVERY_MS: u64 = 3_000;
const DISPOSABLE_EVERY_MS: u64 = 6_000;
/// What a bot waits between two events, to the millisecond.
const BOT_GAP_MS: i64 = 1_000;
/// What there is between two events of the past that is played.
const PLAYED_EVERY_MS: Range<u64> = 500..2_000;
/// The past of people begins this long ago.
const PAST_MS: i64 = 3 * DAY_MS;

/// The addresses are those for documentation. One of IPv4 for the office, one for the ring, and a data center
/// for the bots (RFC 5737); everybody else is at home, where each has a network of its own, which IPv4 has too
/// few for (2001:db8::/32, RFC 3849).
const OFFICE_IP: &str = "198.51.100.20";
const RING_IP: &str = "203.0.113.66";
const BOT_NETWORK: &str = "192.0.2";
/// Where the networks of those with disposable addresses begin, and how many there are.
const DISPOSABLE_HOMES: usize = 0x1000;
const DISPOSABLE_HOMES_MAX: usize = 0xf000;
const RING_DEVICE: &str = "device-of-the-ring";

const NAMES: [&str; PEOPLE + OFFICE] = [
    "Anna Weber",
    "Luis Ortega",
    "Mei Tanaka",
    "Tom Becker",
    "Sofia Rossi",
    "Omar Haddad",
    "Julie Martin",
    "Piotr Nowak",
    "Clara Jensen",
    "Ravi Kumar",
    "Emma Olsen",
    "David Cohen",
    "Nora Lind",
    "Paul Fischer",
    "Ines Costa",
    "Mark Dubois",
    "Lena Vogel",
    "Samir Khan",
    "Kate Murphy",
    "Ivan Petrov",
];
/// Of the bots and of the ring, which have nothing in common but what gives them away.
const BOT_NAMES: [&str; 3] = ["Max Miller", "Oscar Grant", "Wendy Hale"];
const RING_NAMES: [&str; RING] =
    ["John Carter", "Priya Nair", "Hugo Laurent", "Greta Sandberg", "Mateus Ribeiro"];
/// Of those with disposable addresses, one after the other: combined, they last for 20 minutes.
const DISPOSABLE_GIVEN: [&str; 14] = [
    "Kim", "Aaron", "Bianca", "Cedric", "Daria", "Elias", "Fatima", "Gordon", "Helga", "Isaac", "Jolanta",
    "Kofi", "Livia", "Marek",
];
const DISPOSABLE_FAMILY: [&str; 15] = [
    "Lee", "Abbott", "Brandt", "Castillo", "Dvorak", "Eriksen", "Fontana", "Grimes", "Huang", "Ivers",
    "Jimenez", "Keller", "Lambert", "Moreau", "Novotny",
];
const MAIL_HOSTS: [&str; 4] = ["gmail.com", "posteo.de", "outlook.com", "proton.me"];
const OFFICE_MAIL_HOST: &str = "lindstrom-partner.se";
const DISPOSABLE_HOSTS: [&str; 4] =
    ["mailinator.com", "guerrillamail.com", "yopmail.com", "10minutemail.com"];

const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
];
/// The first of the bots pretends to be a browser: only what it does gives it away.
const BOT_AGENTS: [&str; 3] = [
    BROWSERS[0],
    "python-requests/2.32.5",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
];

const ACTS: [&str; 7] =
    ["page.view", "page.view", "message.sent", "page.view", "profile.updated", "review.posted", "page.view"];
const BOT_ACT: &str = "page.view";

/// Everybody, and who is yet to come.
pub struct Population {
    random: StdRng,
    actors: Vec<Actor>,
    disposables: usize,
}

/// One account.
struct Actor {
    id: String,
    data: Map<String, Value>,
    user_agent: &'static str,
    ip: String,
    device: Option<String>,
    manner: Manner,
    /// Since the beginning of the demo.
    next: Duration,
    /// The time of its last event; none before the first.
    /// When it was first acted for.
    begun: Option<Timestamp>,
    clock: Option<Timestamp>,
    /// Until the next, of people.
    gap_ms: i64,
    acts: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Pauses, hurries, goes away and comes back.
    Person,
    /// Does one thing at one interval.
    Clockwork,
    /// Signs up, and then gives a disposable address to get something.
    Disposable,
}

impl Population {
    pub fn new(random: StdRng) -> Self {
        let mut population = Self { random, actors: Vec::new(), disposables: 0 };
        population.add_people();
        population.add_bots();
        population.add_ring();
        population
    }

    fn add_people(&mut self) {
        for (index, name) in NAMES.iter().enumerate() {
            let works_there = index >= PEOPLE;
            let mailbox = name.to_lowercase().replace(' ', ".");
            let host = if works_there { OFFICE_MAIL_HOST } else { MAIL_HOSTS[index % MAIL_HOSTS.len()] };
            let ip = if works_there { OFFICE_IP.to_owned() } else { home_ip(index + 1) };
            let mut actor = Actor::new(mailbox.clone(), BROWSERS[index % BROWSERS.len()], ip);
            actor.data = profile(name, &format!("{mailbox}@{host}"));
            actor.device = Some(format!("device-of-{mailbox}"));
            actor.next = Duration::from_millis(self.random.random_range(0..4_000));
            self.actors.push(actor);
        }
    }

    fn add_bots(&mut self) {
        for (index, user_agent) in BOT_AGENTS.into_iter().enumerate() {
            let ip = format!("{BOT_NETWORK}.{}", 200 + index);
            let mut actor = Actor::new(format!("bot-{}", index + 1), user_agent, ip);
            actor.data = profile(BOT_NAMES[index], &gmail(BOT_NAMES[index]));
            actor.manner = Manner::Clockwork;
            actor.next = Duration::from_millis(2_000 + 300 * index as u64);
            self.actors.push(actor);
        }
    }

    fn add_ring(&mut self) {
        for (index, name) in RING_NAMES.into_iter().enumerate() {
            let mut actor = Actor::new(format!("ring-{}", index + 1), BROWSERS[2], RING_IP.to_owned());
            actor.data = profile(name, &gmail(name));
            actor.device = Some(RING_DEVICE.to_owned());
            actor.next = Duration::from_millis(3_000 + RING_JOINS_EVERY_MS * index as u64);
            self.actors.push(actor);
        }
    }

    fn add_disposable(&mut self, elapsed: Duration) {
        self.disposables += 1;
        let number = self.disposables;
        let ip = home_ip(DISPOSABLE_HOMES + number % DISPOSABLE_HOMES_MAX);
        let mut actor = Actor::new(format!("disposable-{number}"), BROWSERS[number % BROWSERS.len()], ip);
        actor.data = Map::from_iter([("name".to_owned(), json!(disposable_name(number)))]);
        actor.device = Some(format!("device-of-disposable-{number}"));
        actor.manner = Manner::Disposable;
        actor.next = elapsed;
        self.actors.push(actor);
    }

    /// The events of those whose turn it is, `elapsed` after the beginning.
    pub fn act(&mut self, elapsed: Duration, clock: &dyn Clock) -> Vec<Value> {
        let due = elapsed.as_millis() / u128::from(DISPOSABLE_EVERY_MS);
        if due > self.disposables as u128 {
            self.add_disposable(elapsed);
        }
        let now = clock.now();
        let mut events = Vec::new();
        for actor in self.actors.iter_mut().filter(|actor| actor.next <= elapsed) {
            events.push(actor.act(now, elapsed, &mut self.random));
        }
        // Who used a disposable address does not come back.
        self.actors.retain(|actor| !actor.is_done());
        events
    }
}

/// An address in the network of a home.
fn home_ip(network: usize) -> String {
    format!("2001:db8:{network:x}::1f")
}

fn profile(name: &str, email: &str) -> Map<String, Value> {
    Map::from_iter([("name".to_owned(), json!(name)), ("email".to_owned(), json!(email))])
}

/// The address that many with this name have.
fn gmail(name: &str) -> String {
    format!("{}@gmail.com", name.to_lowercase().replace(' ', "."))
}

/// The numbers of the two lists have no common divisor, so that every pair comes once before one comes again.
fn disposable_name(number: usize) -> String {
    let (given, family) = (number % DISPOSABLE_GIVEN.len(), number % DISPOSABLE_FAMILY.len());
    format!("{} {}", DISPOSABLE_GIVEN[given], DISPOSABLE_FAMILY[family])
}

impl Actor {
    fn new(id: String, user_agent: &'static str, ip: String) -> Self {
        Self {
            id,
            data: Map::new(),
            user_agent,
            ip,
            device: None,
            manner: Manner::Person,
            next: Duration::ZERO,
            begun: None,
            clock: None,
            gap_ms: 0,
            acts: 0,
        }
    }

    fn is_done(&self) -> bool {
        self.manner == Manner::Disposable && self.acts >= 3
    }

    fn act(&mut self, now: Timestamp, elapsed: Duration, random: &mut StdRng) -> Value {
        let at = self.time_of_act(now, random);
        let name = self.name_of_act(random);
        self.gap_ms = gap_of_a_person_ms(random);
        self.gap_ms += asleep_ms(at.plus_millis(self.gap_ms), *self.begun.get_or_insert(now));
        let pause_ms = match self.manner {
            // The past is played faster than it happened; then the next act is one of today, at its time.
            Manner::Person => {
                let ahead_ms = at.plus_millis(self.gap_ms).millis_since(now);
                u64::try_from(ahead_ms).unwrap_or(0).max(random.random_range(PLAYED_EVERY_MS))
            }
            Manner::Clockwork => BOT_GAP_MS.unsigned_abs(),
            Manner::Disposable => 2_000,
        };
        self.next = match self.manner {
            // From the time it was due: a clockwork does not lose time.
            Manner::Clockwork => self.next + Duration::from_millis(pause_ms),
            Manner::Person | Manner::Disposable => elapsed + Duration::from_millis(pause_ms),
        };
        self.clock = Some(at);
        self.acts += 1;
        let mut event = json!({
            "type": name,
            "timestamp": at.to_string(),
            "identity": {"id": self.id, "data": self.data},
            "ip": self.ip,
            "userAgent": self.user_agent,
        });
        if let Some(device) = &self.device {
            event["device"] = json!({"fingerprint": device});
        }
        event
    }

    fn name_of_act(&mut self, random: &mut StdRng) -> &'static str {
        match (self.manner, self.acts) {
            (_, 0) => "user.signup",
            (Manner::Person, _) => ACTS[random.random_range(0..ACTS.len())],
            (Manner::Clockwork, _) => BOT_ACT,
            (Manner::Disposable, 1) => {
                let host = DISPOSABLE_HOSTS[random.random_range(0..DISPOSABLE_HOSTS.len())];
                let email = format!("{:06x}@{host}", random.next_u32() & 0xff_ffff);
                self.data.insert("email".to_owned(), json!(email));
                "email.changed"
            }
            (Manner::Disposable, _) => "coupon.redeemed",
        }
    }

    /// People have a past that is played faster than it happened, the ring's accounts one that began
    /// together; the others act now.
    fn time_of_act(&self, now: Timestamp, random: &mut StdRng) -> Timestamp {
        let at = match (self.manner, self.clock) {
            (Manner::Person, None) if self.device.as_deref() == Some(RING_DEVICE) => {
                now.plus_millis(-PAST_MS)
            }
            (Manner::Person, None) => {
                let at = now.plus_millis(-PAST_MS - random.random_range(0..DAY_MS));
                at.plus_millis(asleep_ms(at, now))
            }
            (Manner::Person, Some(last)) => last.plus_millis(self.gap_ms),
            (Manner::Clockwork, Some(last)) => last.plus_millis(BOT_GAP_MS),
            (Manner::Clockwork | Manner::Disposable, _) => now,
        };
        // Nothing happens in the future.
        at.min(now)
    }
}

/// How much longer somebody sleeps at this time: eight hours a day, up to five hours before the demo has begun, so that all are
/// awake while it is looked at.
fn asleep_ms(at: Timestamp, begun: Timestamp) -> i64 {
    let night_ms = at.millis_since(begun.plus_millis(-13 * HOUR_MS)).rem_euclid(DAY_MS);
    (8 * HOUR_MS - night_ms).max(0)
}

/// Mostly seconds, now and then minutes, sometimes the hours between two visits.
fn gap_of_a_person_ms(random: &mut StdRng) -> i64 {
    let kind = random.random_range(0..10);
    match kind {
        0..7 => random.random_range(2 * SECOND_MS..25 * SECOND_MS),
        7..9 => random.random_range(30 * SECOND_MS..240 * SECOND_MS),
        _ => random.random_range(HOUR_MS..9 * HOUR_MS),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use dregs_core::badge::BadgeType;
    use dregs_core::common::RECENT_IDENTITIES;
    use dregs_core::event::{Event, Limits, Origin, SERVER_ID_PREFIX, read};
    use dregs_core::rules::starter_rules;
    use dregs_core::score::Weights;
    use dregs_core::world::{Decided, Live, World};
    use rand::SeedableRng as _;

    use super::*;
    use crate::clock::ManualClock;

    const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    /// The events of so many seconds, by the name before the number of who sent them.
    fn played(seconds: u64) -> BTreeMap<String, Vec<Value>> {
        let mut population = Population::new(StdRng::seed_from_u64(7));
        let clock = ManualClock::at(START);
        let mut events = BTreeMap::<String, Vec<Value>>::new();
        for tick in 0..seconds * 20 {
            for event in population.act(Duration::from_millis(tick * 50), &clock) {
                let id = event["identity"]["id"].as_str().unwrap();
                let group = id.split('-').next().filter(|_| id.contains('-')).unwrap_or("person");
                events.entry(group.to_owned()).or_default().push(event);
            }
            clock.advance(50);
        }
        events
    }

    fn distinct<'a>(events: &'a [Value], path: &str) -> BTreeSet<&'a str> {
        events.iter().filter_map(|event| event.pointer(path)?.as_str()).collect()
    }

    #[test]
    fn everybody_has_come_within_half_a_minute() {
        let events = played(30);
        let ids = |group: &str| distinct(&events[group], "/identity/id").len();
        assert_eq!((ids("person"), ids("bot"), ids("ring"), ids("disposable")), (20, 3, 5, 4));
        assert_eq!(distinct(&events["ring"], "/device/fingerprint").len(), 1);
        let office: Vec<Value> =
            events["person"].iter().filter(|event| event["ip"] == OFFICE_IP).cloned().collect();
        let seen = (distinct(&office, "/identity/id").len(), distinct(&office, "/device/fingerprint").len());
        assert_eq!(seen, (8, 8));
    }

    /// A population at work for so many minutes, each event given to `see` when it arrives.
    fn arriving(minutes: u64, mut see: impl FnMut(&Event, Timestamp)) {
        let mut population = Population::new(StdRng::seed_from_u64(7));
        let clock = ManualClock::at(START);
        for tick in 0..minutes * 60 * 4 {
            for event in population.act(Duration::from_millis(tick * 250), &clock) {
                let (body, mut new_id) = (event.to_string(), || format!("{SERVER_ID_PREFIX}1"));
                let now = clock.now();
                let read =
                    read(body.as_bytes(), &Origin::UNSEEN_BACKEND, now, Limits::default(), &mut new_id);
                see(&read.unwrap().event, now);
            }
            clock.advance(250);
        }
    }

    /// Who looks at a list of them can tell one from the other.
    #[test]
    fn no_two_have_the_same_name_and_few_of_a_group_the_same_given_name() {
        let events = played(120);
        let mut names = BTreeMap::<&str, BTreeSet<&str>>::new();
        for event in events.values().flatten() {
            if let Some(name) = event["identity"]["data"]["name"].as_str() {
                names.entry(name).or_default().insert(event["identity"]["id"].as_str().unwrap());
            }
        }
        let twice: Vec<_> = names.iter().filter(|(_, ids)| ids.len() > 1).collect();
        assert_eq!(twice, Vec::new());
        let everybody = PEOPLE + OFFICE + RING + BOT_NAMES.len() + 20;
        assert!(names.len() >= everybody - 1, "{} names", names.len());
        for group in ["person", "bot", "ring"] {
            let names = distinct(&events[group], "/identity/data/name");
            let first: BTreeSet<_> = names.iter().filter_map(|name| name.split(' ').next()).collect();
            assert_eq!(first.len(), names.len(), "{group}");
        }
    }

    #[test]
    fn nothing_of_it_is_taken_for_an_integration_that_sends_the_same_for_everybody() {
        let (mut world, mut common) = (World::default(), Vec::new());
        // As long as it takes until those who were active last are as many as are looked at.
        arriving(25, |event, _| common.extend(world.take(event)));
        assert!(world.ids().count() > RECENT_IDENTITIES);
        assert_eq!(common, []);
    }

    #[test]
    fn the_innocent_are_never_accused_and_everybody_else_is() {
        let mut live = Live::new(World::default(), Weights::default(), starter_rules(), SECOND_MS);
        let mut accused = BTreeMap::<String, BTreeSet<String>>::new();
        let mut humanity = BTreeMap::<String, u8>::new();
        // The rules of a new team wait for a quarter of an hour.
        arriving(17, |event, now| {
            live.take(event, now, &mut |told: &Decided| {
                let bad = told.decision.added.iter().filter(|badge| badge.badge_type == BadgeType::Bad);
                let of = accused.entry(told.id.to_owned()).or_default();
                of.extend(bad.map(|badge| badge.slug.clone()));
                humanity.insert(told.id.to_owned(), told.scores.humanity.unwrap_or(100));
            });
        });
        // Who looks for a while does not see the innocent fall, either.
        let least = humanity.iter().filter(|(id, _)| !id.contains('-')).min_by_key(|(_, score)| **score);
        assert!(least.is_some_and(|(_, score)| *score >= 85), "{least:?}");
        let innocent: Vec<_> = accused.iter().filter(|(id, _)| !id.contains('-')).collect();
        assert_eq!(innocent.len(), PEOPLE + OFFICE);
        assert_eq!(innocent.into_iter().filter(|(_, badges)| !badges.is_empty()).collect::<Vec<_>>(), []);
        let caught = |who: &str, badge: &str| {
            accused.iter().filter(|(id, badges)| id.starts_with(who) && badges.contains(badge)).count()
        };
        let caught = [("bot-", "suspicious"), ("ring-", "duplicate"), ("disposable-", "throwaway")]
            .map(|(who, badge)| caught(who, badge));
        // With disposable addresses: one every six seconds, from the sixth on.
        assert_eq!(caught, [BOT_AGENTS.len(), RING, 169]);
    }

    #[test]
    fn people_sleep_at_night() {
        let events = played(30);
        for (who, of_group) in events.iter().filter(|(who, _)| *who == "person") {
            let times: Vec<_> = of_group
                .iter()
                .map(|event| Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap())
                .collect();
            assert!(
                times.iter().all(|at| asleep_ms(*at, START) == 0 || START.millis_since(*at) < 0),
                "{who}"
            );
            let days: BTreeSet<_> = times.iter().map(|at| at.as_millis().div_euclid(DAY_MS)).collect();
            assert!(days.len() > 2, "{days:?}");
        }
    }

    #[test]
    fn bots_are_regular_and_people_are_not() {
        let gaps = |events: &[Value], id: &str| -> BTreeSet<i64> {
            let own = events.iter().filter(|event| event["identity"]["id"] == id);
            let times: Vec<i64> = own
                .map(|event| Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap().as_millis())
                .collect();
            times.windows(2).map(|pair| pair[1] - pair[0]).collect()
        };
        let events = played(30);
        assert_eq!(gaps(&events["bot"], "bot-2"), BTreeSet::from([BOT_GAP_MS]));
        assert!(gaps(&events["person"], "anna.weber").len() > 3);
    }

    #[test]
    fn nothing_happens_in_the_future_however_long_it_runs() {
        let mut population = Population::new(StdRng::seed_from_u64(7));
        let clock = ManualClock::at(START);
        for second in 0..7_200 {
            for event in population.act(Duration::from_secs(second), &clock) {
                let at = Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap();
                assert!(at <= clock.now(), "{event}");
            }
            clock.advance(1_000);
        }
        assert!(population.actors.len() < 40, "who is done is forgotten");
    }
}
