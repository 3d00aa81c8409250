//! For how many accounts in one hand those stand who came to a key together: strangers one by one for as many as
//! they are; colleagues, a family, and the many who use one model of a device at the same time for far fewer.

use std::collections::HashSet;

use crate::agent::{self, Kind};
use crate::device::Sign;
use crate::key::KeyKind;
use crate::link;
use crate::score::features::company::Company;
use crate::score::features::crowd::{Crowd, TOGETHER_MS, crowd, crowd_of};
use crate::snapshot::{OtherIdentity, Own, SharedKey, Snapshot};
use crate::state::{FirstHour, SOON_MOMENTS};
use crate::time::Timestamp;

/// From so many more than usual on, a device may be a model that many have. One person can keep a few windows
/// open at once, and fewer machines than these are a household's.
const MANY_MIN: f64 = 7.0;
/// Of them at least so many must have stayed.
const STAYED_MIN: usize = 5;
/// Somebody who was at a device in so many moments, a minute and a half, stayed.
const STAYED_MIN_MOMENTS: u32 = 3;
/// Who came less than so many moments ago, five minutes, has had no time to stay, or to show a rhythm.
const ARRIVED_MOMENTS: i64 = 10;
/// Of the pauses of those who stayed, the part in which somebody else was at the device: one after the other on one
/// machine that is none.
const BUSY_MIN_PART: f64 = 0.75;
/// Of so many at one address within an hour, and on other devices, a few have one model by chance: this part of those
/// beyond. Of phones the commonest are on one in twenty or so.
const CROWD_MIN: f64 = 40.0;
const BY_CHANCE: f64 = 0.05;
/// Where one is to be expected by chance among those at the address, so many others are: of a Poisson distribution with
/// a mean of 1, one in four has two and more, one in fifty four and more.
const FEW_BY_CHANCE: usize = 2;
/// More than so many are never taken for chance: an address may be that of a proxy, with a whole team behind it.
const BY_CHANCE_MAX: f64 = 20.0;
/// What each on a model counts for, and all of them at most.
const ON_MODEL: f64 = 0.04;
const ON_MODEL_MAX: f64 = 1.0;
/// By the number of somebody's pauses, of how many lengths people's are, in powers of two: a script that goes from
/// account to account in turn has even ones. Fewer pauses are no rhythm; so many may be alike by chance.
const LENGTHS_BY_PAUSES: [(u64, usize); 2] = [(8, 3), (3, 2)];
const ALIKE_MAX_PAUSES: u64 = 3;

/// Whether many were at a device at the same time, which one machine does not allow: it is a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    No,
    Yes,
    /// They came so lately that nobody can tell.
    Open,
}

/// Those who came to a key around the time an identity did, and who they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hand {
    pub crowd: Crowd,
    pub company: Company,
    pub at_once: AtOnce,
    /// For how many accounts, made by one hand within an hour, the crowd stands.
    pub strength: f64,
    /// The part of that which is family and colleagues.
    pub known_strength: f64,
}

/// Looks at the others of a key of the identity's from the moment `since`.
pub fn hand(snapshot: &Snapshot, own: &Own, shared: &SharedKey, since: Timestamp) -> Hand {
    let crowd = crowd(shared, since);
    let together = || shared.others.iter().filter(|other| is_together(other, since));
    let company = Company::of(own, together());
    // A snapshot is of the moment of one's own last event; others have come since.
    let now =
        together().map(|other| other.first_seen_at).max().map_or(snapshot.now, |last| last.max(snapshot.now));
    let may_be_many = crowd.excess >= MANY_MIN && is_ordinary(snapshot, shared, now);
    let at_once = if may_be_many { at_once(snapshot, shared, since, now) } else { AtOnce::No };
    let is_model = at_once == AtOnce::Yes;
    let strength = if is_model {
        let again = together().filter(|other| own.resembles(other)).count();
        let others = crowd.together - again;
        again as f64 + (others as f64 * ON_MODEL).min(ON_MODEL_MAX)
    } else {
        (company.strength() - by_chance(snapshot, shared, &crowd, since)).max(0.0)
    };
    let unusual = if crowd.together == 0 { 0.0 } else { crowd.excess / crowd.together as f64 };
    let known = if is_model { 0.0 } else { company.known_strength() };
    Hand { crowd, company, at_once, strength: strength * unusual, known_strength: known * unusual }
}

/// How many in the crowd at its address have its model by chance. That an address is taken for the team's own says
/// nothing of how many are there.
fn by_chance(snapshot: &Snapshot, shared: &SharedKey, crowd: &Crowd, since: Timestamp) -> f64 {
    // Of the whole team nobody knows whether they came in waves: the two hours around it are looked at.
    let of_team = snapshot.common_networks().map(|at| (at, 2 * TOGETHER_MS));
    let crowds = snapshot.shared(KeyKind::Ip).map(|at| (at, crowd.together_span_ms)).chain(of_team);
    let crowds = crowds.filter(|(at, _)| at.others.len() as f64 * BY_CHANCE >= 1.0);
    let counts = crowds.map(|(at, window_ms)| {
        let here: HashSet<_> = shared.others.iter().map(|other| &other.id).collect();
        let elsewhere = at.others.iter().filter(|other| !here.contains(&other.id));
        let came_at: Vec<_> = elsewhere.map(|other| other.first_seen_at).collect();
        let counted =
            came_at.iter().filter(|came| came.millis_since(since).abs() <= TOGETHER_MS).count() as f64;
        // Only the newest are looked at: of more, as many came in that time as of these.
        let is_more = at.others.len() == at.key.kind.others_max();
        let (first, last) = (came_at.iter().min(), came_at.iter().max());
        let span = first.zip(last).map_or(0, |(first, last)| last.millis_since(*first)).max(1);
        let expected = came_at.len() as f64 * window_ms as f64 / span as f64;
        if is_more { counted.max(expected) } else { counted }
    });
    let count = counts.fold(0.0, f64::max);
    if count * BY_CHANCE >= 1.0 && crowd.together <= FEW_BY_CHANCE {
        return crowd.together as f64;
    }
    ((count - CROWD_MIN).max(0.0) * BY_CHANCE).min(BY_CHANCE_MAX)
}

/// Whether those who came to a device at these times are so many that it matters who was at it when: then a
/// snapshot says what happened in their first hours.
pub fn may_be_many(kind: KeyKind, came_at: impl Iterator<Item = Timestamp>, since: Timestamp) -> bool {
    let is_device = kind == KeyKind::Device || kind.but().is_some();
    is_device && crowd_of(came_at, since).excess >= MANY_MIN
}

fn is_together(other: &OtherIdentity, since: Timestamp) -> bool {
    other.first_seen_at.millis_since(since).abs() <= TOGETHER_MS
}

/// Whether nothing of this identity itself says that a program drives it, or one browser all of them: a script that
/// opens accounts in turn must not pass for a class.
fn is_ordinary(snapshot: &Snapshot, shared: &SharedKey, now: Timestamp) -> bool {
    let state = snapshot.state;
    let pauses = state.event_count().saturating_sub(1);
    let lengths = state.gaps().iter().filter(|count| **count > 0).count();
    let least = LENGTHS_BY_PAUSES.into_iter().find(|(least, _)| pauses >= *least);
    let has_just_come =
        || link::first_hour(state, &shared.key).is_some_and(|hour| hour.age(now) < ARRIVED_MOMENTS);
    let has_rhythm = least.is_some_and(|(_, least)| lengths >= least);
    let may_have_one = pauses <= ALIKE_MAX_PAUSES && has_just_come();
    let mut in_session = snapshot.shared(KeyKind::Session).flat_map(|session| &session.others);
    let on_key = |other: &OtherIdentity| shared.others.iter().any(|on_key| on_key.id == other.id);
    (has_rhythm || may_have_one) && is_unautomated(snapshot) && !in_session.any(on_key)
}

/// Whether no browser of its is known to be driven, and no program is all that it uses: a backend may send an agent
/// of its own along.
pub fn is_unautomated(snapshot: &Snapshot) -> bool {
    let mut signs = snapshot.state.device_signs().parts();
    let is_driven = signs.any(|(sign, _)| matches!(sign, Sign::Webdriver | Sign::AutomationObjects));
    let kinds: Vec<_> = snapshot.state.user_agents().iter().map(|seen| agent::kind(&seen.value).0).collect();
    let is_program = |kind: &Kind| matches!(kind, Kind::Crawler | Kind::HttpLibrary | Kind::Fragment);
    let is_all = !kinds.is_empty() && kinds.iter().all(is_program);
    !is_driven && !is_all && !kinds.contains(&Kind::Automation)
}

/// Whether of those on a device many were there at the same time.
fn at_once(snapshot: &Snapshot, shared: &SharedKey, since: Timestamp, now: Timestamp) -> AtOnce {
    let hours = shared.others.iter().filter(|other| is_together(other, since)).map(|other| other.first_hour);
    let hours = hours.chain([link::first_hour(snapshot.state, &shared.key)]);
    let hours: Vec<FirstHour> = hours.flatten().collect();
    let settled = hours.iter().filter(|hour| hour.age(now) >= ARRIVED_MOMENTS).count();
    let stayed = hours.iter().enumerate().filter(|(_, hour)| hour.count() >= STAYED_MIN_MOMENTS);
    let stayed: Vec<_> = stayed.collect();
    if stayed.len() < STAYED_MIN || stayed.len() * 2 < settled {
        return if settled < STAYED_MIN { AtOnce::Open } else { AtOnce::No };
    }
    let (mut all, mut busy) = (0, 0);
    for (own, hour) in stayed {
        let moments: Vec<_> = hour.moments().collect();
        for pause in moments.windows(2).filter(|pause| pause[1] - pause[0] <= SOON_MOMENTS) {
            let mut others = hours.iter().enumerate().filter(|(place, _)| *place != own);
            all += 1;
            busy += usize::from(others.any(|(_, other)| other.is_between(pause[0], pause[1])));
        }
    }
    if all > 0 && busy as f64 / all as f64 >= BUSY_MIN_PART { AtOnce::Yes } else { AtOnce::No }
}
