//! Giving up what has waited too long for an endpoint that is left alone.

use dregs_core::time::{SECOND_MS, Timestamp};

use crate::app::App;
use crate::ops::deliver::health::{self, Held};
use crate::store::{Result, waiting};

/// Deliveries given up in one transaction, so that no other waits long.
const CHUNK_DELIVERIES: u16 = 2_000;
/// A channel that is left alone is looked at no more often.
const LOOK_PAUSE_MS: i64 = SECOND_MS;

/// Looks at the channels that have failed for long enough. What fails is logged and tried at the next poll.
pub async fn give_up(app: &App) {
    let now = app.clock.now();
    for held in app.health.held(health::patience_ms(&app.retries, app.config.held_max_seconds), now) {
        let is_enabled = app.kept.channels.get(held.channel_id).is_some_and(|endpoint| endpoint.enabled);
        if is_enabled && let Err(error) = give_up_of(app, &held, now).await {
            tracing::error!(%error, channel_id = held.channel_id, "what waited too long could not be given up");
        }
    }
}

async fn give_up_of(app: &App, held: &Held, now: Timestamp) -> Result<()> {
    let Held { channel_id, since, .. } = *held;
    let longest = app.store.read(move |tx| waiting::longest(tx, channel_id)).await?;
    if longest.is_some_and(|longest| longest <= since) {
        let limit = i64::from(CHUNK_DELIVERIES);
        loop {
            let reason = held.reason.clone();
            let chunk =
                move |tx: &mut crate::store::Tx| waiting::give_up(tx, channel_id, since, &reason, now, limit);
            let count = app.store.write(chunk).await?;
            if count > 0 {
                tracing::warn!(
                    channel_id,
                    count,
                    "deliveries were given up: their endpoint was down for too long"
                );
            }
            if count < u64::from(CHUNK_DELIVERIES) {
                break;
            }
        }
    }
    let due =
        longest.unwrap_or(now).plus_millis(health::patience_ms(&app.retries, app.config.held_max_seconds));
    app.health.looked(channel_id, due.max(now.plus_millis(LOOK_PAUSE_MS)));
    Ok(())
}
