//! When an endpoint is sick: who is left alone, who is warned, and what becomes of what waits.

use std::sync::{Arc, Mutex};

use dregs_core::notify::breaker::PAUSE_MIN_MS;
use dregs_core::time::Timestamp;
use dregs_server::clock::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived, morning};
use super::people::channel;
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::mailbox::{Mailbox, header};
use crate::support::receiver::{Received, Receiver};
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer, eventually};

on_both_engines!(
    a_sick_endpoint_is_left_alone_probed_and_found_well_again,
    what_waits_at_a_sick_endpoint_survives_a_restart_and_so_does_the_pause,
    gone_disables_at_once_and_others_are_told,
    long_sickness_is_warned_of_twice_and_then_disables,
    one_after_the_other_an_identity_s_events_arrive_in_order,
    of_the_scores_that_wait_only_the_newest_is_sent,
    what_waits_too_long_for_a_sick_endpoint_fails_and_can_be_replayed,
    what_waits_too_long_for_people_fails_too,
    a_delivery_alone_fails_on_its_schedule_though_the_breaker_is_open,
    a_good_test_ends_the_pause_and_lets_go_what_waits,
    a_person_can_have_it_tried_again_now,
    a_repaired_address_lets_go_what_waits,
    while_a_score_is_under_way_those_after_it_wait_and_the_newest_is_sent,
    at_a_limited_rate_scores_are_left_out_too,
);

const SORRY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nsorry";
const GONE: &str = "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n";
const HOUR_MS: i64 = 3_600_000;

/// What an endpoint answers now.
type Answer = Arc<Mutex<&'static str>>;

/// An endpoint that answers with what is in there.
pub async fn answering(answer: &Answer) -> Receiver {
    let answer = Arc::clone(answer);
    Receiver::start(move |mut conversation| {
        let answer = Arc::clone(&answer);
        async move {
            while conversation.read_request().await.is_some() {
                let bytes = *answer.lock().unwrap();
                conversation.send(bytes.as_bytes()).await;
            }
        }
    })
    .await
}

async fn health(server: &TestServer, channel_id: i64) -> Value {
    server.get(&format!("/api/channels/{channel_id}")).await["health"].clone()
}

async fn track(server: &TestServer, from: usize, count: usize) {
    // Nothing that they have in common: they would be scored once more when that is learned.
    let bare = |n| json!({"id": format!("e{n}"), "type": "login", "identity": {"id": format!("user-{n}")}});
    let events: Vec<_> = (from..from + count).map(bare).collect();
    server.post("/api/events/batch", json!(events)).await;
}

/// Five failures, and the breaker is open.
async fn sicken(server: &TestServer, channel_id: i64, failures: u64) {
    track(server, 0, 5).await;
    let sick = async || (health(server, channel_id).await["failures"] == failures).then_some(());
    eventually("the breaker to open", sick).await;
}

async fn a_sick_endpoint_is_left_alone_probed_and_found_well_again(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let (receiver, well) = (answering(&answer).await, Receiver::answering(OK).await);
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let (id, _) = server.channel("Sick", json!({"url": receiver.url()})).await;
    let (other, _) = server.channel("Well", json!({"url": well.url()})).await;
    sicken(&server, id, 5).await;
    let shown = health(&server, id).await;
    assert_eq!(shown["status"], "FAILING");
    let summary = json!({"healthy": 1, "failing": 1, "disabled": 0});
    assert_eq!(server.get("/api/dashboard/stats").await["channels"], summary);
    assert_eq!(shown["lastError"], "the endpoint answered 503 Service Unavailable");
    assert!(shown["resumesAt"].as_str().unwrap().starts_with("2026-11-23T09:00:05"), "{shown}");

    // What comes now waits, without an attempt, and others do not wait.
    track(&server, 5, 40).await;
    server.wait_for_deliveries(other, "DELIVERED", 45).await;
    let waiting = server.wait_for_deliveries(id, "PENDING", 45).await;
    assert_eq!(receiver.requests().len(), 5);
    assert_eq!(waiting.iter().filter(|delivery| delivery["attemptCount"] == 0).count(), 40);
    assert!(
        waiting.iter().all(|delivery| delivery["nextAttemptAt"].as_str().unwrap() > "2026-11-23T09:00:05")
    );

    // Each probe is an attempt of the delivery that has been due longest, and counts as no retry since it was held: after
    // ten of them nothing is given up.
    for probe in 1..=10 {
        clock.advance(301_000);
        let probed = async || (receiver.requests().len() >= 5 + probe).then_some(());
        eventually("a probe", probed).await;
        let judged = async || (health(&server, id).await["failures"] == 5 + probe).then_some(());
        eventually("its outcome", judged).await;
    }
    assert_eq!(receiver.requests().len(), 15);
    assert_eq!(server.wait_for_deliveries(id, "PENDING", 45).await.len(), 45);

    // The next finds it well, and all that waits is sent, each once.
    *answer.lock().unwrap() = OK;
    clock.advance(301_000);
    server.wait_for_deliveries(id, "DELIVERED", 45).await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 15 + 45);
    let delivered: std::collections::BTreeSet<_> = requests[15..]
        .iter()
        .map(|request| request.headers["webhook-id"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(delivered.len(), 45);
    assert_eq!(health(&server, id).await["status"], "HEALTHY");
    // The log tells probes from retries.
    let mut probes = 0;
    for delivery in server.deliveries(id).await {
        let log = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
        probes += log["attempts"].as_array().unwrap().iter().filter(|a| a["trigger"] == "PROBE").count();
    }
    assert_eq!(probes, 11);
}

async fn what_waits_at_a_sick_endpoint_survives_a_restart_and_so_does_the_pause(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let (id, _) = server.channel("Sick", json!({"url": receiver.url()})).await;
    sicken(&server, id, 5).await;
    let before = health(&server, id).await;
    let server = TestServer::start_on(server.stop(), clock.clone(), |_| {}).await;
    assert_eq!(health(&server, id).await, before);
    track(&server, 5, 3).await;
    server.wait_for_deliveries(id, "PENDING", 8).await;
    assert_eq!(receiver.requests().len(), 5);
    *answer.lock().unwrap() = OK;
    clock.advance(60_000);
    server.wait_for_deliveries(id, "DELIVERED", 8).await;
    assert_eq!(receiver.requests().len(), 13);
}

async fn gone_disables_at_once_and_others_are_told(engine: Engine) {
    let gone = Receiver::answering(GONE).await;
    let witness = Receiver::answering(OK).await;
    let mailbox = Mailbox::open().await;
    let port = mailbox.port;
    let smtp = |config: &mut dregs_server::config::Config| {
        config.smtp_url = Some(format!("smtp://127.0.0.1:{port}?tls=none"));
    };
    let server = TestServer::start_with(engine, smtp).await;
    clear(&server).await;
    let (id, _) = server.channel("Orders", json!({"url": gone.url()})).await;
    let mail = json!({"type": "EMAIL", "name": "Mail", "events": ["channel.test"], "config": {"recipients": ["ops@example.com"]}});
    server.post("/api/channels", mail).await;
    let hook = json!({"type": "WEBHOOK", "name": "Hook", "events": ["channel.disabled"],
                      "config": {"url": witness.url()}});
    server.post("/api/channels", hook).await;
    // A test says what it finds, and disables nothing.
    let tested = server.post(&format!("/api/channels/{id}/actions/test"), Value::Null).await;
    assert_eq!(tested["httpStatus"], 410);
    assert_eq!(health(&server, id).await["status"], "HEALTHY");

    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "FAILED", 2).await;
    let channel = server.get(&format!("/api/channels/{id}")).await;
    assert_eq!((&channel["enabled"], &channel["health"]["status"]), (&json!(false), &json!("DISABLED")));
    let reason = "nothing will be taken there any more: the endpoint answered 410 Gone";
    assert_eq!(channel["health"]["disabledReason"], reason);
    let told: Value = serde_json::from_slice(&arrived(&witness, 1).await[0].body).unwrap();
    assert_eq!(told["event"], "CHANNEL_DISABLED");
    assert_eq!(told["data"]["channel"]["slug"], "orders");
    let letter = mailbox.arrived(1).await.remove(0);
    assert_eq!(header(&letter, "Subject"), "[dregs] A channel has been disabled – Orders");
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let token = server.post("/api/auth/login", login).await["token"].as_str().unwrap().to_owned();
    let audit = server.request(Method::GET, "/api/audit-log?action=channel.disable").bearer_auth(token);
    let (_, audit) = answer(audit).await;
    let entry = &audit["content"][0];
    assert_eq!((&entry["actor"], &entry["targetId"]), (&json!("server"), &json!(id.to_string())), "{audit}");

    let summary = json!({"healthy": 2, "failing": 0, "disabled": 1});
    assert_eq!(server.get("/api/dashboard/stats").await["channels"], summary);

    // It keeps what comes, and forgets why it was disabled when a person enables it.
    server.track("e2", "ada").await;
    server.wait_for_deliveries(id, "PAUSED", 1).await;
    let path = format!("/api/channels/{id}");
    let enabled = server.patch(&path, json!({"enabled": true, "config": {"url": witness.url()}})).await;
    assert_eq!(enabled["health"]["status"], "HEALTHY");
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
}

async fn long_sickness_is_warned_of_twice_and_then_disables(engine: Engine) {
    let sick = Receiver::answering(SORRY).await;
    let witness = Receiver::answering(OK).await;
    let clock = morning();
    let policy = |config: &mut dregs_server::config::Config| config.disable_after_hours = 10;
    let server = TestServer::start_on(Ground::new(engine), clock.clone(), policy).await;
    clear(&server).await;
    let (id, _) = server.channel("Orders", json!({"url": sick.url()})).await;
    let events = json!(["channel.failing", "channel.disabled"]);
    let hook = json!({"type": "WEBHOOK", "name": "Hook", "events": events, "config": {"url": witness.url()}});
    server.post("/api/channels", hook).await;
    sicken(&server, id, 5).await;
    for failures in 6..=10 {
        clock.advance(301_000);
        let probed = async || (health(&server, id).await["failures"] == failures).then_some(());
        eventually("a probe", probed).await;
    }
    assert_eq!(witness.requests().len(), 0);
    let mut told = Vec::new();
    for (hours, count) in [(4, 0), (1, 1), (1, 1), (2, 2), (1, 2), (2, 3)] {
        clock.advance(hours * HOUR_MS);
        let failures = health(&server, id).await["failures"].as_u64().unwrap();
        let probed = async || {
            let health = health(&server, id).await;
            (health["failures"].as_u64() > Some(failures)).then_some(health)
        };
        let health = eventually("a probe", probed).await;
        let bodies = arrived(&witness, count).await;
        assert_eq!(bodies.len(), count, "after {hours} hours: {health}");
        told = bodies.iter().map(|r| serde_json::from_slice::<Value>(&r.body).unwrap()).collect();
    }
    let told: Vec<_> = told.iter().map(|body| json!([body["event"], body["data"]["percent"]])).collect();
    let expected = json!([["CHANNEL_FAILING", 50], ["CHANNEL_FAILING", 80], ["CHANNEL_DISABLED", null]]);
    assert_eq!(json!(told), expected);
    let channel = server.get(&format!("/api/channels/{id}")).await;
    assert_eq!((&channel["enabled"], &channel["health"]["disablePercent"]), (&json!(false), &json!(100)));
    server.wait_for_deliveries(id, "PAUSED", 5).await;
}

async fn one_after_the_other_an_identity_s_events_arrive_in_order(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let (id, _) = server.channel("Ordered", json!({"url": receiver.url(), "ordered": true})).await;
    server.track("e0", "ada").await;
    arrived(&receiver, 1).await;
    *answer.lock().unwrap() = OK;
    for n in 1..5 {
        server.track(&format!("e{n}"), "ada").await;
        server.wait_for_deliveries(id, "PENDING", n + 1).await;
    }
    // Another identity does not wait for her.
    server.track("f0", "bob").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    assert_eq!(receiver.requests().len(), 2);
    clock.advance(60_000);
    server.wait_for_deliveries(id, "DELIVERED", 6).await;
    let sequences: Vec<_> = receiver
        .requests()
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap())
        .filter(|body| body["identityId"] == "ada")
        .map(|body| body["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, [1, 1, 2, 3, 4, 5]);
}

async fn of_the_scores_that_wait_only_the_newest_is_sent(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let config = json!({"url": receiver.url(), "coalesce": true});
    let (id, _) = server.channel("Coalescing", config).await;
    server.track("e0", "ada").await;
    arrived(&receiver, 1).await;
    server.wait_for_deliveries(id, "PENDING", 1).await;
    server.call(Method::PATCH, &format!("/api/channels/{id}"), Some(json!({"enabled": false}))).await;
    for n in 1..4 {
        server.track(&format!("e{n}"), "ada").await;
        server.wait_for_deliveries(id, "PAUSED", n + 1).await;
    }
    server.track("f0", "bob").await;
    server.wait_for_deliveries(id, "PAUSED", 5).await;
    *answer.lock().unwrap() = OK;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": true})).await;
    server.wait_for_deliveries(id, "DELIVERED", 2).await;
    let superseded = server.wait_for_deliveries(id, "SUPERSEDED", 3).await;
    assert!(superseded.iter().all(|d| d["errorMessage"] == "a newer score of this identity is sent instead"));
    let sent: Vec<_> = receiver.requests()[1..]
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap())
        .map(|body| json!([body["identityId"], body["sequence"]]))
        .collect();
    let mut sent: Vec<_> = sent.iter().map(Value::to_string).collect();
    sent.sort();
    assert_eq!(sent, [r#"["ada",4]"#, r#"["bob",1]"#]);
    let listed = server.get(&format!("/api/channels/{id}/deliveries?status=SUPERSEDED")).await;
    assert_eq!(listed["totalElements"], 3);
}

async fn what_waits_too_long_for_a_sick_endpoint_fails_and_can_be_replayed(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let policy = |config: &mut dregs_server::config::Config| config.held_max_seconds = 600;
    let server = TestServer::start_on(Ground::new(engine), clock.clone(), policy).await;
    clear(&server).await;
    let (id, _) = server.channel("Sick", json!({"url": receiver.url()})).await;
    sicken(&server, id, 5).await;
    track(&server, 5, 15).await;
    server.wait_for_deliveries(id, "PENDING", 20).await;
    // Longer than the schedule, 3.5 minutes, but not for ten minutes more.
    for failures in 6..=7 {
        clock.advance(301_000);
        let probed = async || (health(&server, id).await["failures"] == failures).then_some(());
        eventually("a probe", probed).await;
    }
    server.wait_for_deliveries(id, "PENDING", 20).await;
    // The last that were tried have a retry of their own to come.
    let listed = format!("/api/channels/{id}/deliveries?status=FAILED&pageSize=100");
    let mut failed = Value::Null;
    for _ in 0..40 {
        clock.advance(20_000);
        // Time to look at the new time, which the poll does four times a second.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        failed = server.get(&listed).await;
        if failed["totalElements"] == 20 {
            break;
        }
    }
    let failed = failed["content"].as_array().unwrap();
    let held: Vec<_> = failed.iter().filter(|delivery| delivery["errorClass"] == "held").collect();
    assert!(held.len() >= 16, "{failed:?}");
    let reason = held[0]["errorMessage"].as_str().unwrap();
    assert!(
        reason.starts_with("given up after it was held for 13 min 30 s while the endpoint was down"),
        "{reason}"
    );
    assert!(reason.ends_with("the endpoint answered 503 Service Unavailable"), "{reason}");
    assert!(receiver.requests().len() < 40, "{}", receiver.requests().len());

    // Nothing is lost: all of them can be sent when it works again.
    *answer.lock().unwrap() = OK;
    let range = json!({"from": "2026-11-23T08:00:00Z", "to": "2026-11-23T10:00:00Z", "status": "FAILED"});
    let replayed = server.post(&format!("/api/channels/{id}/actions/replay"), range).await;
    assert_eq!(replayed["queued"], 20);
    clock.advance(301_000);
    server.wait_for_deliveries(id, "DELIVERED", 20).await;
}

/// Cards for Slack, and letters for a mail server that is down.
async fn what_waits_too_long_for_people_fails_too(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let down = format!("smtp://127.0.0.1:{}?tls=none", crate::cli::free_port());
    let policy = |config: &mut dregs_server::config::Config| {
        (config.held_max_seconds, config.smtp_url) = (600, Some(down));
    };
    let server = TestServer::start_on(Ground::new(engine), clock.clone(), policy).await;
    clear(&server).await;
    let events = json!(["IDENTITY_SCORED"]);
    let slack = channel(&server, "SLACK", events.clone(), json!({"url": receiver.url()})).await;
    let body = json!({"type": "EMAIL", "name": "Mail", "events": events, "config": {"recipients": ["a@example.com"], "mailsPerMinute": 1000}});
    let mail = server.post("/api/channels", body).await["id"].as_i64().unwrap();
    track(&server, 0, 8).await;
    let failed = async |id: i64| server.get(&format!("/api/channels/{id}/deliveries?status=FAILED")).await;
    for id in [slack, mail] {
        server.wait_for_deliveries(id, "PENDING", 8).await;
        assert_eq!(failed(id).await["totalElements"], 0);
    }
    // Their schedule, 3.5 minutes, and ten more.
    let begun = clock.now();
    let mut open = vec![slack, mail];
    while !open.is_empty() {
        clock.advance(20_000);
        // Time to look at the new time, which the poll does four times a second.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let mut still = Vec::new();
        for id in open {
            let failed = failed(id).await;
            assert!(failed["totalElements"] == 8 || clock.now().millis_since(begun) < 1_400_000, "{failed}");
            if failed["totalElements"] != 8 {
                still.push(id);
            }
        }
        open = still;
    }
    let words = |id: i64, words: &'static str| {
        let failed = failed(id);
        async move {
            for delivery in failed.await["content"].as_array().unwrap() {
                let said = delivery["errorMessage"].as_str().unwrap();
                assert!(said.contains(words), "{said}");
            }
        }
    };
    words(slack, "Slack answered 503: sorry").await;
    words(mail, "refused the connection: is the mail server running").await;
    *answer.lock().unwrap() = OK;
    let range = json!({"from": "2026-11-23T08:00:00Z", "to": "2026-11-23T10:00:00Z", "status": "FAILED"});
    let replayed = server.post(&format!("/api/channels/{slack}/actions/replay"), range).await;
    assert_eq!(replayed["queued"], 8);
    clock.advance(301_000);
    server.wait_for_deliveries(slack, "DELIVERED", 8).await;
}

async fn a_delivery_alone_fails_on_its_schedule_though_the_breaker_is_open(engine: Engine) {
    let receiver = Receiver::answering(SORRY).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let (id, _) = server.channel("Sick", json!({"url": receiver.url()})).await;
    for n in 0..2 {
        track(&server, n, 1).await;
        for attempt in 1..=4 {
            let delivery = eventually(&format!("attempt {attempt}"), async || {
                let delivery = server.deliveries(id).await.into_iter().next()?;
                let is_newest = delivery["identityId"] == format!("user-{n}");
                (is_newest && delivery["attemptCount"] == attempt).then_some(delivery)
            })
            .await;
            if let Some(next) = delivery["nextAttemptAt"].as_str() {
                clock.advance(Timestamp::parse(next).unwrap().millis_since(clock.now()));
            }
        }
        let delivery = server.deliveries(id).await.remove(0);
        let time = |key: &str| Timestamp::parse(delivery[key].as_str().unwrap()).unwrap();
        let took = time("completedAt").millis_since(time("createdAt"));
        assert_eq!(delivery["status"], "FAILED");
        assert!((210_000..225_000).contains(&took), "{took} ms: {delivery}");
    }
    assert_eq!(receiver.requests().len(), 8);
}

/// The sequences of the scores that arrived.
fn sequences(receiver: &Receiver) -> Vec<u64> {
    let body = |request: &Received| serde_json::from_slice::<Value>(&request.body).unwrap();
    receiver.requests().iter().map(|request| body(request)["sequence"].as_u64().unwrap()).collect()
}

async fn while_a_score_is_under_way_those_after_it_wait_and_the_newest_is_sent(engine: Engine) {
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = Receiver::start(move |mut conversation| {
        let mut released = released.clone();
        async move {
            while conversation.read_request().await.is_some() {
                released.wait_for(|released| *released).await.unwrap();
                conversation.send(OK.as_bytes()).await;
            }
        }
    })
    .await;
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let (id, _) = server.channel("Slow", json!({"url": slow.url(), "coalesce": true})).await;
    server.track("e0", "ada").await;
    arrived(&slow, 1).await;
    for n in 1..12 {
        server.track(&format!("e{n}"), "ada").await;
        let scored = async || (server.deliveries(id).await.len() == n + 1).then_some(());
        eventually("the score", scored).await;
    }
    release.send(true).unwrap();
    server.wait_for_deliveries(id, "SUPERSEDED", 10).await;
    server.wait_for_deliveries(id, "DELIVERED", 2).await;
    assert_eq!(sequences(&slow), [1, 12]);
}

async fn at_a_limited_rate_scores_are_left_out_too(engine: Engine) {
    let quick = Receiver::answering(OK).await;
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let config = json!({"url": quick.url(), "coalesce": true, "ratePerSecond": 1});
    let (id, _) = server.channel("Limited", config).await;
    let begun = tokio::time::Instant::now();
    for n in 0..12 {
        server.track(&format!("e{n}"), "ada").await;
        let scored = async || (server.deliveries(id).await.len() == n + 1).then_some(());
        eventually("the score", scored).await;
    }
    eventually("nothing to wait", async || {
        let all = server.deliveries(id).await;
        all.iter().all(|delivery| delivery["status"] != "PENDING").then_some(())
    })
    .await;
    let sent = sequences(&quick);
    assert_eq!((sent.first(), sent.last()), (Some(&1), Some(&12)), "{sent:?}");
    assert!(sent.is_sorted() && sent.len() as u64 <= 2 + begun.elapsed().as_secs(), "{sent:?}");
}

async fn a_good_test_ends_the_pause_and_lets_go_what_waits(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let (id, _) = server.channel("Sick", json!({"url": receiver.url()})).await;
    sicken(&server, id, 5).await;
    track(&server, 5, 5).await;
    server.wait_for_deliveries(id, "PENDING", 10).await;
    let test = format!("/api/channels/{id}/actions/test");
    // A bad one changes nothing.
    let before = health(&server, id).await;
    assert_eq!(server.post(&test, Value::Null).await["httpStatus"], 503);
    assert_eq!(health(&server, id).await, before);
    *answer.lock().unwrap() = OK;
    assert_eq!(server.post(&test, Value::Null).await["httpStatus"], 200);
    assert_eq!(health(&server, id).await["status"], "HEALTHY");
    // The clock stands still: those that had failed once do not wait for their retries either.
    server.wait_for_deliveries(id, "DELIVERED", 11).await;
}

async fn a_repaired_address_lets_go_what_waits(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let sick = Receiver::answering(SORRY).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    // One whose pause has not begun, and one that is left alone.
    for (name, from, failures) in [("Once", 0, 1), ("Often", 1, 5)] {
        let (id, _) = server.channel(name, json!({"url": sick.url()})).await;
        track(&server, from, failures).await;
        let failed = async || (health(&server, id).await["failures"] == failures).then_some(());
        eventually("attempts that fail", failed).await;
        let waiting = server.wait_for_deliveries(id, "PENDING", failures).await;
        assert!(
            waiting.iter().all(|delivery| delivery["nextAttemptAt"].as_str() > Some("2026-11-23T09:00:03"))
        );
        // Another name says nothing of the endpoint.
        let path = format!("/api/channels/{id}");
        server.patch(&path, json!({"name": format!("{name} renamed")})).await;
        assert_eq!(server.wait_for_deliveries(id, "PENDING", failures).await, waiting);
        server.patch(&path, json!({"config": {"url": receiver.url()}})).await;
        // Other nodes have read the new address by then; no retry is due before 30 seconds.
        clock.advance(2_000);
        server.wait_for_deliveries(id, "DELIVERED", failures).await;
        assert_eq!(health(&server, id).await["status"], "HEALTHY");
        server.call(Method::DELETE, &path, None).await;
    }
    assert_eq!(sick.requests().len(), 6);
}

async fn a_person_can_have_it_tried_again_now(engine: Engine) {
    let answer: Answer = Arc::new(Mutex::new(SORRY));
    let receiver = answering(&answer).await;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let (id, _) = server.channel("Sick", json!({"url": receiver.url()})).await;
    sicken(&server, id, 5).await;
    track(&server, 5, 5).await;
    server.wait_for_deliveries(id, "PENDING", 10).await;
    let retry = format!("/api/channels/{id}/actions/retry");
    let resumes_at = async || {
        let resumes_at = health(&server, id).await["resumesAt"].clone();
        Timestamp::parse(resumes_at.as_str().unwrap()).unwrap()
    };
    let before = resumes_at().await;
    server.post(&retry, Value::Null).await;
    let probed = async || (health(&server, id).await["failures"] == 6).then_some(());
    eventually("one attempt", probed).await;
    // A look at it makes no pause longer.
    assert!(resumes_at().await.millis_since(before) < PAUSE_MIN_MS);
    assert_eq!(receiver.requests().len(), 6);
    server.wait_for_deliveries(id, "PENDING", 10).await;
    *answer.lock().unwrap() = OK;
    server.post(&retry, Value::Null).await;
    server.wait_for_deliveries(id, "DELIVERED", 10).await;
    assert_eq!(health(&server, id).await["status"], "HEALTHY");
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": false})).await;
    assert_eq!(server.call(Method::POST, &retry, None).await.0, 400);
}
