//! What holds for every transaction, whatever it does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dregs_server::limit::Limit;
use dregs_server::store::{BUSY_TIMEOUT, Location, Store, StoreError, database_bytes, ping, settings, tally};
use dregs_server::telemetry::metrics_handle;
use dregs_server::values;
use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{eventually, reached};

on_both_engines!(
    a_value_is_made_once,
    a_transaction_that_fails_leaves_no_trace_and_does_no_harm_to_those_beside_it,
    a_read_sees_one_snapshot,
    a_reader_cannot_write,
    an_overtaken_transaction_runs_again_where_that_can_help,
    errors_say_what_to_do,
    null_is_kept_in_every_type,
    a_database_is_as_large_as_what_is_in_it,
    whether_it_is_ready_is_asked_once_in_a_moment,
);

/// The settings by name: a table good for trying transactions on.
async fn stored(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let rows = store.read(|tx| {
        tx.query("select name, value from settings", &[], |row| Ok((row.get::<String>(0)?, row.get(1)?)))
    });
    rows.await.unwrap().into_iter().collect()
}

async fn a_value_is_made_once(engine: Engine) {
    let ground = Ground::new(engine);
    ground.read(ping).await;
    for fresh in [b"first", b"other"] {
        let value = ground.write(move |tx| settings::get_or_insert(tx, "key", fresh)).await;
        assert_eq!(value, b"first");
    }
}

/// How a job of a group ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    /// A statement failed.
    Conflict,
    /// The code said no after its statements.
    Refusal,
    Panic,
}

async fn a_transaction_that_fails_leaves_no_trace_and_does_no_harm_to_those_beside_it(engine: Engine) {
    let ground = Ground::new(engine);
    ground.write(|tx| settings::get_or_insert(tx, "taken", b"before")).await;

    // While every writer is held up, the jobs queue: on SQLite they are then one group.
    let writers = if engine == Engine::Sqlite { 1 } else { 4 };
    let (release, held) = mpsc::channel::<()>();
    let (held, holding) = (Arc::new(Mutex::new(held)), Arc::new(AtomicUsize::new(0)));
    let mut holds = JoinSet::new();
    for _ in 0..writers {
        let (store, held, holding) = (Arc::clone(&ground.store), Arc::clone(&held), Arc::clone(&holding));
        holds.spawn(async move {
            let hold = store.write(move |_| {
                holding.fetch_add(1, Ordering::SeqCst);
                // The end of the sender lets everybody go on.
                Ok(held.lock().unwrap().recv().is_err())
            });
            hold.await.unwrap()
        });
    }
    let all_hold = async || (holding.load(Ordering::SeqCst) == writers).then_some(());
    eventually("every writer to be held up", all_hold).await;
    let ends = [End::Well, End::Conflict, End::Well, End::Refusal, End::Panic, End::Well];
    let mut answers = JoinSet::new();
    for index in 0..48 {
        let (store, end) = (Arc::clone(&ground.store), ends[index % ends.len()]);
        answers.spawn(async move {
            let job = store.write(move |tx| {
                let name = format!("job {index}");
                settings::get_or_insert(tx, &name, b"value")?;
                match end {
                    End::Well => Ok(name),
                    End::Conflict => {
                        let sql = "insert into settings (name, value) values ($1, $2)";
                        tx.execute(sql, &values!["taken", b"after".as_slice()])?;
                        Ok(name)
                    }
                    End::Refusal => Err(StoreError::Unavailable("no".into())),
                    End::Panic => panic!("on purpose"),
                }
            });
            (index, end, job.await)
        });
    }
    eventually("the jobs to queue", async || (ground.store.waiting_writes() == 48).then_some(())).await;
    drop(release);
    assert_eq!(holds.join_all().await, vec![true; writers]);

    let mut expected = BTreeMap::from([("taken".to_owned(), b"before".to_vec())]);
    for (index, end, answer) in answers.join_all().await {
        let name = format!("job {index}");
        match (end, answer) {
            (End::Well, Ok(answered)) => {
                assert_eq!(answered, name);
                expected.insert(name, b"value".to_vec());
            }
            (End::Conflict, Err(StoreError::Conflict)) => {}
            (End::Refusal, Err(StoreError::Unavailable(why))) => assert_eq!(why, "no"),
            (End::Panic, Err(StoreError::Broken(why))) => assert_eq!(why, "a transaction panicked"),
            (end, answer) => panic!("{name} was to end with {end:?}: {answer:?}"),
        }
    }
    assert_eq!(stored(&ground.store).await, expected);
}

async fn a_read_sees_one_snapshot(engine: Engine) {
    let ground = Ground::new(engine);
    let (looked, has_looked) = tokio::sync::oneshot::channel();
    let (go_on, told) = mpsc::channel::<()>();
    let store = Arc::clone(&ground.store);
    let read = tokio::spawn(async move {
        let count = "select count(*) from settings";
        let both = store.read(move |tx| {
            let before: i64 = tx.get(count, &[], |row| row.get(0))?;
            looked.send(()).unwrap();
            told.recv().unwrap();
            Ok((before, tx.get::<i64>(count, &[], |row| row.get(0))?))
        });
        both.await.unwrap()
    });
    has_looked.await.unwrap();
    ground.write(|tx| settings::get_or_insert(tx, "new", b"value")).await;
    go_on.send(()).unwrap();
    assert_eq!(read.await.unwrap(), (0, 0));
    assert_eq!(stored(&ground.store).await.len(), 1);
}

async fn a_reader_cannot_write(engine: Engine) {
    let ground = Ground::new(engine);
    let written = ground.store.read(|tx| settings::get_or_insert(tx, "key", b"value")).await;
    assert!(written.is_err(), "{written:?}");
    assert!(stored(&ground.store).await.is_empty());
}

async fn an_overtaken_transaction_runs_again_where_that_can_help(engine: Engine) {
    let ground = Ground::new(engine);
    // (how often it is overtaken, how often it runs, how that ends): nobody can overtake the one
    // writer of SQLite, so that there the caller is told.
    let cases = match engine {
        Engine::Sqlite => [(0, 1, "Ok(())"), (3, 1, "Err(Retry)"), (99, 1, "Err(Retry)")],
        Engine::Postgres => [
            (0, 1, "Ok(())"),
            (3, 4, "Ok(())"),
            (99, 10, "Err(Unavailable(\"10 tries were overtaken by other transactions\"))"),
        ],
    };
    for (overtaken, runs, outcome) in cases {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let written = ground.store.write(move |tx| {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            // What an overtaken run did must be undone, or the next would not see "fresh".
            let value = settings::get_or_insert(tx, &format!("run {overtaken}"), b"fresh")?;
            assert_eq!(value, b"fresh");
            tx.execute("update settings set value = $1", &values![b"stale".as_slice()])?;
            if run < overtaken { Err(StoreError::Retry) } else { Ok(()) }
        });
        assert_eq!(format!("{:?}", written.await), outcome);
        assert_eq!(count.load(Ordering::SeqCst), runs, "runs when overtaken {overtaken} times");
    }
}

async fn errors_say_what_to_do(engine: Engine) {
    let ground = Ground::new(engine);
    ground.write(|tx| settings::get_or_insert(tx, "key", b"value")).await;
    let failing = [
        ("insert into settings (name, value) values ('key', $1)", "a row with this key already exists"),
        ("insert into nothing (name) values ($1)", "the database and this version disagree"),
    ];
    for (sql, message) in failing {
        let failed = ground.store.write(move |tx| tx.execute(sql, &values![b"x".as_slice()])).await;
        let error = failed.unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let missing = ground.store.read(|tx| {
        tx.get("select value from settings where name = $1", &values!["none"], |row| row.get::<Vec<u8>>(0))
    });
    assert!(matches!(missing.await, Err(StoreError::Broken(_))));
}

async fn null_is_kept_in_every_type(engine: Engine) {
    let ground = Ground::new(engine);
    let row = ground
        .read(|tx| {
            let nulls = values![None::<i64>, None::<&str>, None::<&[u8]>];
            tx.get("select cast($1 as bigint), cast($2 as text), $3", &nulls, |row| {
                Ok((
                    row.get::<Option<i64>>(0)?,
                    row.get::<Option<String>>(1)?,
                    row.get::<Option<Vec<u8>>>(2)?,
                ))
            })
        })
        .await;
    assert_eq!(row, (None, None, None));
}

/// Two transactions that wait for each other's row: the server ends one, which runs again.
#[tokio::test]
async fn a_deadlock_ends_with_both_transactions_done() {
    let ground = Ground::new(Engine::Postgres);
    for name in ["a", "b"] {
        ground.write(move |tx| settings::get_or_insert(tx, name, b"")).await;
    }
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let mut both = JoinSet::new();
    for names in [["a", "b"], ["b", "a"]] {
        let (store, barrier) = (Arc::clone(&ground.store), Arc::clone(&barrier));
        both.spawn(async move {
            let mut is_first_run = true;
            let job = store.write(move |tx| {
                for name in names {
                    tx.execute(
                        "update settings set value = value || $2 where name = $1",
                        &values![name, b"x".as_slice()],
                    )?;
                    if std::mem::take(&mut is_first_run) {
                        barrier.wait();
                    }
                }
                Ok(())
            });
            job.await
        });
    }
    for done in both.join_all().await {
        done.unwrap();
    }
    let twice = b"xx".to_vec();
    assert_eq!(
        stored(&ground.store).await,
        BTreeMap::from([("a".into(), twice.clone()), ("b".into(), twice)])
    );
}

/// A connection that the server ends costs the transaction on it, and no other.
#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let ground = Ground::new(Engine::Postgres);
    for round in 0..4 {
        let ended = ground
            .store
            .write(|tx| tx.query("select pg_terminate_backend(pg_backend_pid())", &[], |_| Ok(())).map(drop));
        let error = ended.await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        for write in 0..8 {
            let name = format!("write {round} {write}");
            ground.write(move |tx| settings::get_or_insert(tx, &name, b"value")).await;
        }
    }
    assert_eq!(stored(&ground.store).await.len(), 32);
}

async fn a_database_is_as_large_as_what_is_in_it(engine: Engine) {
    const ADDED: usize = 1_000_000;
    let ground = Ground::new(engine);
    let before = ground.read(database_bytes).await;
    // Random, so that no engine makes less of it.
    let noise: Vec<u8> = std::iter::repeat_with(rand::random).take(ADDED).collect();
    ground.write(move |tx| settings::get_or_insert(tx, "noise", &noise).map(drop)).await;
    let grown = ground.read(database_bytes).await - before;
    assert!((ADDED as i64..2 * ADDED as i64).contains(&grown), "{grown}");
}

async fn whether_it_is_ready_is_asked_once_in_a_moment(engine: Engine) {
    let ground = Ground::new(engine);
    tally::begin();
    tally::take();
    let begun = tokio::time::Instant::now();
    for _ in 0..30 {
        let many = (0..100).map(|_| ground.store.check_ready());
        assert!(join_all(many).await.iter().all(Result::is_ok));
    }
    let counts = tally::take();
    let runs = |begin: &str| {
        counts.iter().filter(|(sql, _)| sql.starts_with(begin)).map(|(_, count)| count.runs).sum::<u64>()
    };
    let (reads, writes) = (runs("select 1"), runs("insert into settings"));
    let most = 2 + begun.elapsed().as_secs();
    assert!((1..=most).contains(&writes) && reads <= most, "{reads} reads and {writes} writes of 3000");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_by_postgresql() {
    let (metrics, ground) = (metrics_handle(), Ground::new(Engine::Postgres));
    let slow = ground.store.read(|tx| tx.query("select pg_sleep(60)", &[], |_| Ok(())).map(drop));
    let error = slow.await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(said) if said.contains("timeout")), "{error:?}");
    assert!(reached(&metrics.render(), Limit::DatabaseStatement) > 0);
    ground.read(ping).await;
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for_so_long() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dregs.db");
    let store = Store::open(&Location::File(path.clone()), at(0)).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let put = |value: &'static [u8]| store.write(move |tx| settings::put(tx, "key", value));
    let begun = tokio::time::Instant::now();
    let error = put(b"first").await.unwrap_err();
    assert!(begun.elapsed() >= BUSY_TIMEOUT, "{:?}", begun.elapsed());
    let said = "another process has the database file locked for writing";
    assert!(matches!(&error, StoreError::Unavailable(why) if why == said), "{error:?}");
    other.execute_batch("rollback").unwrap();
    put(b"second").await.unwrap();
}

#[test]
fn a_sqlite_database_that_was_closed_is_one_file() {
    for _ in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(&Location::File(folder.path().join("dregs.db")), at(0)).unwrap());
        let files: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["dregs.db"]);
    }
}
