//! A sign-up form: whoever looks like a script confirms a code first. Without a decision the sign-up goes on.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const WAIT_MS: u64 = 500;

/// The decision, or `None` where there is none in time.
async fn decide(event: &Value) -> Option<Value> {
    let (base, key) = (std::env::var("DREGS_BASE_URL").ok()?, std::env::var("DREGS_SECRET_KEY").ok()?);
    let request = reqwest::Client::new().post(format!("{base}/events?wait={WAIT_MS}")).bearer_auth(key);
    // Beyond what was asked for, time for the network.
    let request = request.timeout(Duration::from_millis(WAIT_MS + 1_000));
    let response = request.json(event).send().await.ok()?;
    let status = response.status();
    if !status.is_success() {
        // It is not stored: no webhook will report it.
        eprintln!("{} was not taken: {status} {}", event["id"], response.text().await.unwrap_or_default());
        return None;
    }
    let mut answer: Value = response.json().await.ok()?;
    let decision = answer["decision"].take();
    (decision["pending"] == false).then_some(decision)
}

/// `CREATED`, or `CONFIRM` where a code is asked for first.
async fn sign_up(user: &str, email: &str, name: &str, ip: &str, user_agent: &str) -> &'static str {
    let identity = json!({"id": user, "data": {"email": email, "name": name}});
    // A user may be called anything, and an event has at most 64 characters.
    let id = hex::encode(Sha256::digest(format!("signup-{user}")));
    let event =
        json!({"type": "user.signup", "id": id, "identity": identity, "ip": ip, "userAgent": user_agent});
    // The webhook says later what there is to say.
    let Some(decision) = decide(&event).await else { return "CREATED" };
    let humanity = decision["scores"]["humanity"].as_u64();
    if humanity.is_some_and(|humanity| humanity < 30) { "CONFIRM" } else { "CREATED" }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (user, agent) =
        ("https://accounts.example.com/users/6f1c8e3a-52d4-4a55-9d0e-rust", "python-requests/2.32");
    println!("{}", sign_up(user, "qwrtzpl@yopmail.com", "asdf asdf", "203.0.113.7", agent).await);
}
