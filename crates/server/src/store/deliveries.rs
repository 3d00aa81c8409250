//! Deliveries: one event on its way to one channel.

use std::collections::{HashMap, HashSet};

use dregs_core::notify::message::EventType;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::attempts::{AttemptRecord, Trigger};
pub use super::delivery_lists::{Filter, containing, count, page};
use super::spread::{self, Rows};
use super::sql::{direction, with_shards};
use super::{Result, Row, StoreError, Tx, attempts};
use crate::trace::context::Context;
use crate::values;

/// How far a delivery has come. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending = 0,
    Delivered = 1,
    Failed = 2,
    /// Not sent, since a newer one tells more.
    Superseded = 3,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
            Self::Superseded => "SUPERSEDED",
        }
    }

    pub(super) fn from_code(code: i64) -> Result<Self> {
        [Self::Pending, Self::Delivered, Self::Failed, Self::Superseded]
            .into_iter()
            .find(|status| *status as i64 == code)
            .ok_or_else(|| StoreError::Broken(format!("{code} is no delivery status")))
    }
}

/// The error classes that are stored: those of attempts, and of what is not sent.
pub const ERROR_CLASSES: [&str; 14] = [
    "dns",
    "egress_blocked",
    "connect",
    "tls",
    "timeout",
    "redirect",
    "http_status",
    "connection_closed",
    "protocol",
    "smtp_reply",
    "gone",
    "held",
    "skipped",
    "superseded",
];

/// What a delivery tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A cycle of an identity: the analysis with this sequence.
    Cycle {
        identity_id: i64,
        sequence: i64,
    },
    Notification {
        id: i64,
    },
}

impl Subject {
    /// Where its deliveries are.
    const fn shard(self) -> i64 {
        let (Self::Cycle { identity_id: id, .. } | Self::Notification { id }) = self;
        shard::of(id)
    }

    /// The three columns a subject is stored in.
    fn columns(self) -> (Option<i64>, Option<i64>, Option<i64>) {
        match self {
            Self::Cycle { identity_id, sequence } => (Some(identity_id), Some(sequence), None),
            Self::Notification { id } => (None, None, Some(id)),
        }
    }

    fn read(row: &Row, first: usize) -> Result<Self> {
        match (row.get(first)?, row.get(first + 1)?, row.get(first + 2)?) {
            (_, _, Some(id)) => Ok(Self::Notification { id }),
            (Some(identity_id), Some(sequence), None) => Ok(Self::Cycle { identity_id, sequence }),
            _ => Err(StoreError::Broken("a delivery is about nothing".into())),
        }
    }
}

/// A delivery about to be stored.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub channel_id: i64,
    pub event: EventType,
    pub subject: Subject,
    /// Of whom a notification tells: the identity, and the sequence among its events.
    pub about: Option<(i64, i64)>,
    pub trigger: Trigger,
    pub created_at: Timestamp,
    /// When it falls due, or when its lease ends.
    pub next_attempt_at: Timestamp,
    /// The node that takes it on, where its maker hands it on in memory.
    pub leased_to: Option<i64>,
    /// As its channel is.
    pub by_identity: bool,
    /// What it follows from, where that is traced.
    pub trace: Option<Context>,
}

/// Stores deliveries; the answer gives (channel, subject, id), in no order.
pub fn insert(tx: &mut Tx, deliveries: &[NewDelivery]) -> Result<Vec<(i64, Subject, i64)>> {
    let rows: Vec<_> = deliveries
        .iter()
        .map(|d| {
            let (identity_id, sequence, notification_id) = d.subject.columns();
            values![
                d.subject.shard(),
                d.channel_id,
                d.event.code(),
                identity_id.or(d.about.map(|about| about.0)),
                sequence.or(d.about.map(|about| about.1)),
                notification_id,
                Status::Pending as i64,
                d.trigger as i64,
                d.created_at,
                d.next_attempt_at,
                d.leased_to.unwrap_or(NOBODY),
                d.by_identity,
                d.trace.as_ref().map(Context::as_bytes),
            ]
        })
        .collect();
    tx.query_rows(
        "insert into deliveries (id, shard, channel_id, event_type, identity_id, sequence, notification_id, status,
           trigger, created_at, next_attempt_at, leased, by_identity, trace)
         values {new rows} returning channel_id, identity_id, sequence, notification_id, id",
        &rows,
        |row| Ok((row.get(0)?, Subject::read(row, 1)?, row.get(4)?)),
    )
}

/// In the place of a node: nobody has it.
const NOBODY: i64 = 0;

/// Who takes deliveries on, when, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub node: i64,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// A delivery somebody has taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub id: i64,
    pub channel_id: i64,
    pub event: EventType,
    pub subject: Subject,
    pub trigger: Trigger,
    /// Failures since the first attempt or the last resend or replay.
    pub failures: u32,
    /// As in [`NewDelivery`].
    pub trace: Option<Context>,
}

/// Takes up to `limit` due deliveries of a channel, oldest due first, and leases them. A lease
/// that ran out without a record leaves open whether an attempt was made: the next one says so.
pub fn claim(tx: &mut Tx, channel_id: i64, lease: Lease, limit: i64) -> Result<Vec<Claimed>> {
    claim_where(tx, "", channel_id, lease, limit)
}

/// The same, but of each identity only what comes first.
pub fn claim_in_order(tx: &mut Tx, channel_id: i64, lease: Lease, limit: i64) -> Result<Vec<Claimed>> {
    let nothing_before = "and not exists (
         select 1 from deliveries before where before.channel_id = $1 and before.by_identity = 1
           and before.shard = deliveries.shard and before.identity_id = deliveries.identity_id and before.sequence < deliveries.sequence
           and before.next_attempt_at is not null)";
    claim_where(tx, nothing_before, channel_id, lease, limit)
}

/// The same, but of the scores of each identity only one at a time: while one is under way, those that come
/// meanwhile wait, and of them the newest is sent.
pub fn claim_newest(tx: &mut Tx, channel_id: i64, lease: Lease, limit: i64) -> Result<Vec<Claimed>> {
    let none_under_way = format!(
        "and not (event_type = {scored} and exists (
           select 1 from deliveries other where other.channel_id = $1 and other.by_identity = 1
             and other.shard = deliveries.shard and other.identity_id = deliveries.identity_id and other.next_attempt_at > $2
             and other.leased <> 0 and other.event_type = {scored}))",
        scored = EventType::IdentityScored.code()
    );
    claim_where(tx, &none_under_way, channel_id, lease, limit)
}

/// Has the waiting deliveries of a channel follow the order of identities from now on.
pub fn follow_identities(tx: &mut Tx, channel_id: i64) -> Result<()> {
    let sql = "update deliveries set by_identity = 1
         where channel_id = $1 and next_attempt_at is not null and by_identity = 0";
    tx.execute(sql, &values![channel_id])?;
    Ok(())
}

fn claim_where(
    tx: &mut Tx,
    condition: &str,
    channel_id: i64,
    lease: Lease,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let Lease { node, from: now, until } = lease;
    let due = Rows {
        table: "deliveries",
        condition: "channel_id = $1 and next_attempt_at <= $2".to_owned(),
        order: "next_attempt_at",
    };
    let mut claimed = spread::take(tx, &due, &values![channel_id, now], limit, |tx, shard, limit| {
        let within = spread::within(shard, 6);
        let condition =
            if shard.is_some() { condition.replace("deliveries.shard", "$6") } else { condition.to_owned() };
        let sql = format!(
            "update deliveries set next_attempt_at = $3, leased = $5,
               trigger = case when leased <> 0 then {recovery} else trigger end
             where id in (with due as materialized (select id from deliveries where {due}{within} {condition}
                            order by next_attempt_at limit $4{skip}) select id from due){within}
             returning id, event_type, identity_id, sequence, notification_id, trigger, failures, trace",
            due = due.condition,
            skip = tx.skip_locked(),
            recovery = Trigger::Recovery as i64,
        );
        let values = spread::with_shard(values![channel_id, now, until, limit, node], shard);
        tx.query(&sql, &values, |row| {
            Ok(Claimed {
                id: row.get(0)?,
                channel_id,
                event: event_type(row.get(1)?)?,
                subject: Subject::read(row, 2)?,
                trigger: Trigger::from_code(row.get(5)?)?,
                failures: u32::try_from(row.get::<i64>(6)?).unwrap_or(u32::MAX),
                trace: Context::from_bytes(row.get::<Option<Vec<u8>>>(7)?.as_deref()),
            })
        })
    })?;
    claimed.sort_by_key(|c| c.id);
    Ok(claimed)
}

/// Which of these channels have something due.
pub fn due_channels(tx: &mut Tx, channel_ids: &[i64], now: Timestamp) -> Result<Vec<i64>> {
    let rows: Vec<_> = channel_ids.iter().map(|id| values![*id, now]).collect();
    // Where the tables are spread, no look into one of them can be made for each channel.
    let sql = if tx.is_spread() {
        "with v (channel_id, now) as (values {rows})
         select distinct d.channel_id from v join deliveries d
           on d.channel_id = v.channel_id and d.next_attempt_at <= v.now"
    } else {
        "with v (channel_id, now) as (values {rows})
         select v.channel_id from v where exists
           (select 1 from deliveries d where d.channel_id = v.channel_id and d.next_attempt_at <= v.now)"
    };
    tx.query_rows(sql, &rows, |row| row.get(0))
}

/// Ends the leases of deliveries that were taken and not attempted; they fall due at `due`.
pub fn give_back(tx: &mut Tx, ids: &[i64], due: Timestamp) -> Result<()> {
    let rows: Vec<_> = ids.iter().map(|id| values![shard::of(*id), *id, due]).collect();
    tx.execute_rows(
        "with v (shard, id, due) as (values {rows})
         update deliveries set next_attempt_at = v.due, leased = 0
         from v where deliveries.shard = v.shard and deliveries.id = v.id",
        &rows,
    )?;
    Ok(())
}

/// Gives deliveries up that can never be attempted.
pub fn give_up(tx: &mut Tx, ids: &[i64], reason: &str, now: Timestamp) -> Result<()> {
    let rows: Vec<_> =
        ids.iter().map(|id| values![shard::of(*id), *id, Status::Failed as i64, reason, now]).collect();
    tx.execute_rows(
        "with v (shard, id, status, reason, now) as (values {rows})
         update deliveries set status = v.status, error_class = 'gone', error_message = v.reason,
           next_attempt_at = null, leased = 0, completed_at = v.now
         from v where deliveries.shard = v.shard and deliveries.id = v.id",
        &rows,
    )?;
    Ok(())
}

/// Makes every lease end now: right only where no other process works on this store.
pub fn release_leases(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    tx.execute(
        "update deliveries set next_attempt_at = $1
         where next_attempt_at is not null and leased <> 0 and next_attempt_at > $1",
        &values![now],
    )
}

/// Records attempts and what they make of their deliveries, in their order.
pub fn record(tx: &mut Tx, records: &[AttemptRecord]) -> Result<()> {
    // A statement changes a row once, and a delivery whose lease ran out before its attempt was
    // recorded may stand here twice: each further attempt waits for another round.
    let mut left: Vec<_> = records.iter().collect();
    while !left.is_empty() {
        let mut seen = HashSet::with_capacity(left.len());
        let (round, later) = left.into_iter().partition::<Vec<_>, _>(|r| seen.insert(r.delivery_id));
        record_round(tx, &round)?;
        left = later;
    }
    Ok(())
}

/// Records attempts of different deliveries.
fn record_round(tx: &mut Tx, records: &[&AttemptRecord]) -> Result<()> {
    let rows: Vec<_> = records
        .iter()
        .map(|r| {
            values![
                shard::of(r.delivery_id),
                r.delivery_id,
                r.delivery_status as i64,
                r.next_attempt_at,
                r.completed_at,
                r.uses_up_a_retry(),
                r.folds(),
                r.http_status,
                r.error_class,
                &r.error_message,
                r.payload_size,
                r.started_at,
                r.duration_ms,
                &r.remote_address,
                &r.detail,
            ]
        })
        .collect();
    let folds = "deliveries.attempt_count = 0 and v.folds = 1";
    // One that is over stays so, whoever comes late and says that it failed: another has delivered it, or it was given up.
    let over = format!("deliveries.next_attempt_at is null and v.status <> {}", Status::Delivered as i64);
    let unless_over = |column: &str| format!("case when {over} then deliveries.{column} else v.{column} end");
    let numbers = tx.query_rows(
        &format!(
            "with v (shard, id, status, next_attempt_at, completed_at, failed, folds, http_status, error_class,
               error_message, payload_size, started_at, duration, remote_address, detail) as (values {{rows}})
             update deliveries set status = {status}, next_attempt_at = {next_attempt_at}, leased = 0,
               completed_at = {completed_at}, trigger = {retry}, failures = failures + v.failed,
               attempt_count = attempt_count + 1, http_status = {http_status},
               error_class = {error_class}, error_message = {error_message}, payload_size = v.payload_size,
               started_at = case when {folds} then v.started_at else deliveries.started_at end,
               duration = case when {folds} then v.duration else deliveries.duration end,
               remote_address = case when {folds} then v.remote_address else deliveries.remote_address end,
               detail = case when {folds} then v.detail else deliveries.detail end
             from v where deliveries.shard = v.shard and deliveries.id = v.id
             returning deliveries.id, attempt_count",
            retry = Trigger::Retry as i64,
            status = unless_over("status"),
            next_attempt_at = unless_over("next_attempt_at"),
            completed_at = unless_over("completed_at"),
            http_status = unless_over("http_status"),
            error_class = unless_over("error_class"),
            error_message = unless_over("error_message"),
        ),
        &rows,
        |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)),
    )?;
    let numbers: HashMap<i64, i64> = numbers.into_iter().collect();
    // A delivery removed meanwhile has no number, and needs no record.
    let with_row: Vec<_> = records
        .iter()
        .filter_map(|record| Some((*record, *numbers.get(&record.delivery_id)?)))
        .filter(|(record, number)| *number > 1 || !record.folds())
        .collect();
    attempts::insert(tx, &with_row)
}

/// A delivery as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: i64,
    pub channel_id: i64,
    pub event: EventType,
    pub subject: Subject,
    /// The identity's external id, for a cycle.
    pub identity_id: Option<String>,
    pub status: Status,
    pub trigger: Trigger,
    pub attempt_count: i64,
    pub created_at: Timestamp,
    pub next_attempt_at: Option<Timestamp>,
    pub leased: bool,
    pub completed_at: Option<Timestamp>,
    pub http_status: Option<i64>,
    pub error_class: Option<String>,
    pub error_message: Option<String>,
    pub payload_size: Option<i64>,
}

pub(super) const COLUMNS: &str =
    "d.id, d.channel_id, d.event_type, d.identity_id, d.sequence, d.notification_id,
    i.external_id, d.status, d.trigger, d.attempt_count, d.created_at, d.next_attempt_at, d.leased,
    d.completed_at, d.http_status, d.error_class, d.error_message, d.payload_size";

/// The delivery with this id, if its channel is the team's.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Delivery>> {
    tx.find(
        &format!(
            "select {COLUMNS} from deliveries d join channels c on c.id = d.channel_id
             left join identities i on i.shard = d.shard and i.id = d.identity_id
             where d.shard = $3 and d.id = $2 and c.team_id = $1"
        ),
        &values![team_id, id, shard::of(id)],
        read,
    )
}

/// Up to `limit` deliveries that tell of an identity, after the row `after`, in order.
pub fn of_identity(tx: &mut Tx, identity_id: i64, after: i64, limit: i64) -> Result<Vec<Delivery>> {
    let sql = format!(
        "select {COLUMNS} from deliveries d left join identities i on i.shard = d.shard and i.id = d.identity_id
         where d.shard = $4 and d.identity_id = $1 and d.id > $2 order by d.id limit $3"
    );
    tx.query(&sql, &values![identity_id, after, limit, shard::of(identity_id)], read)
}

/// A page of the deliveries that tell of an identity, newest first unless said, and how many there are, counted up
/// to `count_limit`.
pub fn page_of_identity(
    tx: &mut Tx,
    identity_id: i64,
    ascending: bool,
    (offset, limit, count_limit): (i64, i64, i64),
) -> Result<(Vec<Delivery>, i64)> {
    let direction = direction(ascending);
    let text = format!(
        "with page as materialized
           (select id from deliveries where shard = $4 and identity_id = $1 order by id {direction} limit $2 offset $3)
         select {COLUMNS} from page p join deliveries d on d.shard = $4 and d.id = p.id
         left join identities i on i.shard = d.shard and i.id = d.identity_id order by d.id {direction}"
    );
    let shard = shard::of(identity_id);
    let page = tx.query(&text, &values![identity_id, limit, offset, shard], read)?;
    let counted = tx.get(
        "select count(*) from (select 1 from deliveries where shard = $3 and identity_id = $1 limit $2) found",
        &values![identity_id, count_limit, shard],
        |row| row.get(0),
    )?;
    Ok((page, counted))
}

/// Makes a delivery due again with the trigger given; false where an attempt is under way.
pub fn requeue(tx: &mut Tx, id: i64, trigger: Trigger, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "update deliveries set status = $2, trigger = $3, failures = 0, next_attempt_at = $4,
           requeued_at = $4, completed_at = null
         where shard = $5 and id = $1 and leased = 0",
        &values![id, Status::Pending as i64, trigger as i64, now, shard::of(id)],
    )?;
    Ok(changed > 0)
}

/// A delivery that is finished, as a replay finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    pub created_at: Timestamp,
    pub id: i64,
    pub event: EventType,
    pub subject: Subject,
    /// Whom it tells of, if of anybody.
    pub identity_id: Option<i64>,
}

/// Up to `limit` finished deliveries that match, after `after`, a time of creation and an id, in order.
pub fn finished_some(
    tx: &mut Tx,
    channel_id: i64,
    filter: &Filter,
    after: (Timestamp, i64),
    limit: i64,
) -> Result<Vec<Finished>> {
    let columns = "d.created_at, d.id, d.event_type, d.identity_id, d.sequence, d.notification_id";
    let mut sql = filter.matching(&format!("select {columns} from deliveries d"), channel_id);
    let (time, id) = after;
    sql.bind(" and d.created_at >= ", time).bind(" and (d.created_at > ", time).bind(" or d.id > ", id);
    sql.bind(") and d.status in (", Status::Delivered as i64).bind(", ", Status::Failed as i64).push(")");
    sql.bind(" order by d.created_at, d.id limit ", limit);
    tx.query(&sql.text, &sql.values, |row| {
        Ok(Finished {
            created_at: row.time(0)?,
            id: row.get(1)?,
            event: event_type(row.get(2)?)?,
            subject: Subject::read(row, 3)?,
            identity_id: row.get(3)?,
        })
    })
}

/// Makes finished deliveries due again; the answer is how many, without those of which an attempt is under way.
pub fn replay(tx: &mut Tx, ids: &[i64], now: Timestamp) -> Result<u64> {
    let rows: Vec<_> = ids
        .iter()
        .map(|id| values![shard::of(*id), *id, Status::Pending as i64, Trigger::Replay as i64, now])
        .collect();
    tx.execute_rows(
        "with v (shard, id, status, trigger, due) as (values {rows})
         update deliveries set status = v.status, trigger = v.trigger, failures = 0,
           next_attempt_at = v.due, requeued_at = v.due, completed_at = null
         from v where deliveries.shard = v.shard and deliveries.id = v.id and leased = 0",
        &rows,
    )
}

/// Gives up to `limit` waiting deliveries of a channel up, with the reason given.
pub fn skip_some(tx: &mut Tx, channel_id: i64, reason: &str, now: Timestamp, limit: i64) -> Result<u64> {
    let ids = tx.query(
        "select id from deliveries where channel_id = $1 and next_attempt_at is not null limit $2",
        &values![channel_id, limit],
        |row| row.get::<i64>(0),
    )?;
    let rows: Vec<_> =
        ids.iter().map(|id| values![shard::of(*id), *id, Status::Failed as i64, reason, now]).collect();
    tx.execute_rows(
        "with v (shard, id, status, reason, now) as (values {rows})
         update deliveries set status = v.status, error_class = 'skipped', error_message = v.reason,
           next_attempt_at = null, leased = 0, completed_at = v.now
         from v where deliveries.shard = v.shard and deliveries.id = v.id and deliveries.next_attempt_at is not null",
        &rows,
    )
}

/// Removes up to `limit` deliveries of a channel with their attempts.
pub fn delete_some(tx: &mut Tx, channel_id: i64, limit: i64) -> Result<u64> {
    let ids = tx.query(
        "select id from deliveries where channel_id = $1 order by created_at, id limit $2",
        &values![channel_id, limit],
        |row| row.get::<i64>(0),
    )?;
    delete(tx, &ids)
}

/// Removes deliveries with their attempts.
pub fn delete(tx: &mut Tx, ids: &[i64]) -> Result<u64> {
    let rows = with_shards(ids);
    tx.execute_rows(
        "with v (shard, id) as (values {rows})
         delete from attempts where (delivery_id, shard) in (select id, v.shard from v)",
        &rows,
    )?;
    tx.execute_rows(
        "with v (shard, id) as (values {rows})
         delete from deliveries where (id, shard) in (select id, v.shard from v)",
        &rows,
    )
}

/// Deliveries that wait, and since when the longest has been due; leased ones left out.
pub fn waiting(tx: &mut Tx) -> Result<(i64, Option<Timestamp>)> {
    tx.get(
        "select count(*), min(next_attempt_at) from deliveries
         where next_attempt_at is not null and leased = 0",
        &[],
        |row| Ok((row.get(0)?, row.optional_time(1)?)),
    )
}

pub(super) fn event_type(code: i64) -> Result<EventType> {
    EventType::from_code(code).ok_or_else(|| StoreError::Broken(format!("{code} is no event type")))
}

pub(super) fn read(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.get(0)?,
        channel_id: row.get(1)?,
        event: event_type(row.get(2)?)?,
        subject: Subject::read(row, 3)?,
        identity_id: row.get(6)?,
        status: Status::from_code(row.get(7)?)?,
        trigger: Trigger::from_code(row.get(8)?)?,
        attempt_count: row.get(9)?,
        created_at: row.time(10)?,
        next_attempt_at: row.optional_time(11)?,
        leased: row.flag(12)?,
        completed_at: row.optional_time(13)?,
        http_status: row.get(14)?,
        error_class: row.get(15)?,
        error_message: row.get(16)?,
        payload_size: row.get(17)?,
    })
}
