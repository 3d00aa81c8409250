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
/// As in the manual: the contents at the side where there is room, else above.
const STYLE: &str = include_str!("../../templates/docs.css");

/// What the operations of a tag are about, in the order of who begins: to send, to read, to decide, to be told, to set up.
const TAGS: [(&str, &str); 25] = [
    ("events", "Events"),
    ("identities", "Identities"),
    ("devices", "Devices"),
    ("groups", "Groups"),
    ("escalations", "Escalations"),
    ("labels", "Labels"),
    ("rules", "Rules"),
    ("counters", "Counters"),
    ("weights", "Weights"),
    ("channels", "Channels"),
    ("deliveries", "Deliveries"),
    ("datasets", "Datasets"),
    ("lists", "Lists"),
    ("mappings", "Mappings"),
    ("views", "Views"),
    ("dashboard", "Dashboard"),
    ("live", "Live updates"),
    ("usage", "Usage"),
    ("credentials", "Credentials"),
    ("mcp-tokens", "MCP tokens"),
    ("oauth", "OAuth"),
    ("team", "Team"),
    ("auth", "Signing in"),
    ("audit-log", "Audit log"),
    ("system", "System"),
];

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

/// An operation and where it is.
struct Operation<'d> {
    method: &'d str,
    path: &'d str,
    told: &'d Value,
}

fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    members(&document["paths"])
        .flat_map(|(path, item)| members(item).map(move |(method, told)| Operation { method, path, told }))
}

/// The operations by their tags; those of a tag that is not known come last.
fn by_tag(document: &Value) -> Vec<(&str, &str, Vec<Operation<'_>>)> {
    let mut tags: Vec<_> = TAGS.into_iter().map(|(tag, title)| (tag, title, Vec::new())).collect();
    for operation in operations(document) {
        let tag = operation.told["tags"][0].as_str().unwrap_or_default();
        match tags.iter_mut().find(|(known, ..)| *known == tag) {
            Some((.., of_tag)) => of_tag.push(operation),
            None => tags.push((tag, tag, vec![operation])),
        }
    }
    tags.retain(|(.., of_tag)| !of_tag.is_empty());
    tags
}

// Writing to a string does not fail: what `write!` answers is of no use in what follows.

fn render(document: &Value) -> String {
    let (title, version) = (text(&document["info"]["title"]), text(&document["info"]["version"]));
    let tags = by_tag(document);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} API</title>\
         <style>{STYLE}</style>"
    );
    let _ = write!(
        html,
        "<header><h1>{title} {version}: the API</h1><p>{}</p><p>{}</p>\
         <p>For machines: <a href=\"/api/openapi.json\">openapi.json</a>. In words, with examples: \
         <a href=\"/manual/api\">the manual</a>.</p></header>",
        text(&document["info"]["description"]),
        text(&document["components"]["securitySchemes"]["bearer"]["description"]),
    );
    contents(&mut html, document, &tags);
    html.push_str("<main>");
    for (tag, title, operations) in &tags {
        let _ = write!(html, "<section id=\"tag-{tag}\"><h2>{title}</h2>");
        operations.iter().for_each(|operation| render_operation(&mut html, operation));
        html.push_str("</section>");
    }
    errors(&mut html, document);
    html.push_str("<section id=\"bodies\"><h2>Bodies</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let _ = write!(html, "<section id=\"{name}\"><h3>{name}</h3>");
        render_schema(&mut html, schema);
        html.push_str("</section>");
    }
    html.push_str("</section></main>");
    html
}

/// What is on the page, with a link to each part.
fn contents(html: &mut String, document: &Value, tags: &[(&str, &str, Vec<Operation<'_>>)]) {
    html.push_str("<nav aria-label=\"Contents\"><h2>Contents</h2>");
    for (tag, title, operations) in tags {
        let count = operations.len();
        let _ = write!(
            html,
            "<details><summary>{title} <small>{count}</small></summary><ul><li><a href=\"#tag-{tag}\">All of \
             {title}</a>"
        );
        for Operation { method, told, .. } in operations {
            let (id, summary) = (text(&told["operationId"]), text(&told["summary"]));
            let _ = write!(html, "<li><a href=\"#{id}\"><b>{}</b> {summary}</a>", method.to_uppercase());
        }
        html.push_str("</ul></details>");
    }
    html.push_str("<p><a href=\"#errors\">Errors</a></p><details><summary>Bodies</summary><ul>");
    for (name, _) in members(&document["components"]["schemas"]) {
        let _ = write!(html, "<li><a href=\"#{name}\">{name}</a>");
    }
    html.push_str("</ul></details></nav>");
}

fn render_operation(html: &mut String, Operation { method, path, told }: &Operation<'_>) {
    let _ = write!(
        html,
        "<section id=\"{}\"><h3>{}</h3><p><code>{} {}</code></p><p>{}</p>",
        text(&told["operationId"]),
        text(&told["summary"]),
        method.to_uppercase(),
        escaped(path),
        text(&told["description"]),
    );
    let parameters = told["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    for (place, heading) in [("path", "In the path"), ("query", "In the query"), ("header", "In the headers")]
    {
        let of_place: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == place).collect();
        if of_place.is_empty() {
            continue;
        }
        let _ = write!(html, "<h4>{heading}</h4><dl>");
        for parameter in of_place {
            let is_required = parameter["required"] == true;
            row(html, &text(&parameter["name"]), is_required, &parameter["schema"], parameter);
        }
        html.push_str("</dl>");
    }
    if told["requestBody"].is_object() {
        let needed = needed(told["requestBody"]["required"] == true);
        let _ = write!(html, "<h4>Body</h4><p>{} <i>{needed}</i></p>", content(&told["requestBody"]));
    }
    html.push_str("<h4>Answers</h4><dl>");
    let mut shared = Vec::new();
    for (status, response) in members(&told["responses"]) {
        if response["$ref"].is_string() {
            shared.push(format!("<code>{status}</code>"));
            continue;
        }
        let (body, description) = (content(response), text(&response["description"]));
        let _ = write!(html, "<dt><code>{status}</code> {body}<dd>{description}");
    }
    html.push_str("</dl>");
    if !shared.is_empty() {
        let _ = write!(html, "<p><a href=\"#errors\">Errors</a>: {}</p>", shared.join(", "));
    }
    html.push_str("</section>");
}

/// What many operations may answer stands once.
fn errors(html: &mut String, document: &Value) {
    html.push_str("<section id=\"errors\"><h2>Errors</h2><p>What several operations may answer. Each is ");
    html.push_str("<a href=\"#ErrorBody\">ErrorBody</a>.</p><dl>");
    let mut told: Vec<(&str, &str)> = Vec::new();
    for (status, response) in operations(document).flat_map(|operation| members(&operation.told["responses"]))
    {
        if let Some(reference) = response["$ref"].as_str() {
            told.push((status, reference));
        }
    }
    told.sort_unstable();
    told.dedup();
    for (status, reference) in told {
        let response = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        let description = response.map_or_else(String::new, |response| text(&response["description"]));
        let _ = write!(html, "<dt><code>{status}</code><dd>{description}");
    }
    html.push_str("</dl></section>");
}

/// What a body is, by the kinds of content that it has.
fn content(body: &Value) -> String {
    let kinds = members(&body["content"]).map(|(media, content)| match media.as_str() {
        "application/json" => kind(&content["schema"]),
        _ => format!("<code>{}</code>", escaped(media)),
    });
    kinds.collect::<Vec<_>>().join(" or ")
}

/// A schema of the document: its fields, or what it stands for.
fn render_schema(html: &mut String, schema: &Value) {
    let _ = write!(html, "<p>{}</p>", text(&schema["description"]));
    let mut own = String::new();
    let either: Vec<_> = parts(schema, "oneOf").chain(parts(schema, "anyOf")).collect();
    if schema["allOf"].is_array() {
        for part in parts(schema, "allOf") {
            if part["$ref"].is_string() {
                let _ = write!(html, "<p>All of {}, and:</p>", kind(part));
            }
            fields(&mut own, "", part);
        }
    } else if !either.is_empty() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
        either.into_iter().for_each(|one| fields(&mut own, "", one));
    } else if schema["properties"].is_object() {
        fields(&mut own, "", schema);
    } else {
        let _ = write!(html, "<p>{}</p>", typed(schema));
    }
    if !own.is_empty() {
        let _ = write!(html, "<dl>{own}</dl>");
    }
}

/// The fields of an object, with those of the objects in it that have no name of their own.
fn fields(html: &mut String, at: &str, schema: &Value) {
    for (name, field) in members(&schema["properties"]) {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        row(html, &escaped(&path), required.iter().any(|one| one == name.as_str()), field, field);
        fields(html, &path, field);
        fields(html, &format!("{path}[]"), &field["items"]);
        parts(field, "oneOf").for_each(|one| fields(html, &path, one));
    }
}

/// A parameter or a field: its name, its type with all that it takes, and what it is for.
fn row(html: &mut String, name: &str, is_required: bool, schema: &Value, told: &Value) {
    // What may be null is said of what it is else.
    let of_parts = parts(schema, "oneOf").map(|one| &one["description"]);
    let mut described = [&told["description"], &schema["description"]].into_iter().chain(of_parts);
    let about = described.find(|about| about.is_string()).map(text).unwrap_or_default();
    let example = match example(&told["example"]) {
        Some(example) => format!(", such as {example}"),
        None => String::new(),
    };
    let (typed, needed) = (typed(schema), needed(is_required));
    let _ = write!(html, "<dt><code>{name}</code> {typed}{example} <i>{needed}</i><dd>{about}");
}

fn needed(is_required: bool) -> &'static str {
    if is_required { "required" } else { "optional" }
}

/// An example that is short.
fn example(value: &Value) -> Option<String> {
    let is_plain = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    is_plain.then(|| code(value))
}

/// The type of a value, its bounds and its default.
fn typed(schema: &Value) -> String {
    [kind(schema)].into_iter().chain(bounds(schema)).collect::<Vec<_>>().join(", ")
}

/// The type of a value; of one that is described elsewhere, a link there.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(code).collect::<Vec<_>>().join(" or ");
    }
    let either: Vec<_> = parts(schema, "oneOf").chain(parts(schema, "anyOf")).map(kind).collect();
    if !either.is_empty() {
        return either.join(" or ");
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any value"],
    };
    names.into_iter().map(|name| named(name, schema)).collect::<Vec<_>>().join(" or ")
}

fn named(name: &str, schema: &Value) -> String {
    match (name, schema["format"].as_str()) {
        ("array", _) if schema["items"].is_object() => format!("array of {}", kind(&schema["items"])),
        ("object", _) if members(&schema["additionalProperties"]).next().is_some() => {
            format!("object whose values are {}", kind(&schema["additionalProperties"]))
        }
        ("string", Some("date-time")) => "time (RFC 3339)".to_owned(),
        ("string", Some("date")) => "date (RFC 3339)".to_owned(),
        _ => name.to_owned(),
    }
}

/// What a value may be at least and at most, and what it is where it is left out.
fn bounds(schema: &Value) -> impl Iterator<Item = String> {
    let range = |least: &str, most: &str, of: &str| match (&schema[least], &schema[most]) {
        (Value::Null, Value::Null) => None,
        (least, Value::Null) => Some(format!("at least {least}{of}")),
        (Value::Null, most) => Some(format!("at most {most}{of}")),
        (least, most) => Some(format!("{least} to {most}{of}")),
    };
    let default = (!schema["default"].is_null()).then(|| format!("default {}", code(&schema["default"])));
    [
        range("minimum", "maximum", ""),
        range("minLength", "maxLength", " characters"),
        range("minItems", "maxItems", " items"),
        default,
    ]
    .into_iter()
    .flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The schemas that one is made of.
fn parts<'s>(schema: &'s Value, way: &str) -> impl Iterator<Item = &'s Value> {
    schema[way].as_array().into_iter().flatten()
}

/// A value as one writes it.
fn code(value: &Value) -> String {
    let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("<code>{}</code>", escaped(&plain))
}

/// Words, in which what is code stands between backticks.
fn text(value: &Value) -> String {
    let escaped = escaped(value.as_str().unwrap_or_default());
    let mut html = String::with_capacity(escaped.len());
    let mut rest = escaped.as_str();
    while let Some((words, more)) = rest.split_once('`')
        && let Some((code, after)) = more.split_once('`')
    {
        let _ = write!(html, "{words}<code>{code}</code>");
        rest = after;
    }
    html + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
