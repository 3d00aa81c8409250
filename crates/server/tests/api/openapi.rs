//! The OpenAPI document: committed, current, and complete enough to generate clients from.

use std::collections::HashSet;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");

fn current() -> String {
    let document = serde_json::to_string_pretty(&dregs_server::http::openapi()).unwrap();
    format!("{document}\n")
}

#[test]
fn the_committed_document_is_current() {
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(committed == current(), "run `cargo test -p dregs-server -- --ignored rewrite_openapi`");
}

#[test]
#[ignore = "writes openapi.json"]
fn rewrite_openapi() {
    std::fs::write(FILE, current()).unwrap();
}

#[test]
fn a_published_validator_finds_nothing_wrong() {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python-clients/bin/python");
    assert!(std::path::Path::new(python).exists(), "run `scripts/python-clients.sh` before the tests");
    let output = Command::new(python).args(["-m", "openapi_spec_validator", FILE]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().ends_with("OK"), "{said}");
}

fn document() -> Value {
    serde_json::from_str(&current()).unwrap()
}

/// Every operation with its name for messages.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// What a `$ref` means; anything else as it is.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = HashSet::new();
    for (name, operation) in operations(&document) {
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{name}: a second {}",
            operation["operationId"]
        );
        assert!(
            operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
            "{name} has no summary"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
        assert!(responses.contains_key("500") && responses.contains_key("503"), "{name}");
        for (status, response) in responses {
            let response = resolved(&document, response);
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            if status.as_str() >= "400" {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ErrorBody", "{name} {status}");
            }
        }
    }
}

#[test]
fn all_but_signing_in_needs_a_bearer_or_a_session() {
    let document = document();
    assert_eq!(document["security"], json!([{"bearer": []}, {"cookie": []}]));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let open: Vec<_> = operations(&document)
        .into_iter()
        .filter(|(_, operation)| !operation["security"].is_null())
        .map(|(name, operation)| (name, operation["security"].clone()))
        .collect();
    let expected = [
        "post /api/auth/accept-invitation",
        "post /api/auth/check-invitation",
        "post /api/auth/login",
        "post /api/auth/login/oidc",
        "post /api/auth/login/oidc/actions/begin",
        "post /api/auth/login/passkey",
        "post /api/auth/login/passkey/actions/begin",
        "get /api/auth/session",
        "get /api/auth/sign-in-methods",
    ];
    assert_eq!(open, expected.map(|name| (name.to_owned(), json!([{}]))));
}

/// Every `$ref` in the document.
fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for kind in ["schemas", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(found.contains(&format!("#/components/{kind}/{name}").as_str()), "nobody uses {name}");
        }
    }
}

/// Every part of the document, with where it stands.
fn parts<'v>(at: &str, value: &'v Value, found: &mut Vec<(String, &'v Value)>) {
    found.push((at.to_owned(), value));
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| parts(&format!("{at}/{name}"), value, found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| parts(&format!("{at}/{index}"), value, found));
        }
        _ => {}
    }
}

#[test]
fn the_document_has_nothing_that_common_generators_refuse() {
    let document = document();
    assert_eq!(document["servers"][0]["url"], "/");
    let mut found = Vec::new();
    parts("", &document, &mut found);
    let refused = found.iter().filter(|(at, value)| {
        let name = at.rsplit('/').next().unwrap();
        let is_schema = matches!(name, "items" | "schema" | "not") || at.ends_with("/properties");
        let is_new = matches!(
            name,
            "prefixItems" | "const" | "if" | "then" | "patternProperties" | "unevaluatedProperties"
        );
        // A body that may be left out, and may be null as well.
        let is_twice_optional =
            at.contains("/requestBody/") && name == "schema" && value.get("oneOf").is_some();
        is_new || is_twice_optional || (is_schema && value.is_boolean())
    });
    assert_eq!(refused.map(|(at, _)| at.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[tokio::test]
async fn the_server_serves_the_document() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (status, served) = answer(server.request(Method::GET, "/api/openapi.json")).await;
    assert_eq!((status.as_u16(), served), (200, document()));
}

#[tokio::test]
async fn the_server_shows_every_operation_to_people_and_loads_nothing_for_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let response = server.request(Method::GET, "/api/docs").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(
        response.headers()["content-security-policy"],
        "default-src 'none'; style-src 'unsafe-inline'"
    );
    let page = response.text().await.unwrap();
    let document = document();
    for (name, operation) in operations(&document) {
        let section = format!(r#"<section id="{}">"#, operation["operationId"].as_str().unwrap());
        assert!(page.contains(&section), "{name} is missing");
    }
    for link in page.split("href=\"#").skip(1) {
        let name = link.split('"').next().unwrap();
        assert!(page.contains(&format!("<section id=\"{name}\">")), "{name} leads nowhere");
    }
    assert!(!page.contains('`') && page.contains("<code>createdAt</code>"), "code is code");
    for word in ["<script", "src=", "<link", "@import", "url(", "href=\"http"] {
        let found = page.find(word).map(|at| page[at..].chars().take(80).collect::<String>());
        assert_eq!(found, None, "{word}");
    }
}

/// What stands on the page in the section of this name, without those in it.
fn section<'p>(page: &'p str, name: &str) -> &'p str {
    let begin = format!("<section id=\"{name}\">");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("there is no section {name}"));
    rest.split("<section ").next().unwrap().split("</section>").next().unwrap()
}

#[tokio::test]
async fn the_page_of_the_api_has_contents_and_says_what_each_value_may_be() {
    let server = TestServer::start(Engine::Sqlite).await;
    let page = server.request(Method::GET, "/api/docs").send().await.unwrap().text().await.unwrap();
    let document = document();
    let (_, rest) = page.split_once("<nav aria-label=\"Contents\">").unwrap();
    let (contents, _) = rest.split_once("</nav>").unwrap();
    for (name, operation) in operations(&document) {
        let tag = operation["tags"][0].as_str().unwrap();
        for target in [&format!("tag-{tag}"), operation["operationId"].as_str().unwrap()] {
            assert!(
                contents.contains(&format!("href=\"#{target}\"")),
                "{name}: {target} is not in the contents"
            );
        }
        let told = section(&page, operation["operationId"].as_str().unwrap());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let row = row(told, parameter["name"].as_str().unwrap());
            let needed = if parameter["required"] == true { "<i>required</i>" } else { "<i>optional</i>" };
            assert!(row.contains(needed), "{name}: {row}");
            assert_eq!(missing(&document, row, &parameter["schema"]), Vec::<String>::new(), "{name}: {row}");
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let told = section(&page, name);
        for (field, of_field) in schema["properties"].as_object().into_iter().flatten() {
            let row = row(told, field);
            assert_eq!(missing(&document, row, of_field), Vec::<String>::new(), "{name}.{field}: {row}");
        }
    }
    let told = row(section(&page, "listIdentities"), "pageSize");
    assert!(told.ends_with("integer, 1 to 100, default <code>25</code> <i>optional</i>"), "{told}");
    assert!(row(section(&page, "listIdentities"), "humanityMax").contains("integer, 0 to 100"), "{page}");
    let told = row(section(&page, "listIdentities"), "order");
    assert!(told.contains("<code>ASC</code> or <code>DESC</code>"), "{told}");
}

/// What is said of a parameter or a field before it is described.
fn row<'s>(section: &'s str, name: &str) -> &'s str {
    let begin = format!("<dt><code>{name}</code>");
    let (_, rest) = section.split_once(&begin).unwrap_or_else(|| panic!("{name} is not told: {section}"));
    rest.split("<dd>").next().unwrap()
}

/// What a schema says and a row does not.
fn missing(document: &Value, row: &str, schema: &Value) -> Vec<String> {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut said = Vec::new();
    for bound in ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default"] {
        said.extend((!schema[bound].is_null()).then(|| plain(&schema[bound])));
    }
    said.extend(schema["enum"].as_array().into_iter().flatten().map(plain));
    match (&schema["type"], schema["$ref"].as_str(), schema["format"].as_str()) {
        (_, Some(reference), _) => {
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some());
            said.push(format!("href=\"#{}\"", reference.rsplit('/').next().unwrap()));
        }
        (_, _, Some("date-time")) => said.push("time".to_owned()),
        (_, _, Some("date")) => said.push("date".to_owned()),
        (Value::String(name), ..) if schema["enum"].is_null() => said.push(name.clone()),
        (Value::Array(names), ..) => said.extend(names.iter().map(plain)),
        _ => {}
    }
    said.retain(|one| !row.contains(one.as_str()));
    said
}

#[test]
fn no_two_types_have_the_same_name_in_the_document() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut names: Vec<String> = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let types = text
                .split("#[derive(")
                .skip(1)
                .filter(|part| part.split(')').next().unwrap().contains("ToSchema"));
            for part in types {
                let named = part.split("pub struct ").nth(1).or_else(|| part.split("pub enum ").nth(1));
                let name = named.map(|named| named.chars().take_while(|c| c.is_alphanumeric()).collect());
                names.extend(name);
            }
        }
    }
    assert!(names.len() > 100, "{names:?}");
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert_eq!(twice, Vec::<&String>::new(), "one would stand for both");
}
