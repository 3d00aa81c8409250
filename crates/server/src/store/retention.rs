//! How long rows are kept, by team; which have been kept that long; and what remains of events that are gone.

use dregs_core::event::Event;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::deliveries::Status;
use super::sql::with_shards;
use super::{Result, Row, StoreError, Tx, codec, escalations};
use crate::values;

/// What has a period. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Events = 1,
    Analyses = 2,
    /// With what they tell of, other than analyses.
    Deliveries = 3,
    AuditLog = 4,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Events, Self::Analyses, Self::Deliveries, Self::AuditLog];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Analyses => "analyses",
            Self::Deliveries => "deliveries",
            Self::AuditLog => "auditLog",
        }
    }

    fn from_code(code: i64) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| *kind as i64 == code);
        kind.ok_or_else(|| StoreError::Broken(format!("{code} is nothing that is kept for a time")))
    }
}

/// For how many days rows of a kind are kept; `None` stands for ever.
pub type Period = (Kind, Option<i64>);

/// Every team, with each period that it has said, or none.
pub fn periods(tx: &mut Tx) -> Result<Vec<(i64, Option<Period>)>> {
    let sql =
        "select t.id, r.kind, r.days from teams t left join retention r on r.team_id = t.id order by t.id";
    tx.query(sql, &[], |row| {
        let kind: Option<i64> = row.get(1)?;
        let days = row.get(2)?;
        Ok((row.get(0)?, kind.map(|kind| Ok::<_, StoreError>((Kind::from_code(kind)?, days))).transpose()?))
    })
}

/// Has rows of a team kept for so many days, or for ever.
pub fn set(tx: &mut Tx, team_id: i64, kind: Kind, days: Option<i64>) -> Result<()> {
    tx.execute(
        "insert into retention (team_id, kind, days) values ($1, $2, $3)
         on conflict (team_id, kind) do update set days = excluded.days",
        &values![team_id, kind as i64, days],
    )?;
    Ok(())
}

/// Up to when rows of a team are gone, by kind.
pub fn forgotten(tx: &mut Tx, team_id: i64) -> Result<Vec<(Kind, Timestamp)>> {
    tx.query("select kind, until from forgotten where team_id = $1 order by kind", &values![team_id], |row| {
        Ok((Kind::from_code(row.get(0)?)?, row.time(1)?))
    })
}

/// Notes up to when rows of teams are gone. Whoever else forgets rows of them waits until this transaction ends, so
/// that no event is folded twice. Each team must stand here only once.
pub fn forget_until(tx: &mut Tx, kind: Kind, teams: &[(i64, Timestamp)]) -> Result<()> {
    let rows: Vec<_> = teams.iter().map(|(team, until)| values![*team, kind as i64, *until]).collect();
    tx.execute_rows(
        "insert into forgotten (team_id, kind, until) values {rows}
         on conflict (team_id, kind) do update set until =
           case when excluded.until > forgotten.until then excluded.until else forgotten.until end",
        &rows,
    )?;
    Ok(())
}

/// A row that may have been kept long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    pub id: i64,
    pub team_id: i64,
    /// When it was made.
    pub at: Timestamp,
    /// Of whom it tells, where that matters.
    pub identity_id: Option<i64>,
    /// Whether it stays though its time has come.
    pub is_needed: bool,
}

fn old(row: &Row) -> Result<Old> {
    let (id, team_id, at, identity_id) = (row.get(0)?, row.get(1)?, row.time(2)?, row.get(3)?);
    Ok(Old { id, team_id, at, identity_id, is_needed: row.flag(4)? })
}

/// Up to `limit` events after the row `after`, in the order in which they arrived.
pub fn events_after(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Old>> {
    let sql = "select id, team_id, received_at, identity_id, cast(0 as bigint)
         from events where id > $1 order by id limit $2";
    tx.query(sql, &values![after, limit], old)
}

// A delivery is made in the transaction of what it tells of, and has its time: so it is found by its channel and that
// time, in this order, which `cross join` says to SQLite.

/// Up to `limit` analyses after the row `after`, in order. Needed are an identity's newest, those that deliveries tell
/// of, and the one by which an escalation was opened that is not closed. Of those from `young` on that is not looked at.
pub fn analyses_after(tx: &mut Tx, after: i64, limit: i64, young: Timestamp) -> Result<Vec<Old>> {
    let sql = format!(
        "select a.id, i.team_id, a.finished_at, a.identity_id, cast(case when a.finished_at >= $3
             or i.cycle = a.sequence
             or exists (select 1 from channels c cross join deliveries d
               where c.team_id = i.team_id and d.channel_id = c.id and d.created_at = a.finished_at
                 and d.shard = a.shard and d.identity_id = a.identity_id and d.sequence = a.sequence)
             or exists (select 1 from escalations e where e.shard = a.shard and e.identity_id = a.identity_id and e.status <> {closed}
               and e.opened_at >= a.finished_at and e.opened_at < (select n.finished_at from analyses n
                 where n.shard = a.shard and n.identity_id = a.identity_id and n.sequence > a.sequence order by n.sequence limit 1))
           then 1 else 0 end as bigint)
         from analyses a join identities i on i.shard = a.shard and i.id = a.identity_id where a.id > $1 order by a.id limit $2",
        closed = escalations::Status::Closed as i64,
    );
    tx.query(&sql, &values![after, limit, young], old)
}

/// The identities of which messages other than those about analyses still wait to be sent.
pub fn told_of_soon(tx: &mut Tx, team_id: i64) -> Result<Vec<i64>> {
    let sql = "select distinct d.identity_id from channels c
         join deliveries d on d.channel_id = c.id and d.next_attempt_at is not null
         where c.team_id = $1 and d.notification_id is not null and d.identity_id is not null";
    tx.query(sql, &values![team_id], |row| row.get(0))
}

/// Up to `limit` notifications after the row `after`, in order. Needed are those that deliveries tell of. Of those from
/// `young` on that is not looked at.
pub fn notifications_after(tx: &mut Tx, after: i64, limit: i64, young: Timestamp) -> Result<Vec<Old>> {
    let sql = "select n.id, n.team_id, n.occurred_at, n.identity_id, cast(case when n.occurred_at >= $3
             or exists (select 1 from channels c cross join deliveries d
               where c.team_id = n.team_id and d.channel_id = c.id and d.created_at = n.occurred_at
                 and d.shard = n.shard and d.notification_id = n.id)
           then 1 else 0 end as bigint)
         from notifications n where n.id > $1 order by n.id limit $2";
    tx.query(sql, &values![after, limit, young], old)
}

/// Up to `limit` entries of the audit log after the row `after`, in order.
pub fn entries_after(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Old>> {
    let sql = "select id, team_id, at, cast(null as bigint), cast(0 as bigint)
         from audit_log where id > $1 order by id limit $2";
    tx.query(sql, &values![after, limit], old)
}

/// What deliveries can have come to; those that are pending stay.
const FINISHED: [Status; 3] = [Status::Delivered, Status::Failed, Status::Superseded];

const FINISHED_BEFORE: &str = "from channels c
     join deliveries d on d.channel_id = c.id and d.status = $2 and d.created_at < $3
     where c.team_id = $1 limit $4";

/// Up to `limit` deliveries of a team that were made before a time and are not pending: (row, when). Nobody can have
/// them sent again until this transaction ends.
pub fn finished(tx: &mut Tx, team_id: i64, before: Timestamp, limit: i64) -> Result<Vec<(i64, Timestamp)>> {
    let sql = format!("select d.id {FINISHED_BEFORE}");
    let mut found = Vec::new();
    for status in FINISHED {
        let left = limit - i64::try_from(found.len()).unwrap_or(limit);
        let ids = tx.query(&sql, &values![team_id, status as i64, before, left], |row| row.get::<i64>(0))?;
        let rows: Vec<_> = ids.iter().map(|id| values![shard::of(*id), *id, status as i64]).collect();
        let lock = tx.dialect("", " for update of d skip locked");
        let hold = format!(
            "with v (shard, id, status) as (values {{rows}})
             select d.id, d.created_at from v join deliveries d
               on d.shard = v.shard and d.id = v.id and d.status = v.status{lock}"
        );
        found.extend(tx.query_rows(&hold, &rows, |row| Ok((row.get(0)?, row.time(1)?)))?);
    }
    Ok(found)
}

/// How many such deliveries there are, counted up to `limit`.
pub fn count_finished(tx: &mut Tx, team_id: i64, before: Timestamp, limit: i64) -> Result<i64> {
    let sql = format!("select count(*) from (select 1 {FINISHED_BEFORE}) found");
    let mut count = 0;
    for status in FINISHED {
        let values = values![team_id, status as i64, before, limit - count];
        count += tx.get(&sql, &values, |row| row.get::<i64>(0))?;
    }
    Ok(count)
}

/// An event about to be forgotten.
pub struct Forgotten {
    pub id: i64,
    pub team_id: i64,
    pub identity_id: Option<i64>,
    pub event: Event,
}

/// The events with these row ids, in the order in which they arrived; one that is gone is left out.
pub fn events(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Forgotten>> {
    let mut found = tx.query_rows(
        "with v (shard, id) as (values {rows})
         select e.id, e.team_id, e.identity_id, e.timestamp, e.detail
         from v join events e on e.shard = v.shard and e.id = v.id",
        &with_shards(ids),
        |row| {
            let mut event: Event = codec::unpack(&row.get::<Vec<u8>>(4)?)?;
            event.timestamp = row.time(3)?;
            Ok(Forgotten { id: row.get(0)?, team_id: row.get(1)?, identity_id: row.get(2)?, event })
        },
    )?;
    found.sort_unstable_by_key(|forgotten| forgotten.id);
    Ok(found)
}

/// What the events of an identity told that are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// The last of them; 0 where none is.
    pub event_id: i64,
    pub state: Vec<u8>,
}

/// What is folded of an identity.
pub fn folded(tx: &mut Tx, identity_id: i64) -> Result<Option<Folded>> {
    let sql = "select event_id, state from folded_events where shard = $2 and identity_id = $1";
    let key = values![identity_id, shard::of(identity_id)];
    tx.find(sql, &key, |row| Ok(Folded { event_id: row.get(0)?, state: row.get(1)? }))
}

/// What is folded of these identities; one that was deleted is absent, and the others cannot be deleted until this
/// transaction ends.
pub fn hold_folded(tx: &mut Tx, identity_ids: &[i64]) -> Result<Vec<(i64, Folded)>> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select i.id, f.event_id, f.state from v join identities i on i.shard = v.shard and i.id = v.id
         left join folded_events f on f.shard = i.shard and f.identity_id = i.id{}",
        tx.dialect("", " for key share of i"),
    );
    tx.query_rows(&sql, &with_shards(identity_ids), |row| {
        let (event_id, state): (Option<i64>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
        let folded = event_id.zip(state).map(|(event_id, state)| Folded { event_id, state });
        Ok((row.get(0)?, folded.unwrap_or_default()))
    })
}

pub fn put_folded(tx: &mut Tx, folded: &[(i64, Folded)]) -> Result<()> {
    let rows: Vec<_> = folded
        .iter()
        .map(|(id, folded)| values![shard::of(*id), *id, folded.event_id, &folded.state])
        .collect();
    tx.execute_rows(
        "insert into folded_events (shard, identity_id, event_id, state) values {rows}
         on conflict (identity_id, shard) do update set event_id = excluded.event_id, state = excluded.state",
        &rows,
    )?;
    Ok(())
}

pub fn remove_folded(tx: &mut Tx, identity_id: i64) -> Result<()> {
    let key = values![identity_id, shard::of(identity_id)];
    tx.execute("delete from folded_events where shard = $2 and identity_id = $1", &key)?;
    Ok(())
}

pub fn remove_analyses(tx: &mut Tx, ids: &[i64]) -> Result<u64> {
    remove(tx, "analyses", ids)
}

pub fn remove_notifications(tx: &mut Tx, ids: &[i64]) -> Result<u64> {
    remove(tx, "notifications", ids)
}

pub fn remove_entries(tx: &mut Tx, ids: &[i64]) -> Result<u64> {
    let rows: Vec<_> = ids.iter().map(|id| values![*id]).collect();
    tx.execute_rows(
        "with v (id) as (values {rows}) delete from audit_log where id in (select id from v)",
        &rows,
    )
}

fn remove(tx: &mut Tx, table: &str, ids: &[i64]) -> Result<u64> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}}) delete from {table} where (id, shard) in (select id, v.shard from v)"
    );
    tx.execute_rows(&sql, &with_shards(ids))
}
