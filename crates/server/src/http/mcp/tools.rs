//! Tools as agents see and call them: made of the table and of what the OpenAPI document says of the operations.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dregs_core::words::snake;
use rmcp::model::{Tool as Shown, ToolAnnotations};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::chapters;
use super::operation::{Argument, Operation, Within};
use super::result::read;
use super::table::{Effect, Row, Runs, TABLE};
use crate::http::answer::Answer;
use crate::http::error::ApiError;
use crate::http::page::PAGE_SIZE_MAX;
use crate::http::params::did_you_mean;
use crate::store::StoreError;

/// A tool.
pub struct Tool {
    pub row: &'static Row,
    /// As it is listed.
    pub shown: Shown,
    /// What it calls, each with the name of its part of the result.
    operations: Vec<(&'static str, Operation)>,
}

static TOOLS: OnceCell<Vec<Tool>> = OnceCell::const_new();

/// All tools: made once, by whoever asks first.
///
/// # Errors
/// When the table names what the document has not, which a test forbids.
pub async fn all() -> Result<&'static [Tool], ApiError> {
    let make = || {
        let document = serde_json::to_value(crate::http::openapi()).unwrap_or_default();
        TABLE.iter().map(|row| Tool::new(row, &document)).collect::<Result<Vec<_>, _>>()
    };
    let made = TOOLS.get_or_try_init(|| async {
        let made = tokio::task::spawn_blocking(make).await;
        made.map_err(|error| error.to_string()).and_then(|made| made)
    });
    made.await.map(Vec::as_slice).map_err(|error| StoreError::Broken(error).into())
}

impl Tool {
    fn new(row: &'static Row, document: &Value) -> Result<Self, String> {
        let find = |id: &str| Operation::find(document, id).ok_or_else(|| format!("no operation {id}"));
        let mut operations = Vec::new();
        for (name, id) in row.runs.operations() {
            operations.push((*name, find(id)?));
        }
        if let Runs::Narrowed(_, only) = row.runs {
            for (_, operation) in &mut operations {
                operation.arguments.retain(|argument| only.contains(&argument.name.as_str()));
                operation.arguments.iter_mut().for_each(|argument| argument.is_required = true);
            }
        }
        let shown = Shown::new(row.name, row.description, Arc::new(schema(row, &operations)))
            .with_annotations(row.effect.annotations());
        Ok(Self { row, shown, operations })
    }

    /// What the API answers to it.
    pub async fn run(&self, within: &Within, given: &Map<String, Value>) -> Response {
        if let Err(error) = self.check(given) {
            return error.into_response();
        }
        match (&self.row.runs, &self.operations[..]) {
            (Runs::Chapter, _) => chapters::answer(given),
            (Runs::Each(_), operations) => each(operations, within, given).await,
            (Runs::SetMapping, [(_, create), (_, list), (_, change)]) => {
                set_mapping([create, list, change], within, given).await
            }
            (_, [(_, operation), ..]) => operation.call(within, given).await,
            (_, []) => {
                ApiError::from(StoreError::Broken("a tool without an operation".into())).into_response()
            }
        }
    }

    /// Refuses arguments that the tool does not have.
    fn check(&self, given: &Map<String, Value>) -> Result<(), ApiError> {
        let known: Vec<_> = self.shown.input_schema["properties"].as_object().into_iter().flatten().collect();
        let names = || known.iter().map(|(name, _)| name.as_str());
        let Some(unknown) = given.keys().find(|name| !names().any(|known| known == *name)) else {
            return Ok(());
        };
        let hint = did_you_mean(unknown, names()).unwrap_or_else(|| {
            let all = names().collect::<Vec<_>>().join(", ");
            if all.is_empty() { "; nothing is".to_owned() } else { format!("; may be {all}") }
        });
        Err(ApiError::field(unknown, format!("is not known here{hint}")))
    }
}

impl Effect {
    fn annotations(self) -> ToolAnnotations {
        ToolAnnotations::new()
            .read_only(self.is_read_only)
            .destructive(self.is_destructive)
            .idempotent(self.is_idempotent)
            .open_world(self.is_open_world)
    }
}

/// The schema of the arguments: those of the operations together.
fn schema(row: &Row, operations: &[(&'static str, Operation)]) -> Map<String, Value> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    // What is looked for to set a mapping is known from what is set.
    let operations = if matches!(row.runs, Runs::SetMapping) { &operations[..1] } else { operations };
    for Argument { name, schema, is_required, .. } in operations.iter().flat_map(|(_, o)| &o.arguments) {
        if properties.insert(name.clone(), schema.clone()).is_none() && *is_required {
            required.push(name.clone());
        }
    }
    if matches!(row.runs, Runs::Chapter) {
        properties.insert(chapters::ARGUMENT.to_owned(), chapters::schema());
    }
    let schema = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    if let Value::Object(schema) = schema { schema } else { Map::new() }
}

/// What several operations answer, each under its name; or the first error.
async fn each(
    operations: &[(&'static str, Operation)],
    within: &Within,
    given: &Map<String, Value>,
) -> Response {
    let mut whole = Map::new();
    for (name, operation) in operations {
        match value(operation.call(within, given).await).await {
            Ok(part) => drop(whole.insert((*name).to_owned(), part)),
            Err(refusal) => return refusal,
        }
    }
    Answer(whole).into_response()
}

/// Creates a mapping, or changes the one that its source has.
async fn set_mapping(
    [create, list, change]: [&Operation; 3],
    within: &Within,
    given: &Map<String, Value>,
) -> Response {
    let created = create.call(within, given).await;
    if created.status() != StatusCode::CONFLICT {
        return created;
    }
    let source = given.get("source").and_then(Value::as_str).map(snake);
    let mut wanted = Map::new();
    wanted.insert("kind".to_owned(), given.get("kind").cloned().unwrap_or_default());
    wanted.insert("scope".to_owned(), json!("CUSTOMER"));
    wanted.insert("term".to_owned(), json!(source));
    wanted.insert("pageSize".to_owned(), json!(PAGE_SIZE_MAX));
    let found = match value(list.call(within, &wanted).await).await {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let mut mappings = found["content"].as_array().into_iter().flatten();
    let Some(mapping) = mappings.find(|mapping| mapping["source"] == json!(source)) else { return created };
    let mut changes = Map::new();
    changes.insert("id".to_owned(), mapping["id"].clone());
    changes.insert("target".to_owned(), given.get("target").cloned().unwrap_or_default());
    change.call(within, &changes).await
}

/// The JSON of an answer; or the answer, where it is an error.
async fn value(answer: Response) -> Result<Value, Response> {
    let (status, body) = read(answer).await.map_err(IntoResponse::into_response)?;
    if !status.is_success() {
        return Err((status, body).into_response());
    }
    let broken = |error: serde_json::Error| ApiError::from(StoreError::Broken(error.to_string()));
    serde_json::from_slice(&body).map_err(|error| broken(error).into_response())
}
