//! The delivery log: attempts as they were, with what was sent made again from what is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use dregs_core::notify::signature::Secret;

use crate::channels::config::MASKED;
use crate::channels::http::PostRequest;
use crate::channels::send::Sender;
use crate::channels::webhook::{Attempt as Sending, Payload, Webhook};
use crate::ops::deliver::endpoints;
use crate::ops::deliver::messages::{self, EventIds};
use crate::ops::team::channels::secrets_at;
use crate::store::attempts::{self, Attempt};
use crate::store::{Result, Store, deliveries};
use crate::trace::Context;
use crate::vault::Vault;

/// An attempt and its request.
pub struct ShownAttempt {
    pub attempt: Attempt,
    /// `None` when what it was about has been deleted.
    pub request: Option<ShownRequest>,
}

/// A request as it was sent.
pub struct ShownRequest {
    /// Values of custom headers are masked.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// The request of an attempt. The channel may have been set to another payload since: the size tells.
fn as_sent(webhook: &Webhook, sending: &Sending, secrets: &[Secret], size: i64) -> PostRequest {
    let request = |payload| webhook.with_payload(payload).request(sending, secrets);
    let is_it = |request: &PostRequest| i64::try_from(request.body.len()) == Ok(size);
    [Payload::Full, Payload::Thin]
        .into_iter()
        .map(request)
        .find(is_it)
        .unwrap_or_else(|| request(webhook.payload))
}

/// What the log is read from.
pub struct Log<'a> {
    pub store: &'a Store,
    pub vault: &'a Vault,
    pub channels: &'a endpoints::Directory,
    pub event_ids: EventIds,
}

impl Log<'_> {
    /// The attempts of a delivery of the team that were made, in order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn attempts(&self, team_id: i64, delivery_id: i64) -> Result<Vec<ShownAttempt>> {
        let event_ids = self.event_ids;
        let found = self
            .store
            .read(move |tx| {
                let Some(delivery) = deliveries::find(tx, team_id, delivery_id)? else { return Ok(None) };
                let made = attempts::of_delivery(tx, delivery_id)?;
                let message = messages::load(tx, event_ids, &[delivery.subject])?.remove(&delivery.subject);
                Ok(Some((delivery, made, message)))
            })
            .await?;
        let Some((delivery, made, message)) = found else { return Ok(Vec::new()) };
        let endpoint = self.channels.get(delivery.channel_id);
        let mut shown = Vec::with_capacity(made.len());
        for attempt in made {
            let secrets = secrets_at(self.store, self.vault, delivery.channel_id, attempt.started_at).await?;
            let sent = attempt.detail.request.clone();
            let request = match (sent, &message, endpoint.as_ref().map(|endpoint| &endpoint.sender)) {
                (Some(sent), ..) => {
                    Some(ShownRequest { headers: sent.headers.into_iter().collect(), body: sent.body })
                }
                (None, Some(message), Some(Sender::Webhook(webhook))) => {
                    let sending = Sending {
                        message,
                        channel_id: delivery.channel_id,
                        delivery_id,
                        timestamp: attempt.started_at,
                        default_deadline: Duration::ZERO,
                        trace: attempt.detail.traceparent.as_deref().and_then(Context::parse),
                    };
                    // The channel's own headers may have changed; the attempt knows the names it sent.
                    let request =
                        as_sent(&webhook.without_custom_headers(), &sending, &secrets, attempt.payload_size);
                    let mut headers: BTreeMap<_, _> = webhook.shown_headers(&request).into_iter().collect();
                    for name in &attempt.detail.custom_headers {
                        headers.insert(name.clone(), MASKED.to_owned());
                    }
                    Some(ShownRequest { headers, body: String::from_utf8_lossy(&request.body).into_owned() })
                }
                _ => None,
            };
            shown.push(ShownAttempt { attempt, request });
        }
        Ok(shown)
    }
}
