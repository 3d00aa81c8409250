//! Saved views of lists.

use dregs_server::limit::Limit;
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, with_json};
use crate::support::engine::Engine;
use crate::support::server::TestServer;

#[tokio::test]
async fn a_view_is_kept_for_its_list_until_it_is_removed() {
    let server = TestServer::start(Engine::Sqlite).await;
    let new = json!({"name": " Scripts ", "page": "identities", "query": "humanityMax=29&sort=createdAt"});
    let made = server.post("/api/views", new.clone()).await;
    let expected = json!({
        "id": made["id"], "name": "Scripts", "page": "identities", "query": "humanityMax=29&sort=createdAt",
        "createdBy": made["createdBy"], "createdAt": made["createdAt"],
    });
    assert_eq!(made, expected);
    let list = async |page: &str| server.call(Method::GET, &format!("/api/views?page={page}"), None).await.1;
    assert_eq!((list("identities").await, list("events").await), (json!([expected]), json!([])));

    let refused = async |body: &Value| refusal(with_json(&server, Method::POST, "/api/views", body)).await;
    assert_eq!(
        refused(&new).await,
        "409 view_exists There is a view of this list with this name. Take another one."
    );
    let with = |key: &str, value: Value| {
        let mut body = new.clone();
        body[key] = value;
        body
    };
    assert_eq!(
        refused(&with("page", json!("rules"))).await,
        "400 bad_request page: must be one of identities, events, devices, groups, escalations"
    );
    assert_eq!(
        refused(&with("name", json!(" "))).await,
        "400 bad_request name: must have from 1 to 100 characters"
    );
    assert_eq!(
        refused(&with("query", json!("x".repeat(1_001)))).await,
        "400 bad_request query: must have at most 1000 bytes"
    );

    let path = format!("/api/views/{}", made["id"]);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(
        refusal(server.request(Method::DELETE, &path).bearer_auth(crate::support::server::SECRET_KEY)).await,
        "404 view_not_found There is no such view."
    );
    assert_eq!(list("identities").await, json!([]));
}

#[tokio::test]
async fn a_team_has_a_hundred_views_at_most() {
    let server = TestServer::start(Engine::Sqlite).await;
    let new = |number: u32| json!({"name": format!("View {number}"), "page": "events", "query": ""});
    for number in 1..=100 {
        server.post("/api/views", new(number)).await;
    }
    assert_eq!(
        refusal(with_json(&server, Method::POST, "/api/views", &new(101))).await,
        "400 bad_request name: there are 100 views already"
    );
    assert!(server.reached(Limit::Views) > 0);
}
