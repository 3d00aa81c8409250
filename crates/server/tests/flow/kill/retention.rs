//! The server is killed while it removes what has been kept long enough: nothing is half gone, and nothing that it told
//! is lost or counted twice.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use dregs_core::state::IdentityState;
use dregs_core::time::{DAY_MS, Timestamp};
use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::{Tx, settings};
use dregs_server::values;
use reqwest::Method;
use serde_json::{Value, json};

use super::{QUIET_PATIENCE, SETTINGS, SIGABRT, call, create_channel, end_leases, quiet, traffic};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::receiver::Receiver;
use crate::support::server::event;

on_both_engines!(what_is_being_removed_when_the_server_is_killed_is_gone_whole_or_not_at_all);

const USERS: usize = 5;
/// Batches double from 32 rows while the machine keeps up, and nine of them must have some.
const EVENTS: usize = 900;

/// Makes all that is stored older than it is kept, and the next look due.
pub async fn age(site: &Site) {
    let young = SystemClock.now().plus_millis(-DAY_MS);
    let age = move |tx: &mut Tx| {
        let by = 400 * DAY_MS;
        for (table, column) in
            [("events", "received_at"), ("analyses", "finished_at"), ("deliveries", "created_at")]
        {
            let sql = format!("update {table} set {column} = {column} - $1 where {column} > $2");
            tx.execute(&sql, &values![by, young])?;
        }
        let due = serde_json::to_vec(&Timestamp::from_millis(0)).unwrap();
        settings::put(tx, "retention:next", &due)
    };
    site.open_store().write(age).await.unwrap();
}

/// Events that are stored, and those that every identity has had, stored or folded; nothing hangs in the air.
async fn look(site: &Site) -> (i64, i64) {
    let read = |tx: &mut Tx| {
        let count = |tx: &mut Tx, of: &str| {
            tx.get(&format!("select count(*) from {of}"), &[], |row| row.get::<i64>(0))
        };
        let stored = count(tx, "events")?;
        for loose in [
            "event_groups g where not exists (select 1 from events e where e.shard = g.shard and e.id = g.event_id)",
            "attempts a where not exists (select 1 from deliveries d where d.shard = a.shard and d.id = a.delivery_id)",
            "deliveries d where not exists (select 1 from analyses a
               where a.shard = d.shard and a.identity_id = d.identity_id and a.sequence = d.sequence)",
            "events e join folded_events f on f.shard = e.shard and f.identity_id = e.identity_id and e.id <= f.event_id",
        ] {
            assert_eq!(count(tx, loose)?, 0, "{loose}");
        }
        let states = tx.query("select state from folded_events", &[], |row| row.get::<Vec<u8>>(0))?;
        let folded: u64 =
            states.iter().map(|state| IdentityState::recall(state).unwrap().event_count()).sum();
        Ok((stored, stored + i64::try_from(folded).unwrap()))
    };
    site.open_store().read(read).await.unwrap()
}

async fn what_is_being_removed_when_the_server_is_killed_is_gone_whole_or_not_at_all(engine: Engine) {
    let site = Site::new(engine);
    let receiver = Receiver::answering(traffic::OK).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    create_channel(&site, "App", &receiver, &["identity.scored"]).await;
    let batch: Vec<_> = (0..EVENTS)
        .map(|number| {
            let mut event = event(&format!("e{number}"), &format!("user-{}", number % USERS));
            event["groups"] = json!([{"type": "team", "id": "t1"}]);
            event
        })
        .collect();
    call(site.address, Method::POST, "/events/batch", json!(batch)).await;
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    server.kill();
    let mut left = vec![EVENTS as i64];
    for count in [2, 4, 3] {
        age(&site).await;
        server = site.start(Some(&format!("retention.removed:{count}")), &SETTINGS);
        let status = server.end(Duration::from_secs(20)).await;
        assert_eq!(status.and_then(|status| status.signal()), Some(SIGABRT), "{count}: {}", server.log());
        let (stored, had) = look(&site).await;
        assert_eq!(had, EVENTS as i64);
        left.push(stored);
    }
    assert!(left.is_sorted_by(|a, b| a >= b) && left[3] < left[0], "{left:?}");
    age(&site).await;
    end_leases(&site, engine).await;
    server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    let begun = tokio::time::Instant::now();
    while look(&site).await.0 > 0 {
        assert!(begun.elapsed() < QUIET_PATIENCE, "events stay");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(look(&site).await, (0, EVENTS as i64));
    for user in 0..USERS {
        let path = format!("/identities/user-{user}");
        call(site.address, Method::POST, &format!("{path}/actions/analyze"), Value::Null).await;
    }
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    for user in 0..USERS {
        let analysis =
            call(site.address, Method::GET, &format!("/identities/user-{user}/analysis"), Value::Null).await;
        assert_eq!(analysis["eventCount"], EVENTS / USERS);
    }
}
