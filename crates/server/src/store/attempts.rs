//! Attempts: each time a delivery was tried. A first attempt that succeeded, which is nearly all
//! of them, is kept in the columns of its delivery and has no row here.

use dregs_core::shard;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::deliveries::Status;
use super::{Result, StoreError, Tx, codec};
use crate::values;

/// Why an attempt was made. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The event happened.
    Initial = 0,
    /// The attempt before it failed.
    Retry = 1,
    /// Somebody asked for this delivery again.
    Resend = 2,
    /// Somebody asked for a range of time again.
    Replay = 3,
    /// Somebody tests the channel.
    Test = 4,
    /// The server stopped during the attempt before it, whose outcome is not known.
    Recovery = 5,
    /// To see whether a channel that was left alone works again. It counts as a retry where it comes on time for one.
    Probe = 6,
}

impl Trigger {
    const ALL: [Self; 7] =
        [Self::Initial, Self::Retry, Self::Resend, Self::Replay, Self::Test, Self::Recovery, Self::Probe];

    pub(super) fn from_code(code: i64) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|trigger| *trigger as i64 == code)
            .ok_or_else(|| StoreError::Broken(format!("{code} is no trigger")))
    }

    pub fn as_text(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Retry => "RETRY",
            Self::Resend => "RESEND",
            Self::Replay => "REPLAY",
            Self::Test => "TEST",
            Self::Recovery => "RECOVERY",
            Self::Probe => "PROBE",
        }
    }
}

/// The compressed part of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<(String, String)>,
    /// The start of the response body; bytes that are not UTF-8 are replaced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub response_body: String,
    /// Names of the channel's own headers that were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_headers: Vec<String>,
    /// Recipients who are done with although others are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
    /// What was sent, where it cannot be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Sent>,
    /// The header of that name, where one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A letter or a card as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// An attempt that was made, and what it makes of its delivery.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    pub delivery_id: i64,
    pub channel_id: i64,
    pub trigger: Trigger,
    pub started_at: Timestamp,
    pub duration_ms: i64,
    pub http_status: Option<i64>,
    pub payload_size: i64,
    /// `None` for a success.
    pub error_class: Option<&'static str>,
    /// Of a success, what is worth knowing all the same.
    pub error_message: Option<String>,
    pub remote_address: Option<String>,
    /// A packed [`Detail`].
    pub detail: Vec<u8>,
    pub delivery_status: Status,
    pub next_attempt_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    /// Whether it was made again at once: a kept connection broke under it, which is no failure of the endpoint.
    pub is_repeated: bool,
    /// Whether it was made to see whether the channel works again, long after its delivery was due.
    pub was_held: bool,
    /// What it says of the channel; `None` where another says it already: a digest is many attempts, and one
    /// letter.
    pub sign: Option<Sign>,
}

/// What an attempt says of its channel beyond its outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sign {
    /// What the endpoint asks to wait.
    pub retry_after_ms: Option<i64>,
    /// Nothing will ever be taken there.
    pub is_gone: bool,
}

impl AttemptRecord {
    pub fn is_success(&self) -> bool {
        self.error_class.is_none()
    }

    /// Whether it counts against the retries of its delivery.
    pub fn uses_up_a_retry(&self) -> bool {
        !self.is_success() && !self.is_repeated && !self.was_held
    }

    /// Whether the columns of the delivery say all there is to say, if this is its first attempt.
    pub fn folds(&self) -> bool {
        self.is_success() && self.trigger == Trigger::Initial && self.error_message.is_none()
    }
}

/// Stores attempts with their numbers.
pub(super) fn insert(tx: &mut Tx, attempts: &[(&AttemptRecord, i64)]) -> Result<()> {
    let rows: Vec<_> = attempts
        .iter()
        .map(|(a, number)| {
            let status = if a.is_success() { Status::Delivered } else { Status::Failed };
            values![
                shard::of(a.delivery_id),
                a.delivery_id,
                *number,
                a.trigger as i64,
                status as i64,
                a.started_at,
                a.duration_ms,
                a.http_status,
                a.payload_size,
                a.error_class,
                &a.error_message,
                &a.remote_address,
                &a.detail,
            ]
        })
        .collect();
    tx.execute_rows(
        "insert into attempts (shard, delivery_id, attempt, trigger, status, started_at, duration, http_status,
           payload_size, error_class, error_message, remote_address, detail) values {rows}",
        &rows,
    )?;
    Ok(())
}

/// An attempt as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub attempt: i64,
    pub trigger: Trigger,
    pub status: Status,
    pub started_at: Timestamp,
    pub duration_ms: i64,
    pub http_status: Option<i64>,
    pub payload_size: i64,
    pub error_class: Option<String>,
    pub error_message: Option<String>,
    pub remote_address: Option<String>,
    pub detail: Detail,
}

/// The recipients who are done with since the first attempt of a delivery, or since it was asked for again.
pub fn settled(tx: &mut Tx, delivery_id: i64) -> Result<Vec<String>> {
    let begins = |trigger| matches!(trigger, Trigger::Initial | Trigger::Resend | Trigger::Replay);
    let mut settled = Vec::new();
    for attempt in of_delivery(tx, delivery_id)?.into_iter().rev() {
        settled.extend(attempt.detail.settled);
        if begins(attempt.trigger) {
            break;
        }
    }
    Ok(settled)
}

/// Every attempt of a delivery, in order.
pub fn of_delivery(tx: &mut Tx, delivery_id: i64) -> Result<Vec<Attempt>> {
    let key = values![delivery_id, shard::of(delivery_id)];
    // The folded first attempt succeeded, so its columns say all but its HTTP status, which the
    // delivery's own column gives for the last attempt only.
    let folded = tx.find(
        "select started_at, duration, payload_size, remote_address, detail
         from deliveries where shard = $2 and id = $1 and started_at is not null",
        &key,
        |row| {
            let detail: Detail = codec::unpack(&row.get::<Vec<u8>>(4)?)?;
            Ok(Attempt {
                attempt: 1,
                trigger: Trigger::Initial,
                status: Status::Delivered,
                started_at: row.time(0)?,
                duration_ms: row.get(1)?,
                http_status: detail.http_status.map(i64::from),
                payload_size: row.get(2)?,
                error_class: None,
                error_message: None,
                remote_address: row.get(3)?,
                detail,
            })
        },
    )?;
    let rows = tx.query(
        "select attempt, trigger, status, started_at, duration, http_status, payload_size, error_class,
           error_message, remote_address, detail
         from attempts where shard = $2 and delivery_id = $1 order by attempt",
        &key,
        |row| {
            Ok(Attempt {
                attempt: row.get(0)?,
                trigger: Trigger::from_code(row.get(1)?)?,
                status: Status::from_code(row.get(2)?)?,
                started_at: row.time(3)?,
                duration_ms: row.get(4)?,
                http_status: row.get(5)?,
                payload_size: row.get(6)?,
                error_class: row.get(7)?,
                error_message: row.get(8)?,
                remote_address: row.get(9)?,
                detail: codec::unpack(&row.get::<Vec<u8>>(10)?)?,
            })
        },
    )?;
    Ok(folded.into_iter().chain(rows).collect())
}
