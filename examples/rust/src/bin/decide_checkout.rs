//! A checkout: an order ships where nothing speaks against its buyer. Without a decision it is held.

#![allow(clippy::print_stdout)]

use std::time::Duration;

use serde_json::{Value, json};

const WAIT_MS: u64 = 500;

/// The decision, or `None` where there is none in time.
async fn decide(event: &Value) -> Option<Value> {
    let (base, key) = (std::env::var("DREGS_BASE_URL").ok()?, std::env::var("DREGS_SECRET_KEY").ok()?);
    let request = reqwest::Client::new().post(format!("{base}/events?wait={WAIT_MS}")).bearer_auth(key);
    let request = request.timeout(Duration::from_millis(WAIT_MS + 1_000));
    let response = request.json(event).send().await.ok()?.error_for_status().ok()?;
    let mut answer: Value = response.json().await.ok()?;
    let decision = answer["decision"].take();
    (decision["pending"] == false).then_some(decision)
}

/// Whether one of a list has this value in a field.
fn any(list: &Value, field: &str, value: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|one| one[field] == value))
}

/// `ACCEPTED`, `HELD` until the webhook comes, or `REVIEW` by a person.
async fn check_out(user: &str, order: &str, total: u64) -> &'static str {
    let event = json!({
        "type": "purchase", "id": format!("order-{order}"), "identity": {"id": user}, "data": {"total": total}
    });
    let Some(decision) = decide(&event).await else { return "HELD" };
    let is_critical = any(&decision["openEscalations"], "severity", "CRITICAL");
    if is_critical || any(&decision["badges"], "type", "BAD") { "REVIEW" } else { "ACCEPTED" }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", check_out("rs_2", "1003", 12).await);
}
