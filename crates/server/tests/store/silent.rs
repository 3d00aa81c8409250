//! A PostgreSQL that says nothing.

use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::Timestamp;
use dregs_server::store::{Location, Store, Tx};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::cluster::Cluster;

/// How long an answer is waited for.
const ANSWER_MAX: Duration = Duration::from_secs(7);
/// Between two reads.
const APART: Duration = Duration::from_secs(2);

#[tokio::test]
async fn once_one_connection_was_silent_others_are_not_waited_for_as_long() {
    let cluster = Cluster::start("local all all trust\nhost all all 127.0.0.1/32 trust\n", &[]);
    let at = Location::Postgres(cluster.url());
    let open = move || Store::open(&at, Timestamp::from_millis(0)).unwrap();
    let store = Arc::new(tokio::task::spawn_blocking(open).await.unwrap());
    let one = |tx: &mut Tx| tx.get("select 1::bigint from pg_sleep(0.3)", &[], |row| row.get::<i64>(0));
    // Each on a connection of its own, which is there from then on.
    let (first, second, third) = tokio::join!(store.read(one), store.read(one), store.read(one));
    assert_eq!([first.unwrap(), second.unwrap(), third.unwrap()], [1; 3]);

    cluster.freeze();
    let begun = Instant::now();
    let mut reads = JoinSet::new();
    for n in 0..3 {
        let store = Arc::clone(&store);
        reads.spawn(async move {
            tokio::time::sleep(APART * n).await;
            assert!(store.read(one).await.is_err());
            begun.elapsed()
        });
    }
    let ended = reads.join_all().await;
    let (first, last) = (*ended.iter().min().unwrap(), *ended.iter().max().unwrap());
    assert!(first >= ANSWER_MAX && last < ANSWER_MAX + APART, "{ended:?}");
    cluster.thaw();
}
