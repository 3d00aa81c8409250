//! A checkout: an order ships where something speaks for its buyer and nothing against. Without a decision it is held.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const WAIT_MS: u64 = 500;

/// What dregs has answered.
enum Answer {
    Decision(Value),
    /// None in time: send the event again.
    None,
    /// The event is not stored, however often it is sent: no webhook will report it.
    Refused,
}

async fn ask(event: &Value) -> Result<Answer, reqwest::Error> {
    let [base, key] =
        ["DREGS_BASE_URL", "DREGS_SECRET_KEY"].map(|name| std::env::var(name).unwrap_or_default());
    let request = reqwest::Client::new().post(format!("{base}/events?wait={WAIT_MS}")).bearer_auth(key);
    let request = request.timeout(Duration::from_millis(WAIT_MS + 1_000));
    let response = request.json(event).send().await?;
    let status = response.status();
    if status.is_client_error() && status != 429 {
        eprintln!("{} was refused: {status} {}", event["id"], response.text().await.unwrap_or_default());
        return Ok(Answer::Refused);
    }
    let mut answer: Value = response.error_for_status()?.json().await?;
    let decision = answer["decision"].take();
    Ok(if decision["pending"] == false { Answer::Decision(decision) } else { Answer::None })
}

/// Whether one of a list has this value in a field.
fn any(list: &Value, field: &str, value: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|one| one[field] == value))
}

/// `ACCEPTED`, `HELD` until the webhook comes, or `REVIEW` by a person.
async fn check_out(user: &str, order: &str, total: u64) -> &'static str {
    // An order may be called anything, and an event has at most 64 characters.
    let id = hex::encode(Sha256::digest(format!("order-{order}")));
    let event = json!({"type": "purchase", "id": id, "identity": {"id": user}, "data": {"total": total}});
    let decision = match ask(&event).await {
        Ok(Answer::Decision(decision)) => decision,
        Ok(Answer::None) | Err(_) => return "HELD",
        Ok(Answer::Refused) => return "REVIEW",
    };
    if any(&decision["openEscalations"], "severity", "CRITICAL") || any(&decision["badges"], "type", "BAD") {
        return "REVIEW";
    }
    // Unknown is not good.
    let is_known = decision["scores"].as_object().is_some_and(|scores| scores.values().any(Value::is_u64));
    if is_known { "ACCEPTED" } else { "HELD" }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", check_out("rs_2", "web/2026-11-30/6f1c8e3a-52d4-4a55-9d0e-3b9f1c2a7e44/1003", 12).await);
}
