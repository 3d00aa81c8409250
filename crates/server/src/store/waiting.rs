//! Deliveries that wait: which newer ones replace, which have waited too long, which wait no longer, and which nobody has.

use dregs_core::notify::message::EventType;
use dregs_core::time::Timestamp;

use super::attempts::Trigger;
use super::deliveries::Status;
use super::spread::{self, Rows};
use super::{Result, Tx};
use crate::values;

/// Marks the scores that wait although a newer one of the same identity waits in this channel; what somebody
/// asked for again is sent all the same. The newest takes the place in the queue of the first it replaces, so
/// that an identity which is scored again and again has its turn. The answer is how many were marked.
pub fn supersede(tx: &mut Tx, channel_id: i64, now: Timestamp) -> Result<u64> {
    let scored = EventType::IdentityScored.code();
    let asked_for = format!("({}, {})", Trigger::Resend as i64, Trigger::Replay as i64);
    let replaceable = |row: &str| {
        format!(
            "{row}.channel_id = $1 and {row}.by_identity = 1 and {row}.next_attempt_at is not null
             and {row}.event_type = {scored} and {row}.leased = 0 and {row}.trigger not in {asked_for}"
        )
    };
    let newer = format!(
        "exists (select 1 from deliveries newer where newer.channel_id = $1 and newer.by_identity = 1
           and newer.shard = deliveries.shard and newer.identity_id = deliveries.identity_id and newer.sequence > deliveries.sequence
           and newer.next_attempt_at is not null and newer.event_type = {scored})"
    );
    let older = format!(
        "from deliveries older where {} and older.shard = deliveries.shard and older.identity_id = deliveries.identity_id
           and older.sequence < deliveries.sequence",
        replaceable("older")
    );
    let promote = format!(
        "update deliveries set next_attempt_at = (select min(older.next_attempt_at) {older})
         where {}{{within}} and not {newer}
           and exists (select 1 {older} and older.next_attempt_at < deliveries.next_attempt_at)",
        replaceable("deliveries")
    );
    let mark = format!(
        "update deliveries set status = {}, next_attempt_at = null, completed_at = $2,
           error_class = 'superseded', error_message = 'a newer score of this identity is sent instead'
         where {}{{within}} and {newer}",
        Status::Superseded as i64,
        replaceable("deliveries")
    );
    let waiting = Rows { table: "deliveries", condition: replaceable("deliveries"), order: "id" };
    let marked = spread::take(tx, &waiting, &values![channel_id], i64::MAX, |tx, shard, _| {
        let promote = promote.replace("{within}", &spread::within(shard, 2));
        tx.execute(&promote, &spread::with_shard(values![channel_id], shard))?;
        let mark = mark.replace("{within}", &spread::within(shard, 3));
        Ok(vec![tx.execute(&mark, &spread::with_shard(values![channel_id, now], shard))?])
    })?;
    Ok(marked.into_iter().sum())
}

/// Since when the delivery of a channel that has waited longest has waited: since it was made, or asked for
/// again. Leased ones are left out.
pub fn longest(tx: &mut Tx, channel_id: i64) -> Result<Option<Timestamp>> {
    tx.get(
        "select min(coalesce(requeued_at, created_at)) from deliveries
         where channel_id = $1 and next_attempt_at is not null and leased = 0",
        &values![channel_id],
        |row| row.optional_time(0),
    )
}

/// When the delivery of a channel that is due first fell due, or falls due.
pub fn due_since(tx: &mut Tx, channel_id: i64) -> Result<Option<Timestamp>> {
    tx.get(
        "select min(next_attempt_at) from deliveries where channel_id = $1 and next_attempt_at is not null",
        &values![channel_id],
        |row| row.optional_time(0),
    )
}

/// Gives up to `limit` deliveries of a channel up that are due at `now` and have waited since `since` or longer.
/// The answer is how many.
pub fn give_up(
    tx: &mut Tx,
    channel_id: i64,
    since: Timestamp,
    reason: &str,
    now: Timestamp,
    limit: i64,
) -> Result<u64> {
    let held = Rows {
        table: "deliveries",
        condition: "channel_id = $1 and next_attempt_at <= $2 and leased = 0
             and coalesce(requeued_at, created_at) <= $3"
            .to_owned(),
        order: "id",
    };
    let given_up = spread::take(tx, &held, &values![channel_id, now, since], limit, |tx, shard, limit| {
        let within = spread::within(shard, 6);
        let sql = format!(
            "update deliveries set status = {failed}, error_class = 'held', error_message = $4,
               next_attempt_at = null, completed_at = $2
             where id in (with due as materialized (select id from deliveries where {held}{within} limit $5{skip})
                          select id from due){within} returning id",
            held = held.condition,
            skip = tx.skip_locked(),
            failed = Status::Failed as i64,
        );
        let values = spread::with_shard(values![channel_id, now, since, reason, limit], shard);
        tx.query(&sql, &values, |row| row.get::<i64>(0))
    })?;
    Ok(given_up.len() as u64)
}

/// Makes what waits in a channel due at `now`, whatever its schedule. The answer is how many.
pub fn let_go(tx: &mut Tx, channel_id: i64, now: Timestamp) -> Result<u64> {
    tx.execute(
        "update deliveries set next_attempt_at = $2 where channel_id = $1 and next_attempt_at > $2 and leased = 0",
        &values![channel_id, now],
    )
}

/// Makes leases of a node in these channels that end within a span end now: of one that is gone, or of which it does not
/// know whether it holds them.
pub fn end_leases(
    tx: &mut Tx,
    node: i64,
    channel_ids: &[i64],
    (first, last): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<u64> {
    let mut ended = 0;
    for channel_id in channel_ids {
        ended += tx.execute(
            "update deliveries set next_attempt_at = $1
             where channel_id = $2 and next_attempt_at between $3 and $4 and next_attempt_at > $1 and leased = $5",
            &values![now, *channel_id, first, last, node],
        )?;
    }
    Ok(ended)
}

/// Has what is due later than `now` be due so many milliseconds earlier, since a clock was put back.
pub fn advance(tx: &mut Tx, millis: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "update deliveries set next_attempt_at = case when next_attempt_at - $1 > $2 then next_attempt_at - $1 else $2 end
         where next_attempt_at > $2",
        &values![millis, now],
    )?;
    Ok(())
}
