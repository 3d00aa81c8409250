//! Whom a team's identities are judged by, and when most of them have something.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use super::Common;
use crate::key::{KeyKind, LinkKey};
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
/// Or from none, as told by a backend that names no address, and be nearly everybody's: this part, at least.
const NEARLY_ALL: (usize, usize) = (9, 10);
/// A backend may come from so many addresses, in turn. Together nearly everybody must have one of them, and each must
/// carry its part: two thirds of an even one.
const EGRESS_MAX: usize = 4;
/// When the last of them comes up, so many have come at most.
const EGRESS_FIRST_MAX: usize = 20;
/// Whom a team's identities are judged by: those that were active last, and of those who have been with it for
/// longer than a day, likewise.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    recent: Window<RECENT_IDENTITIES>,
    regulars: Window<REGULAR_IDENTITIES>,
    /// Events so far.
    events: u64,
    /// Addresses that were in many hands when they were seen last, by their hashes.
    busy: BTreeMap<u64, LinkKey>,
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
        let mut found = Vec::new();
        for ((value, kind), key) in hashed.into_iter().zip(values) {
            if !may_be.contains(&(value, kind)) || common.contains(key) {
                continue;
            }
            if kind == KeyKind::Ip {
                self.busy.insert(value, key.clone());
            }
            if self.is_common(value, kind) {
                found.push(key.clone());
            } else if kind == KeyKind::Ip {
                found.extend(self.egress(value, common));
            }
        }
        found
    }

    /// The addresses from which a backend comes in turn, if this is one of them.
    fn egress(&mut self, value: u64, common: &Common) -> Vec<LinkKey> {
        let holders = |value: u64| self.recent.counts.get(&value).copied().unwrap_or(0);
        let mut busy = std::mem::take(&mut self.busy);
        busy.retain(|value, _| holders(*value) >= HOLDERS_MIN);
        let mut most: Vec<u64> = busy.keys().copied().collect();
        most.sort_by_key(|value| std::cmp::Reverse(holders(*value)));
        most.truncate(EGRESS_MAX);
        let is_one = most.len() > 1 && most.contains(&value) && self.carry_nearly_all(&most);
        let new = busy.iter().filter(|(value, key)| is_one && most.contains(value) && !common.contains(key));
        let new = new.map(|(_, key)| key.clone()).collect();
        self.busy = busy;
        new
    }

    /// Whether nearly everybody has one of these values, enough of them each, and all since the beginning: what comes up
    /// later than others is no other way out of the same network, unless regulars have it.
    fn carry_nearly_all(&self, values: &[u64]) -> bool {
        let since = |member: &&Member| values.iter().filter_map(|value| member.since(*value)).min();
        let is_late = |value: u64| {
            let came_up = self.everybody().filter_map(|member| member.since(value)).min();
            let before = |member: &&Member| Some(member.entered) < came_up && since(member).is_some();
            self.recent.members.iter().filter(before).count() > EGRESS_FIRST_MAX
        };
        let has_regulars = self.regulars.members.len() >= HOLDERS_MIN;
        let carry = |group: &Vec<&Member>| {
            let holders = group.iter().filter(|member| since(member).is_some()).count();
            let of = |value: u64| group.iter().filter(|member| member.since(value).is_some()).count();
            is_nearly_all(holders, group.len())
                && values.iter().all(|value| of(*value) * 3 * values.len() >= group.len() * 2)
        };
        self.judges(since).iter().all(carry) && (has_regulars || !values.iter().any(|value| is_late(*value)))
    }

    /// The groups all of which must have what somebody shows first at the event that `since` says, if they are to decide
    /// that it is common: those who were there before, where there are enough.
    fn judges(&self, since: impl Fn(&&Member) -> Option<u64>) -> Vec<Vec<&Member>> {
        let Some(came_up) = self.everybody().filter_map(|member| since(&member)).min() else {
            return vec![Vec::new()];
        };
        let regulars: Vec<_> = self.regulars.members.iter().collect();
        let now: Vec<_> = regulars.iter().copied().filter(|member| member.active >= came_up).collect();
        if regulars.len() < HOLDERS_MIN {
            let recent: Vec<_> = self.recent.members.iter().collect();
            let is_before = |member: &&Member| member.is_known || member.entered < came_up;
            let before: Vec<_> = recent.iter().copied().filter(is_before).collect();
            if before.len() < KNOWN_MIN { vec![recent] } else { vec![recent, before] }
        } else {
            vec![if now.len() < HOLDERS_MIN { regulars } else { now }]
        }
    }

    fn is_common(&self, value: u64, kind: KeyKind) -> bool {
        let groups = self.judges(|member| member.since(value));
        let holders = |group: &[&Member]| group.iter().filter(|member| member.since(value).is_some()).count();
        let have_most = || groups.iter().all(|group| holders(group) * 2 > group.len());
        let have_nearly_all = || groups.iter().all(|group| is_nearly_all(holders(group), group.len()));
        if !kind.is_in_one_hand() {
            return have_most();
        }
        match self.networks(value) {
            0 => have_nearly_all(),
            networks => networks >= NETWORKS_MIN && have_most(),
        }
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

fn is_nearly_all(holders: usize, of: usize) -> bool {
    let (part, whole) = NEARLY_ALL;
    holders > 0 && holders * whole >= of * part
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
        let farm = [key(KeyKind::Device, "phone"), key(KeyKind::Network, "203.0.113.0/24")];
        let mut sample = Sample::default();
        let now = Timestamp::from_millis(0);
        for id in 0..50 {
            let found = sample.take(&id.to_string(), (None, now), &farm, &Common::default());
            assert!(!found.contains(&farm[0]));
        }
    }

    /// Those who come, each told by a backend with these values, in order.
    fn told(
        sample: &mut Sample,
        common: &mut Common,
        ids: Range<u32>,
        days: Option<i64>,
        of: impl Fn(u32) -> Vec<LinkKey>,
    ) {
        let now = Timestamp::from_millis(1_795_426_200_000);
        for id in ids {
            let times = (days.map(|days| now.plus_millis(-days * DAY_MS)), now);
            for key in sample.take(&id.to_string(), times, &of(id), common) {
                common.insert(key);
            }
        }
    }

    #[test]
    fn a_device_or_session_that_a_backend_sends_without_addresses_is_none() {
        for constant in [key(KeyKind::Device, "server"), key(KeyKind::Session, "backend")] {
            let (mut sample, mut common) = (Sample::default(), Common::default());
            told(&mut sample, &mut common, 0..24, None, |_| vec![constant.clone()]);
            assert!(!common.contains(&constant), "a ring of two dozen");
            told(&mut sample, &mut common, 24..25, None, |_| vec![constant.clone()]);
            assert!(common.contains(&constant));
        }
        let farm = [key(KeyKind::Device, "phone")];
        // Accounts on one phone, in a team that has others; and in one that has regulars.
        let (mut sample, mut common) = (Sample::default(), Common::default());
        let of = |id: u32| if id.is_multiple_of(4) { Vec::new() } else { farm.to_vec() };
        told(&mut sample, &mut common, 0..400, None, of);
        let (mut others, mut of_others) = (Sample::default(), Common::default());
        told(&mut others, &mut of_others, 1_000..1_030, Some(9), |_| Vec::new());
        told(&mut others, &mut of_others, 0..400, None, |_| farm.to_vec());
        assert!(!common.contains(&farm[0]) && !of_others.contains(&farm[0]));
    }

    #[test]
    fn a_backend_may_come_from_several_addresses_in_turn() {
        let address = |n: u32| {
            vec![
                key(KeyKind::Ip, &format!("198.51.{n}.7")),
                key(KeyKind::Network, &format!("198.51.{n}.0/24")),
            ]
        };
        for egress in [2, 3, 4] {
            for turn in [1, 7, 11, 13] {
                let (mut sample, mut common) = (Sample::default(), Common::default());
                told(&mut sample, &mut common, 0..150, None, |id| address(id * turn / 3 % egress));
                assert!((0..egress).all(|n| common.contains(&address(n)[0])), "{egress}, {turn}");
            }
        }
        // An office beside it is none of its addresses, nor are those of many, nor where bots come from.
        let (mut sample, mut common) = (Sample::default(), Common::default());
        told(&mut sample, &mut common, 0..200, None, |id| {
            if id.is_multiple_of(5) { address(100) } else { address(id % 2) }
        });
        assert!(!common.contains(&address(100)[0]));
        let (mut sample, mut common) = (Sample::default(), Common::default());
        told(&mut sample, &mut common, 0..400, None, |id| address(id % 6));
        assert_eq!(common, Common::default());
        let (mut sample, mut common) = (Sample::default(), Common::default());
        told(&mut sample, &mut common, 0..60, Some(9), |id| vec![key(KeyKind::Ip, &format!("10.0.{id}.7"))]);
        told(&mut sample, &mut common, 100..400, None, |id| address(id % 2));
        assert_eq!(common, Common::default());
        let (mut sample, mut common) = (Sample::default(), Common::default());
        told(&mut sample, &mut common, 0..60, None, |_| address(0));
        told(&mut sample, &mut common, 60..110, None, |_| address(1));
        assert!(common.contains(&address(0)[0]) && !common.contains(&address(1)[0]), "bots beside a backend");
    }

    #[test]
    fn those_who_came_first_make_room() {
        let mut team = Team::default();
        let (old, new) = (key(KeyKind::Agent, "old"), key(KeyKind::Agent, "new"));
        team.come(0..150, None, std::slice::from_ref(&old)).come(150..400, None, std::slice::from_ref(&new));
        assert_eq!((team.sample.share(&old), team.sample.share(&new)), ((0, 200), (200, 200)));
        assert_eq!(team.sample.recent.counts.len(), 201);
    }
}
