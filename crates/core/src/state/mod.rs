//! The bounded state of an identity: everything its past tells an analyzer, in a few hundred
//! bytes, built event by event.
//!
//! Folding happens in the order of arrival. The same events in the same order give the same
//! state, byte for byte: whenever the fold or its format changes, `FORMAT_VERSION` changes with
//! it, old states are refused by [`IdentityState::decode`], and the past is folded again.

use std::collections::BTreeSet;
use std::hash::Hasher;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use crate::device::{Interactions, Makeup, Sign, SignCounts, Signs, signs};
use crate::event::{Event, codes};
use crate::place::Place;
use crate::time::{HOUR_MS, Timestamp};

mod agents;
mod codec;
mod first_hour;
mod seen;
mod signed;

pub use first_hour::{FirstHour, SOON_MOMENTS};
pub use seen::Seen;
use seen::{Slot, see};
pub use signed::{SIGNED_MAX, SignedAgent};

/// Devices remembered; the one unseen for longest makes room for a new one.
pub const DEVICES_MAX: usize = 16;
/// Addresses remembered, likewise.
pub const ADDRESSES_MAX: usize = 16;
/// Sessions remembered, likewise.
pub const SESSIONS_MAX: usize = 8;
/// User agents remembered, likewise.
pub const USER_AGENTS_MAX: usize = 8;
/// Of a user agent this much is kept: markers of bots at the end of a mobile crawler's long one
/// begin before byte 200.
pub const USER_AGENT_KEPT_MAX_BYTES: usize = 256;
/// Places remembered, likewise.
pub const PLACES_MAX: usize = 8;
/// Promotion and referral codes remembered, likewise.
pub const CODES_MAX: usize = 4;
/// Events from the first that make the journey of an identity.
pub const JOURNEY_EVENTS: usize = 8;
/// Names of events, and lengths of pauses, of which a journey has fewer say nothing.
const JOURNEY_MIN_DISTINCT: usize = 3;
/// Event names counted one by one: the first ones, the rest together.
pub const NAMES_MAX: usize = 32;
/// Of an event's name this much is kept.
pub const NAME_KEPT_MAX_BYTES: usize = 64;
/// Most recent events remembered.
pub const RECENT_MAX: usize = 50;
/// Hours of a day, in UTC.
pub const HOURS: usize = 24;
/// Buckets of gaps between events: bucket `n` counts gaps of 2^(n-1) up to 2^n milliseconds,
/// bucket 0 events at the same moment, the last everything from 12 days up.
pub const GAP_BUCKETS: usize = 32;

/// One of the most recent events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentEvent<'a> {
    pub at: Timestamp,
    /// `None` when the identity has more than [`NAMES_MAX`] names and this is none of the first.
    pub name: Option<&'a str>,
    /// The place of its name among [`IdentityState::names`], likewise.
    pub name_place: Option<usize>,
    /// Whether the browser script sent it: only that reports what a device is made of.
    pub is_browser: bool,
    /// The place of its device among [`IdentityState::devices`], if it is still there.
    pub device: Option<usize>,
    /// The place of its address among [`IdentityState::addresses`], likewise.
    pub address: Option<usize>,
    /// The place of its place among [`IdentityState::places`], likewise.
    pub place: Option<usize>,
    /// What it carried of who sent it: device, address, session, agent.
    pub traces: [Option<Trace>; 4],
}

/// Something that an event carried of who sent it, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Among [`IdentityState::devices`].
    Device(usize),
    /// Among [`IdentityState::addresses`].
    Address(usize),
    /// Among [`IdentityState::sessions`].
    Session(usize),
    /// Among [`IdentityState::user_agents`].
    Agent(usize),
    /// Something that has made room for others since.
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Recent {
    at: Timestamp,
    name: Option<u8>,
    device: Held,
    address: Held,
    session: Held,
    agent: Held,
    place: Option<u8>,
    is_browser: bool,
}

/// Whether an event had a value of some kind, and where that is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Held {
    #[default]
    Nothing,
    /// It was there, and has made room for others since.
    Forgotten,
    At(u8),
}

impl Held {
    fn place(self) -> Option<usize> {
        match self {
            Self::At(place) => Some(place.into()),
            Self::Nothing | Self::Forgotten => None,
        }
    }

    fn trace(self, of: fn(usize) -> Trace) -> Option<Trace> {
        match self {
            Self::Nothing => None,
            Self::Forgotten => Some(Trace::Forgotten),
            Self::At(place) => Some(of(place.into())),
        }
    }

    /// Forgets the value at `place`, which has made room.
    fn forget(&mut self, place: u8) {
        if *self == Self::At(place) {
            *self = Self::Forgotten;
        }
    }
}

impl From<Option<u8>> for Held {
    fn from(place: Option<u8>) -> Self {
        place.map_or(Self::Nothing, Self::At)
    }
}

/// The places of the session and the device of the latest report that had both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Tab {
    session: u8,
    device: u8,
}

/// What is known of an identity's past.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IdentityState {
    event_count: u64,
    browser_event_count: u64,
    agentless_browser_event_count: u64,
    device_count: u32,
    signs: SignCounts,
    interactions: Interactions,
    first_event_at: Timestamp,
    last_event_at: Timestamp,
    devices: Vec<Seen<String>>,
    /// What each of the devices is made of, as far as that was reported.
    makeups: Vec<Option<Makeup>>,
    /// What of the first hour with each of them.
    first_hours: Vec<FirstHour>,
    tab: Option<Tab>,
    addresses: Vec<Seen<IpAddr>>,
    sessions: Vec<Seen<u32>>,
    session: Option<String>,
    user_agents: Vec<Seen<String>>,
    /// How many events of each of these carried nothing else of who sent them.
    bare: Vec<u32>,
    signed: Vec<Seen<SignedAgent>>,
    places: Vec<Seen<Place>>,
    codes: Vec<Seen<String>>,
    journey: Option<u64>,
    names: Vec<Seen<String>>,
    other_name_count: u64,
    /// In the order of arrival.
    recent: Vec<Recent>,
    hours: [u32; HOURS],
    gaps: [u32; GAP_BUCKETS],
    days: u32,
    longest_pause_ms: u64,
    longest_pause_until: Timestamp,
}

impl IdentityState {
    /// Takes in one more event of the identity.
    pub fn fold(&mut self, event: &Event) {
        let at = event.timestamp;
        self.journey = self.journey.or_else(|| self.journey_after(event));
        let is_browser = event.components.is_some();
        let has_company =
            event.fingerprint.is_some() || event.persons_ip().is_some() || event.session.is_some();
        self.fold_time(at, has_company || event.persons_user_agent().is_some());
        self.event_count += 1;
        self.browser_event_count += u64::from(is_browser);
        if is_browser && event.user_agent.is_none() {
            self.agentless_browser_event_count += 1;
        }
        if let Some(interaction) = &event.interaction {
            self.interactions.add(interaction, at);
        }
        for code in codes(&event.data) {
            see(&mut self.codes, CODES_MAX, at, |known| *known == code, || code.clone());
        }
        let device = event.fingerprint.as_deref().map(|print| self.fold_device(print, event));
        let address = event.persons_ip().map(|ip| self.fold_address(ip, at));
        let place = event.persons_place().map(|place| self.fold_place(place, at));
        let session = event.session.as_deref().map(|session| self.fold_session(session, at));
        self.fold_signs(event, session.zip(device).map(|(session, device)| Tab { session, device }));
        let agent = event.persons_user_agent().map(|agent| self.fold_agent(agent, at, has_company));
        self.fold_signature(event);
        let name = self.fold_name(&event.name, at);
        if self.recent.len() == RECENT_MAX {
            self.recent.remove(0);
        }
        let (device, address, session, agent) = (device.into(), address.into(), session.into(), agent.into());
        self.recent.push(Recent { at, name, device, address, session, agent, place, is_browser });
    }

    /// What carries nothing of a person says nothing of the hours in which they sleep.
    fn fold_time(&mut self, at: Timestamp, is_of_person: bool) {
        if self.event_count == 0 {
            (self.first_event_at, self.last_event_at) = (at, at);
            self.days = 1;
        } else {
            let pause_ms = u64::try_from(at.millis_since(self.last_event_at)).unwrap_or(0);
            if pause_ms > self.longest_pause_ms {
                (self.longest_pause_ms, self.longest_pause_until) = (pause_ms, at);
            }
            self.days += u32::from(day(at) > day(self.last_event_at));
            self.first_event_at = self.first_event_at.min(at);
            self.last_event_at = self.last_event_at.max(at);
        }
        if let Some(previous) = self.recent.last() {
            let gap_ms = at.millis_since(previous.at).unsigned_abs();
            let bucket = gap_bucket(gap_ms);
            self.gaps[bucket] = self.gaps[bucket].saturating_add(1);
        }
        let hour = at.as_millis().div_euclid(HOUR_MS).rem_euclid(HOURS as i64);
        if let Some(count) = usize::try_from(hour).ok().and_then(|hour| self.hours.get_mut(hour)) {
            *count = count.saturating_add(is_of_person.into());
        }
    }

    /// The agent's place.
    fn fold_agent(&mut self, agent: &str, at: Timestamp, has_company: bool) -> u8 {
        let agent = agents::storable(agent);
        let slot = see(&mut self.user_agents, USER_AGENTS_MAX, at, |known| *known == agent, || agent.clone());
        let (Slot::Known(place) | Slot::New(place)) = slot;
        self.bare.resize(self.user_agents.len(), 0);
        if matches!(slot, Slot::New(_)) {
            self.recent.iter_mut().for_each(|recent| recent.agent.forget(place));
            self.bare[usize::from(place)] = 0;
        }
        let bare = &mut self.bare[usize::from(place)];
        *bare = bare.saturating_add((!has_company).into());
        place
    }

    /// The device's place.
    fn fold_device(&mut self, fingerprint: &str, event: &Event) -> u8 {
        let is_it = |known: &String| known == fingerprint;
        let make = || fingerprint.to_owned();
        let place = match see(&mut self.devices, DEVICES_MAX, event.timestamp, is_it, make) {
            Slot::Known(place) => place,
            Slot::New(place) => {
                self.device_count = self.device_count.saturating_add(1);
                // Events of the device that made room must not pass to the one now in its place.
                self.recent.iter_mut().for_each(|recent| recent.device.forget(place));
                self.tab = self.tab.filter(|tab| tab.device != place);
                self.makeups.resize(self.devices.len(), None);
                self.makeups[usize::from(place)] = None;
                let hour = FirstHour::new(event.timestamp, 0);
                self.first_hours.resize(self.devices.len(), hour);
                self.first_hours[usize::from(place)] = hour;
                place
            }
        };
        let hour = &mut self.first_hours[usize::from(place)];
        *hour = hour.with(event.timestamp);
        let makeup = &mut self.makeups[usize::from(place)];
        *makeup = makeup.or_else(|| Makeup::of(event.components.as_ref()?));
        place
    }

    /// The session's place.
    fn fold_session(&mut self, session: &str, at: Timestamp) -> u8 {
        self.session = Some(session.to_owned());
        let digest = session_digest(session);
        match see(&mut self.sessions, SESSIONS_MAX, at, |known| *known == digest, || digest) {
            Slot::Known(place) => place,
            Slot::New(place) => {
                self.recent.iter_mut().for_each(|recent| recent.session.forget(place));
                self.tab = self.tab.filter(|tab| tab.session != place);
                place
            }
        }
    }

    /// What the browser script's report gives away, by itself and after the one before it in the same tab.
    fn fold_signs(&mut self, event: &Event, tab: Option<Tab>) {
        let Some(components) = &event.components else { return };
        let mut found = signs(components, event.user_agent.as_deref());
        if let Some(now) = tab {
            let before = self.tab.replace(now).filter(|before| before.session == now.session);
            let makeup = |tab: Tab| self.makeups.get(usize::from(tab.device)).copied().flatten();
            let both = before.and_then(|before| makeup(before).zip(makeup(now)));
            if both.is_some_and(|(before, now)| before.is_another(now)) {
                found = found.with(Signs::from_iter([Sign::OtherDevice]));
            }
        }
        self.signs.add(found);
    }

    /// The address's place.
    fn fold_address(&mut self, ip: IpAddr, at: Timestamp) -> u8 {
        match see(&mut self.addresses, ADDRESSES_MAX, at, |known| *known == ip, || ip) {
            Slot::Known(place) => place,
            Slot::New(place) => {
                self.recent.iter_mut().for_each(|recent| recent.address.forget(place));
                place
            }
        }
    }

    /// The place's place.
    fn fold_place(&mut self, found: Place, at: Timestamp) -> u8 {
        match see(&mut self.places, PLACES_MAX, at, |known| *known == found, || found) {
            Slot::Known(place) => place,
            Slot::New(place) => {
                for recent in self.recent.iter_mut().filter(|recent| recent.place == Some(place)) {
                    recent.place = None;
                }
                place
            }
        }
    }

    /// The name's place among the names counted one by one.
    fn fold_name(&mut self, name: &str, at: Timestamp) -> Option<u8> {
        let name = cut_name(name);
        let is_known = self.names.iter().any(|known| known.value == name);
        if !is_known && self.names.len() == NAMES_MAX {
            self.other_name_count += 1;
            return None;
        }
        match see(&mut self.names, NAMES_MAX, at, |known| known == name, || name.to_owned()) {
            Slot::Known(place) | Slot::New(place) => Some(place),
        }
    }

    /// Events folded.
    pub fn event_count(&self) -> u64 {
        self.event_count
    }

    /// Events the browser script sent.
    pub fn browser_event_count(&self) -> u64 {
        self.browser_event_count
    }

    /// Events the browser script sent over a connection without a user agent.
    pub fn agentless_browser_event_count(&self) -> u64 {
        self.agentless_browser_event_count
    }

    /// Whether no device, address, session or user agent of its person was ever seen: a backend told of it.
    pub fn is_traceless(&self) -> bool {
        let has_browser = self.session().is_some() || !self.user_agents().is_empty();
        !has_browser && self.device_count == 0 && self.addresses().is_empty()
    }

    /// Distinct devices. One that was forgotten and comes back counts again.
    pub fn device_count(&self) -> u32 {
        self.device_count
    }

    /// What its browsers gave away of late.
    pub fn device_signs(&self) -> &SignCounts {
        &self.signs
    }

    /// How its pages were operated.
    pub fn interactions(&self) -> Interactions {
        self.interactions
    }

    /// The earliest event time; `None` before the first event.
    pub fn first_event_at(&self) -> Option<Timestamp> {
        (self.event_count > 0).then_some(self.first_event_at)
    }

    /// The latest event time; `None` before the first event.
    pub fn last_event_at(&self) -> Option<Timestamp> {
        (self.event_count > 0).then_some(self.last_event_at)
    }

    /// Fingerprints, at most [`DEVICES_MAX`].
    pub fn devices(&self) -> &[Seen<String>] {
        &self.devices
    }

    /// What one of [`Self::devices`] is made of, if the browser script has told.
    pub fn makeup(&self, fingerprint: &str) -> Option<Makeup> {
        let place = self.devices.iter().position(|seen| seen.value == fingerprint)?;
        self.makeups.get(place).copied().flatten()
    }

    /// What happened in the first hour with one of [`Self::devices`].
    pub fn first_hour(&self, fingerprint: &str) -> Option<FirstHour> {
        let place = self.devices.iter().position(|seen| seen.value == fingerprint)?;
        self.first_hours.get(place).copied()
    }

    /// Addresses, at most [`ADDRESSES_MAX`].
    pub fn addresses(&self) -> &[Seen<IpAddr>] {
        &self.addresses
    }

    /// Sessions, at most [`SESSIONS_MAX`], by a digest: enough to tell them apart.
    pub fn sessions(&self) -> &[Seen<u32>] {
        &self.sessions
    }

    /// The session it was last seen in.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Whether `session` is among [`Self::sessions`].
    pub fn knows_session(&self, session: &str) -> bool {
        let digest = session_digest(session);
        self.sessions.iter().any(|known| known.value == digest)
    }

    /// User agents, at most [`USER_AGENTS_MAX`], each cut to [`USER_AGENT_KEPT_MAX_BYTES`].
    pub fn user_agents(&self) -> &[Seen<String>] {
        &self.user_agents
    }

    /// How many events of each of [`Self::user_agents`] carried neither device nor address nor session.
    pub fn bare(&self) -> &[u32] {
        &self.bare
    }

    /// Where its addresses were, at most [`PLACES_MAX`].
    pub fn places(&self) -> &[Seen<Place>] {
        &self.places
    }

    /// Promotion and referral codes, at most [`CODES_MAX`].
    pub fn codes(&self) -> &[Seen<String>] {
        &self.codes
    }

    /// A digest of its first [`JOURNEY_EVENTS`] events and the pauses between them; `None` before there are
    /// that many, and where they are too plain to tell one identity from another.
    pub fn journey(&self) -> Option<u64> {
        self.journey
    }

    /// The journey that `event` completes.
    pub fn journey_after(&self, event: &Event) -> Option<u64> {
        if self.event_count + 1 != JOURNEY_EVENTS as u64 {
            return None;
        }
        // What a backend does by itself goes the same way for everybody.
        let is_bare = |recent: &RecentEvent| recent.traces.iter().all(Option::is_none);
        if self.recent().any(|recent| is_bare(&recent)) {
            return None;
        }
        let before = self.recent().map(|recent| (recent.name.unwrap_or_default(), recent.at));
        let steps: Vec<_> = before.chain([(cut_name(&event.name), event.timestamp)]).collect();
        let names: BTreeSet<_> = steps.iter().map(|(name, _)| name).collect();
        let pauses =
            steps.windows(2).map(|pair| gap_bucket(pair[1].1.millis_since(pair[0].1).unsigned_abs()));
        let pauses: Vec<_> = pauses.collect();
        let lengths: BTreeSet<_> = pauses.iter().collect();
        if names.len() < JOURNEY_MIN_DISTINCT || lengths.len() < JOURNEY_MIN_DISTINCT {
            return None;
        }
        let mut hasher = SipHasher24::new();
        for (name, _) in &steps {
            hasher.write(name.as_bytes());
            hasher.write_u8(0);
        }
        pauses.iter().for_each(|pause| hasher.write_usize(*pause));
        Some(hasher.finish())
    }

    /// The first [`NAMES_MAX`] event names and how often each came.
    pub fn names(&self) -> &[Seen<String>] {
        &self.names
    }

    /// Events of all other names.
    pub fn other_name_count(&self) -> u64 {
        self.other_name_count
    }

    /// The most recent events, at most [`RECENT_MAX`], in the order of their arrival.
    pub fn recent(&self) -> impl Iterator<Item = RecentEvent<'_>> {
        self.recent.iter().map(|recent| RecentEvent {
            at: recent.at,
            name: recent
                .name
                .and_then(|place| self.names.get(usize::from(place)))
                .map(|name| name.value.as_str()),
            name_place: recent.name.map(usize::from),
            is_browser: recent.is_browser,
            device: recent.device.place(),
            address: recent.address.place(),
            place: recent.place.map(usize::from),
            traces: [
                recent.device.trace(Trace::Device),
                recent.address.trace(Trace::Address),
                recent.session.trace(Trace::Session),
                recent.agent.trace(Trace::Agent),
            ],
        })
    }

    /// Events in each hour of the day, in UTC.
    pub fn hours(&self) -> &[u32; HOURS] {
        &self.hours
    }

    /// Gaps between events that arrived one after the other, by the power of two of their length.
    pub fn gaps(&self) -> &[u32; GAP_BUCKETS] {
        &self.gaps
    }

    /// Days (in UTC) with events, counted as they went by.
    pub fn days(&self) -> u32 {
        self.days
    }

    /// The longest pause, in milliseconds, and when it ended.
    pub fn longest_pause(&self) -> (u64, Timestamp) {
        (self.longest_pause_ms, self.longest_pause_until)
    }
}

fn cut_name(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_KEPT_MAX_BYTES)]
}

/// Tells sessions of one identity apart; who holds one is in the link keys, with a keyed hash.
fn session_digest(session: &str) -> u32 {
    let mut hasher = SipHasher24::new();
    hasher.write(session.as_bytes());
    (hasher.finish() >> 32) as u32
}

/// The day since the Unix epoch, in UTC.
fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(24 * HOUR_MS)
}

fn gap_bucket(gap_ms: u64) -> usize {
    let bits = u64::BITS - gap_ms.leading_zeros();
    (bits as usize).min(GAP_BUCKETS - 1)
}

#[cfg(test)]
mod tests;
