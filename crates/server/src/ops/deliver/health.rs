//! How channels are doing: what attempts say of the endpoint, whom that is told, and what may be sent.
//!
//! The state is in the store, written with the attempts that changed it; the copy in memory says what may
//! be sent without asking.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dregs_core::notify::breaker::{Allowance, Ended};
use dregs_core::notify::message::EventType;
use dregs_core::notify::schedule::RetrySchedule;
use dregs_core::time::{HOUR_MS, SECOND_MS, Timestamp};
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::ops::deliver::deliveries::of_notification;
use crate::ops::directories::Directories;
use crate::ops::handoff::{Handoff, Outgoing};
use crate::store::attempts::{AttemptRecord, Trigger};
use crate::store::channel_health::{self, Health};
use crate::store::channels::{self, Channel};
use crate::store::claims::DELIVERY_LEASE_MS;
use crate::store::{Result, Store, Tx, notifications, waiting};

/// The copy in memory.
#[derive(Default)]
pub struct Board {
    known: Mutex<HashMap<i64, Known>>,
}

#[derive(Clone, Default)]
struct Known {
    health: Health,
    /// When a probe was begun whose end is not recorded yet.
    probing_since: Option<Timestamp>,
    /// Nothing that waits is given up before.
    holds_until: Option<Timestamp>,
}

/// A channel of which something may have waited too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub channel_id: i64,
    /// What waits since then, or longer, is given up.
    pub since: Timestamp,
    /// Why, for the log.
    pub reason: String,
}

impl Board {
    pub fn get(&self, channel_id: i64) -> Health {
        self.known().get(&channel_id).map(|known| known.health.clone()).unwrap_or_default()
    }

    /// What a channel may send at `now`.
    pub fn allowance(&self, channel_id: i64, now: Timestamp) -> Allowance {
        let known = self.known();
        let Some(known) = known.get(&channel_id) else { return Allowance::Everything };
        let allowance = known.health.breaker.allowance(now);
        // A probe that is never recorded, since the attempt broke down, must not be waited for for ever.
        // One that began later than now began before the clock was put back.
        let probing_since = known.probing_since.filter(|since| *since <= now);
        let probed = probing_since.map(|since| since.plus_millis(DELIVERY_LEASE_MS));
        match (allowance, probed) {
            (Allowance::Probe, Some(end)) if now < end => Allowance::NothingUntil(end),
            (allowance, _) => allowance,
        }
    }

    /// Notes that a probe is under way.
    pub fn probes(&self, channel_id: i64, now: Timestamp) {
        if let Some(known) = self.known().get_mut(&channel_id) {
            known.probing_since = Some(now);
        }
    }

    /// The channels of which something may have waited for `patience_ms` or longer.
    pub fn held(&self, patience_ms: i64, now: Timestamp) -> Vec<Held> {
        let known = self.known();
        let due = known.iter().filter(|(_, known)| known.holds_until.is_none_or(|until| until <= now));
        let held = due.filter_map(|(id, Known { health, .. })| {
            let since = health.breaker.given_up(patience_ms, now)?;
            let failing_since = health.breaker.failing_since?;
            let reason = format!(
                "given up after it was held for {} while the endpoint was down: all attempts since \
                 {failing_since} have failed, the last because {}",
                in_words(patience_ms),
                health.last_error
            );
            Some(Held { channel_id: *id, since, reason })
        });
        held.collect()
    }

    /// Notes that nothing of a channel has waited too long before `until`.
    pub fn looked(&self, channel_id: i64, until: Timestamp) {
        if let Some(known) = self.known().get_mut(&channel_id) {
            known.holds_until = Some(until);
        }
    }

    /// Takes over what was written; `None` for a channel that works.
    fn set(&self, channel_id: i64, health: Option<Health>) {
        let mut known = self.known();
        match health {
            Some(health) => known.insert(channel_id, Known { health, ..Known::default() }),
            None => known.remove(&channel_id),
        };
    }

    /// Reads again what other processes may have changed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let rows: HashMap<_, _> = store.read(channel_health::all).await?.into_iter().collect();
        let mut known = self.known();
        known.retain(|id, _| rows.contains_key(id));
        for (id, health) in rows {
            known.entry(id).or_default().health = health;
        }
        Ok(())
    }

    fn fails(&self, channel_id: i64) -> bool {
        self.known().contains_key(&channel_id)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<i64, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What recorded attempts made of channels.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    changed: Vec<(i64, Option<Health>)>,
    /// Channels that have something to tell.
    told: Vec<i64>,
    has_disabled: bool,
}

/// What attempts said of one channel, in their order.
pub type Signs = BTreeMap<i64, Vec<Seen>>;

/// One attempt's end.
#[derive(Clone, Debug)]
pub struct Seen {
    ended: Ended,
    is_gone: bool,
    is_test: bool,
    error: String,
    at: Timestamp,
}

/// What these attempts say of channels; nothing of those that work and go on working, and nothing a test that
/// fails: somebody sees it, and nothing of the channel's waits for it.
pub fn signs(board: &Board, records: &[AttemptRecord]) -> Signs {
    let mut signs = Signs::new();
    for record in records.iter().filter(|record| record.trigger != Trigger::Test || record.is_success()) {
        let Some(sign) = record.sign else { continue };
        let ended = match record.is_success() {
            true => Ended::Success,
            false => Ended::Failure(sign.retry_after_ms),
        };
        let error = record.error_message.clone().unwrap_or_default();
        let at = record.started_at.plus_millis(record.duration_ms);
        let seen = Seen { ended, is_gone: sign.is_gone, is_test: record.trigger == Trigger::Test, error, at };
        signs.entry(record.channel_id).or_default().push(seen);
    }
    signs.retain(|id, seen| board.fails(*id) || seen.iter().any(|one| one.ended != Ended::Success));
    signs
}

/// Writes what attempts say of channels, and warns of those that are about to be disabled, or are.
///
/// # Errors
/// Those of the store.
pub fn judge(tx: &mut Tx, signs: &Signs, disable_after_ms: Option<i64>, now: Timestamp) -> Result<Judged> {
    let mut judged = Judged::default();
    for (channel_id, seen) in signs {
        let mut health = channel_health::take(tx, *channel_id)?;
        for one in seen {
            health.breaker = health.breaker.after(one.ended, one.at);
            health.last_error.clone_from(&one.error);
        }
        if health.breaker.failures == 0 {
            channel_health::clear(tx, *channel_id)?;
            // Somebody has mended it, and sees that it works: nothing waits for its time any more.
            if seen.iter().any(|one| one.is_test) {
                waiting::let_go(tx, *channel_id, now)?;
            }
            judged.changed.push((*channel_id, None));
            continue;
        }
        let is_gone = seen.iter().any(|one| one.is_gone);
        let warning = health.breaker.warning(disable_after_ms, now);
        health.breaker.warned_percent = warning.unwrap_or(health.breaker.warned_percent);
        channel_health::save(tx, *channel_id, &health)?;
        if let Some(channel) = channels::find_any(tx, *channel_id)? {
            if is_gone || warning == Some(100) {
                judged.has_disabled |= disable(tx, &channel, &health, is_gone, &mut judged.told, now)?;
            } else if let Some(percent) = warning {
                judged.told.extend(tell(tx, &channel, &health, Some(percent), now)?);
            }
        }
        judged.changed.push((*channel_id, Some(health)));
    }
    Ok(judged)
}

impl Judged {
    /// Takes what was committed over into memory and has the warnings sent.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn apply(
        self,
        board: &Board,
        kept: &Directories,
        deliveries: &Handoff<Outgoing>,
        now: Timestamp,
    ) -> Result<()> {
        for (channel_id, health) in self.changed {
            board.set(channel_id, health);
            deliveries.spill(channel_id);
        }
        for channel_id in self.told {
            deliveries.spill(channel_id);
        }
        if self.has_disabled { kept.reload_channels(now).await } else { Ok(()) }
    }
}

/// How long a delivery waits for an endpoint that is left alone: as long as its retries take, and the time that
/// the operator sets.
pub fn patience_ms(retries: &RetrySchedule, held_max_seconds: u64) -> i64 {
    let held = i64::try_from(held_max_seconds).unwrap_or(i64::MAX);
    retries.length_ms().saturating_add(held.saturating_mul(SECOND_MS))
}

/// Hours, minutes and seconds, such as "24 h 3 min 30 s".
fn in_words(millis: i64) -> String {
    let seconds = millis / SECOND_MS;
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

/// The time after which a channel that does nothing but fail is disabled, if it ever is.
pub fn disable_after_ms(disable_after_hours: u64) -> Option<i64> {
    let hours = i64::try_from(disable_after_hours).unwrap_or(i64::MAX);
    Some(hours).filter(|hours| *hours > 0).map(|hours| hours.saturating_mul(HOUR_MS))
}

fn disable(
    tx: &mut Tx,
    channel: &Channel,
    health: &Health,
    is_gone: bool,
    told: &mut Vec<i64>,
    now: Timestamp,
) -> Result<bool> {
    let reason = match is_gone {
        true => format!("nothing will be taken there any more: {}", health.last_error),
        false => format!("it failed for too long; the last error: {}", health.last_error),
    };
    if !channels::disable(tx, channel.id, &reason, now)? {
        return Ok(false);
    }
    let actor = Actor::server(channel.team_id);
    let act = Act {
        action: "channel.disable",
        target_type: "channel",
        target_id: &channel.id.to_string(),
        before: Some(json!({"enabled": true})),
        after: Some(json!({"enabled": false, "disabledReason": reason})),
    };
    audit::record(tx, &actor, &act, now)?;
    told.extend(tell(tx, channel, health, None, now)?);
    Ok(true)
}

/// Tells the team's other channels; the answer is which.
fn tell(
    tx: &mut Tx,
    channel: &Channel,
    health: &Health,
    percent: Option<u8>,
    now: Timestamp,
) -> Result<Vec<i64>> {
    let event = match percent {
        Some(_) => EventType::ChannelFailing,
        None => EventType::ChannelDisabled,
    };
    let (id, slug) = (channel.id.to_string(), &channel.slug);
    let mut data = json!({
        "channel": {"id": id, "name": channel.name, "slug": slug, "type": channel.channel_type},
        "failures": health.breaker.failures,
        "failingSince": health.breaker.failing_since,
        "error": health.last_error,
    });
    if let Some(percent) = percent {
        data["percent"] = percent.into();
    }
    let id = notifications::insert(tx, channel.team_id, event, now, &data.to_string())?;
    let subscribers = channels::told_of_failing(tx, channel.team_id, channel.id, event)?;
    of_notification(tx, (event, id), None, &subscribers, None, now)?;
    Ok(subscribers.into_iter().map(|to| to.channel_id).collect())
}
