//! The catalog of what channels can subscribe to.

use dregs_core::notify::catalogue::catalogue;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;

/// A type of event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeBody {
    #[schema(example = "IDENTITY_SCORED")]
    name: String,
    /// Other spellings that subscriptions accept.
    aliases: Vec<String>,
    description: String,
    /// JSON Schema (2020-12) of the payload.
    schema: Value,
    /// A payload, which the schema accepts.
    example: Value,
    /// JSON Schema of the payload of a channel whose `payload` is THIN: ids alone.
    thin_schema: Value,
    /// The example as a thin payload.
    thin_example: Value,
}

/// List the event types
#[utoipa::path(get, operation_id = "listEventTypes", path = "/event-types", tag = "channels",
    responses((status = 200, body = Vec<EventTypeBody>)))]
pub async fn list(_: Caller) -> Answer<Vec<EventTypeBody>> {
    let entries = catalogue().into_iter().map(|entry| EventTypeBody {
        name: entry.event.name().to_owned(),
        aliases: entry.event.aliases().iter().map(|&alias| alias.to_owned()).collect(),
        description: entry.description.to_owned(),
        schema: entry.schema,
        example: entry.example,
        thin_schema: entry.thin_schema,
        thin_example: entry.thin_example,
    });
    Answer(entries.collect())
}
