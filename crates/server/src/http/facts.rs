//! What rules may ask of an event and of its identity.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use dregs_core::fact::Value;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use crate::app::App;
use crate::ops::team::facts;
use crate::store::names::NameKind;

/// A value of a fact.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands in the document for what is read as values")]
pub enum FactValueBody {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// A fact.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactBody {
    /// As conditions name it.
    #[schema(example = "event.data.amount")]
    name: String,
    #[schema(example = "the event's \"amount\"")]
    description: String,
    /// Up to five different values that these events have, the newest first.
    #[schema(value_type = Vec<FactValueBody>)]
    values: Vec<Value>,
    /// Of a field of data or a group: which of these events carry it, by their names and canonical types. Empty for the facts
    /// that every event may have.
    #[schema(example = json!(["PURCHASE", "checkout.completed"]))]
    event_types: BTreeSet<String>,
    /// Whether it is known before an event is scored, so that counters may use it too.
    of_event: bool,
    /// The types of lists on which its values can be.
    #[schema(example = json!(["IP", "NETWORK", "TEXT"]))]
    list_types: Vec<&'static str>,
}

/// List the facts
///
/// What conditions may ask for: facts that every event may have, and the fields of data that the latest events of
/// each type carry: up to 100 of each, of up to 200 types, in all 4,000. Others may be named as well: `event.data.…`, `identity.data.…` and `group.…` with any path.
#[utoipa::path(get, operation_id = "listFacts", path = "/facts", tag = "rules",
    responses((status = 200, body = Vec<FactBody>)))]
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<Vec<FactBody>>, ApiError> {
    let (team_id, seen) = (caller.team_id(), app.seen());
    let names = app.kept.names.select(team_id, NameKind::Event, |_| true);
    let known = app.long_reads.read(move |tx| facts::known(tx, team_id, &names, &seen)).await?;
    let told = known.into_iter().map(|known| FactBody {
        name: known.fact.to_string(),
        description: known.fact.words(),
        of_event: known.fact.is_of_event(),
        list_types: known.fact.list_types().iter().map(|list_type| list_type.name()).collect(),
        values: known.values,
        event_types: known.event_types,
    });
    Ok(Answer(told.collect()))
}
