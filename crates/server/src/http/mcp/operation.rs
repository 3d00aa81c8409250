//! Operations of the API, as tools call them.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use tower_service::Service;
use url::form_urlencoded::Serializer;

use crate::http::auth::Agent;
use crate::http::error::ApiError;
use crate::http::request_id;

/// Where operations are called, and for whom.
#[derive(Clone)]
pub struct Within {
    /// With its routes at `/api`.
    pub api: Router,
    pub agent: Agent,
    /// Of the request that they are part of.
    pub request_id: String,
}

/// Where in a request an argument stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Body,
}

/// An argument of an operation.
#[derive(Debug)]
pub struct Argument {
    pub name: String,
    pub schema: Value,
    pub is_required: bool,
    place: Place,
}

/// An operation: how it is called, with which arguments.
#[derive(Debug)]
pub struct Operation {
    method: Method,
    path: String,
    has_body: bool,
    pub arguments: Vec<Argument>,
}

impl Operation {
    /// What the OpenAPI document says of the operation with this id; `None` where it has none.
    pub fn find(document: &Value, id: &str) -> Option<Self> {
        let (path, method, operation) = document["paths"].as_object()?.iter().find_map(|(path, item)| {
            let mut operations = item.as_object()?.iter();
            let (method, operation) = operations.find(|(_, operation)| operation["operationId"] == id)?;
            Some((path, method, operation))
        })?;
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut arguments: Vec<_> =
            parameters.filter_map(|parameter| Argument::of_parameter(document, parameter)).collect();
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !body.is_null() {
            arguments.extend(Argument::of_body(&inlined(document, body)));
        }
        let method = method.to_uppercase().parse().ok()?;
        Some(Self { method, path: path.clone(), has_body: !body.is_null(), arguments })
    }

    /// Calls it with those of the arguments that are its own.
    pub async fn call(&self, within: &Within, given: &Map<String, Value>) -> Response {
        let request = match self.request(within, given) {
            Ok(request) => request,
            Err(error) => return error.into_response(),
        };
        within.api.clone().call(request).await.into_response()
    }

    fn request(&self, within: &Within, given: &Map<String, Value>) -> Result<Request, ApiError> {
        let (mut path, mut query, mut body) = (self.path.clone(), Serializer::new(String::new()), Map::new());
        for Argument { name, place, .. } in &self.arguments {
            let value = given.get(name);
            match (place, value) {
                (Place::Path, _) => {
                    let text = value.map_or_else(
                        || Err(ApiError::field(name, "is required")),
                        |value| plain(name, value),
                    )?;
                    if text.is_empty() {
                        return Err(ApiError::field(name, "must not be empty"));
                    }
                    let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
                    path = path.replace(&format!("{{{name}}}"), &encoded);
                }
                (Place::Query, Some(value)) if !value.is_null() => {
                    query.append_pair(name, &plain(name, value)?);
                }
                (Place::Body, Some(value)) => drop(body.insert(name.clone(), value.clone())),
                _ => {}
            }
        }
        let uri = format!("{path}?{}", query.finish());
        let mut request = Request::builder().method(self.method.clone()).uri(uri);
        if let Ok(id) = HeaderValue::from_str(&within.request_id) {
            request = request.header(request_id::HEADER, id);
        }
        let body = if self.has_body {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(Value::Object(body).to_string())
        } else {
            Body::empty()
        };
        let Agent { caller, actor } = within.agent.clone();
        let request = request.extension(caller).extension(actor).body(body);
        request.map_err(|_| ApiError::refused("The arguments are longer than an address may be."))
    }
}

impl Argument {
    fn of_parameter(document: &Value, parameter: &Value) -> Option<Self> {
        let mut schema = inlined(document, &parameter["schema"]);
        if let Some(description) = parameter.get("description") {
            schema["description"] = description.clone();
        }
        let place = if parameter["in"] == "path" { Place::Path } else { Place::Query };
        let is_required = parameter["required"] == true;
        Some(Self { name: parameter["name"].as_str()?.to_owned(), schema, is_required, place })
    }

    /// The fields of a body.
    fn of_body(body: &Value) -> Vec<Self> {
        let required =
            |name: &str| body["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
        let fields = body["properties"].as_object().into_iter().flatten();
        fields
            .map(|(name, schema)| Self {
                name: name.clone(),
                schema: schema.clone(),
                is_required: required(name),
                place: Place::Body,
            })
            .collect()
    }
}

/// A value as it stands in an address.
fn plain(name: &str, value: &Value) -> Result<String, ApiError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(ApiError::field(name, "must be a string, a number or a boolean")),
    }
}

/// A schema with those in it that it refers to. Of one that refers to itself, as conditions in conditions do, what stands
/// inside is an object of the same kind, whose fields are not said again.
fn inlined(document: &Value, schema: &Value) -> Value {
    inlined_within(document, schema, &[])
}

fn inlined_within(document: &Value, schema: &Value, within: &[&str]) -> Value {
    match schema {
        Value::Object(fields) => {
            let referred = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
            let again = referred.is_some_and(|path| within.contains(&path));
            let inside: Vec<_> = within.iter().copied().chain(referred).collect();
            let base = referred.filter(|_| !again).and_then(|path| document.pointer(path));
            let mut whole = match base.map(|base| inlined_within(document, base, &inside)) {
                Some(Value::Object(base)) => base,
                _ if again => Map::from_iter([("type".to_owned(), json!("object"))]),
                _ => Map::new(),
            };
            let own = fields.iter().filter(|(name, _)| *name != "$ref");
            whole.extend(own.map(|(name, value)| match name.as_str() {
                // JSON Schema has several.
                "example" => ("examples".to_owned(), json!([value])),
                _ => (name.clone(), inlined_within(document, value, within)),
            }));
            Value::Object(whole)
        }
        Value::Array(items) => items.iter().map(|item| inlined_within(document, item, within)).collect(),
        other => other.clone(),
    }
}
