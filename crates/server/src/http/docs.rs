//! The OpenAPI document for people: one page, without scripts, that asks no other host for anything.

use std::fmt::Write as _;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::auth::Anybody;
use super::compressed::Compressed;
use super::error::ApiError;
use crate::store::StoreError;

/// Nothing may be loaded or run; only the page's own style applies.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:1rem}\
    section{border-top:1px solid #8884;padding:.5rem 0}table{border-spacing:1rem 0;margin-left:-1rem}\
    td{vertical-align:top}td,p,h3{overflow-wrap:anywhere}td:nth-child(-n+2){overflow-wrap:normal}:root{color-scheme:light dark}\
    @media(max-width:45rem){body{margin:1rem auto}table,tbody,tr,td{display:block;margin:0}tr{padding:.35rem 0}\
    td{overflow-wrap:anywhere!important}td:empty{display:none}td+td{padding-left:1rem}}";

/// The document, and the page of it: made once, by whoever asks first.
struct Documents {
    json: Compressed,
    page: Compressed,
}

static DOCUMENTS: OnceCell<Documents> = OnceCell::const_new();

async fn documents() -> Result<&'static Documents, ApiError> {
    let make = || {
        let document = serde_json::to_value(super::openapi()).unwrap_or_default();
        let page = Compressed::of(render(&document).into());
        Documents { json: Compressed::of(document.to_string().into()), page }
    };
    let made = DOCUMENTS.get_or_try_init(|| tokio::task::spawn_blocking(make)).await;
    made.map_err(|error| StoreError::Broken(error.to_string()).into())
}

/// The page.
pub async fn page(_: Anybody, headers: HeaderMap) -> Result<Response, ApiError> {
    let fields =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    Ok((fields, documents().await?.page.answer(&headers)).into_response())
}

/// The document.
pub async fn json(_: Anybody, headers: HeaderMap) -> Result<Response, ApiError> {
    let fields = [(header::CONTENT_TYPE, "application/json")];
    Ok((fields, documents().await?.json.answer(&headers)).into_response())
}

fn render(document: &Value) -> String {
    let (title, version) = (text(&document["info"]["title"]), text(&document["info"]["version"]));
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} API</title>\
         <style>{STYLE}</style><h1>{title} {version}</h1><p>{}</p><p>{}</p>\
         <p>For machines: <a href=\"/api/openapi.json\">openapi.json</a></p><h2>Operations</h2>",
        text(&document["info"]["description"]),
        text(&document["components"]["securitySchemes"]["bearer"]["description"]),
    );
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            html.push_str(&render_operation(document, method, path, operation));
        }
    }
    html.push_str("<h2>Bodies</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let schema = escaped(&format!("{schema:#}"));
        // Writing to a string does not fail.
        let _ = write!(html, "<section id=\"{name}\"><h3>{name}</h3><pre>{schema}</pre></section>");
    }
    html
}

fn render_operation(document: &Value, method: &str, path: &str, operation: &Value) -> String {
    let mut html = format!(
        "<section id=\"{}\"><h3>{}</h3><p><code>{} {}</code></p><p>{}</p><table>",
        text(&operation["operationId"]),
        text(&operation["summary"]),
        method.to_uppercase(),
        escaped(path),
        text(&operation["description"]),
    );
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let _ = write!(html, "<tr><td><code>{name}</code><td>{place}<td>{}", text(&parameter["description"]));
    }
    let body = link(&operation["requestBody"]);
    if !body.is_empty() {
        let _ = write!(html, "<tr><td>body<td><td>{body}");
    }
    for (status, response) in members(&operation["responses"]) {
        let shared =
            response["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
        let response = shared.unwrap_or(response);
        let (description, body) = (text(&response["description"]), link(response));
        let _ = write!(html, "<tr><td><code>{status}</code><td>{body}<td>{description}");
    }
    html.push_str("</table></section>");
    html
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A link to the schema of a body, of one or of several.
fn link(body: &Value) -> String {
    let schema = &body["content"]["application/json"]["schema"];
    let (reference, many) = match (&schema["$ref"], &schema["items"]["$ref"]) {
        (Value::String(one), _) => (one, ""),
        (_, Value::String(item)) => (item, " […]"),
        _ => return String::new(),
    };
    let name = escaped(reference.rsplit('/').next().unwrap_or_default());
    format!("<a href=\"#{name}\">{name}</a>{many}")
}

/// Words, in which what is code stands between backticks.
fn text(value: &Value) -> String {
    let escaped = escaped(value.as_str().unwrap_or_default());
    let mut html = String::with_capacity(escaped.len());
    let mut rest = escaped.as_str();
    while let Some((words, more)) = rest.split_once('`')
        && let Some((code, after)) = more.split_once('`')
    {
        // Writing to a string does not fail.
        let _ = write!(html, "{words}<code>{code}</code>");
        rest = after;
    }
    html + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
