//! What has been kept long enough goes, and not before; what it told stays.

use std::sync::Arc;
use std::time::Duration;

use dregs_core::shard;
use dregs_core::state::IdentityState;
use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
use dregs_server::clock::{Clock, ManualClock};
use dregs_server::ops::ingest::refold;
use dregs_server::store::retention::{self as table, Kind};
use dregs_server::store::{Tx, codec, events, identities, settings};
use dregs_server::values;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(
    what_has_been_kept_long_enough_goes_and_no_score_changes,
    who_is_erased_after_events_were_forgotten_is_forgotten_whole,
    teams_keep_what_they_have_for_as_long_as_they_say,
);

const START_MS: i64 = 1_795_424_400_000;
const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
/// The newest analysis, as far as scores go.
type Told = (Value, Value, Value);

struct Scene {
    server: TestServer,
    clock: Arc<ManualClock>,
}

impl Scene {
    async fn set(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(START_MS)));
        Self { server: TestServer::start_at(engine, &clock).await, clock }
    }

    async fn keep(&self, kind: Kind, days: Option<i64>) {
        self.server.app.store.write(move |tx| table::set(tx, 1, kind, days)).await.unwrap();
    }

    /// Lets time pass, and the pass that is due after it.
    async fn pass(&self, days: i64) {
        self.clock.advance(days * DAY_MS + HOUR_MS + 1);
        let (now, app) = (self.clock.now(), &self.server.app);
        eventually("a pass to end", async || {
            let read = app.store.read(|tx| settings::with_prefix(tx, "retention:last")).await.unwrap();
            let began: Timestamp = serde_json::from_slice(&read.first()?.1).unwrap();
            (began >= now).then_some(())
        })
        .await;
    }

    async fn count(&self, of: &str) -> i64 {
        let sql = format!("select count(*) from {of}");
        self.server.app.store.read(move |tx| tx.get(&sql, &[], |row| row.get(0))).await.unwrap()
    }

    /// Events, their places in the lists of groups, analyses, deliveries, attempts, notifications.
    async fn rows(&self) -> [i64; 6] {
        let mut rows = [0; 6];
        let tables = ["events", "event_groups", "analyses", "deliveries", "attempts", "notifications"];
        for (rows, table) in rows.iter_mut().zip(tables) {
            *rows = self.count(table).await;
        }
        rows
    }

    /// What somebody does, with everything that an event can have.
    async fn act(&self, user: &str, id: &str, kind: &str) {
        let mut event = event(id, user);
        event["type"] = json!(kind);
        event["groups"] = json!([{"type": "team", "id": "engines"}]);
        event["device"] = json!({"fingerprint": format!("device of {}", &id[..2])});
        event["session"] = json!(format!("session of {id}"));
        event["ip"] = json!(format!("203.0.113.{}", id.len() + usize::from(id.as_bytes()[1] % 9)));
        event["userAgent"] = json!("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        self.server.post("/api/events", event).await;
        self.quiet().await;
    }

    /// Waits until everybody is scored.
    async fn quiet(&self) {
        eventually("everybody to be scored", async || {
            let due = self.count("identities where evaluate_at is not null").await;
            (due == 0).then_some(())
        })
        .await;
    }

    /// Takes the meaning away that events of this name have, and has those scored again whom that concerns.
    async fn forget_meaning(&self, name: &str) {
        let new = json!({"kind": "EVENT_TYPE", "source": name, "target": null});
        self.server.post("/api/mappings", new).await;
        self.clock.advance(5_000);
        eventually("the meaning to change", async || {
            let work = self.server.app.store.read(|tx| settings::with_prefix(tx, "rescore:")).await.unwrap();
            work.is_empty().then_some(())
        })
        .await;
        self.quiet().await;
    }

    async fn told(&self, user: &str) -> Told {
        let analysis = self.server.get(&format!("/api/identities/{user}/analysis")).await;
        (analysis["scores"].clone(), analysis["eventCount"].clone(), analysis["deviceCount"].clone())
    }

    /// Has every state be of another version, so that it is folded again, and everybody scored.
    async fn score_again(&self, users: &[&str]) {
        let unreadable: &[u8] = b"\xff of another version";
        let spoil = move |tx: &mut Tx| tx.execute("update identities set state = $1", &values![unreadable]);
        self.server.app.store.write(spoil).await.unwrap();
        for user in users {
            let before = self.server.get(&format!("/api/identities/{user}/analysis")).await["id"].clone();
            self.server.post(&format!("/api/identities/{user}/actions/analyze"), Value::Null).await;
            eventually("another analysis", async || {
                let id = self.server.get(&format!("/api/identities/{user}/analysis")).await["id"].clone();
                (id != before).then_some(())
            })
            .await;
        }
        self.quiet().await;
    }
}

const USERS: [&str; 3] = ["ada", "bob", "cy"];

/// Half a year of three people, and somebody who is nobody; the answer is the channel for which messages of it wait.
async fn live(scene: &Scene, receiver: &Receiver) -> i64 {
    let server = &scene.server;
    let config = json!({"url": receiver.url()});
    let channel = async |name: &str| {
        let events = ["identity.scored", "identity.badges_changed"];
        let body = json!({"type": "WEBHOOK", "name": name, "config": config, "events": events});
        server.post("/api/channels", body).await["id"].as_i64().unwrap()
    };
    channel("works").await;
    let paused = channel("paused").await;
    let path = format!("/api/channels/{paused}");
    server.patch(&path, json!({"enabled": false})).await;
    scene.act("ada", "a1", "user.signup").await;
    for number in 0..12 {
        scene.act("ada", &format!("a1{number}"), "payment_failed").await;
    }
    // Bob's first device is Ada's.
    scene.act("bob", "a1-of-bob", "user.signup").await;
    let anonymous = json!({"id": "n1", "type": "page.viewed", "device": {"fingerprint": "of nobody"}});
    server.post("/api/events", anonymous).await;
    server.patch(&path, json!({"enabled": true})).await;
    eventually("all that was waiting", async || {
        (scene.count("deliveries where status = 0").await == 0).then_some(())
    })
    .await;
    server.patch(&path, json!({"enabled": false})).await;
    scene.act("bob", "b0", "user.login").await;
    scene.clock.advance(200 * DAY_MS);
    scene.act("ada", "a2", "user.login").await;
    scene.act("cy", "c1", "user.signup").await;
    paused
}

/// Of the first day nothing is there but what is needed.
async fn assert_forgotten(scene: &Scene, all: [i64; 6]) {
    // There were fifteen events of people in a group, one of nobody; two came later.
    let [events, listed, analyses, deliveries, _, notifications] = scene.rows().await;
    assert_eq!((all[0], events, listed), (18, 2, 4));
    let fewer = [(analyses, all[2]), (deliveries, all[3]), (notifications, all[5])];
    assert!(fewer.iter().all(|(left, all)| left < all), "{fewer:?}");
    // Bob's newest analysis stays though nothing was heard of him since; Ada's and Cy's are of the second half.
    let newest =
        "analyses a join identities i on i.shard = a.shard and i.id = a.identity_id and i.cycle = a.sequence";
    assert_eq!(scene.count(newest).await, 3);
    let old = format!("deliveries where created_at < {}", START_MS + DAY_MS);
    let pending = scene.count(&format!("{old} and status = 0")).await;
    assert!(pending > 0, "what waits stays");
    assert_eq!(scene.count(&old).await, pending);
    for loose in [
        "deliveries d where d.notification_id is null and not exists (select 1 from analyses a
           where a.shard = d.shard and a.identity_id = d.identity_id and a.sequence = d.sequence)",
        "deliveries d where d.notification_id is not null and not exists (select 1 from notifications n
           where n.shard = d.shard and n.id = d.notification_id)",
        "attempts t where not exists (select 1 from deliveries d where d.shard = t.shard and d.id = t.delivery_id)",
    ] {
        assert_eq!(scene.count(loose).await, 0, "{loose}");
    }
    let told = scene.server.get("/api/retention").await;
    let until = format!("\"{}\"", Timestamp::from_millis(START_MS));
    assert_eq!(told["events"]["forgottenUntil"].to_string(), until);
}

/// Two servers live the same life; one of them forgets. Nobody's scores are others for it.
async fn what_has_been_kept_long_enough_goes_and_no_score_changes(engine: Engine) {
    let (forgets, remembers) = (Scene::set(engine).await, Scene::set(engine).await);
    for kind in Kind::ALL {
        remembers.keep(kind, None).await;
    }
    let receiver = Receiver::answering(OK).await;
    let paused = live(&forgets, &receiver).await;
    live(&remembers, &receiver).await;
    let same = async |when: &str| {
        for user in USERS {
            assert_eq!(forgets.told(user).await, remembers.told(user).await, "{user}, {when}");
        }
    };
    same("before").await;
    let all = forgets.rows().await;
    forgets.pass(195).await;
    remembers.pass(195).await;
    assert_eq!((forgets.rows().await, remembers.rows().await), (all, all), "their time has not come");
    forgets.pass(1).await;
    remembers.pass(1).await;
    assert_eq!(remembers.rows().await, all);
    assert_forgotten(&forgets, all).await;

    same("afterwards").await;
    for scene in [&forgets, &remembers] {
        scene.score_again(&USERS).await;
    }
    same("folded again").await;
    let stored = forgets.server.app.store.read(|tx| {
        let row = identities::tracked(tx, 1, "ada")?.unwrap();
        Ok((table::folded(tx, row.id)?.unwrap(), refold::from_events(tx, row.id)?))
    });
    let (folded, state) = stored.await.unwrap();
    assert_eq!(IdentityState::recall(&folded.state).unwrap().event_count(), 13);
    assert_eq!(state.event_count(), 14);

    // What the names of forgotten events mean can still change.
    let before = forgets.told("ada").await;
    for scene in [&forgets, &remembers] {
        scene.forget_meaning("payment_failed").await;
    }
    same("with another meaning").await;
    assert_ne!(forgets.told("ada").await, before);
    // And the next event is folded after those that are gone.
    for scene in [&forgets, &remembers] {
        scene.act("ada", "a9", "user.login").await;
        scene.act("bob", "b9", "user.login").await;
    }
    same("going on").await;
    assert_eq!(forgets.told("ada").await.1, json!(15));

    // What waited is sent when it can be: the other server goes on waiting for its own.
    let waiting = usize::try_from(forgets.count("deliveries where status = 0").await).unwrap();
    let before = receiver.requests().len();
    forgets.server.patch(&format!("/api/channels/{paused}"), json!({"enabled": true})).await;
    eventually("what waited", async || (receiver.requests().len() >= before + waiting).then_some(())).await;
    assert_eq!(forgets.count("deliveries where error_class = 'gone'").await, 0);
}

async fn who_is_erased_after_events_were_forgotten_is_forgotten_whole(engine: Engine) {
    let scene = Scene::set(engine).await;
    let server = &scene.server;
    scene.act("ada", "a1", "user.signup").await;
    scene.act("bob", "b1", "user.signup").await;
    scene.pass(397).await;
    assert_eq!(scene.count("events").await, 0);
    let devices = async |user: &str| {
        let page = server.get(&format!("/api/devices?identity={user}")).await;
        page["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|device| device["fingerprint"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(devices("ada").await, ["device of a1"], "devices of events that are gone are known");
    let export = server.get("/api/identities/ada/export").await;
    assert_eq!(
        (&export["events"], &export["devices"][0]["fingerprint"]),
        (&json!([]), &json!("device of a1"))
    );
    assert_eq!(export["analyses"].as_array().map(Vec::len), Some(1));

    let ada = "identity_keys where identity_id = (select id from identities where external_id = 'ada')";
    let keys = scene.count(ada).await;
    assert!(keys > 3, "{keys}");
    let ada = server.app.store.read(|tx| Ok(identities::find(tx, 1, "ada")?.unwrap().row_id)).await.unwrap();
    let left = async || {
        let sql = "select kind from identity_keys where identity_id = $1 order by kind";
        let kinds = move |tx: &mut Tx| tx.query(sql, &values![ada], |row| row.get::<i64>(0));
        server.app.store.read(kinds).await.unwrap()
    };
    let before = left().await;
    assert_eq!(server.call(Method::DELETE, "/api/identities/ada", None).await.0, 204);
    let after = left().await;
    let of_places = [
        dregs_core::link::KeyKind::Ip,
        dregs_core::link::KeyKind::Network,
        dregs_core::link::KeyKind::Session,
    ];
    let is_of_place = |kind: &i64| of_places.iter().any(|place| *place as i64 == *kind);
    assert!(before.iter().any(is_of_place) && !after.iter().any(is_of_place), "{before:?} {after:?}");
    assert_eq!((scene.count("folded_events").await, scene.count("devices").await), (1, 1), "Bob's stay");
    assert_eq!(devices("bob").await, ["device of b1"]);
}

async fn teams_keep_what_they_have_for_as_long_as_they_say(engine: Engine) {
    let scene = Scene::set(engine).await;
    let other = scene
        .server
        .app
        .store
        .write(|tx| {
            let other =
                dregs_server::store::users::insert_team(tx, "Other", Timestamp::from_millis(START_MS))?;
            table::set(tx, other, Kind::Events, Some(30))?;
            Ok(other)
        })
        .await
        .unwrap();
    let now = scene.clock.now();
    let fill = move |tx: &mut Tx| {
        let rows: Vec<_> = (0..60).map(|n| stored(1 + n % 2 * (other - 1), None, n, now)).collect();
        events::insert(tx, &rows).map(drop)
    };
    scene.server.app.store.write(fill).await.unwrap();
    scene.keep(Kind::AuditLog, Some(90)).await;
    scene.server.post("/api/mappings", json!({"kind": "EVENT_TYPE", "source": "a", "target": "LOGIN"})).await;
    scene.pass(30).await;
    assert_eq!(scene.count(&format!("events where team_id = {other}")).await, 0);
    assert_eq!((scene.count("events").await, scene.count("audit_log").await), (30, 1));
    // Another period takes hold of what had been passed by.
    scene.keep(Kind::Events, Some(30)).await;
    scene.pass(0).await;
    assert_eq!((scene.count("events").await, scene.count("audit_log").await), (0, 1));
    scene.pass(60).await;
    assert_eq!(scene.count("audit_log").await, 0);
}

/// An event on a device, as it is stored.
fn stored(team_id: i64, identity_id: Option<i64>, number: i64, received_at: Timestamp) -> events::NewEvent {
    let body = format!(r#"{{"id": "e{number}", "type": "page.viewed", "device": {{"fingerprint": "d"}}}}"#);
    let origin = dregs_core::event::Origin::UNSEEN_BACKEND;
    let limits = dregs_core::event::Limits::default();
    let read = dregs_core::event::read(body.as_bytes(), &origin, received_at, limits, &mut String::new);
    events::NewEvent {
        shard: shard::of(identity_id.unwrap_or_default()),
        team_id,
        identity_id,
        external_id: codec::pack_id(&format!("e{number}")),
        timestamp: received_at,
        received_at,
        name_id: None,
        device_id: Some(1),
        session: Some(number % 97),
        detail: events::detail(&read.unwrap().event).unwrap(),
    }
}

/// Somebody who is known, and not to be scored for long.
fn person(number: i64, tracked_at: Timestamp) -> identities::TrackedWrite {
    identities::TrackedWrite {
        row: None,
        shard: shard::of(number),
        team_id: 1,
        external_id: format!("user {number}"),
        tracked_at,
        first_seen_at: tracked_at,
        evaluate_at: tracked_at.plus_millis(36_500 * DAY_MS),
        display_name: None,
        display_email: None,
        display_username: None,
        state: IdentityState::default().encode(),
        data: "{}".into(),
        trace: Default::default(),
    }
}

/// Rows of one life of the file.
const MANY: i64 = 20_000;
/// Those whose events they are.
const PEOPLE: i64 = 500;
/// The writer of SQLite may be held by a batch for this long, in the middle.
const HELD_MEDIAN_MAX: Duration = Duration::from_millis(20);
/// And of a hundred other writes only one may wait longer than this. A machine that is busy with other things may hold
/// up any of them.
const WAITED_MAX: Duration = Duration::from_millis(100);

#[tokio::test]
async fn sqlite_is_never_held_for_long_and_its_file_does_not_grow_for_ever() {
    let scene = Scene::set(Engine::Sqlite).await;
    let store = &scene.server.app.store;
    let people: Vec<_> = (0..PEOPLE).map(|number| person(number, scene.clock.now())).collect();
    let people = store.write(move |tx| identities::save_tracked(tx, &people)).await.unwrap();
    let people: Vec<i64> = people.into_iter().map(|(_, _, id)| id).collect();
    let mut sizes = Vec::new();
    for life in 0..3 {
        let now = scene.clock.now();
        for first in (0..MANY).step_by(2_000) {
            let numbers = life * MANY + first..life * MANY + first + 2_000;
            let people = people.clone();
            let fill = move |tx: &mut Tx| {
                let who = |number: i64| people.get((number % PEOPLE) as usize).copied();
                let rows: Vec<_> =
                    numbers.clone().map(|number| stored(1, who(number), number, now)).collect();
                events::insert(tx, &rows).map(drop)
            };
            store.write(fill).await.unwrap();
        }
        scene.clock.advance(397 * DAY_MS);
        let mut waits = Vec::new();
        let begun = Instant::now();
        while scene.count("events").await > 0 {
            assert!(begun.elapsed() < Duration::from_secs(240), "it takes too long");
            for _ in 0..50 {
                let asked = Instant::now();
                store.write(|tx| settings::put(tx, "a write of somebody else", b"x")).await.unwrap();
                waits.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
        waits.sort_unstable();
        let [median, most, last] = [50, 99, 100].map(|percent| waits[(waits.len() - 1) * percent / 100]);
        let told =
            format!("of {} writes the median waited {median:?}, 99% {most:?}, one {last:?}", waits.len());
        println!("{MANY} events gone in {:?}; {told}", begun.elapsed());
        assert!(most < WAITED_MAX, "{told}");
        sizes.push(store.read(dregs_server::store::database_bytes).await.unwrap());
    }
    let held = held_median(&scene.server).await;
    println!("a batch held the writer for {held:?} in the middle; the file had {sizes:?} bytes");
    assert!(held < HELD_MEDIAN_MAX, "{held:?}");
    // Without room that is used again, it would be three times as large.
    assert!(sizes[2] < sizes[0] + sizes[0] / 4, "the file grows: {sizes:?}");
}

/// For how long a batch held the writer, in the middle, as a dashboard reckons it from the histogram.
async fn held_median(server: &TestServer) -> Duration {
    let metrics = server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let bucket = |line: &str| {
        let (le, count) =
            line.strip_prefix("dregs_retention_batch_seconds_bucket{le=\"")?.split_once("\"} ")?;
        Some((le.parse::<f64>().ok()?, count.parse::<f64>().ok()?))
    };
    let buckets: Vec<_> = metrics.lines().filter_map(bucket).collect();
    let half = buckets.last().expect("batches").1 / 2.0;
    let at = buckets.iter().position(|(_, count)| *count >= half).unwrap();
    let (below, before) = at.checked_sub(1).map_or((0.0, 0.0), |before| buckets[before]);
    let (up_to, count) = buckets[at];
    Duration::from_secs_f64(below + (up_to - below) * (half - before) / (count - before))
}
