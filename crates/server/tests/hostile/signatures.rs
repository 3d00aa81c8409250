//! What arrives verifies with the libraries that receivers use.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dregs_core::notify::message::{EventType, Message};
use dregs_core::notify::signature::{Secret, header};
use dregs_core::notify::verify::{Received, TOLERANCE_SECONDS, accepted};
use dregs_core::time::Timestamp;
use dregs_server::channels::webhook::{Attempt, WebhookConfig};
use standardwebhooks::Webhook as StandardWebhook;

use super::local_client;
use crate::support::receiver::{self, Receiver};

#[expect(clippy::disallowed_methods, reason = "the libraries hold timestamps against the real clock")]
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap())
}

/// What arrives at an endpoint when a message is sent at `timestamp`, signed with `secrets`.
async fn deliver(secrets: &[Secret], timestamp: Timestamp) -> receiver::Received {
    let endpoint = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let config = serde_json::json!({"url": endpoint.url(), "headers": {"x-team": "fraud"}});
    let webhook = serde_json::from_value::<WebhookConfig>(config).unwrap().read().unwrap();
    let message = Message {
        id: "evt_1".into(),
        event: EventType::IdentityScored,
        occurred_at: timestamp.plus_millis(-86_400_000),
        identity_id: Some("jörg+test@example.com".into()),
        sequence: Some(3),
        data: r#"{"scores":{"humanity":12}}"#.into(),
    };
    let default_deadline = Duration::from_secs(5);
    let (channel_id, delivery_id, trace) = (2, 9, None);
    let attempt = Attempt { message: &message, channel_id, delivery_id, timestamp, default_deadline, trace };
    let outcome = local_client().post(webhook.request(&attempt, secrets)).await;
    assert!(outcome.is_success(), "{:?}", outcome.error);
    endpoint.requests().remove(0)
}

/// The secrets whose holders accept what arrived: by the vendor's client, by the Standard Webhooks
/// library, and by our own check.
fn accepting(received: &receiver::Received, secrets: &[Secret]) -> Vec<[bool; 3]> {
    let signature = received.headers[header::DREGS_SIGNATURE].to_str().unwrap();
    let by = |secret: &Secret| {
        let text = secret.as_text();
        let check =
            Received { secret: text, body: &received.body, now: now(), tolerance_seconds: TOLERANCE_SECONDS };
        let steps = check.check(|name| received.headers.get(name)?.to_str().ok());
        [
            dregs::webhooks::verify(&received.body, signature, text).is_ok(),
            StandardWebhook::new(text).unwrap().verify(&received.body, &received.headers).is_ok(),
            accepted(&steps),
        ]
    };
    secrets.iter().map(by).collect()
}

#[tokio::test]
async fn the_published_libraries_accept_what_arrives() {
    let [secret, older, other] = [1, 2, 3].map(|byte| Secret::from_bytes([byte; 32]));
    let all = [secret.clone(), older.clone(), other];

    let received = deliver(std::slice::from_ref(&secret), now()).await;
    assert_eq!(accepting(&received, &all), [[true; 3], [false; 3], [false; 3]]);

    // During a rotation the vendor's clients need the newest, the standard takes either.
    let received = deliver(&[secret, older], now()).await;
    assert_eq!(accepting(&received, &all), [[true; 3], [false, true, false], [false; 3]]);
}

#[tokio::test]
async fn what_is_too_old_is_refused_by_all() {
    let secret = Secret::from_bytes([1; 32]);
    let late = deliver(std::slice::from_ref(&secret), now().plus_millis(-301_000)).await;
    assert_eq!(accepting(&late, &[secret]), [[false; 3]]);
}

#[tokio::test]
async fn the_request_on_the_wire_is_the_one_of_the_contract() {
    let timestamp = now();
    let received = deliver(&[Secret::from_bytes([1; 32])], timestamp).await;
    assert_eq!(received.request_line, "POST /hook HTTP/1.1");
    let mut names = received.headers.keys().map(|name| name.as_str()).collect::<Vec<_>>();
    names.sort_unstable();
    let expected = [
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-dregs-delivery",
        "x-dregs-event",
        "x-dregs-signature",
        "x-dregs-timestamp",
        "x-team",
    ];
    assert_eq!(names, expected);
    let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(body["timestamp"], timestamp.to_string());
    assert_eq!(body["identityId"], "jörg+test@example.com");
}
