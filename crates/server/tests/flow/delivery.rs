//! What a receiver sees, and what the log says about it.

use std::sync::Arc;

use dregs_core::time::Timestamp;
use dregs_server::clock::{Clock, ManualClock};
use dregs_server::limit::Limit;
use dregs_server::ops::team::channels::SIGNING_SECRETS_MAX;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::{Received, Receiver};
use crate::support::server::{TestServer, eventually};

on_both_engines!(
    an_event_becomes_a_signed_webhook,
    retries_come_after_30_60_and_120_seconds,
    retry_after_only_ever_adds,
    a_resend_is_the_same_event_signed_anew,
    a_replay_a_day_later_still_verifies,
    both_secrets_sign_until_the_overlap_ends,
    the_log_shows_the_bytes_that_were_sent,
    each_request_that_may_have_arrived_is_an_attempt_in_the_log,
);

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
const SORRY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nsorry";

pub fn morning() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()))
}

/// Waits until `count` requests have arrived.
pub async fn arrived(receiver: &Receiver, count: usize) -> Vec<Received> {
    eventually(&format!("{count} requests"), async || {
        let requests = receiver.requests();
        (requests.len() >= count).then_some(requests)
    })
    .await
}

fn header<'r>(request: &'r Received, name: &str) -> &'r str {
    request.headers[name].to_str().unwrap()
}

/// Verifies a request as the vendor's client and a Standard Webhooks library do, at the time
/// given, and gives its body.
pub fn verify(request: &Received, secret: &str, now: Timestamp) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert!(dregs::webhooks::verify_signature(&request.body, header(request, "x-dregs-signature"), secret));
    let sent = Timestamp::parse(body["timestamp"].as_str().unwrap()).unwrap();
    assert!(now.millis_since(sent).abs() < 300_000, "sent {sent}, now {now}");
    standard(request, secret);
    body
}

/// A published library has no clock to turn, so that it is asked about the signature only.
fn standard(request: &Received, secret: &str) {
    let webhook = standardwebhooks::Webhook::new(secret).unwrap();
    let seconds: i64 = header(request, "webhook-timestamp").parse().unwrap();
    let expected = webhook.sign(header(request, "webhook-id"), seconds, &request.body).unwrap();
    let signatures: Vec<_> = header(request, "webhook-signature").split(' ').collect();
    assert!(signatures.contains(&expected.as_str()), "{expected} is not among {signatures:?}");
}

async fn an_event_becomes_a_signed_webhook(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let (channel_id, secret) = server.channel("App", json!({"url": receiver.url()})).await;
    let low = json!([{"type": "SCORE_LT", "category": "AUTHENTICITY", "threshold": 40}]);
    server.post("/api/badge-rules", json!({"name": "Fake", "type": "BAD", "conditions": low})).await;
    let answer = server.track("order-1", "ada@example.com").await;
    assert_eq!(answer, json!({"status": "success", "id": "order-1", "fingerprint": null}));

    let request = arrived(&receiver, 1).await.remove(0);
    let now = server.app.clock.now();
    let body = verify(&request, &secret, now);
    let scores = server.get("/api/identities/ada%40example.com/scores").await;
    let delivery = server.wait_for_deliveries(channel_id, "DELIVERED", 1).await.remove(0);
    let expected = json!({
        "id": delivery["eventId"],
        "event": "IDENTITY_SCORED",
        "timestamp": body["timestamp"],
        "occurredAt": body["occurredAt"],
        "channelId": channel_id.to_string(),
        "identityId": "ada@example.com",
        "sequence": 1,
        "data": {
            "identityId": "ada@example.com",
            "cycleId": 1,
            "scores": by_category(&scores),
            "previousScores": null,
            "badges": [{
                "slug": "fake", "name": "Fake", "type": "BAD", "metadata": {},
                "explanation": format!("Authenticity is {}, below 40.", by_category(&scores)["authenticity"]),
            }],
            "eventCount": 1,
            "deviceCount": 0,
            "agent": null,
        },
    });
    assert_eq!(body, expected);
    assert_eq!(header(&request, "content-type"), "application/json");
    assert_eq!(header(&request, "x-dregs-event"), "IDENTITY_SCORED");
    assert_eq!(header(&request, "x-dregs-delivery"), delivery["id"].to_string());
    assert_eq!(header(&request, "webhook-id"), body["id"]);
    assert!(header(&request, "user-agent").starts_with("Dregs-Webhooks/"));
}

/// The four scores as a webhook tells them.
fn by_category(scores: &Value) -> Value {
    let mut all = json!({"humanity": null, "authenticity": null, "uniqueness": null, "behavior": null});
    for score in scores.as_array().unwrap() {
        all[score["category"].as_str().unwrap().to_lowercase()] = score["value"].clone();
    }
    all
}

/// Lets the failures of a delivery happen one by one, moving the clock to each due time, and gives
/// the delivery with its log.
async fn fail_until(server: &TestServer, clock: &ManualClock, channel_id: i64, failures: i64) -> Value {
    for attempt in 1..=failures {
        let delivery = eventually(&format!("attempt {attempt}"), async || {
            let delivery = server.deliveries(channel_id).await.pop()?;
            (delivery["attemptCount"] == attempt).then_some(delivery)
        })
        .await;
        if let Some(next) = delivery["nextAttemptAt"].as_str() {
            let due = Timestamp::parse(next).unwrap();
            clock.advance(due.millis_since(clock.now()));
        }
    }
    let id = server.deliveries(channel_id).await[0]["id"].clone();
    server.get(&format!("/api/deliveries/{id}")).await
}

async fn retries_come_after_30_60_and_120_seconds(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let receiver = Receiver::answering(SORRY).await;
    let (channel_id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;

    let delivery = fail_until(&server, &clock, channel_id, 4).await;
    let attempts = delivery["attempts"].as_array().unwrap();
    let starts: Vec<_> =
        attempts.iter().map(|a| Timestamp::parse(a["startedAt"].as_str().unwrap()).unwrap()).collect();
    let durations: Vec<_> = attempts.iter().map(|a| a["durationMillis"].as_i64().unwrap()).collect();
    for (retry, (pair, delay_ms)) in starts.windows(2).zip([30_000, 60_000, 120_000]).enumerate() {
        let waited = pair[1].millis_since(pair[0]) - durations[retry];
        assert!((delay_ms..=delay_ms * 105 / 100).contains(&waited), "retry {} after {waited} ms", retry + 1);
    }
    let seen = attempts
        .iter()
        .map(|a| json!([a["attempt"], a["trigger"], a["status"], a["httpStatus"], a["errorClass"]]));
    let expected = json!([
        [1, "INITIAL", "FAILED", 503, "http_status"],
        [2, "RETRY", "FAILED", 503, "http_status"],
        [3, "RETRY", "FAILED", 503, "http_status"],
        [4, "RETRY", "FAILED", 503, "http_status"],
    ]);
    assert_eq!(Value::from_iter(seen), expected);
    assert_eq!((&delivery["status"], &delivery["nextAttemptAt"]), (&json!("FAILED"), &Value::Null));
    assert_eq!(delivery["errorMessage"], "the endpoint answered 503 Service Unavailable");

    let ids: Vec<_> = receiver.requests().iter().map(|r| header(r, "webhook-id").to_owned()).collect();
    assert_eq!(ids, vec![delivery["eventId"].as_str().unwrap(); 4]);
}

async fn retry_after_only_ever_adds(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 90\r\ncontent-length: 0\r\n\r\n";
    let receiver = Receiver::answering(busy).await;
    let (channel_id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    let begun = clock.now();
    server.track("e1", "ada").await;
    let delivery = eventually("the first failure", async || {
        let delivery = server.deliveries(channel_id).await.pop()?;
        (delivery["attemptCount"] == 1).then_some(delivery)
    })
    .await;
    let next = Timestamp::parse(delivery["nextAttemptAt"].as_str().unwrap()).unwrap();
    assert!((90_000..100_000).contains(&next.millis_since(begun)), "{next}");
}

async fn a_resend_is_the_same_event_signed_anew(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let receiver = Receiver::answering(OK).await;
    let (channel_id, secret) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    let delivery = server.wait_for_deliveries(channel_id, "DELIVERED", 1).await.remove(0);

    clock.advance(3_600_000);
    let queued =
        server.post(&format!("/api/deliveries/{}/actions/resend", delivery["id"]), Value::Null).await;
    assert_eq!(queued["eventId"], delivery["eventId"]);
    let requests = arrived(&receiver, 2).await;
    let first = verify(&requests[0], &secret, Timestamp::parse("2026-11-23T09:00:00Z").unwrap());
    let mut again = verify(&requests[1], &secret, clock.now());
    assert_eq!(again["timestamp"], "2026-11-23T10:00:00.000Z");
    again["timestamp"] = first["timestamp"].clone();
    assert_eq!(again, first);

    server.wait_for_deliveries(channel_id, "DELIVERED", 1).await;
    let log = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
    let triggers: Vec<_> = log["attempts"].as_array().unwrap().iter().map(|a| a["trigger"].clone()).collect();
    assert_eq!(triggers, ["INITIAL", "RESEND"]);
}

async fn a_replay_a_day_later_still_verifies(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let receiver = Receiver::answering(OK).await;
    let (channel_id, secret) = server.channel("App", json!({"url": receiver.url()})).await;
    for (count, user) in (1..).zip(["ada", "bob", "eve"]) {
        server.track(user, user).await;
        server.wait_for_deliveries(channel_id, "DELIVERED", count).await;
        clock.advance(60_000);
    }
    clock.advance(86_400_000);

    let path = format!("/api/channels/{channel_id}/actions/replay");
    let mut range = json!({"from": "2026-11-23T09:00:30Z", "to": "2026-11-23T10:00:00Z", "dryRun": true});
    assert_eq!(
        server.post(&path, range.clone()).await,
        json!({"matched": 2, "queued": 0, "leftOut": 0, "dryRun": true})
    );
    assert_eq!(receiver.requests().len(), 3);
    range["dryRun"] = json!(false);
    assert_eq!(
        server.post(&path, range).await,
        json!({"matched": 2, "queued": 2, "leftOut": 0, "dryRun": false})
    );

    let requests = arrived(&receiver, 5).await;
    let mut replayed: Vec<_> = requests[3..].iter().map(|r| verify(r, &secret, clock.now())).collect();
    replayed.sort_by_key(|body| body["identityId"].to_string());
    let told: Vec<_> = replayed.iter().map(|body| [&body["identityId"], &body["occurredAt"]]).collect();
    assert_eq!(
        json!(told),
        json!([["bob", "2026-11-23T09:01:00.000Z"], ["eve", "2026-11-23T09:02:00.000Z"]])
    );
    let log = server.wait_for_deliveries(channel_id, "DELIVERED", 3).await;
    let counts: Vec<_> = log.iter().map(|d| d["attemptCount"].clone()).collect();
    assert_eq!(counts, [2, 2, 1]);
}

async fn both_secrets_sign_until_the_overlap_ends(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let receiver = Receiver::answering(OK).await;
    let (channel_id, old) = server.channel("App", json!({"url": receiver.url()})).await;
    let path = format!("/api/channels/{channel_id}/actions/rotate-secret");
    clock.advance(1_000);
    let rotated = server.post(&path, json!({"overlapSeconds": 600})).await;
    let new = rotated["signingSecret"].as_str().unwrap();
    assert_ne!(new, old);

    server.track("e1", "ada").await;
    let during = arrived(&receiver, 1).await.remove(0);
    verify(&during, new, clock.now());
    standard(&during, &old);

    clock.advance(600_000);
    server.track("e2", "bob").await;
    let after = arrived(&receiver, 2).await.remove(1);
    verify(&after, new, clock.now());
    assert_eq!(header(&after, "webhook-signature").split(' ').count(), 1);

    for _ in 1..SIGNING_SECRETS_MAX {
        server.post(&path, json!({"overlapSeconds": 600})).await;
    }
    let (status, refused) = server.call(Method::POST, &path, Some(json!({"overlapSeconds": 600}))).await;
    let words = format!("A channel has at most {SIGNING_SECRETS_MAX} signing secrets at a time.");
    assert_eq!((status.as_u16(), refused["message"].as_str()), (400, Some(words.as_str())));
    assert!(server.reached(Limit::SigningSecrets) > 0);
    server.track("e3", "cleo").await;
    let many = arrived(&receiver, 3).await.remove(2);
    assert_eq!(header(&many, "webhook-signature").split(' ').count() as i64, SIGNING_SECRETS_MAX);
    // Whoever has lost one ends all others at once, and that always works.
    server.post(&path, json!({"overlapSeconds": 0})).await;
    server.track("e4", "dora").await;
    let alone = arrived(&receiver, 4).await.remove(3);
    assert_eq!(header(&alone, "webhook-signature").split(' ').count(), 1);
}

async fn the_log_shows_the_bytes_that_were_sent(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.retry_schedule = "1".into()).await;
    let receiver = Receiver::start(|mut conversation| async move {
        for answer in [SORRY, OK] {
            conversation.read_request().await;
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await;
    let config = json!({"url": receiver.url(), "headers": {"X-Api-Key": "hush"}});
    let (channel_id, _) = server.channel("App", config).await;
    server.track("e1", "ada").await;
    let delivery = server.wait_for_deliveries(channel_id, "DELIVERED", 1).await.remove(0);
    let requests = receiver.requests();
    let log = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
    let attempts = log["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), requests.len()), (2, 2));
    for (attempt, request) in attempts.iter().zip(&requests) {
        assert_eq!(attempt["requestBody"].as_str().unwrap().as_bytes(), request.body);
        assert_eq!(attempt["payloadSize"], request.body.len());
        assert_eq!(attempt["remoteAddress"], receiver.address.to_string());
        let mut sent: Value = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
            .collect();
        assert_eq!(sent["x-api-key"], "hush");
        sent["x-api-key"] = json!("********");
        assert_eq!(attempt["requestHeaders"], sent);
    }
    let answers: Vec<_> = attempts.iter().map(|a| [&a["httpStatus"], &a["responseBody"]]).collect();
    assert_eq!(json!(answers), json!([[503, "sorry"], [200, "hi"]]));
}

async fn each_request_that_may_have_arrived_is_an_attempt_in_the_log(engine: Engine) {
    // Each connection takes one request, and breaks under the second, which it has read.
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(OK.as_bytes()).await;
        conversation.read_request().await;
    })
    .await;
    let server = TestServer::start(engine).await;
    let (channel_id, secret) = server.channel("App", json!({"url": receiver.url()})).await;
    for n in 1..=5 {
        server.track(&format!("e{n}"), &format!("user-{n}")).await;
        server.wait_for_deliveries(channel_id, "DELIVERED", n).await;
    }
    let tested = server.post(&format!("/api/channels/{channel_id}/actions/test"), Value::Null).await;
    assert_eq!(tested["status"], "DELIVERED");
    let deliveries = server.deliveries(channel_id).await;
    let attempts: u64 = deliveries.iter().map(|delivery| delivery["attemptCount"].as_u64().unwrap()).sum();
    let requests = receiver.requests();
    assert_eq!(requests.len() as u64, attempts);
    assert!(requests.len() > 6, "no connection broke");
    let broken = deliveries.iter().rev().find(|delivery| delivery["attemptCount"] == 2).unwrap();
    let log = server.get(&format!("/api/deliveries/{}", broken["id"])).await;
    let seen = |attempt: &Value| json!([attempt["trigger"], attempt["status"], attempt["errorClass"]]);
    let seen: Vec<_> = log["attempts"].as_array().unwrap().iter().map(seen).collect();
    let expected = [json!(["INITIAL", "FAILED", "connection_closed"]), json!(["RETRY", "DELIVERED", null])];
    assert_eq!(seen, expected);
    // Each is signed with its own time, and it says nothing against the endpoint.
    for request in &requests {
        verify(request, &secret, server.app.clock.now());
    }
    let channel = server.get(&format!("/api/channels/{channel_id}")).await;
    assert_eq!(channel["health"]["status"], "HEALTHY");
}
