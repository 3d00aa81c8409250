//! Channels: where to tell what happens, and the secrets it is signed with.

use std::collections::BTreeMap;

use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// A set of event types, stored as one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions(i64);

impl Subscriptions {
    pub fn contains(self, event: EventType) -> bool {
        self.0 & bit(event) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = EventType> {
        EventType::ALL.into_iter().filter(move |event| self.contains(*event))
    }
}

impl FromIterator<EventType> for Subscriptions {
    fn from_iter<I: IntoIterator<Item = EventType>>(events: I) -> Self {
        Self(events.into_iter().fold(0, |bits, event| bits | bit(event)))
    }
}

fn bit(event: EventType) -> i64 {
    1 << event.code()
}

#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: i64,
    pub team_id: i64,
    pub channel_type: String,
    pub name: String,
    pub slug: String,
    pub enabled: bool,
    pub events: Subscriptions,
    /// JSON, by the type of the channel.
    pub config: String,
    /// Whether it sends an identity's events in order, or leaves out scores that newer ones replace.
    pub by_identity: bool,
    /// What it sends of what it is subscribed to.
    pub filter: ChannelFilter,
    /// How many events it has left out by that.
    pub left_out: i64,
    /// Why the server itself has disabled it.
    pub disabled_reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, team_id, type, name, slug, enabled, events, config, by_identity, disabled_reason,
    created_at, updated_at, filter,
    coalesce((select count from channel_left_out where channel_id = channels.id), 0)";

/// # Errors
/// [`super::StoreError::Conflict`] when the team has a channel with this slug.
pub fn insert(tx: &mut Tx, channel: &Channel) -> Result<i64> {
    let c = channel;
    tx.get(
        "insert into channels (team_id, type, name, slug, enabled, events, config, by_identity, created_at,
           updated_at, filter)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id",
        &values![
            c.team_id,
            &c.channel_type,
            &c.name,
            &c.slug,
            c.enabled,
            c.events.0,
            &c.config,
            c.by_identity,
            c.created_at,
            c.updated_at,
            &written(&c.filter)?
        ],
        |row| row.get(0),
    )
}

/// Writes what can be changed about a channel.
pub fn update(tx: &mut Tx, channel: &Channel) -> Result<()> {
    let c = channel;
    tx.execute(
        "update channels set name = $2, slug = $3, enabled = $4, events = $5, config = $6, by_identity = $7,
           disabled_reason = $8, updated_at = $9, filter = $10
         where id = $1",
        &values![
            c.id,
            &c.name,
            &c.slug,
            c.enabled,
            c.events.0,
            &c.config,
            c.by_identity,
            &c.disabled_reason,
            c.updated_at,
            &written(&c.filter)?
        ],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Channel>> {
    tx.find(
        &format!("select {COLUMNS} from channels where team_id = $1 and id = $2"),
        &values![team_id, id],
        read,
    )
}

pub fn of_team(tx: &mut Tx, team_id: i64) -> Result<Vec<Channel>> {
    tx.query(
        &format!("select {COLUMNS} from channels where team_id = $1 order by id"),
        &values![team_id],
        read,
    )
}

/// Every channel of every team.
pub fn all(tx: &mut Tx) -> Result<Vec<Channel>> {
    tx.query(&format!("select {COLUMNS} from channels order by id"), &[], read)
}

/// A channel that wants to hear of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub channel_id: i64,
    pub slug: String,
    pub enabled: bool,
    pub by_identity: bool,
    /// What it does not let through is left out; `None` where it sends all.
    pub filter: Option<ChannelFilter>,
}

/// The channels of a team that want to hear of `event`.
pub fn subscribers(tx: &mut Tx, team_id: i64, event: EventType) -> Result<Vec<Subscriber>> {
    let of_event = subscribers_of_any(tx, team_id, [event].into_iter().collect())?;
    Ok(of_event.into_iter().map(|(_, subscriber)| subscriber).collect())
}

/// The channels of a team that want to hear of any of `events`, each with all that it wants to hear of.
pub fn subscribers_of_any(
    tx: &mut Tx,
    team_id: i64,
    events: Subscriptions,
) -> Result<Vec<(Subscriptions, Subscriber)>> {
    let sql = "select id, slug, enabled, by_identity, filter, events from channels
         where team_id = $1 and (events & $2) <> 0 order by id";
    tx.query(sql, &values![team_id, events.0], |row| Ok((Subscriptions(row.get(5)?), read_subscriber(row)?)))
}

/// Who else of a team is told when a channel fails: people, and the webhooks that want to hear of it.
pub fn told_of_failing(tx: &mut Tx, team_id: i64, failing: i64, event: EventType) -> Result<Vec<Subscriber>> {
    let sql = "select id, slug, enabled, by_identity, filter from channels
         where team_id = $1 and id <> $2 and enabled = 1 and (type <> 'WEBHOOK' or (events & $3) <> 0)
         order by id";
    tx.query(sql, &values![team_id, failing, bit(event)], read_subscriber)
}

fn read_subscriber(row: &Row) -> Result<Subscriber> {
    let (channel_id, slug) = (row.get(0)?, row.get(1)?);
    let filter = row.get::<Option<String>>(4)?.map(|text| read_filter(Some(&text)));
    Ok(Subscriber { channel_id, slug, enabled: row.flag(2)?, by_identity: row.flag(3)?, filter })
}

/// One that cannot be read, since a newer version wrote it, lets everything through: nothing that was wanted is lost.
fn read_filter(text: Option<&str>) -> ChannelFilter {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn written(filter: &ChannelFilter) -> Result<Option<String>> {
    if filter.is_open() {
        return Ok(None);
    }
    serde_json::to_string(filter).map(Some).map_err(|error| StoreError::Broken(error.to_string()))
}

/// Events that channels left out: how many, by channel.
pub type LeftOut = BTreeMap<i64, i64>;

/// Adds to what channels have left out; in the order of the channels, so that no two transactions wait for each other.
pub fn leave_out(tx: &mut Tx, left_out: &LeftOut) -> Result<()> {
    let rows: Vec<_> = left_out.iter().map(|(channel, count)| values![*channel, *count]).collect();
    tx.execute_rows_later(
        "insert into channel_left_out (channel_id, count) values {rows}
         on conflict (channel_id) do update set count = channel_left_out.count + excluded.count",
        &rows,
    )
}

/// Disables a channel, for a reason that is shown; false where it is disabled already.
pub fn disable(tx: &mut Tx, id: i64, reason: &str, now: Timestamp) -> Result<bool> {
    let sql = "update channels set enabled = 0, disabled_reason = $2, updated_at = $3
         where id = $1 and enabled = 1";
    Ok(tx.execute(sql, &values![id, reason, now])? > 0)
}

/// Disables a channel and ends its subscriptions.
pub fn unsubscribe(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("update channels set enabled = 0, events = 0 where id = $1", &values![id])?;
    Ok(())
}

/// Writes the same configuration in another form, unless it has changed since it was read as `before`.
pub fn replace_config(tx: &mut Tx, id: i64, before: &str, after: &str) -> Result<()> {
    let sql = "update channels set config = $3 where id = $1 and config = $2";
    tx.execute(sql, &values![id, before, after])?;
    Ok(())
}

/// Removes a channel and its secrets; its deliveries go by [`super::deliveries::delete_some`].
pub fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    for table in ["channel_secrets", "channel_health", "channel_left_out"] {
        tx.execute(&format!("delete from {table} where channel_id = $1"), &values![id])?;
    }
    tx.execute("delete from channels where id = $1", &values![id])?;
    Ok(())
}

/// A signing secret of a channel, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSecret {
    pub channel_id: i64,
    pub secret: Vec<u8>,
    pub created_at: Timestamp,
    /// When a newer one has taken over for good; `None` for the newest.
    pub expires_at: Option<Timestamp>,
}

impl ChannelSecret {
    /// Whether something sent at `time` is signed with it.
    pub fn signs_at(&self, time: Timestamp) -> bool {
        self.created_at <= time && self.expires_at.is_none_or(|end| time < end)
    }
}

/// Those of a channel's secrets, newest first, that sign at `time`. Before the first was made, which is where a clock was put
/// back, the first signs.
pub fn signing<T>(mut secrets: Vec<T>, row: impl Fn(&T) -> &ChannelSecret, time: Timestamp) -> Vec<T> {
    if secrets.iter().all(|secret| row(secret).created_at > time) {
        return secrets.pop().into_iter().collect();
    }
    secrets.retain(|secret| row(secret).signs_at(time));
    secrets
}

pub fn insert_secret(tx: &mut Tx, channel_id: i64, secret: &[u8], now: Timestamp) -> Result<()> {
    tx.execute(
        "insert into channel_secrets (channel_id, secret, created_at) values ($1, $2, $3)",
        &values![channel_id, secret, now],
    )?;
    Ok(())
}

/// Lets the secrets of a channel end at `end`, unless they end earlier.
pub fn expire_secrets(tx: &mut Tx, channel_id: i64, end: Timestamp) -> Result<()> {
    tx.execute(
        "update channel_secrets set expires_at = $2
         where channel_id = $1 and (expires_at is null or expires_at > $2)",
        &values![channel_id, end],
    )?;
    Ok(())
}

/// All secrets a channel ever had, newest first: old attempts are shown as they were signed.
pub fn secrets(tx: &mut Tx, channel_id: i64) -> Result<Vec<ChannelSecret>> {
    tx.query(
        "select channel_id, secret, created_at, expires_at from channel_secrets
         where channel_id = $1 order by id desc",
        &values![channel_id],
        read_secret,
    )
}

/// The secrets of all channels that have not ended at `now`, newest first.
pub fn current_secrets(tx: &mut Tx, now: Timestamp) -> Result<Vec<ChannelSecret>> {
    tx.query(
        "select channel_id, secret, created_at, expires_at from channel_secrets
         where expires_at is null or expires_at > $1 order by id desc",
        &values![now],
        read_secret,
    )
}

/// Every secret of every channel, ended ones included, newest first.
pub fn all_secrets(tx: &mut Tx) -> Result<Vec<ChannelSecret>> {
    let sql = "select channel_id, secret, created_at, expires_at from channel_secrets order by id desc";
    tx.query(sql, &[], read_secret)
}

/// Removes the secrets of a channel.
pub fn delete_secrets(tx: &mut Tx, channel_id: i64) -> Result<()> {
    tx.execute("delete from channel_secrets where channel_id = $1", &values![channel_id])?;
    Ok(())
}

fn read_secret(row: &Row) -> Result<ChannelSecret> {
    Ok(ChannelSecret {
        channel_id: row.get(0)?,
        secret: row.get(1)?,
        created_at: row.time(2)?,
        expires_at: row.optional_time(3)?,
    })
}

/// A channel of any team.
pub fn find_any(tx: &mut Tx, id: i64) -> Result<Option<Channel>> {
    tx.find(&format!("select {COLUMNS} from channels where id = $1"), &values![id], read)
}

fn read(row: &Row) -> Result<Channel> {
    Ok(Channel {
        id: row.get(0)?,
        team_id: row.get(1)?,
        channel_type: row.get(2)?,
        name: row.get(3)?,
        slug: row.get(4)?,
        enabled: row.flag(5)?,
        events: Subscriptions(row.get(6)?),
        config: row.get(7)?,
        by_identity: row.flag(8)?,
        disabled_reason: row.get(9)?,
        created_at: row.time(10)?,
        updated_at: row.time(11)?,
        filter: read_filter(row.get::<Option<String>>(12)?.as_deref()),
        left_out: row.get(13)?,
    })
}
