//! Bodies as the OpenAPI document describes them, where the code reads or writes them otherwise.

use std::collections::HashMap;

use dregs_core::badge::{Badge, BadgeType};
use dregs_core::score::{Category, Observation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Something a user did. It needs an identity or a device.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what dregs_core::event reads")]
pub struct EventBody {
    /// Your id, by which a repeat is recognized; not starting with `dregs-`.
    #[schema(max_length = 64)]
    id: Option<String>,
    /// Your name for what happened.
    #[serde(rename = "type")]
    #[schema(example = "user.signup", max_length = 100)]
    event_type: String,
    /// When it happened, if not now: at most 5 minutes ahead and 5 years back.
    #[schema(format = DateTime)]
    timestamp: Option<String>,
    source: Option<String>,
    identity: Option<EventIdentityBody>,
    /// At most one of each type.
    groups: Option<Vec<EventGroupBody>>,
    /// Attributes of the event.
    data: Option<Map<String, Value>>,
    device: Option<EventDeviceBody>,
    session: Option<String>,
    url: Option<String>,
    /// The end user's address; from a backend only.
    ip: Option<String>,
    /// The end user's browser; from a backend only.
    user_agent: Option<String>,
    /// The method of the request behind the event, where an agent has signed it; from a backend only. It is not kept.
    #[schema(example = "POST")]
    method: Option<String>,
    /// Headers of the request behind the event, so that the signature of an agent can be verified (Web Bot Auth); from a
    /// backend only. Read are `signature`, `signature-input`, `signature-agent`, `host`, `content-digest`,
    /// `content-type` and `user-agent`, of at most 2,048 bytes each. They are not kept.
    headers: Option<HashMap<String, HeaderBody>>,
}

/// The value of a header, or several.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents what dregs_core::event reads")]
pub enum HeaderBody {
    One(String),
    Several(Vec<String>),
}

/// Whom an event is about.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents what dregs_core::event reads")]
pub struct EventIdentityBody {
    /// Your own id of the user.
    id: String,
    /// Attributes of the user, merged into the stored ones.
    data: Option<Map<String, Value>>,
}

/// A group in which the user acts.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents what dregs_core::event reads")]
pub struct EventGroupBody {
    #[serde(rename = "type")]
    #[schema(default = "organization")]
    group_type: Option<String>,
    id: String,
    data: Option<Map<String, Value>>,
}

/// The device: what the tracker saw of it, or, from a backend, its fingerprint.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents what dregs_core::event reads")]
pub struct EventDeviceBody {
    components: Option<Map<String, Value>>,
    /// How the page was operated since the event before: counts of clicks, scriptedClicks, moves, touches,
    /// keys and scrolls; strokes of the pointer, each with samples, x, y, bend and variation; keyIntervals,
    /// keyIntervalMillis and keyIntervalDeviationMillis.
    interaction: Option<Map<String, Value>>,
    fingerprint: Option<String>,
}

/// A badge of an identity.
#[derive(Serialize, ToSchema)]
pub struct BadgeBody {
    #[schema(example = "card-testing")]
    slug: String,
    name: String,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "BAD")]
    badge_type: BadgeType,
    /// Why the identity has it: a sentence.
    explanation: String,
    metadata: Map<String, Value>,
}

impl From<Badge> for BadgeBody {
    fn from(badge: Badge) -> Self {
        let Badge { slug, name, badge_type, explanation, metadata } = badge;
        Self { slug, name, badge_type, explanation, metadata }
    }
}

/// One analyzer's finding.
#[derive(Serialize, ToSchema)]
pub struct ObservationBody {
    #[schema(value_type = String, example = "HUMANITY")]
    category: Category,
    #[schema(example = "humanity.user-agent")]
    id: String,
    label: String,
    explanation: String,
    /// 0.0 suspicious, 0.5 says nothing, 1.0 legitimate.
    value: f64,
    /// From 0.0 to 1.0.
    confidence: f64,
    /// How heavily it counts.
    weight: f64,
    metadata: Map<String, Value>,
}

impl From<Observation> for ObservationBody {
    fn from(o: Observation) -> Self {
        Self {
            category: o.category,
            id: o.id,
            label: o.label,
            explanation: o.explanation,
            value: o.value,
            confidence: o.confidence,
            weight: o.weight,
            metadata: o.metadata,
        }
    }
}
