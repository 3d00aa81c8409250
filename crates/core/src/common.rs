//! What most of a team's identities have in common. A user agent, an address or a device that nearly all of
//! them share belongs to the customer's own systems, or to nobody, and says nothing of one person.
//!
//! It is learned from the team's own events in the order of their arrival, by a [`Sample`] of its identities,
//! and kept: what the customer's backend sent during an import says nothing of those people a year later either.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use crate::agent::{self, Kind, may_be_a_backends, program_name};
use crate::event::Event;
use crate::key::{KeyKind, LinkKey, address_keys};
use crate::time::{DAY_MS, Timestamp};

/// Identities that were active last: few enough that what a backend sends is learned within the first hundred
/// events of an import, enough that a busy address is not most of them.
pub const RECENT_IDENTITIES: usize = 200;
/// Those of them who have been there for longer: where there are enough, they decide.
pub const REGULAR_IDENTITIES: usize = 100;
/// From its first event on, in event time.
const REGULAR_AFTER_MS: i64 = DAY_MS;
/// Values of one identity that are looked at.
const VALUES_MAX: usize = 64;
/// Fewer identities with a value are an office, a class or a ring; and of fewer regulars one cannot say what most
/// of them have.
pub const HOLDERS_MIN: usize = 25;
/// Of so many who were there before a value came up, most must have it too: an attack brings new accounts, while
/// a backend that begins to send its own address or agent does so for everybody.
const KNOWN_MIN: usize = 5;
/// What is in one hand, such as a device, must have come from so many networks, since a script that makes
/// accounts has few.
const NETWORKS_MIN: usize = 10;
/// Values that are kept of a team: far more than its own systems have.
pub const VALUES_OF_TEAM_MAX: usize = 256;

/// What is known to be common among a team's identities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    keys: HashSet<LinkKey>,
}

impl Common {
    /// Adds a value.
    pub fn insert(&mut self, key: LinkKey) {
        self.keys.insert(key);
    }

    pub fn contains(&self, key: &LinkKey) -> bool {
        !self.keys.is_empty() && self.keys.contains(key)
    }

    /// Whether a user agent is the customer's own program's.
    pub fn has_agent(&self, agent: &str) -> bool {
        !self.keys.is_empty() && may_be_a_backends(agent) && self.has(KeyKind::Agent, program_name(agent))
    }

    /// Whether an address is the customer's own, or in a network of theirs.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        !self.keys.is_empty() && address_keys(ip).any(|key| self.contains(&key))
    }

    pub fn has_device(&self, fingerprint: &str) -> bool {
        !self.keys.is_empty() && self.has(KeyKind::Device, fingerprint.to_owned())
    }

    pub fn has_session(&self, session: &str) -> bool {
        !self.keys.is_empty() && self.has(KeyKind::Session, session.to_owned())
    }

    fn has(&self, kind: KeyKind, value: String) -> bool {
        self.contains(&LinkKey { kind, value })
    }
}

/// What an event shows of its identity that others may show as well: the program that sent it, and what links
/// identities; `new_keys` are those that the event brought its identity.
pub fn values<'k>(event: &Event, new_keys: impl IntoIterator<Item = &'k LinkKey>) -> Vec<LinkKey> {
    // The connection of a person's agent is neither the person's nor the customer's.
    let is_of_agent = event.is_of_agent();
    // What introduces itself as crawlers do is a backend's where nothing of a person comes with it.
    let has_company = event.fingerprint.is_some() || event.session.is_some();
    let may_be = |agent: &&str| {
        !is_of_agent && may_be_a_backends(agent) && !(has_company && agent::kind(agent).0 == Kind::Crawler)
    };
    let program = event.user_agent.as_deref().filter(may_be);
    let program = program.map(|agent| LinkKey { kind: KeyKind::Agent, value: program_name(agent) });
    let device = event.fingerprint.clone().map(|value| LinkKey { kind: KeyKind::Device, value });
    let addresses = event.ip.filter(|_| !is_of_agent).into_iter().flat_map(address_keys);
    let session = event.session.clone().map(|value| LinkKey { kind: KeyKind::Session, value });
    let of_event = program.into_iter().chain(device).chain(addresses).chain(session);
    let mut values: Vec<_> = of_event.chain(new_keys.into_iter().cloned()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// What a customer is told whose integration sends the same for most of its users, and how it is sent better.
pub fn advice(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Agent => {
            "Most of your users come with the same program as their user agent. It is taken for your own, and \
             left out of scores. Send the end user's agent as `userAgent`, or none."
        }
        KeyKind::Ip | KeyKind::Network => {
            "Most of your users come from the same address. It is taken for your own, and left out of scores. \
             Send the end user's address as `ip`, or none; behind a proxy, name it in `trusted_proxies`."
        }
        KeyKind::Device
        | KeyKind::ButDrawing
        | KeyKind::ButSound
        | KeyKind::ButScreen
        | KeyKind::ButMachine => {
            "Most of your users come with the same device. It is taken for none, and left out of scores. Send \
             the device that dregs.js reports, or none."
        }
        KeyKind::Session => {
            "Most of your users come in the same session. It is taken for none, and left out of scores. Send a \
             session of the end user's own as `session`, or none."
        }
        KeyKind::Journey | KeyKind::Code => {
            "Most of your users take the same first steps or use the same code. It says nothing of any of them, \
             and is left out of scores."
        }
        KeyKind::Email
        | KeyKind::Mailbox
        | KeyKind::Name
        | KeyKind::Phone
        | KeyKind::Birth
        | KeyKind::Home => {
            "Most of your users have the same details, such as a placeholder that a form fills in. They are left \
             out of scores. Send what each user has said, or nothing."
        }
    }
}

/// Whom a team's identities are judged by: those that were active last, and of those who have been with it for
/// longer than a day, likewise.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    recent: Window<RECENT_IDENTITIES>,
    regulars: Window<REGULAR_IDENTITIES>,
    /// Events so far.
    events: u64,
}

impl Sample {
    /// Takes in an event of an identity, whose first was at `first_at` (`None` for one that is new), with what
    /// it shows. The answer is what turns out to be common now and is not in `common` yet.
    pub fn take(
        &mut self,
        id: &str,
        (first_at, at): (Option<Timestamp>, Timestamp),
        values: &[LinkKey],
        common: &Common,
    ) -> Vec<LinkKey> {
        self.events += 1;
        let id = hash(0, id);
        let hashed: Vec<_> = values.iter().map(|key| (hash(key.kind as u8, &key.value), key.kind)).collect();
        let mut may_be = self.recent.take(id, first_at.is_some(), self.events, &hashed);
        if first_at.is_some_and(|first| at.millis_since(first) >= REGULAR_AFTER_MS) {
            if !self.regulars.by_id.contains_key(&id) {
                // What it showed before, as at its sign-up.
                self.regulars.bring(id, self.events, self.recent.shown(id));
            }
            may_be.extend(self.regulars.take(id, true, self.events, &hashed));
        }
        let keys = hashed.into_iter().zip(values).filter(|(hashed, key)| {
            may_be.contains(hashed) && !common.contains(key) && self.is_common(hashed.0, key.kind)
        });
        keys.map(|(_, key)| key.clone()).collect()
    }

    fn is_common(&self, value: u64, kind: KeyKind) -> bool {
        let Some(came_up) = self.everybody().filter_map(|member| member.since(value)).min() else {
            return false;
        };
        let regulars: Vec<_> = self.regulars.members.iter().collect();
        let now: Vec<_> = regulars.iter().copied().filter(|member| member.active >= came_up).collect();
        let have_it = if regulars.len() < HOLDERS_MIN {
            let recent: Vec<_> = self.recent.members.iter().collect();
            let is_before = |member: &&Member| member.is_known || member.entered < came_up;
            let before: Vec<_> = recent.iter().copied().filter(is_before).collect();
            have_most(&recent, value) && (before.len() < KNOWN_MIN || have_most(&before, value))
        } else if now.len() < HOLDERS_MIN {
            have_most(&regulars, value)
        } else {
            have_most(&now, value)
        };
        have_it && (!kind.is_in_one_hand() || self.networks(value) >= NETWORKS_MIN)
    }

    fn everybody(&self) -> impl Iterator<Item = &Member> {
        self.recent.members.iter().chain(&self.regulars.members)
    }

    /// The networks of those who have a value.
    fn networks(&self, value: u64) -> usize {
        let holders = self.everybody().filter(|member| member.since(value).is_some());
        let shown = holders.flat_map(|member| &member.values);
        let networks = shown.filter(|shown| shown.kind == KeyKind::Network).map(|shown| shown.value);
        networks.collect::<HashSet<_>>().len()
    }

    /// How many of the identities that were active last have shown a value, and how many those are.
    pub fn share(&self, key: &LinkKey) -> (usize, usize) {
        let holders = self.recent.counts.get(&hash(key.kind as u8, &key.value)).copied().unwrap_or(0);
        (holders, self.recent.members.len())
    }
}

/// Whether more than half of them have a value.
fn have_most(members: &[&Member], value: u64) -> bool {
    members.iter().filter(|member| member.since(value).is_some()).count() * 2 > members.len()
}

/// The last identities to come, and what each of them has shown since.
#[derive(Clone, Debug, Default)]
struct Window<const MAX: usize> {
    members: VecDeque<Member>,
    /// Which arrival a member is.
    by_id: HashMap<u64, u64>,
    arrivals: u64,
    /// How many members have shown a value.
    counts: HashMap<u64, usize>,
}

#[derive(Clone, Debug)]
struct Member {
    id: u64,
    /// Whether it was known before it came.
    is_known: bool,
    /// At which event it came, and was seen last.
    entered: u64,
    active: u64,
    values: Vec<Shown>,
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    value: u64,
    kind: KeyKind,
    /// At which event first.
    at: u64,
}

impl Member {
    /// At which event it first showed a value.
    fn since(&self, value: u64) -> Option<u64> {
        self.values.iter().find(|shown| shown.value == value).map(|shown| shown.at)
    }
}

impl<const MAX: usize> Window<MAX> {
    /// Takes in what an identity shows at event number `at`; answers which of that is new to it and in many hands.
    fn take(&mut self, id: u64, is_known: bool, at: u64, values: &[(u64, KeyKind)]) -> Vec<(u64, KeyKind)> {
        let place = self.place(id, is_known, at);
        let Some(member) = self.members.get_mut(place) else { return Vec::new() };
        member.active = at;
        let mut in_many_hands = Vec::new();
        for (value, kind) in values {
            if member.since(*value).is_some() || member.values.len() == VALUES_MAX {
                continue;
            }
            member.values.push(Shown { value: *value, kind: *kind, at });
            let count = self.counts.entry(*value).or_default();
            *count += 1;
            if *count >= HOLDERS_MIN {
                in_many_hands.push((*value, *kind));
            }
        }
        in_many_hands
    }

    /// What a member has shown.
    fn shown(&self, id: u64) -> Vec<Shown> {
        let first = self.arrivals - self.members.len() as u64;
        let place = self.by_id.get(&id).and_then(|arrival| usize::try_from(arrival - first).ok());
        place
            .and_then(|place| self.members.get(place))
            .map(|member| member.values.clone())
            .unwrap_or_default()
    }

    /// Takes in somebody who has shown things elsewhere.
    fn bring(&mut self, id: u64, at: u64, shown: Vec<Shown>) {
        for Shown { value, .. } in &shown {
            *self.counts.entry(*value).or_default() += 1;
        }
        let place = self.place(id, true, at);
        if let Some(member) = self.members.get_mut(place) {
            member.values = shown;
        }
    }

    /// The place of a member; where it is new, the one that came first makes room.
    fn place(&mut self, id: u64, is_known: bool, at: u64) -> usize {
        if let Some(arrival) = self.by_id.get(&id) {
            let first = self.arrivals - self.members.len() as u64;
            return usize::try_from(arrival - first).unwrap_or(usize::MAX);
        }
        if self.members.len() == MAX
            && let Some(gone) = self.members.pop_front()
        {
            self.by_id.remove(&gone.id);
            for Shown { value, .. } in gone.values {
                match self.counts.get_mut(&value) {
                    Some(count) if *count > 1 => *count -= 1,
                    _ => _ = self.counts.remove(&value),
                }
            }
        }
        self.by_id.insert(id, self.arrivals);
        self.arrivals += 1;
        self.members.push_back(Member { id, is_known, entered: at, active: at, values: Vec::new() });
        self.members.len() - 1
    }
}

fn hash(kind: u8, value: &str) -> u64 {
    let mut hasher = SipHasher24::new();
    hasher.write_u8(kind);
    hasher.write(value.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn key(kind: KeyKind, value: &str) -> LinkKey {
        LinkKey { kind, value: value.to_owned() }
    }

    /// A team to which identities come, each with its values.
    #[derive(Default)]
    struct Team {
        sample: Sample,
        common: Common,
    }

    impl Team {
        /// `days` after their first event; `None` for those who are new.
        fn come(&mut self, ids: Range<u32>, days: Option<i64>, values: &[LinkKey]) -> &mut Self {
            let now = Timestamp::from_millis(1_795_426_200_000);
            for id in ids {
                let own = key(KeyKind::Network, &format!("10.0.{id}.0/24"));
                let times = (days.map(|days| now.plus_millis(-days * DAY_MS)), now);
                for key in self.sample.take(&id.to_string(), times, &[values, &[own]].concat(), &self.common)
                {
                    self.common.insert(key);
                }
            }
            self
        }

        fn knows(&self, key: &LinkKey) -> bool {
            self.common.contains(key)
        }
    }

    #[test]
    fn what_most_have_is_common_within_the_first_hundred_events() {
        let backend = [key(KeyKind::Ip, "203.0.113.7"), key(KeyKind::Agent, "python-requests")];
        let mut team = Team::default();
        team.come(0..24, None, &backend);
        assert_eq!(team.common, Common::default(), "an office has as many");
        team.come(24..25, None, &backend);
        assert!(team.knows(&backend[0]) && team.knows(&backend[1]));
        assert_eq!(team.sample.share(&backend[0]), (25, 25));
        assert!(!team.knows(&key(KeyKind::Network, "10.0.3.0/24")), "their own");
    }

    #[test]
    fn what_many_newcomers_have_and_others_do_not_is_theirs() {
        let bots = [key(KeyKind::Ip, "203.0.113.7")];
        let young = Team::default().come(0..10, None, &[]).come(100..290, None, &bots).knows(&bots[0]);
        let quiet = Team::default().come(0..30, Some(9), &[]).come(100..500, None, &bots).knows(&bots[0]);
        let busy = Team::default()
            .come(0..100, Some(9), &[])
            .come(100..300, None, &bots)
            .come(0..100, Some(9), &[])
            .come(300..500, None, &bots)
            .knows(&bots[0]);
        assert_eq!((young, quiet, busy), (false, false, false));
    }

    #[test]
    fn a_backend_that_begins_to_send_something_does_so_for_regulars_too() {
        let mut team = Team::default();
        let backend = [key(KeyKind::Agent, "acme-backend")];
        team.come(0..300, Some(9), &[]).come(200..224, Some(9), &backend).come(900..1_000, None, &backend);
        assert_eq!(team.common, Common::default());
        team.come(224..225, Some(9), &backend);
        assert!(team.knows(&backend[0]));
    }

    #[test]
    fn what_a_backend_sends_at_the_sign_up_alone_is_learned_where_few_sign_up_a_day() {
        let mut team = Team::default();
        let backend = [key(KeyKind::Agent, "acme-backend")];
        team.come(100..115, Some(9), &[]);
        for id in 0..40 {
            team.come(id..id + 1, None, &backend).come(id..id + 1, Some(2), &[]);
        }
        assert!(team.knows(&backend[0]));
    }

    #[test]
    fn what_is_in_one_hand_must_have_come_from_many_networks() {
        let device = [key(KeyKind::Device, "server")];
        assert!(Team::default().come(0..50, None, &device).common.has_device("server"));
        let farm = [key(KeyKind::Device, "phone")];
        let mut sample = Sample::default();
        let now = Timestamp::from_millis(0);
        for id in 0..50 {
            assert_eq!(sample.take(&id.to_string(), (None, now), &farm, &Common::default()), []);
        }
    }

    #[test]
    fn those_who_came_first_make_room() {
        let mut team = Team::default();
        let (old, new) = (key(KeyKind::Agent, "old"), key(KeyKind::Agent, "new"));
        team.come(0..150, None, std::slice::from_ref(&old)).come(150..400, None, std::slice::from_ref(&new));
        assert_eq!((team.sample.share(&old), team.sample.share(&new)), ((0, 200), (200, 200)));
        assert_eq!(team.sample.recent.counts.len(), 201);
    }

    /// What an event of a backend, or of a browser, shows of its program.
    fn program(agent: &str, device: Option<&str>, session: Option<&str>) -> Option<String> {
        let body = serde_json::json!({
            "type": "user.created", "id": "e", "identity": {"id": "u"}, "userAgent": agent, "ip": "203.0.113.7",
        });
        let now = Timestamp::from_millis(1_795_426_200_000);
        let read = crate::event::read(
            body.to_string().as_bytes(),
            &crate::event::Origin::UNSEEN_BACKEND,
            now,
            crate::event::Limits::default(),
            &mut String::new,
        );
        let mut event = read.unwrap().event;
        (event.fingerprint, event.session) = (device.map(str::to_owned), session.map(str::to_owned));
        values(&event, []).into_iter().find(|key| key.kind == KeyKind::Agent).map(|key| key.value)
    }

    #[test]
    fn a_backend_may_introduce_itself_as_crawlers_do_and_has_no_device() {
        for (agent, expected) in [
            ("WordPress/6.7.1; https://shop.example", "wordpress"),
            ("AcmeBackend/2.1 (+https://acme.example)", "acmebackend"),
            ("Mozilla/5.0", "mozilla"),
            (
                "Mozilla/5.0 (compatible; Acme/2.1; +https://acme.example)",
                "mozilla/ (compatible; acme/; +https://acmeexample)",
            ),
        ] {
            assert_eq!(program(agent, None, None).as_deref(), Some(expected));
            let common = Common { keys: [key(KeyKind::Agent, expected)].into() };
            assert!(common.has_agent(agent) && common.has_agent(&agent.replace("2.1", "2.2")), "{agent}");
        }
        let visitor = "FooBot/1.0 (+https://foo.example)";
        assert_eq!(program(visitor, Some("d"), None), None);
        assert_eq!(program(visitor, None, Some("s")), None);
        let common = Common { keys: [key(KeyKind::Agent, "mozilla")].into() };
        assert!(!common.has_agent("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"));
    }

    #[test]
    fn programs_have_names_and_browsers_are_none() {
        let common = Common { keys: [key(KeyKind::Agent, "python-requests")].into() };
        for (agent, expected) in [
            ("python-requests/2.32.5", true),
            ("Python-Requests/1", true),
            ("python-requests", true),
            ("curl/8.5.0", false),
            ("", false),
        ] {
            assert_eq!(common.has_agent(agent), expected, "{agent}");
        }
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36";
        assert!(
            !may_be_a_backends(browser)
                && !may_be_a_backends(&browser.replace("Headless", ""))
                && may_be_a_backends("Acme/1")
        );
    }
}
