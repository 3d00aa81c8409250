//! Sends an event, and reads the scores.

use dregs::{Client, Event, Group};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // From DREGS_SECRET_KEY and DREGS_BASE_URL.
    let client = Client::from_env()?;
    let event = Event::new("purchase", "user_3")
        .event_id("order-1003")
        .data(json!({"total": 12}))
        .identity_data(json!({"email": "grace.hopper@fastmail.com", "name": "Grace Hopper"}))
        .group(Group::organization("org_1"));
    client.track(event).await?;
    let scores = client.identities().scores("user_3").await?;
    if scores.authenticity().is_some_and(|authenticity| authenticity < 40) {
        // Hold the order.
    }
    Ok(())
}
