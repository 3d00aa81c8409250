//! A sign-up form: whoever looks like a script confirms a code first. Without a decision the sign-up goes on.

#![allow(clippy::print_stdout)]

use std::time::Duration;

use serde_json::{Value, json};

const WAIT_MS: u64 = 500;

/// The decision, or `None` where there is none in time.
async fn decide(event: &Value) -> Option<Value> {
    let (base, key) = (std::env::var("DREGS_BASE_URL").ok()?, std::env::var("DREGS_SECRET_KEY").ok()?);
    let request = reqwest::Client::new().post(format!("{base}/events?wait={WAIT_MS}")).bearer_auth(key);
    // Beyond what was asked for, time for the network.
    let request = request.timeout(Duration::from_millis(WAIT_MS + 1_000));
    let response = request.json(event).send().await.ok()?.error_for_status().ok()?;
    let mut answer: Value = response.json().await.ok()?;
    let decision = answer["decision"].take();
    (decision["pending"] == false).then_some(decision)
}

/// `CREATED`, or `CONFIRM` where a code is asked for first.
async fn sign_up(user: &str, email: &str, name: &str, ip: &str, user_agent: &str) -> &'static str {
    let identity = json!({"id": user, "data": {"email": email, "name": name}});
    let event = json!({
        "type": "user.signup", "id": format!("signup-{user}"), "identity": identity, "ip": ip, "userAgent": user_agent
    });
    // The webhook says later what there is to say.
    let Some(decision) = decide(&event).await else { return "CREATED" };
    let humanity = decision["scores"]["humanity"].as_u64();
    if humanity.is_some_and(|humanity| humanity < 30) { "CONFIRM" } else { "CREATED" }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let agent = "python-requests/2.32";
    println!("{}", sign_up("rs_1", "qwrtzpl@yopmail.com", "asdf asdf", "203.0.113.7", agent).await);
}
