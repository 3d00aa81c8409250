//! The bytes of a state: one byte of format version, then postcard, which writes small numbers in
//! few bytes. Times are kept as distances, for the same reason.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::agents::{pack, unpack};
use super::{FirstHour, GAP_BUCKETS, HOURS, Held, IdentityState, Recent, Seen, SignedAgent, Tab};
use crate::agent::AgentSignature;
use crate::device::{Interactions, Makeup, SignCounts};
use crate::place::{Country, Place};
use crate::time::Timestamp;

/// Changes with every change to the fold or to the bytes: a state of another version is folded
/// again from the stored events. [`IdentityState::recall`] must go on reading those of before.
const FORMAT_VERSION: u8 = 6;

/// Bytes of a fingerprint that this server derived.
const DERIVED_FINGERPRINT_BYTES: usize = 16;

#[derive(Serialize, Deserialize)]
struct Wire {
    event_count: u64,
    browser_event_count: u64,
    agentless_browser_event_count: u64,
    device_count: u32,
    signed_reports: u32,
    signs: Vec<(u8, u32)>,
    /// `None` where none was summed up.
    interactions: Option<Interactions>,
    first_event_ms: i64,
    /// From the first event.
    span_ms: u64,
    devices: Vec<WireSeen<Fingerprint>>,
    /// Those that are known, by the place of their device.
    makeups: Vec<(u8, Makeup)>,
    /// Those with more than their first moment, by the place of their device.
    first_hours: Vec<(u8, u128)>,
    tab: Option<Tab>,
    addresses: Vec<WireSeen<IpAddr>>,
    sessions: Vec<WireSeen<[u8; 4]>>,
    session: Option<Session>,
    user_agents: Vec<WireSeen<String>>,
    places: Vec<WireSeen<WirePlace>>,
    names: Vec<WireSeen<String>>,
    recent: Vec<WireRecent>,
    hours: Vec<(u8, u32)>,
    gaps: Vec<(u8, u32)>,
    days: u32,
    later: Later,
}

/// The first two are the bytes of an option: what most have is written as before anybody signed.
#[derive(Serialize, Deserialize)]
enum Later {
    /// All of it is nothing, as of most who have just come.
    Nothing,
    Some(WireLater),
    /// With the agents by whose signature requests came.
    Signed(WireLater, Vec<WireSeen<WireSigned>>),
}

/// The signer, what its key says, and the name in the user agent.
type WireSigned = (String, Option<bool>, Option<String>);

/// What identities have after a while.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct WireLater {
    /// Those that are not zero, by the place of their user agent.
    bare: Vec<(u8, u32)>,
    codes: Vec<WireSeen<String>>,
    journey: Option<u64>,
    other_name_count: u64,
    longest_pause_ms: u64,
    /// From the first event.
    longest_pause_until_ms: u64,
}

/// Country, autonomous system and position.
type WirePlace = (Option<[u8; 2]>, Option<u32>, Option<(i16, i16)>);

#[derive(Serialize, Deserialize)]
enum Fingerprint {
    Derived([u8; DERIVED_FINGERPRINT_BYTES]),
    Stated(String),
}

#[derive(PartialEq, Serialize, Deserialize)]
struct WireSeen<T> {
    value: T,
    /// From the identity's first event to this value's first.
    after_ms: u64,
    /// From this value's first event to its last.
    span_ms: u64,
    count: u32,
}

#[derive(Serialize, Deserialize)]
struct WireRecent {
    /// From the event before; from the identity's first for the first here.
    gap_ms: i64,
    name: u8,
    /// Twice the device, plus one for the browser: a byte up to 63 devices.
    device_and_browser: u8,
    address: u8,
    /// Sixteen times the session, plus the agent: there are at most eight of each.
    session_and_agent: u8,
    place: u8,
}

/// Stands for "none" among places: there are far fewer names and devices.
const NOWHERE: u8 = 127;
/// Stands for "no longer known" among them.
const FORGOTTEN: u8 = 126;
/// The same two in half a byte.
const NOWHERE_HALF: u8 = 15;
const FORGOTTEN_HALF: u8 = 14;

impl Held {
    fn pack(self, nowhere: u8, forgotten: u8) -> u8 {
        match self {
            Self::Nothing => nowhere,
            Self::Forgotten => forgotten,
            Self::At(place) => place,
        }
    }

    fn unpack(packed: u8, nowhere: u8, forgotten: u8) -> Self {
        match packed {
            _ if packed == nowhere => Self::Nothing,
            _ if packed == forgotten => Self::Forgotten,
            place => Self::At(place),
        }
    }
}

impl IdentityState {
    /// The state as bytes, for [`decode`](Self::decode) of the same version.
    pub fn encode(&self) -> Vec<u8> {
        let start = self.first_event_at;
        let mut previous = start;
        let recent = self.recent.iter().map(|recent| {
            let gap_ms = recent.at.millis_since(previous);
            previous = recent.at;
            WireRecent {
                gap_ms,
                name: recent.name.unwrap_or(NOWHERE),
                device_and_browser: recent.device.pack(NOWHERE, FORGOTTEN) * 2 + u8::from(recent.is_browser),
                address: recent.address.pack(NOWHERE, FORGOTTEN),
                session_and_agent: recent.session.pack(NOWHERE_HALF, FORGOTTEN_HALF) * 16
                    + recent.agent.pack(NOWHERE_HALF, FORGOTTEN_HALF),
                place: recent.place.unwrap_or(NOWHERE),
            }
        });
        let later = WireLater {
            bare: sparse(&self.bare),
            codes: to_wire(&self.codes, start, String::clone),
            journey: self.journey,
            other_name_count: self.other_name_count,
            longest_pause_ms: self.longest_pause_ms,
            longest_pause_until_ms: distance_ms(start, self.longest_pause_until.max(start)),
        };
        let wire = Wire {
            event_count: self.event_count,
            browser_event_count: self.browser_event_count,
            agentless_browser_event_count: self.agentless_browser_event_count,
            device_count: self.device_count,
            signed_reports: self.signs.reports,
            signs: sparse(&self.signs.counts),
            interactions: Some(self.interactions).filter(|some| *some != Interactions::default()),
            first_event_ms: start.as_millis(),
            span_ms: distance_ms(start, self.last_event_at),
            recent: recent.collect(),
            devices: to_wire(&self.devices, start, |fingerprint| Fingerprint::pack(fingerprint)),
            makeups: (0..)
                .zip(&self.makeups)
                .filter_map(|(place, makeup)| Some((place, (*makeup)?)))
                .collect(),
            first_hours: (0..)
                .zip(self.first_hours.iter().map(|hour| hour.bits()))
                .filter(|(_, bits)| *bits > 1)
                .collect(),
            tab: self.tab,
            addresses: to_wire(&self.addresses, start, |ip| *ip),
            sessions: to_wire(&self.sessions, start, |digest| digest.to_le_bytes()),
            session: self.session.as_deref().map(Session::pack),
            user_agents: to_wire(&self.user_agents, start, |agent| pack(agent)),
            places: to_wire(&self.places, start, |place| {
                (place.country.map(|country| country.letters()), place.asn, place.position)
            }),
            names: to_wire(&self.names, start, String::clone),
            hours: sparse(&self.hours),
            gaps: sparse(&self.gaps),
            days: self.days,
            later: match later {
                later if !self.signed.is_empty() => {
                    Later::Signed(later, to_wire(&self.signed, start, pack_signed))
                }
                later if later == WireLater::default() => Later::Nothing,
                later => Later::Some(later),
            },
        };
        // Writing plain values into a vector does not fail; if it did, the empty result would be
        // no state of any version, and the past be folded again.
        postcard::to_extend(&wire, vec![FORMAT_VERSION]).unwrap_or_default()
    }

    /// Reads what any version has written, for events that are gone and cannot be folded again: whoever changes the
    /// bytes keeps a reader of those before, in which what a new fold knows beyond the old one begins with nothing.
    pub fn recall(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes)
    }

    /// Reads what [`encode`](Self::encode) wrote. `None` when the bytes are of another version or
    /// damaged: then the identity's events are to be folded again.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[FORMAT_VERSION])?;
        let (wire, []) = postcard::take_from_bytes::<Wire>(rest).ok()? else { return None };
        let start = Timestamp::from_millis(wire.first_event_ms);
        let place = |place: u8| Some(place).filter(|place| *place != NOWHERE);
        let mut previous = start;
        let recent = wire.recent.iter().map(|recent| {
            previous = previous.plus_millis(recent.gap_ms);
            Recent {
                at: previous,
                name: place(recent.name),
                device: Held::unpack(recent.device_and_browser / 2, NOWHERE, FORGOTTEN),
                address: Held::unpack(recent.address, NOWHERE, FORGOTTEN),
                session: Held::unpack(recent.session_and_agent / 16, NOWHERE_HALF, FORGOTTEN_HALF),
                agent: Held::unpack(recent.session_and_agent % 16, NOWHERE_HALF, FORGOTTEN_HALF),
                place: place(recent.place),
                is_browser: recent.device_and_browser % 2 == 1,
            }
        });
        let (since, signed) = match wire.later {
            Later::Nothing => (WireLater::default(), Vec::new()),
            Later::Some(later) => (later, Vec::new()),
            Later::Signed(later, signed) => (later, signed),
        };
        let mut bare = vec![0; wire.user_agents.len()];
        for (place, count) in since.bare {
            *bare.get_mut(usize::from(place))? = count;
        }
        let mut makeups = vec![None; wire.devices.len()];
        for (place, makeup) in wire.makeups {
            *makeups.get_mut(usize::from(place))? = Some(makeup);
        }
        let devices = from_wire(wire.devices, start, Fingerprint::unpack);
        let mut first_hours: Vec<_> = devices.iter().map(|seen| FirstHour::new(seen.first_at, 1)).collect();
        for (place, bits) in wire.first_hours {
            let first_at = devices.get(usize::from(place))?.first_at;
            first_hours[usize::from(place)] = FirstHour::new(first_at, bits);
        }
        Some(Self {
            event_count: wire.event_count,
            browser_event_count: wire.browser_event_count,
            agentless_browser_event_count: wire.agentless_browser_event_count,
            device_count: wire.device_count,
            signs: SignCounts { reports: wire.signed_reports, counts: dense(&wire.signs)? },
            interactions: wire.interactions.unwrap_or_default(),
            first_event_at: start,
            last_event_at: later(start, wire.span_ms),
            recent: recent.collect(),
            devices,
            makeups,
            first_hours,
            tab: wire.tab,
            addresses: from_wire(wire.addresses, start, |ip| ip),
            sessions: from_wire(wire.sessions, start, u32::from_le_bytes),
            session: wire.session.map(Session::unpack),
            user_agents: from_wire(wire.user_agents, start, |packed| unpack(&packed)),
            bare,
            signed: from_wire(signed, start, unpack_signed),
            places: from_wire(wire.places, start, |(country, asn, position)| Place {
                country: country.and_then(Country::from_letters),
                asn,
                position,
            }),
            codes: from_wire(since.codes, start, |code| code),
            journey: since.journey,
            names: from_wire(wire.names, start, |name| name),
            other_name_count: since.other_name_count,
            hours: dense::<HOURS>(&wire.hours)?,
            gaps: dense::<GAP_BUCKETS>(&wire.gaps)?,
            days: wire.days,
            longest_pause_ms: since.longest_pause_ms,
            longest_pause_until: match since.longest_pause_ms {
                0 => Timestamp::default(),
                _ => later(start, since.longest_pause_until_ms),
            },
        })
    }
}

fn pack_signed(signed: &SignedAgent) -> WireSigned {
    let SignedAgent { signature, named } = signed;
    (signature.signer.clone(), signature.verified, named.clone())
}

fn unpack_signed((signer, verified, named): WireSigned) -> SignedAgent {
    SignedAgent { signature: AgentSignature { signer, verified }, named }
}

#[derive(Serialize, Deserialize)]
enum Session {
    Uuid([u8; 16]),
    Stated(String),
}

/// Where a UUID has hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Session {
    fn pack(text: &str) -> Self {
        let digits = text.replace('-', "");
        match Fingerprint::pack(&digits) {
            Fingerprint::Derived(bytes) if hyphenated(&digits) == text => Self::Uuid(bytes),
            _ => Self::Stated(text.to_owned()),
        }
    }

    fn unpack(self) -> String {
        match self {
            Self::Uuid(bytes) => hyphenated(&hex::encode(bytes)),
            Self::Stated(text) => text,
        }
    }
}

fn hyphenated(digits: &str) -> String {
    let mut text = digits.to_owned();
    for place in HYPHENS {
        if text.is_char_boundary(place) && text.len() > place {
            text.insert(place, '-');
        }
    }
    text
}

impl Fingerprint {
    fn pack(text: &str) -> Self {
        let mut digest = [0; DERIVED_FINGERPRINT_BYTES];
        let is_lower_hex = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_lower_hex && hex::decode_to_slice(text, &mut digest).is_ok() {
            Self::Derived(digest)
        } else {
            Self::Stated(text.to_owned())
        }
    }

    fn unpack(self) -> String {
        match self {
            Self::Derived(digest) => hex::encode(digest),
            Self::Stated(text) => text,
        }
    }
}

fn to_wire<T, W>(list: &[Seen<T>], start: Timestamp, value: impl Fn(&T) -> W) -> Vec<WireSeen<W>> {
    let wire = |seen: &Seen<T>| WireSeen {
        value: value(&seen.value),
        after_ms: distance_ms(start, seen.first_at),
        span_ms: distance_ms(seen.first_at, seen.last_at),
        count: seen.count,
    };
    list.iter().map(wire).collect()
}

fn from_wire<T, W>(list: Vec<WireSeen<W>>, start: Timestamp, value: impl Fn(W) -> T) -> Vec<Seen<T>> {
    let seen = |wire: WireSeen<W>| {
        let first_at = later(start, wire.after_ms);
        Seen { value: value(wire.value), first_at, last_at: later(first_at, wire.span_ms), count: wire.count }
    };
    list.into_iter().map(seen).collect()
}

fn distance_ms(from: Timestamp, to: Timestamp) -> u64 {
    to.millis_since(from).unsigned_abs()
}

fn later(from: Timestamp, millis: u64) -> Timestamp {
    from.plus_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// The counts that are not zero, with their places.
fn sparse(counts: &[u32]) -> Vec<(u8, u32)> {
    (0..).zip(counts.iter().copied()).filter(|(_, count)| *count > 0).collect()
}

fn dense<const N: usize>(counts: &[(u8, u32)]) -> Option<[u32; N]> {
    let mut all = [0; N];
    for (place, count) in counts {
        *all.get_mut(usize::from(*place))? = *count;
    }
    Some(all)
}
