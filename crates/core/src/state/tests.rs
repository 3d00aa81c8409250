use std::net::Ipv4Addr;

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::device::{Interaction, fingerprint};
use crate::event::OfBackend;
use crate::place::Country;

const START_MS: i64 = 1_795_426_200_000;
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

fn event(name: &str, after_ms: i64) -> Event {
    Event {
        id: "e".to_owned(),
        name: name.to_owned(),
        timestamp: Timestamp::from_millis(START_MS + after_ms),
        source: None,
        identity: None,
        groups: Vec::new(),
        data: Map::new(),
        fingerprint: None,
        components: None,
        interaction: None,
        session: None,
        url: None,
        ip: None,
        user_agent: None,
        place: None,
        of_backend: OfBackend::default(),
        signature: None,
    }
}

/// An event of the tracker on device number `n`.
fn browser_event(name: &str, after_ms: i64, n: u8) -> Event {
    let components: Map<_, _> = [("n".to_owned(), n.into())].into_iter().collect();
    Event {
        fingerprint: Some(fingerprint(&components)),
        components: Some(components),
        session: Some(format!("9f4c1d5e-0000-4000-8000-0000000000{n:02}")),
        ip: Some(Ipv4Addr::new(203, 0, 113, n).into()),
        user_agent: Some(CHROME.replace("126", &(100 + u32::from(n)).to_string())),
        ..event(name, after_ms)
    }
}

fn folded<'a>(events: impl IntoIterator<Item = &'a Event>) -> IdentityState {
    let mut state = IdentityState::default();
    events.into_iter().for_each(|event| state.fold(event));
    state
}

#[test]
fn an_empty_state_knows_no_times() {
    let state = IdentityState::default();
    assert_eq!((state.first_event_at(), state.last_event_at()), (None, None));
    assert_eq!(IdentityState::decode(&state.encode()), Some(state));
}

#[test]
fn one_event_is_remembered_whole() {
    let event = browser_event("user.signup", 0, 7);
    let state = folded([&event]);
    let at = event.timestamp;
    fn once<T>(value: T, at: Timestamp) -> Vec<Seen<T>> {
        vec![Seen { value, first_at: at, last_at: at, count: 1 }]
    }
    let mut hours = [0; HOURS];
    hours[9] = 1;
    let expected = IdentityState {
        event_count: 1,
        browser_event_count: 1,
        agentless_browser_event_count: 0,
        device_count: 1,
        signs: SignCounts { reports: 1, ..SignCounts::default() },
        first_event_at: at,
        last_event_at: at,
        devices: once(event.fingerprint.clone().unwrap(), at),
        makeups: vec![None],
        first_hours: vec![FirstHour::new(at, 1)],
        tab: Some(Tab { session: 0, device: 0 }),
        addresses: once(event.ip.unwrap(), at),
        sessions: once(session_digest(event.session.as_deref().unwrap()), at),
        session: event.session.clone(),
        user_agents: once(event.user_agent.clone().unwrap(), at),
        bare: vec![0],
        signed: Vec::new(),
        places: Vec::new(),
        names: once("user.signup".to_owned(), at),
        other_name_count: 0,
        recent: vec![Recent {
            at,
            name: Some(0),
            device: Held::At(0),
            address: Held::At(0),
            session: Held::At(0),
            agent: Held::At(0),
            place: None,
            is_browser: true,
        }],
        hours,
        gaps: [0; GAP_BUCKETS],
        days: 1,
        interactions: Interactions::default(),
        codes: Vec::new(),
        journey: None,
        longest_pause_ms: 0,
        longest_pause_until: Timestamp::default(),
    };
    assert_eq!(state, expected);
}

#[test]
fn times_are_those_of_the_events_and_not_of_their_arrival() {
    let events = [event("a", 5_000), event("a", 0), event("b", 7_000)];
    let state = folded(&events);
    assert_eq!(state.first_event_at(), Some(events[1].timestamp));
    assert_eq!(state.last_event_at(), Some(events[2].timestamp));
    let recent: Vec<_> = state.recent().map(|recent| (recent.at, recent.name)).collect();
    let expected: Vec<_> = events.iter().map(|event| (event.timestamp, Some(event.name.as_str()))).collect();
    assert_eq!(recent, expected);
    // 5,000 ms back and 7,000 ms on, both between 2^12 and 2^13.
    assert_eq!(state.gaps()[13], 2);
}

#[test]
fn gaps_are_counted_by_their_power_of_two() {
    let cases = [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1_000, 10), (u64::MAX, GAP_BUCKETS - 1)];
    for (gap_ms, bucket) in cases {
        assert_eq!(gap_bucket(gap_ms), bucket, "{gap_ms}");
    }
}

#[test]
fn the_device_unseen_for_longest_makes_room() {
    let mut events: Vec<_> = (0..16).map(|n| browser_event("a", i64::from(n) * 1_000, n)).collect();
    events.push(browser_event("a", 20_000, 0));
    events.push(browser_event("a", 21_000, 99));
    let state = folded(&events);
    let expected: Vec<_> =
        [0, 99].into_iter().chain(2..16).map(|n| browser_event("a", 0, n).fingerprint.unwrap()).collect();
    let devices: Vec<_> = state.devices().iter().map(|seen| seen.value.clone()).collect();
    assert_eq!(devices, expected);
    assert_eq!(state.device_count(), 17);
    let places: Vec<_> = state.recent().map(|recent| recent.device).collect();
    let expected: Vec<_> =
        [Some(0), None].into_iter().chain((2..16).map(Some)).chain([Some(0), Some(1)]).collect();
    assert_eq!(places, expected, "the event of the forgotten device has none");
}

#[test]
fn names_beyond_the_first_are_counted_together() {
    let events: Vec<_> = (0..40).map(|n| event(&format!("name-{n}"), n)).collect();
    let state = folded(&events);
    assert_eq!((state.names().len(), state.other_name_count()), (NAMES_MAX, 8));
    assert_eq!(state.recent().last().map(|recent| recent.name), Some(None));
}

#[test]
fn lists_never_outgrow_their_limits() {
    let events: Vec<_> = (0..200).map(|n| browser_event(&format!("n{n}"), i64::from(n), n)).collect();
    let state = folded(&events);
    let lengths = [
        state.devices.len(),
        state.addresses.len(),
        state.sessions.len(),
        state.user_agents.len(),
        state.names.len(),
        state.recent.len(),
    ];
    let limits = [DEVICES_MAX, ADDRESSES_MAX, SESSIONS_MAX, USER_AGENTS_MAX, NAMES_MAX, RECENT_MAX];
    assert_eq!(lengths, limits);
}

#[test]
fn states_are_small() {
    let fresh = folded([&browser_event("user.signup", 0, 1)]).encode();
    assert!(fresh.len() < 120, "{} bytes when fresh", fresh.len());
    let name = |n: i64| format!("shop.basket.item-{:02}", n % 40);
    let events: Vec<_> = (0..2_000).map(|n| browser_event(&name(n), n * 3_600_123, (n % 40) as u8)).collect();
    let busy = folded(&events).encode();
    assert!(busy.len() < 2_520, "{} bytes when busy", busy.len());
}

#[test]
fn bytes_of_another_version_are_no_state() {
    let mut bytes = folded([&event("a", 0)]).encode();
    assert!(IdentityState::decode(&bytes).is_some());
    assert_eq!(IdentityState::decode(&bytes[..bytes.len() - 1]), None, "cut short");
    bytes.push(0);
    assert_eq!(IdentityState::decode(&bytes), None, "too long");
    bytes.pop();
    bytes[0] += 1;
    assert_eq!(IdentityState::decode(&bytes), None, "another version");
    assert_eq!(IdentityState::decode(&[]), None, "nothing");
}

/// A life with something of everything that a state remembers.
fn life() -> Vec<Event> {
    let mut events: Vec<_> =
        (0..20).map(|n| browser_event(&format!("page.{}", n % 5), i64::from(n) * 3_600_000, n)).collect();
    let code = [("promoCode".to_owned(), "SUMMER".into())].into_iter().collect();
    let berlin =
        Place { country: Country::from_letters(*b"DE"), asn: Some(3320), position: Some((525, 134)) };
    let hand = Interaction { clicks: 2, moves: 30, straightness: Some(1.0), ..Interaction::default() };
    let user_agent = Some("App/1".to_owned());
    let (place, interaction) = (Some(berlin), Some(hand));
    events.push(Event { data: code, user_agent, place, interaction, ..event("order.placed", 90_000_000) });
    events.extend((0..60).map(|n| event(&format!("event.{n}"), 1_000_000_000 + n * n * 7_919)));
    events
}

/// What these bytes tell is told by nothing else any more, where the events are gone: a version that cannot read them
/// makes innocent people new, and guilty ones, too.
#[test]
fn what_a_version_wrote_of_events_that_are_gone_is_read_for_ever() {
    let of_version_6 = include_str!("recalled/6.hex").trim();
    let state = folded(&life());
    let recalled = hex::decode(of_version_6).ok().and_then(|bytes| IdentityState::recall(&bytes));
    assert_eq!(
        recalled,
        Some(state.clone()),
        "these bytes stay as they are: {}",
        hex::encode(state.encode())
    );
}

fn any_event() -> impl Strategy<Value = Event> {
    let optional_text = || proptest::option::of("[a-zA-Z0-9 \t/.;äß-]{1,40}");
    (
        "[a-f.]{1,3}",
        -100_000_000_000i64..100_000_000,
        proptest::option::of("([0-9a-f]{32}|[0-9A-F]{32}|[a-z]{1,9})"),
        any::<bool>(),
        optional_text(),
        proptest::option::of(any::<IpAddr>()),
        optional_text(),
    )
        .prop_map(|(name, after_ms, fingerprint, is_browser, session, ip, user_agent)| Event {
            components: is_browser.then(Map::new),
            fingerprint,
            session,
            ip,
            user_agent,
            ..event(&name, after_ms)
        })
}

proptest! {
    #[test]
    fn any_state_survives_its_bytes(events in proptest::collection::vec(any_event(), 0..120)) {
        let state = folded(&events);
        prop_assert_eq!(IdentityState::decode(&state.encode()), Some(state));
    }

    #[test]
    fn folding_through_bytes_is_folding(events in proptest::collection::vec(any_event(), 0..60)) {
        let mut through_bytes = IdentityState::default();
        for event in &events {
            through_bytes.fold(event);
            through_bytes = IdentityState::decode(&through_bytes.encode()).unwrap();
        }
        prop_assert_eq!(through_bytes.encode(), folded(&events).encode());
        prop_assert_eq!(through_bytes, folded(&events));
    }

    #[test]
    fn any_bytes_are_a_state_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let version = IdentityState::default().encode()[0];
        let _ = IdentityState::decode(&[&[version], bytes.as_slice()].concat());
    }
}

fn signs_of(state: &IdentityState) -> Vec<(Sign, f64)> {
    state.device_signs().parts().collect()
}

#[test]
fn what_a_browser_gave_away_is_remembered() {
    let mut event = browser_event("a", 0, 1);
    let mut odd = event.clone();
    event.components = Some(Map::from_iter([("plugins".to_owned(), 5.into())]));
    odd.components = Some(Map::from_iter([("webdriver".to_owned(), true.into())]));
    let state = folded([&event, &odd, &event]);
    let expected = [(Sign::Webdriver, 1.0 / 3.0)];
    assert_eq!(signs_of(&state), expected);
    assert_eq!(signs_of(&IdentityState::decode(&state.encode()).unwrap()), expected);
}

#[test]
fn the_first_steps_and_their_rhythm_make_a_journey() {
    let walk = |names: [&str; 9], tenths: [i64; 9]| {
        let seen = |name, at| Event { session: Some("s".to_owned()), ..event(name, at) };
        let events: Vec<_> = names.iter().zip(tenths).map(|(name, at)| seen(name, at * 100)).collect();
        let state = folded(&events);
        assert_eq!(IdentityState::decode(&state.encode()).unwrap().journey(), state.journey());
        (folded(&events[..7]).journey(), state.journey())
    };
    let names = ["signup", "view", "view", "search", "view", "cart", "buy", "view", "later"];
    let tenths = [0, 40, 90, 400, 420, 1_000, 4_000, 4_010, 9_990];
    let (before, journey) = walk(names, tenths);
    assert!(before.is_none() && journey.is_some());
    let a_little_faster = [0, 30, 80, 380, 395, 900, 3_800, 3_808, 20_000];
    assert_eq!(walk(names, a_little_faster).1, journey);
    assert_ne!(
        walk(names, [0, 400, 800, 1_200, 1_600, 2_000, 4_000, 4_010, 9_990]).1,
        journey,
        "another rhythm"
    );
    assert_ne!(
        walk(["signup", "view", "view", "view", "view", "cart", "buy", "view", "later"], tenths).1,
        journey
    );
    assert_eq!(walk(["view"; 9], tenths).1, None, "one thing over and over");
    assert_eq!(walk(names, [0, 10, 20, 30, 40, 50, 60, 70, 80]).1, None, "one pause over and over");
    let of_a_backend = names.iter().zip(tenths).map(|(name, at)| event(name, at * 100)).collect::<Vec<_>>();
    assert_eq!(folded(&of_a_backend).journey(), None, "nothing of a person");
}

#[test]
fn codes_and_hands_are_remembered() {
    let mut redeemed = event("promo_redeemed", 0);
    redeemed.data = Map::from_iter([("promoCode".to_owned(), "WELCOME10".into())]);
    redeemed.interaction =
        Some(Interaction { clicks: 2, touches: 1, moves: 30, straightness: Some(1.0), ..Default::default() });
    let state = folded([&redeemed, &redeemed]);
    assert_eq!(IdentityState::decode(&state.encode()), Some(state.clone()));
    let codes: Vec<_> = state.codes().iter().map(|seen| (seen.value.as_str(), seen.count)).collect();
    assert_eq!(codes, [("welcome10", 2)]);
    let seen = state.interactions();
    assert_eq!((seen.clicks, seen.moves, seen.strokes.odd), (4, 62, 6));
}

/// A report of a device of which the parts are told.
fn report(after_ms: i64, session: &str, canvas: &str, cores: u8) -> Event {
    let components = serde_json::json!({
        "canvas": canvas, "audio": 124, "screenResolution": "[1920,1080]", "hardwareConcurrency": cores,
    });
    let components = components.as_object().unwrap().clone();
    Event {
        fingerprint: Some(fingerprint(&components)),
        components: Some(components),
        session: Some(session.to_owned()),
        ..event("a", after_ms)
    }
}

#[test]
fn a_tab_that_becomes_another_device_gives_itself_away() {
    let first = report(0, "tab", "c", 8);
    let another = report(1, "tab", "d", 4);
    let forged = folded([&first, &another]);
    assert_eq!(signs_of(&forged), [(Sign::OtherDevice, 0.5)]);
    let nothing: [(Sign, f64); 0] = [];
    let ordinary = [
        ("another tab", report(1, "other tab", "d", 4)),
        ("a driver's update", report(1, "tab", "d", 8)),
        ("more memory", report(1, "tab", "c", 4)),
        ("the backend", Event { components: None, fingerprint: Some("own".to_owned()), ..another.clone() }),
    ];
    for (what, event) in ordinary {
        assert_eq!(signs_of(&folded([&first, &event])), nothing, "{what}");
    }
    // The device of the tab may be forgotten, and another one be in its place.
    let without_tab = |n: u8| Event { session: None, ..report(n.into(), "", &n.to_string(), n) };
    let others: Vec<_> = (9..).take(DEVICES_MAX).map(without_tab).collect();
    let again = report(100, "tab", "c", 8);
    let state = folded([&first].into_iter().chain(&others).chain([&again]));
    assert_eq!(signs_of(&state), nothing);
    // So may its session.
    let in_session = |n: usize| Event { session: Some(format!("s{n}")), ..event("a", n as i64) };
    let others: Vec<_> = (1..=SESSIONS_MAX).map(in_session).collect();
    let reported = report(100, &format!("s{SESSIONS_MAX}"), "d", 4);
    let state = folded([&first].into_iter().chain(&others).chain([&reported]));
    assert_eq!(signs_of(&state), nothing);
    // What the state remembers of the tab is the same after it was stored.
    let mut stored = IdentityState::decode(&folded([&first]).encode()).unwrap();
    stored.fold(&another);
    assert_eq!(stored, forged);
}

#[test]
fn a_device_that_makes_room_takes_along_what_it_is_made_of() {
    let many: Vec<_> = (0..=DEVICES_MAX).map(|n| report(n as i64, "tab", &n.to_string(), 8)).collect();
    let state = folded(&many);
    let makeup = |event: &Event| state.makeup(event.fingerprint.as_deref().unwrap());
    assert_eq!(makeup(&many[0]), None);
    for event in &many[1..] {
        assert_eq!(makeup(event), Makeup::of(event.components.as_ref().unwrap()));
    }
    assert_eq!(IdentityState::decode(&state.encode()), Some(state));
}

#[test]
fn what_an_event_carried_is_remembered_when_its_value_is_not() {
    let seen = |at, n: u8| Event {
        ip: Some(Ipv4Addr::new(203, 0, 113, n).into()),
        user_agent: Some(format!("App/{n}")),
        ..event("a", at)
    };
    let events: Vec<_> = (0..18).map(|n| seen(i64::from(n) * 1_000, n)).chain([event("b", 20_000)]).collect();
    let state = folded(&events);
    assert_eq!(IdentityState::decode(&state.encode()).as_ref(), Some(&state));
    let traces: Vec<_> = state.recent().map(|recent| recent.traces).collect();
    assert_eq!(traces[0], [None, Some(Trace::Forgotten), None, Some(Trace::Forgotten)]);
    assert_eq!(traces[17], [None, Some(Trace::Address(1)), None, Some(Trace::Agent(1))]);
    assert_eq!(traces[18], [None; 4]);
}

#[test]
fn agents_that_came_alone_are_counted() {
    let by = |user_agent: &str, session: Option<&str>| Event {
        user_agent: Some(user_agent.to_owned()),
        session: session.map(str::to_owned),
        ..event("a", 0)
    };
    let events = [by("x/1", None), by("y/1", Some("s")), by("x/1", None), by("x/1", Some("s"))];
    let state = folded(&events);
    assert_eq!(state.bare(), [2, 0]);
    assert_eq!(IdentityState::decode(&state.encode()), Some(state));
}
