//! Identities: the users of an application, their state and their scores.

use dregs_core::label::Verdict;
use dregs_core::score::Scores;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::claims::Due;
use super::spread::{self, Rows};
use super::sql::{in_order_of, scores, with_shards};
use super::{Result, Row, StoreError, Tx, Value};
use crate::trace::context::{Causes, Context};
use crate::values;

/// What ingest needs of an identity it has seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    pub id: i64,
    pub team_id: i64,
    pub external_id: String,
    /// Grows with every change and every cycle: a cycle that ends meanwhile takes the due mark off,
    /// and a write that went by the mark it read would leave a lease that nobody holds.
    pub version: i64,
    pub last_scored_at: Option<Timestamp>,
    pub evaluate_at: Option<Timestamp>,
    pub state: Vec<u8>,
    pub data: String,
    pub disregarded: bool,
    /// The traced events that its next cycle follows from, the newest first.
    pub trace: Causes,
}

/// An identity as ingest leaves it.
pub struct TrackedWrite {
    /// The row and the version that was read; `None` for an identity seen for the first time.
    pub row: Option<(i64, i64)>,
    pub shard: i64,
    pub team_id: i64,
    pub external_id: String,
    pub tracked_at: Timestamp,
    /// The earlier of now and of its first event; what is stored never moves on.
    pub first_seen_at: Timestamp,
    pub evaluate_at: Timestamp,
    pub display_name: Option<String>,
    pub display_email: Option<String>,
    pub display_username: Option<String>,
    pub state: Vec<u8>,
    pub data: String,
    /// As in [`Tracked`].
    pub trace: Causes,
}

/// Reads the identities with these (shard, team, external id); those not seen before are absent.
pub fn load_tracked(tx: &mut Tx, keys: &[(i64, i64, &str)]) -> Result<Vec<Tracked>> {
    let rows: Vec<_> = keys.iter().map(|(shard, team, id)| values![*shard, *team, *id]).collect();
    tx.query_rows(
        "with v (shard, team_id, external_id) as (values {rows})
         select i.id, i.team_id, i.external_id, i.version + i.sequence, i.last_scored_at, i.evaluate_at,
           i.state, i.data, i.disregarded, i.trace
         from v join identities i
           on i.team_id = v.team_id and i.external_id = v.external_id and i.shard = v.shard",
        &rows,
        read_tracked,
    )
}

/// The same of one identity, whose shard the caller need not know.
pub fn tracked(tx: &mut Tx, team_id: i64, external_id: &str) -> Result<Option<Tracked>> {
    let sql = "select id, team_id, external_id, version + sequence, last_scored_at, evaluate_at, state, data,
           disregarded, trace from identities where team_id = $1 and external_id = $2";
    tx.find(sql, &values![team_id, external_id], read_tracked)
}

fn read_tracked(row: &Row) -> Result<Tracked> {
    Ok(Tracked {
        id: row.get(0)?,
        team_id: row.get(1)?,
        external_id: row.get(2)?,
        version: row.get(3)?,
        last_scored_at: row.optional_time(4)?,
        evaluate_at: row.optional_time(5)?,
        state: row.get(6)?,
        data: row.get(7)?,
        disregarded: row.flag(8)?,
        trace: causes(row, 9)?,
    })
}

fn causes(row: &Row, index: usize) -> Result<Causes> {
    Ok(Causes::from_bytes(row.get::<Option<Vec<u8>>>(index)?.as_deref()))
}

/// Writes identities after their events were folded in; the answer gives (team, external id, id)
/// of those seen for the first time.
///
/// # Errors
/// [`StoreError::Retry`] when one of them has changed since it was read.
pub fn save_tracked(tx: &mut Tx, writes: &[TrackedWrite]) -> Result<Vec<(i64, String, i64)>> {
    // In the order of their ids, as everybody locks them: nobody waits for somebody who waits for them.
    let mut known: Vec<_> = writes.iter().filter_map(|w| Some((w.row?, w))).collect();
    known.sort_unstable_by_key(|((id, _), _)| *id);
    let updates: Vec<_> = known
        .into_iter()
        .map(|((id, version), w)| {
            values![
                w.shard,
                id,
                version,
                w.tracked_at,
                w.first_seen_at,
                w.evaluate_at,
                &w.display_name,
                &w.display_email,
                &w.display_username,
                &w.state,
                &w.data,
                w.trace.as_bytes(),
            ]
        })
        .collect();
    let updated = tx.execute_rows(
        "with v (shard, id, version, tracked_at, first_seen_at, evaluate_at, name, email, username, state, data, trace) as (values {rows})
         update identities set version = identities.version + 1, updated_at = v.tracked_at,
           last_tracked_at = v.tracked_at, first_seen_at = case when v.first_seen_at < identities.first_seen_at
             then v.first_seen_at else identities.first_seen_at end, evaluate_at = v.evaluate_at, display_name = v.name,
           display_email = v.email, display_username = v.username, state = v.state, data = v.data, trace = v.trace
         from v where identities.shard = v.shard and identities.id = v.id
           and identities.version + identities.sequence = v.version",
        &updates,
    )?;
    let inserts: Vec<_> = writes
        .iter()
        .filter(|w| w.row.is_none())
        .map(|w| {
            values![
                w.shard,
                w.team_id,
                &w.external_id,
                w.tracked_at,
                w.first_seen_at,
                w.tracked_at,
                w.tracked_at,
                1_i64,
                w.evaluate_at,
                &w.display_name,
                &w.display_email,
                &w.display_username,
                &w.state,
                &w.data,
                w.trace.as_bytes(),
            ]
        })
        .collect();
    let inserted = tx.query_rows(
        "insert into identities (id, shard, team_id, external_id, created_at, first_seen_at, updated_at,
           last_tracked_at, version, evaluate_at, display_name, display_email, display_username, state, data, trace)
         values {new rows} on conflict do nothing returning team_id, external_id, id",
        &inserts,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if updated != updates.len() as u64 || inserted.len() != inserts.len() {
        return Err(StoreError::Retry);
    }
    Ok(inserted)
}

/// Changes an identity that no event has changed; whoever calls marks it as changed. `names` are its
/// name, e-mail address and username.
///
/// # Errors
/// [`StoreError::Retry`] when it has changed since `version` was read.
pub fn change(
    tx: &mut Tx,
    id: i64,
    version: i64,
    disregarded: bool,
    data: &str,
    names: [&Option<String>; 3],
    now: Timestamp,
) -> Result<()> {
    let [name, email, username] = names;
    let changed = tx.execute(
        "update identities set disregarded = $3, data = $4, display_name = $5, display_email = $6,
           display_username = $7, updated_at = $8
         where shard = $9 and id = $1 and version + sequence = $2",
        &values![id, version, disregarded, data, name, email, username, now, shard::of(id)],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Retry) }
}

/// An identity as it is read again after a mapping has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    pub id: i64,
    /// As in [`Tracked`].
    pub version: i64,
    pub state: Vec<u8>,
    pub data: String,
    pub external_id: String,
}

fn walk(tx: &mut Tx, rest: &str, values: &[Value]) -> Result<Vec<Walked>> {
    let sql = format!("select id, version + sequence, state, data, external_id from identities where {rest}");
    tx.query(&sql, values, |row| {
        let (id, version, state) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Walked { id, version, state, data: row.get(3)?, external_id: row.get(4)? })
    })
}

/// Up to `limit` identities of a team after the row `after`, in order.
pub fn after(tx: &mut Tx, team_id: i64, after: i64, limit: i64) -> Result<Vec<Walked>> {
    walk(tx, "id > $1 and team_id = $2 order by id limit $3", &values![after, team_id, limit])
}

/// Up to `limit` identities of a team before the row `before`, the newest first.
pub fn before(tx: &mut Tx, team_id: i64, before: i64, limit: i64) -> Result<Vec<Walked>> {
    walk(tx, "id < $1 and team_id = $2 order by id desc limit $3", &values![before, team_id, limit])
}

/// Up to `limit` identities of a team for whom an agent acts, after the row `after`, in order: (row, standing). No index
/// serves: it walks through the team's identities.
pub fn with_agent(tx: &mut Tx, team_id: i64, after: i64, limit: i64) -> Result<Vec<(i64, String)>> {
    tx.query(
        "select id, standing from identities
         where id > $1 and team_id = $2 and standing like '%\"agent\":{%' order by id limit $3",
        &values![after, team_id, limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// What an identity is called from now on.
pub struct Renamed {
    pub id: i64,
    /// As it was read.
    pub version: i64,
    pub name: Option<String>,
    pub email: Option<String>,
    pub username: Option<String>,
}

/// Writes what identities are called. One that has changed meanwhile is left alone.
pub fn rename(tx: &mut Tx, renamed: &[Renamed]) -> Result<()> {
    let rows: Vec<_> = renamed
        .iter()
        .map(|to| values![shard::of(to.id), to.id, to.version, &to.name, &to.email, &to.username])
        .collect();
    tx.execute_rows(
        "with v (shard, id, version, name, email, username) as (values {rows})
         update identities set display_name = v.name, display_email = v.email, display_username = v.username
         from v where identities.shard = v.shard and identities.id = v.id and identities.version + identities.sequence = v.version",
        &rows,
    )?;
    Ok(())
}

/// Takes up to `limit` identities whose cycle is due and leases them.
pub fn claim_due(tx: &mut Tx, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<i64>> {
    claim_by(tx, "evaluate_at", now, lease_until, limit)
}

/// Takes identities that are due by `column`, and moves that to the end of a lease.
fn claim_by(
    tx: &mut Tx,
    column: &'static str,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<i64>> {
    let due = Rows { table: "identities", condition: format!("{column} <= $1"), order: column };
    spread::take(tx, &due, &values![now], limit, |tx, shard, limit| {
        let within = spread::within(shard, 4);
        let sql = format!(
            "update identities set {column} = $2
             where id in (with due as materialized (select id from identities where {column} <= $1{within}
                            order by {column} limit $3{}) select id from due){within}
             returning id",
            tx.skip_locked(),
        );
        tx.query(&sql, &spread::with_shard(values![now, lease_until, limit], shard), |row| row.get(0))
    })
}

/// Ends the leases of identities that were taken and not scored: they are due as they were.
pub fn give_back(tx: &mut Tx, dues: &[Due]) -> Result<()> {
    let rows: Vec<_> =
        dues.iter().map(|due| values![shard::of(due.identity_id), due.identity_id, due.at]).collect();
    tx.execute_rows(
        "with v (shard, id, due) as (values {rows})
         update identities set evaluate_at = v.due
         from v where identities.shard = v.shard and identities.id = v.id and identities.evaluate_at is not null",
        &rows,
    )?;
    Ok(())
}

/// Makes every lease end now: right only where no other process works on this store.
pub fn release_leases(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    tx.execute("update identities set evaluate_at = $1 where evaluate_at > $1", &values![now])
}

/// Makes leases that end within a span end now: of which nobody knows whether they are held.
pub fn end_leases(tx: &mut Tx, (first, last): (Timestamp, Timestamp), now: Timestamp) -> Result<u64> {
    let sql =
        "update identities set evaluate_at = $1 where evaluate_at between $2 and $3 and evaluate_at > $1";
    tx.execute(sql, &values![now, first, last])
}

/// Has what is due later than `now` be due so many milliseconds earlier, since a clock was put back.
pub fn advance(tx: &mut Tx, millis: i64, now: Timestamp) -> Result<()> {
    for column in ["evaluate_at", "decide_at"] {
        let sql = format!(
            "update identities set {column} = case when {column} - $1 > $2 then {column} - $1 else $2 end where {column} > $2"
        );
        tx.execute(&sql, &values![millis, now])?;
    }
    Ok(())
}

/// How many identities wait for a cycle, or to be marked for one, and since when the longest has been due.
pub fn waiting(tx: &mut Tx) -> Result<(i64, Option<Timestamp>)> {
    let sql = "select count(*) + (select count(*) from due_marks), min(evaluate_at) from identities
         where evaluate_at is not null";
    tx.get(sql, &[], |row| Ok((row.get(0)?, row.optional_time(1)?)))
}

/// What a cycle starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleStart {
    pub id: i64,
    pub team_id: i64,
    pub external_id: String,
    pub version: i64,
    pub sequence: i64,
    pub previous: Option<Scores>,
    pub disregarded: bool,
    pub state: Vec<u8>,
    pub data: String,
    /// As [`dregs_core::rules::Standing::encode`] wrote it.
    pub standing: Option<String>,
    /// The earlier of when its row was made and of its first event.
    pub first_seen_at: Timestamp,
    /// Whether a cycle of it is waited for, or under way.
    pub is_due: bool,
    /// As in [`Tracked`].
    pub trace: Causes,
    /// The cycle whose rules wait for a delay, if it is traced.
    pub decide_trace: Option<Context>,
}

/// The states of identities, as they are stored.
pub fn states(tx: &mut Tx, ids: &[i64]) -> Result<Vec<(i64, Vec<u8>)>> {
    tx.query_rows(
        "with v (shard, id) as (values {rows})
         select i.id, i.state from v join identities i on i.shard = v.shard and i.id = v.id",
        &with_shards(ids),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The standings of identities, as they are stored; nobody who has none.
pub fn standings(tx: &mut Tx, ids: &[i64]) -> Result<Vec<(i64, String)>> {
    tx.query_rows(
        "with v (shard, id) as (values {rows}) select i.id, i.standing
         from v join identities i on i.shard = v.shard and i.id = v.id where i.standing is not null",
        &with_shards(ids),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Reads the identities with these row ids.
pub fn load_cycle_starts(tx: &mut Tx, ids: &[i64]) -> Result<Vec<CycleStart>> {
    tx.query_rows(
        "with v (shard, id) as (values {rows})
         select i.id, i.team_id, i.external_id, i.version, i.sequence, i.cycle, i.humanity, i.authenticity,
           i.uniqueness, i.behavior, i.disregarded, i.state, i.data, i.standing, i.first_seen_at, i.evaluate_at,
           i.trace, i.decide_trace
         from v join identities i on i.shard = v.shard and i.id = v.id",
        &with_shards(ids),
        |row| {
            let scored_before = row.get::<Option<i64>>(5)?.is_some();
            Ok(CycleStart {
                id: row.get(0)?,
                team_id: row.get(1)?,
                external_id: row.get(2)?,
                version: row.get(3)?,
                sequence: row.get(4)?,
                previous: if scored_before { Some(scores(row, 6)?) } else { None },
                disregarded: row.flag(10)?,
                state: row.get(11)?,
                data: row.get(12)?,
                standing: row.get(13)?,
                first_seen_at: row.time(14)?,
                is_due: row.get::<Option<i64>>(15)?.is_some(),
                trace: causes(row, 16)?,
                decide_trace: causes(row, 17)?.newest(),
            })
        },
    )
}

/// What a cycle leaves on its identity.
pub struct CycleEnd {
    pub id: i64,
    /// The version the cycle saw; if the identity has moved on, it stays due.
    pub version: i64,
    /// The last sequence before this cycle, which becomes the next one.
    pub sequence: i64,
    pub scores: Scores,
    pub finished_at: Timestamp,
    /// Events beside the cycle that it numbers already.
    pub events: i64,
    pub standing: Option<String>,
    /// When rules are to be asked again.
    pub decide_at: Option<Timestamp>,
    /// When the next cycle is due if the identity has moved on.
    pub next_at: Timestamp,
    /// The traced events that it follows from; those that came meanwhile stay for the next one.
    pub trace: Causes,
    /// As in [`CycleStart`]; of an untraced cycle, that of the one before stays.
    pub decide_trace: Option<Context>,
}

/// Writes the outcome of cycles; the answer gives (id, whether it is still due) of those that
/// were taken. A cycle that another one overtook is left out.
pub fn save_cycles(tx: &mut Tx, cycles: &[CycleEnd]) -> Result<Vec<(i64, bool)>> {
    let mut cycles: Vec<_> = cycles.iter().collect();
    cycles.sort_unstable_by_key(|c| c.id);
    let rows: Vec<_> = cycles
        .into_iter()
        .map(|c| {
            let s = &c.scores;
            values![
                shard::of(c.id),
                c.id,
                c.version,
                c.sequence,
                s.humanity,
                s.authenticity,
                s.uniqueness,
                s.behavior,
                c.finished_at,
                c.events,
                &c.standing,
                c.decide_at,
                c.next_at,
                c.trace.as_bytes(),
                c.decide_trace.as_ref().map(Context::as_bytes),
            ]
        })
        .collect();
    tx.query_rows(
        "with v (shard, id, version, sequence, humanity, authenticity, uniqueness, behavior, finished_at, events,
           standing, decide_at, next_at, trace, decide_trace) as (values {rows})
         update identities set humanity = v.humanity, authenticity = v.authenticity,
           uniqueness = v.uniqueness, behavior = v.behavior, last_scored_at = v.finished_at,
           updated_at = v.finished_at, standing = v.standing, decide_at = v.decide_at, sequence = v.sequence + 1 + v.events, cycle = v.sequence + 1,
           evaluate_at = case when identities.version = v.version then null else v.next_at end,
           trace = case when identities.trace = v.trace then null else identities.trace end,
           decide_trace = case when v.decide_at is null then null else coalesce(v.decide_trace, identities.decide_trace) end
         from v where identities.shard = v.shard and identities.id = v.id and identities.sequence = v.sequence
         returning identities.id, evaluate_at",
        &rows,
        |row| Ok((row.get(0)?, row.get::<Option<i64>>(1)?.is_some())),
    )
}

/// Numbers `count` events of an identity; the answer is the number of the first.
pub fn number_events(tx: &mut Tx, id: i64, count: i64) -> Result<i64> {
    tx.get(
        "update identities set sequence = sequence + $2 where shard = $3 and id = $1 returning sequence - $2 + 1",
        &values![id, count, shard::of(id)],
        |row| row.get(0),
    )
}

/// Takes up to `limit` identities whose rules are to be asked again, and leases them.
pub fn claim_undecided(tx: &mut Tx, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<i64>> {
    claim_by(tx, "decide_at", now, lease_until, limit)
}

/// Has the rules asked again for up to `limit` identities of a team after the row `after`; the answer is the
/// last of them.
pub fn ask_rules(tx: &mut Tx, team_id: i64, after: i64, limit: i64, now: Timestamp) -> Result<Option<i64>> {
    let ids = tx.query(
        "select id from identities where id > $1 and team_id = $2 order by id limit $3",
        &values![after, team_id, limit],
        |row| row.get::<i64>(0),
    )?;
    let rows: Vec<_> = ids.iter().map(|id| values![shard::of(*id), *id, now]).collect();
    tx.execute_rows(
        "with v (shard, id, now) as (values {rows})
         update identities set decide_at = v.now from v where identities.shard = v.shard and identities.id = v.id",
        &rows,
    )?;
    Ok(ids.last().copied())
}

/// Notes the verdict on an identity that counts, for those who are linked to it.
pub fn set_verdict(tx: &mut Tx, id: i64, verdict: Option<Verdict>, now: Timestamp) -> Result<()> {
    tx.execute(
        "update identities set verdict = $2, updated_at = $3 where shard = $4 and id = $1",
        &values![id, verdict.map(Verdict::code), now, shard::of(id)],
    )?;
    Ok(())
}

/// What a decision leaves on its identity.
pub struct Decided {
    pub id: i64,
    /// The sequence it was read at.
    pub sequence: i64,
    /// As in [`CycleEnd`].
    pub events: i64,
    pub standing: Option<String>,
    pub decide_at: Option<Timestamp>,
}

/// Writes decisions; the answer has the ids of those that were taken. One whose identity had an event
/// meanwhile is left out.
pub fn save_decisions(tx: &mut Tx, decided: &[Decided]) -> Result<Vec<i64>> {
    let mut decided: Vec<_> = decided.iter().collect();
    decided.sort_unstable_by_key(|d| d.id);
    let rows: Vec<_> = decided
        .into_iter()
        .map(|d| values![shard::of(d.id), d.id, d.sequence, d.events, &d.standing, d.decide_at])
        .collect();
    tx.query_rows(
        "with v (shard, id, sequence, events, standing, decide_at) as (values {rows})
         update identities set sequence = v.sequence + v.events, standing = v.standing, decide_at = v.decide_at,
           decide_trace = case when v.decide_at is null then null else identities.decide_trace end
         from v where identities.shard = v.shard and identities.id = v.id and identities.sequence = v.sequence
         returning identities.id",
        &rows,
        |row| row.get(0),
    )
}

/// An identity as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub row_id: i64,
    pub id: String,
    pub created_at: Timestamp,
    /// As in [`CycleStart`].
    pub first_seen_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_tracked_at: Timestamp,
    pub last_scored_at: Option<Timestamp>,
    pub display_name: Option<String>,
    pub display_email: Option<String>,
    pub display_username: Option<String>,
    pub scores: Scores,
    pub disregarded: bool,
    /// The sequence of the newest analysis.
    pub cycle: Option<i64>,
    pub data: String,
    pub standing: Option<String>,
}

const COLUMNS: &str = "i.id, i.external_id, i.created_at, i.updated_at, i.last_tracked_at, i.last_scored_at,
    i.display_name, i.display_email, i.display_username, i.humanity, i.authenticity, i.uniqueness,
    i.behavior, i.disregarded, i.cycle, i.data, i.standing, i.first_seen_at";

/// The team's identity with this external id.
pub fn find(tx: &mut Tx, team_id: i64, external_id: &str) -> Result<Option<Identity>> {
    let sql = format!("select {COLUMNS} from identities i where i.team_id = $1 and i.external_id = $2");
    tx.find(&sql, &values![team_id, external_id], read)
}

/// The identities with these row ids, in their order; one that is gone is left out.
pub fn load(tx: &mut Tx, row_ids: &[i64]) -> Result<Vec<Identity>> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select {COLUMNS} from v join identities i on i.shard = v.shard and i.id = v.id"
    );
    let mut found = tx.query_rows(&sql, &with_shards(row_ids), read)?;
    in_order_of(&mut found, row_ids, |identity| identity.row_id);
    Ok(found)
}

fn read(row: &Row) -> Result<Identity> {
    Ok(Identity {
        row_id: row.get(0)?,
        id: row.get(1)?,
        created_at: row.time(2)?,
        first_seen_at: row.time(17)?,
        updated_at: row.time(3)?,
        last_tracked_at: row.time(4)?,
        last_scored_at: row.optional_time(5)?,
        display_name: row.get(6)?,
        display_email: row.get(7)?,
        display_username: row.get(8)?,
        scores: scores(row, 9)?,
        disregarded: row.flag(13)?,
        cycle: row.get(14)?,
        data: row.get(15)?,
        standing: row.get(16)?,
    })
}
