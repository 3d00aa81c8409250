//! What a channel knows that is for its endpoint alone: where it is kept, who sees it, where it is sent.

use dregs_server::clock::SystemClock;
use dregs_server::store::Tx;
use dregs_server::values;
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, TestServer, answer};

on_both_engines!(
    credentials_of_a_webhook_are_sealed_and_shown_to_nobody,
    what_an_older_version_kept_openly_is_sealed_at_a_start,
    what_is_kept_masked_goes_to_no_other_origin,
);

/// The configuration of the only channel as it stands in the database.
async fn stored(server: &TestServer) -> String {
    server.app.store.read(|tx| tx.get("select config from channels", &[], |row| row.get(0))).await.unwrap()
}

/// A webhook whose URL and header are credentials.
fn config(receiver: &Receiver) -> Value {
    let url = format!("{}?token=s3cret-url&team=a", receiver.url());
    json!({"url": url, "headers": {"X-Api-Token": "s3cret-header"}, "timeoutMs": 5_000})
}

async fn audit_log(server: &TestServer) -> String {
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let token = server.post("/api/auth/login", login).await["token"].as_str().unwrap().to_owned();
    let log = answer(server.request(Method::GET, "/api/audit-log?pageSize=100").bearer_auth(token)).await;
    assert_eq!(log.0, 200);
    log.1.to_string()
}

async fn credentials_of_a_webhook_are_sealed_and_shown_to_nobody(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let server = TestServer::start(engine).await;
    let (id, _) = server.channel("App", config(&receiver)).await;
    let path = format!("/api/channels/{id}");
    let shown = server.get(&path).await;
    assert_eq!(shown["config"]["url"], format!("{}?token=********&team=a", receiver.url()));
    assert_eq!(shown["config"]["headers"], json!({"X-Api-Token": "********"}));
    // What is shown can be sent back.
    let changed = server.patch(&path, json!({"config": shown["config"]})).await;
    assert_eq!((&changed["config"], &changed["droppedHeaders"]), (&shown["config"], &Value::Null));
    server.track("e1", "ada").await;
    let delivery = server.wait_for_deliveries(id, "DELIVERED", 1).await.remove(0);
    let request = arrived(&receiver, 1).await.remove(0);
    assert_eq!(request.request_line, "POST /hook?token=s3cret-url&team=a HTTP/1.1");
    assert_eq!(request.headers["x-api-token"], "s3cret-header");
    let log = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
    for (place, text) in [
        ("database", stored(&server).await),
        ("list", server.get("/api/channels").await.to_string()),
        ("log", log.to_string()),
        ("audit log", audit_log(&server).await),
    ] {
        assert!(!text.contains("s3cret"), "{place}: {text}");
    }
}

async fn what_an_older_version_kept_openly_is_sealed_at_a_start(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let server = TestServer::start(engine).await;
    let (id, _) = server.channel("App", config(&receiver)).await;
    let open = config(&receiver).to_string();
    let write = move |tx: &mut Tx| tx.execute("update channels set config = $1", &values![&open]);
    server.app.store.write(write).await.unwrap();
    let server = TestServer::start_on(server.stop(), std::sync::Arc::new(SystemClock), |_| {}).await;
    let text = stored(&server).await;
    assert!(!text.contains("s3cret") && text.contains("\"timeoutMs\":5000"), "{text}");
    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    assert_eq!(receiver.requests()[0].headers["x-api-token"], "s3cret-header");
}

async fn what_is_kept_masked_goes_to_no_other_origin(engine: Engine) {
    let (receiver, other) = (Receiver::answering(OK).await, Receiver::answering(OK).await);
    let server = TestServer::start(engine).await;
    let (id, _) = server.channel("App", config(&receiver)).await;
    let path = format!("/api/channels/{id}");
    let headers = json!({"X-Api-Token": "********", "X-New": "new"});
    let moved = server.patch(&path, json!({"config": {"url": other.url(), "headers": headers}})).await;
    assert_eq!(moved["droppedHeaders"], json!(["X-Api-Token"]));
    assert_eq!(moved["config"]["headers"], json!({"X-New": "********"}));
    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    let request = other.requests().remove(0);
    assert_eq!(
        (request.headers.get("x-api-token"), &request.headers["x-new"]),
        (None, &"new".parse().unwrap())
    );
    let masked = json!({"config": {"url": format!("{}?token=********", receiver.url())}});
    let (status, refused) = server.call(Method::PATCH, &path, Some(masked)).await;
    assert_eq!((status.as_u16(), &refused["details"][0]["field"]), (400, &json!("config.url")));
}

#[tokio::test]
async fn secrets_in_the_url_of_an_event_are_not_stored() {
    let server = TestServer::start(Engine::Sqlite).await;
    let url = "https://anna:hunter2@shop.test/reset?resetToken=s3cret&page=2#access_token=s3cret";
    let event = json!({"id": "e1", "type": "page.view", "identity": {"id": "ada"}, "url": url});
    server.post("/api/events", event).await;
    let expected =
        "https://anna:[REDACTED]@shop.test/reset?resetToken=[REDACTED]&page=2#access_token=[REDACTED]";
    assert_eq!(server.get("/api/events/e1").await["url"], expected);
}
