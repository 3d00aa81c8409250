//! Events: what applications sent, kept whole.

use dregs_core::event::Event;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::{Result, StoreError, Tx, codec};
use crate::values;

/// Events among which those of one team are looked for, so that a quiet one has not all others read.
const AMONG_NEWEST: i64 = 100_000;

/// An event about to be stored.
pub struct NewEvent {
    /// Of its identity, or else of its device.
    pub shard: i64,
    pub team_id: i64,
    pub identity_id: Option<i64>,
    pub external_id: Vec<u8>,
    pub timestamp: Timestamp,
    pub received_at: Timestamp,
    /// Of its name; none where a team has too many names.
    pub name_id: Option<i64>,
    pub device_id: Option<i64>,
    /// The session's hash.
    pub session: Option<i64>,
    pub detail: Vec<u8>,
}

/// The parts of `event` that its row keeps compressed; id and time have columns of their own.
pub fn detail(event: &Event) -> Result<Vec<u8>> {
    let mut stripped = event.clone();
    stripped.id.clear();
    stripped.timestamp = Timestamp::default();
    codec::pack(codec::Kind::EventOrAttempt, &stripped)
}

/// An event that is stored already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEvent {
    pub team_id: i64,
    pub external_id: Vec<u8>,
    pub fingerprint: Option<String>,
}

/// Which of these (shard, team, packed id) are stored already. Where tables are spread, a shard is looked at alone: a
/// client that tries again sends the same identity.
pub fn find_known(tx: &mut Tx, keys: &[(i64, i64, &[u8])]) -> Result<Vec<KnownEvent>> {
    let rows: Vec<_> = keys.iter().map(|(shard, team, id)| values![*shard, *team, *id]).collect();
    let of_shard = if tx.is_spread() { "and e.shard = v.shard" } else { "" };
    tx.query_rows(
        &format!(
            "with v (shard, team_id, external_id) as (values {{rows}})
             select e.team_id, e.external_id, e.detail
             from v join events e on e.team_id = v.team_id and e.external_id = v.external_id {of_shard}"
        ),
        &rows,
        |row| {
            let event: Event = codec::unpack(&row.get::<Vec<u8>>(2)?)?;
            Ok(KnownEvent { team_id: row.get(0)?, external_id: row.get(1)?, fingerprint: event.fingerprint })
        },
    )
}

/// Stores events. The rows of one identity get ids in the order of `events`; since its row is
/// guarded by a version, that is also the order in which they were folded into its state. The answer
/// gives (team, packed id, row id).
///
/// # Errors
/// [`StoreError::Retry`] when one of the ids has been stored meanwhile.
pub fn insert(tx: &mut Tx, events: &[NewEvent]) -> Result<Vec<(i64, Vec<u8>, i64)>> {
    let rows: Vec<_> = events
        .iter()
        .map(|e| {
            values![
                e.shard,
                e.team_id,
                &e.external_id,
                e.identity_id,
                e.timestamp,
                e.received_at,
                e.name_id,
                e.device_id,
                e.session,
                &e.detail
            ]
        })
        .collect();
    let inserted = tx.query_rows(
        "insert into events (id, shard, team_id, external_id, identity_id, timestamp, received_at, name_id,
           device_id, session, detail)
         values {new rows} on conflict do nothing returning team_id, external_id, id",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if inserted.len() == events.len() { Ok(inserted) } else { Err(StoreError::Retry) }
}

/// Up to `limit` different sessions of an identity, by their hashes.
pub fn sessions(tx: &mut Tx, identity_id: i64, limit: i64) -> Result<Vec<i64>> {
    tx.query(
        "select distinct session from events
         where shard = $3 and identity_id = $1 and session is not null limit $2",
        &values![identity_id, limit, shard::of(identity_id)],
        |row| row.get(0),
    )
}

/// Up to `limit` events of a team's identities after the row `after`, in the order they arrived; those of
/// disregarded identities are left out.
pub fn of_team(tx: &mut Tx, team_id: i64, after: i64, limit: i64) -> Result<Vec<(i64, Event)>> {
    tx.query(
        "select e.id, e.external_id, e.timestamp, e.detail from events e
         join identities i on i.shard = e.shard and i.id = e.identity_id
         where e.team_id = $1 and e.id > $2 and i.disregarded = 0 order by e.id limit $3",
        &values![team_id, after, limit],
        read,
    )
}

/// An event as it arrived.
#[derive(Clone)]
pub struct Arrived {
    pub row: i64,
    pub identity_id: Option<i64>,
    pub received_at: Timestamp,
    pub event: Event,
}

/// Up to `limit` events of a team after the row `after`, in the order they arrived, those of nobody among them; those of
/// disregarded identities are left out.
pub fn arrived(tx: &mut Tx, team_id: i64, after: i64, limit: i64) -> Result<Vec<Arrived>> {
    tx.query(
        "select e.id, e.external_id, e.timestamp, e.detail, e.identity_id, e.received_at from events e
         left join identities i on i.shard = e.shard and i.id = e.identity_id
         where e.team_id = $1 and e.id > $2 and (i.disregarded = 0 or e.identity_id is null) order by e.id limit $3",
        &values![team_id, after, limit],
        |row| {
            let (identity_id, received_at) = (row.get(4)?, row.time(5)?);
            let (row, event) = read(row)?;
            Ok(Arrived { row, identity_id, received_at, event })
        },
    )
}

/// Up to `limit` events of an identity after the row `after`, in the order they were folded.
pub fn of_identity(tx: &mut Tx, identity_id: i64, after: i64, limit: i64) -> Result<Vec<(i64, Event)>> {
    tx.query(
        "select id, external_id, timestamp, detail from events
         where shard = $4 and identity_id = $1 and id > $2 order by id limit $3",
        &values![identity_id, after, limit, shard::of(identity_id)],
        read,
    )
}

/// The newest `limit` events of an identity after the row `after`, in the order they were folded.
pub fn newest_of_identity(tx: &mut Tx, identity_id: i64, after: i64, limit: i64) -> Result<Vec<Received>> {
    let newest = tx.query(
        "select id, external_id, timestamp, detail, received_at from events
         where shard = $4 and identity_id = $1 and id > $2 order by id desc limit $3",
        &values![identity_id, after, limit, shard::of(identity_id)],
        read_received,
    )?;
    Ok(newest.into_iter().rev().collect())
}

/// The newest `limit` events of a team among the newest of all, newest first, each with its row.
pub fn newest_of_team(tx: &mut Tx, team_id: i64, limit: i64) -> Result<Vec<(i64, Event)>> {
    // Rows grow with time, by the number of shards each.
    let since = last_number(tx)? - AMONG_NEWEST * shard::SHARDS;
    tx.query(
        "select id, external_id, timestamp, detail from events
         where team_id = $1 and id > $2 order by id desc limit $3",
        &values![team_id, since, limit],
        read,
    )
}

/// The latest `limit` events with the name of this number, by when they happened, each with its row. An index has them in
/// this order.
pub fn latest_named(tx: &mut Tx, name_id: i64, limit: i64) -> Result<Vec<(i64, Event)>> {
    tx.query(
        "select id, external_id, timestamp, detail from events
         where name_id = $1 order by timestamp desc, id desc limit $2",
        &values![name_id, limit],
        read,
    )
}

/// The row of the newest event; 0 where there is none.
pub fn last_number(tx: &mut Tx) -> Result<i64> {
    let newest = tx.find("select id from events order by id desc limit 1", &[], |row| row.get(0))?;
    Ok(newest.unwrap_or(0))
}

/// An event, and when it was received.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub id: i64,
    pub received_at: Timestamp,
    pub event: Event,
}

fn read_received(row: &super::Row) -> Result<Received> {
    let (id, event) = read(row)?;
    Ok(Received { id, received_at: row.time(4)?, event })
}

/// As [`of_identity`], with when they were received.
pub fn received_of_identity(tx: &mut Tx, identity_id: i64, after: i64, limit: i64) -> Result<Vec<Received>> {
    tx.query(
        "select id, external_id, timestamp, detail, received_at from events
         where shard = $4 and identity_id = $1 and id > $2 order by id limit $3",
        &values![identity_id, after, limit, shard::of(identity_id)],
        read_received,
    )
}

/// Looks at up to `limit` events of a team after a time and the row there, by their times. The answer has those that are
/// of no identity, and the last time and row that were looked at; none at the end.
#[expect(clippy::type_complexity, reason = "a page and where it ends")]
pub fn of_nobody(
    tx: &mut Tx,
    team_id: i64,
    after: (Timestamp, i64),
    limit: i64,
) -> Result<(Vec<Received>, Option<(Timestamp, i64)>)> {
    let mut last = None;
    let found = tx.query(
        "select id, case when identity_id is null then external_id end, timestamp,
           case when identity_id is null then detail end, received_at
         from events where team_id = $1 and (timestamp, id) > ($2, $3) order by timestamp, id limit $4",
        &values![team_id, after.0, after.1, limit],
        |row| {
            last = Some((row.time(2)?, row.get(0)?));
            let is_of_nobody = row.get::<Option<Vec<u8>>>(3)?.is_some();
            if is_of_nobody { read_received(row).map(Some) } else { Ok(None) }
        },
    )?;
    Ok((found.into_iter().flatten().collect(), last))
}

/// An event of an identity, and since when that was known before it.
pub struct Newest {
    pub id: i64,
    pub team_id: i64,
    pub identity_row: i64,
    pub known_since: Option<Timestamp>,
    pub event: Event,
}

/// The newest `limit` events of all teams, those of identities only, in the order in which they arrived.
pub fn newest(tx: &mut Tx, limit: i64) -> Result<Vec<Newest>> {
    let rows = tx.query(
        "select e.id, e.external_id, e.timestamp, e.detail, e.team_id, e.received_at, i.created_at, i.id
         from events e join identities i on i.shard = e.shard and i.id = e.identity_id
         order by e.id desc limit $1",
        &values![limit],
        |row| {
            let (received_at, created_at) = (row.time(5)?, row.time(6)?);
            let known_since = (created_at < received_at).then_some(created_at);
            let (team_id, identity_row) = (row.get(4)?, row.get(7)?);
            let (id, event) = read(row)?;
            Ok(Newest { id, team_id, identity_row, known_since, event })
        },
    )?;
    Ok(rows.into_iter().rev().collect())
}

fn read(row: &super::Row) -> Result<(i64, Event)> {
    let mut event: Event = codec::unpack(&row.get::<Vec<u8>>(3)?)?;
    event.id = codec::unpack_id(&row.get::<Vec<u8>>(1)?);
    event.timestamp = row.time(2)?;
    Ok((row.get(0)?, event))
}
