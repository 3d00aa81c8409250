//! From stored rows to messages, byte for byte the same whenever it is done: what a channel was
//! sent is not stored a second time.

use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::Arc;

use dregs_core::agent::KnownAgent;
use dregs_core::badge::Badge;
use dregs_core::notify::catalogue::EXAMPLE_SEQUENCE;
use dregs_core::notify::message::{EventType, Message};
use dregs_core::score::Scores;
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::store::analyses::Analysis;
use crate::store::deliveries::Subject;
use crate::store::notifications::Notification;
use crate::store::{Result, StoreError, Tx, analyses, notifications};

/// Gives subjects their event ids: unique to this installation, the same at every attempt, and
/// telling nothing about how many there are.
#[derive(Clone, Copy, Debug)]
pub struct EventIds([u8; 16]);

impl EventIds {
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// The event id of a subject.
    pub fn id(&self, subject: Subject) -> String {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        let (kind, first, second) = match subject {
            Subject::Cycle { identity_id, sequence } => (1, identity_id, sequence),
            Subject::Notification { id } => (2, id, 0),
        };
        hasher.write_u8(kind);
        hasher.write_i64(first);
        hasher.write_i64(second);
        format!("evt_{:032x}", hasher.finish128().as_u128())
    }

    /// The message about a cycle of the identity that its application calls `identity_id`.
    ///
    /// # Errors
    /// Never in practice: numbers and strings always make JSON.
    pub fn scored(&self, analysis: &Analysis, identity_id: &str) -> Result<Message> {
        let data = ScoredData {
            identity_id,
            cycle_id: analysis.sequence,
            scores: &analysis.scores,
            previous_scores: analysis.detail.previous_scores.as_ref(),
            badges: &analysis.detail.badges,
            event_count: analysis.event_count,
            device_count: analysis.device_count,
            agent: analysis.detail.agent.as_ref(),
        };
        let data = serde_json::to_string(&data).map_err(|error| StoreError::Broken(error.to_string()))?;
        let subject = Subject::Cycle { identity_id: analysis.identity_id, sequence: analysis.sequence };
        Ok(Message {
            id: self.id(subject),
            event: EventType::IdentityScored,
            occurred_at: analysis.finished_at,
            identity_id: Some(identity_id.to_owned()),
            sequence: u64::try_from(analysis.sequence).ok(),
            data: data.into_boxed_str(),
        })
    }

    /// The message about anything else. A test of an event that tells of an identity has none of its own, and
    /// takes that of the example: an event of one type has the same members always.
    pub fn notified(&self, notification: Notification) -> Message {
        let sequence = notification.sequence.and_then(|sequence| u64::try_from(sequence).ok());
        let (identity_id, sequence) = match notification.identity_id {
            None if notification.event.has_identity() => {
                (example_identity(&notification.data), sequence.or(Some(EXAMPLE_SEQUENCE)))
            }
            identity_id => (identity_id, sequence),
        };
        Message {
            id: self.id(Subject::Notification { id: notification.id }),
            event: notification.event,
            occurred_at: notification.occurred_at,
            identity_id,
            sequence,
            data: notification.data.into_boxed_str(),
        }
    }
}

/// Whom the data of a test tells of.
fn example_identity(data: &str) -> Option<String> {
    let data: serde_json::Value = serde_json::from_str(data).ok()?;
    Some(data["identityId"].as_str()?.to_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScoredData<'a> {
    identity_id: &'a str,
    cycle_id: i64,
    scores: &'a Scores,
    previous_scores: Option<&'a Scores>,
    badges: &'a [Badge],
    event_count: i64,
    device_count: i64,
    agent: Option<&'a KnownAgent>,
}

/// The messages of these subjects.
///
/// # Errors
/// Those of the store. A subject whose rows are gone is left out.
pub fn load(tx: &mut Tx, ids: EventIds, subjects: &[Subject]) -> Result<HashMap<Subject, Arc<Message>>> {
    let mut cycles = Vec::new();
    let mut notified = Vec::new();
    for subject in subjects {
        match *subject {
            Subject::Cycle { identity_id, sequence } => cycles.push((identity_id, sequence)),
            Subject::Notification { id } => notified.push(id),
        }
    }
    cycles.sort_unstable();
    cycles.dedup();
    let mut messages = HashMap::new();
    for (analysis, identity_id) in analyses::load(tx, &cycles)? {
        let subject = Subject::Cycle { identity_id: analysis.identity_id, sequence: analysis.sequence };
        messages.insert(subject, ids.scored(&analysis, &identity_id)?.into());
    }
    for notification in notifications::load(tx, &notified)? {
        messages.insert(Subject::Notification { id: notification.id }, ids.notified(notification).into());
    }
    Ok(messages)
}
