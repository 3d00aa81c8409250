//! Datasets: what is shipped, what a team adds and takes away, and what that does to scores.

use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer, event, eventually};

on_both_engines!(an_entry_changes_the_scores_of_those_at_its_domain);

const DISPOSABLE: &str = "/api/datasets/disposable-email-domains/entries";

/// What is said of an identity's e-mail address.
async fn explanation(server: &TestServer, id: &str) -> Option<String> {
    let analysis = server.analysis(id).await;
    let observations =
        analysis["scores"].as_array()?.iter().flat_map(|score| score["observations"].as_array().unwrap());
    let found = observations.into_iter().find(|observation| observation["id"] == "authenticity.email")?;
    Some(found["explanation"].as_str()?.to_owned())
}

async fn an_entry_changes_the_scores_of_those_at_its_domain(engine: Engine) {
    let server = TestServer::start(engine).await;
    for (id, email) in [("ada", "ada.fir@bin.posteo.de"), ("bob", "bob.oak@mailinator.com")] {
        let mut signup = event(id, id);
        signup["identity"]["data"] = json!({"email": email});
        signup["ip"] = json!("198.51.100.7");
        server.post("/api/events", signup).await;
    }
    let says = async |id: &str, words: &str| {
        eventually(words, async || explanation(&server, id).await.filter(|said| said.contains(words))).await;
    };
    says("ada", "looks like one that a person reads").await;
    says("bob", "disposable").await;
    // Whom it would concern is told before, and nothing is changed by that.
    server.channel("Ops", json!({"url": "http://127.0.0.1:9/"})).await;
    let preview = async |slug: &str, value: &str| {
        let path = format!("/api/datasets/{slug}/actions/preview");
        server.post(&path, json!({"value": value})).await
    };
    let told =
        |identities: u64| json!({"identities": identities, "lookedAt": 2, "total": 2, "channels": ["ops"]});
    for (slug, value, identities) in [
        ("disposable-email-domains", "Bin.Posteo.de", 1),
        ("disposable-email-domains", "posteo.de", 1),
        ("disposable-email-domains", "elsewhere.example", 0),
        ("tor-networks", "203.0.113.0/24", 0),
        ("tor-networks", "198.51.100.0/24", 2),
    ] {
        assert_eq!(preview(slug, value).await, told(identities), "{slug} {value}");
    }
    let wrong = json!({"value": "no domain"});
    let path = "/api/datasets/disposable-email-domains/actions/preview";
    let refused = refusal(with_json(&server, Method::POST, path, &wrong)).await;
    assert_eq!(refused, "400 bad_request value: must be a domain such as mail.example");
    assert_eq!(server.get(&format!("{DISPOSABLE}?scope=CUSTOMER")).await["totalElements"], 0);
    let added =
        server.call(Method::POST, DISPOSABLE, Some(json!({"value": "Bin.Posteo.de", "note": "seen"}))).await;
    assert_eq!(
        (added.0.as_u16(), &added.1["value"], &added.1["scope"]),
        (201, &json!("bin.posteo.de"), &json!("CUSTOMER"))
    );
    let taken = json!({"value": "mailinator.com", "included": false});
    assert_eq!(server.call(Method::POST, DISPOSABLE, Some(taken)).await.0, 201);
    // Nobody has sent anything meanwhile.
    says("ada", "disposable").await;
    says("bob", "looks like one that a person reads").await;

    let again = with_json(&server, Method::POST, DISPOSABLE, &json!({"value": "bin.posteo.de"}));
    assert_eq!(
        refusal(again).await,
        "409 entry_exists There is an entry for this value. Remove that one first."
    );
    let path = format!("{DISPOSABLE}/{}", added.1["id"]);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
    says("ada", "looks like one that a person reads").await;
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 404);
}

#[tokio::test]
async fn what_is_shipped_is_listed_with_its_source() {
    let server = TestServer::start(Engine::Sqlite).await;
    let datasets = server.get("/api/datasets").await;
    let slugs: Vec<_> =
        datasets.as_array().unwrap().iter().map(|dataset| dataset["slug"].as_str().unwrap()).collect();
    assert_eq!(
        slugs,
        [
            "disposable-email-domains",
            "common-email-domains",
            "relay-email-domains",
            "reserved-email-domains",
            "hosting-networks",
            "tor-networks"
        ]
    );
    assert!(datasets[0]["globalEntryCount"].as_u64().unwrap() > 10_000, "{datasets}");
    assert_eq!(
        (&datasets[2]["source"], &datasets[0]["customerEntryCount"]),
        (&json!("kept by hand from the services' own documentation"), &json!(0))
    );
    server.post(DISPOSABLE, json!({"value": "zzz.mailinator.com"})).await;
    let found = server.get(&format!("{DISPOSABLE}?term=mailinator.com&pageSize=2")).await;
    let told = |entry: &Value| json!([entry["scope"], entry["value"], entry["included"]]);
    let content: Vec<_> = found["content"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(content[0], json!(["CUSTOMER", "zzz.mailinator.com", true]));
    assert_eq!(content[1][0], "GLOBAL");
    let global = server.get(&format!("{DISPOSABLE}?scope=GLOBAL&pageNumber=10000")).await;
    assert_eq!(
        (&global["content"], &global["totalElements"]),
        (&json!([]), &datasets[0]["globalEntryCount"])
    );
    let cases = [
        (
            Method::GET,
            "/api/datasets/none/entries",
            Value::Null,
            "404 dataset_not_found There is no such dataset.",
        ),
        (
            Method::POST,
            DISPOSABLE,
            json!({"value": "not a domain"}),
            "400 bad_request value: must be a domain such as mail.example",
        ),
        (
            Method::DELETE,
            "/api/datasets/relay-email-domains/entries/9",
            Value::Null,
            "404 entry_not_found There is no such entry.",
        ),
        (
            Method::GET,
            "/api/datasets/relay-email-domains/entries?scope=x",
            Value::Null,
            "400 bad_request scope: must be GLOBAL or CUSTOMER",
        ),
    ];
    for (method, path, body, expected) in cases {
        assert_eq!(refusal(with_json(&server, method, path, &body)).await, expected);
    }
    let (status, _) = answer(server.request(Method::GET, "/api/datasets")).await;
    assert_eq!(status, 401);
}
