//! What channels leave out: scores that nobody waits for, identities that are none of theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dregs_server::clock::SystemClock;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, eventually, settled};

on_both_engines!(
    requests_are_crossings_and_the_rest_is_counted,
    what_has_moved_is_told_once_it_has_moved_enough,
    conditions_hold_for_every_event_of_an_identity,
    what_events_say_holds_until_it_is_asked_again,
    a_replay_goes_by_the_conditions_of_now,
    a_thin_payload_has_ids_alone,
);

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const USERS: usize = 120;
const ROUNDS: usize = 3;

/// Each is an event of a user: a script now and then, with some of them.
fn events(round: usize) -> Vec<Value> {
    let event = |user: usize| {
        let script = user.is_multiple_of(3) && round == user % ROUNDS;
        let agent = if script {
            "python-requests/2.31"
        } else {
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        };
        json!({
            "id": format!("e-{round}-{user}"), "type": "page.viewed", "userAgent": agent,
            "ip": format!("203.0.{}.{}", user / 200, user % 200 + 1),
            "identity": {"id": format!("user-{user}"), "data": {"email": format!("person{user}@example.com")}},
        })
    };
    (0..USERS).map(event).collect()
}

async fn create(server: &TestServer, name: &str, receiver: &Receiver, more: Value) -> i64 {
    let mut body = json!({
        "type": "WEBHOOK", "name": name, "events": ["IDENTITY_SCORED"],
        "config": {"url": receiver.url(), "ordered": true},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/api/channels", body).await["id"].as_i64().unwrap()
}

/// What arrived, by identity and sequence.
fn arrived(receiver: &Receiver) -> BTreeMap<(String, u64), Value> {
    let bodies = receiver.requests().into_iter().map(|request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let key = (body["identityId"].as_str().unwrap().to_owned(), body["sequence"].as_u64().unwrap());
        (key, body)
    });
    let bodies: Vec<_> = bodies.collect();
    let count = bodies.len();
    let by_key: BTreeMap<_, _> = bodies.into_iter().collect();
    assert_eq!(by_key.len(), count, "something was sent twice");
    by_key
}

fn is_below(scores: &Value, threshold: u64) -> [bool; 4] {
    ["humanity", "authenticity", "uniqueness", "behavior"]
        .map(|category| scores[category].as_u64().is_some_and(|score| score < threshold))
}

async fn left_out(server: &TestServer, channel: i64) -> u64 {
    server.get(&format!("/api/channels/{channel}")).await["leftOut"].as_u64().unwrap()
}

/// A channel that is told everything says what the other has to be told: through two restarts, no more and no less.
async fn requests_are_crossings_and_the_rest_is_counted(engine: Engine) {
    let (every, some) = (Receiver::answering(OK).await, Receiver::answering(OK).await);
    let mut server = TestServer::start(engine).await;
    create(&server, "All", &every, json!({})).await;
    let scored = json!({"scored": {"when": "crossed", "threshold": 66}});
    let id = create(&server, "Crossings", &some, scored).await;
    for round in 0..ROUNDS {
        server.post("/api/events/batch", json!(events(round))).await;
        if round < ROUNDS - 1 {
            // In the middle of its work.
            let ground = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
            server = TestServer::start_on(ground, Arc::new(SystemClock), |_| {}).await;
        }
    }
    let expected = || -> BTreeSet<(String, u64)> {
        let all = arrived(&every).into_iter();
        let crossing = |body: &Value| {
            let data = &body["data"];
            is_below(&data["previousScores"], 66) != is_below(&data["scores"], 66)
        };
        all.filter(|(_, body)| crossing(body)).map(|(key, _)| key).collect()
    };
    let is_settled = async || {
        let (all, sent) = (arrived(&every).len(), arrived(&some).len());
        let users: BTreeSet<_> = arrived(&every).into_keys().map(|(user, _)| user).collect();
        let is_whole = users.len() == USERS && all as u64 == sent as u64 + left_out(&server, id).await;
        is_whole.then_some((all, sent))
    };
    let mut before = (0, 0);
    let (all, sent) = eventually("everything to be told or left out", async || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let now = is_settled().await?;
        let was = std::mem::replace(&mut before, now);
        (was == now).then_some(now)
    })
    .await;
    assert_eq!(arrived(&some).into_keys().collect::<BTreeSet<_>>(), expected());
    assert!(sent > 0 && sent < all / 2, "{sent} of {all}");
    let rows = server.get(&format!("/api/channels/{id}/deliveries?pageSize=1")).await;
    assert_eq!(rows["totalElements"].as_u64().unwrap(), sent as u64, "what is left out has no row");
    // What a change would send is told with that.
    let path = "/api/identities/user-1/actions/preview-label";
    let preview = server.post(path, json!({"outcome": "BAD"})).await;
    let planned = preview["deliveries"].as_array().unwrap().iter();
    let exact: BTreeMap<_, _> =
        planned.map(|one| (one["channel"].as_str().unwrap(), &one["countIsExact"])).collect();
    assert_eq!(json!(exact), json!({"all": true, "crossings": false}), "{preview}");
}

async fn what_has_moved_is_told_once_it_has_moved_enough(engine: Engine) {
    let (every, some) = (Receiver::answering(OK).await, Receiver::answering(OK).await);
    let server = TestServer::start(engine).await;
    create(&server, "All", &every, json!({})).await;
    let scored = json!({"scored": {"when": "CHANGED", "by": 4, "category": "humanity"}});
    let id = create(&server, "Moves", &some, scored).await;
    for round in 0..40 {
        let agent = if (8..16).contains(&(round % 24)) {
            "python-requests/2.31"
        } else {
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        };
        server
            .post("/api/events", json!({"id": format!("e{round}"), "type": "page.viewed", "userAgent": agent, "identity": {"id": "ada"}}))
            .await;
        eventually("the cycle", async || (arrived(&every).len() > round).then_some(())).await;
    }
    eventually("the rest", async || {
        (arrived(&every).len() as u64 == arrived(&some).len() as u64 + left_out(&server, id).await)
            .then_some(())
    })
    .await;
    let (mut known, mut expected, mut by_cycle) = (None, Vec::new(), 0);
    for ((_, sequence), body) in arrived(&every) {
        let data = &body["data"];
        let humanity = |scores: &Value| scores["humanity"].as_i64();
        let moved = |from: Option<i64>, to: Option<i64>| match (from, to) {
            (Some(from), Some(to)) => (from - to).abs() >= 4,
            (from, to) => from != to,
        };
        by_cycle += usize::from(moved(humanity(&data["previousScores"]), humanity(&data["scores"])));
        if moved(known, humanity(&data["scores"])) {
            known = humanity(&data["scores"]);
            expected.push(sequence);
        }
    }
    assert_eq!(arrived(&some).into_keys().map(|(_, sequence)| sequence).collect::<Vec<_>>(), expected);
    assert!(expected.len() > 1, "{expected:?}, and {by_cycle} by the cycle before");
}

async fn conditions_hold_for_every_event_of_an_identity(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let server = TestServer::start(engine).await;
    let rule = json!({
        "name": "Browser", "type": "GOOD",
        "conditions": [{"type": "SCORE_GT", "category": "HUMANITY", "threshold": 80}],
    });
    server.post("/api/badge-rules", rule).await;
    let events =
        json!(["IDENTITY_SCORED", "IDENTITY_BADGES_CHANGED", "IDENTITY_LABELED", "RULE_RATE_JUMPED"]);
    let badge = json!([{"type": "BADGE_EXISTS", "badge": "browser"}]);
    let id = create(&server, "Browsers", &receiver, json!({"events": events, "conditions": badge})).await;
    let path = format!("/api/channels/{id}");
    for (user, agent) in [
        ("good", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("bad", "python-requests/2.31"),
    ] {
        let event = json!({"id": user, "type": "page.viewed", "userAgent": agent, "identity": {"id": user}});
        server.post("/api/events", event).await;
        eventually("a score", async || {
            let (status, identity) =
                server.call(reqwest::Method::GET, &format!("/api/identities/{user}"), None).await;
            (status == 200 && !identity["lastScoredAt"].is_null()).then_some(())
        })
        .await;
        server
            .post(&format!("/api/identities/{user}/actions/label"), json!({"outcome": "BAD", "kind": "BOT"}))
            .await;
    }
    let names = || -> Vec<(String, String)> {
        let name = |body: Value| {
            (body["identityId"].as_str().unwrap().into(), body["event"].as_str().unwrap().into())
        };
        receiver.requests().into_iter().map(|one| name(serde_json::from_slice(&one.body).unwrap())).collect()
    };
    eventually("all of the one", async || (names().len() >= 4).then_some(())).await;
    assert!(names().iter().all(|(user, _)| user == "good"), "{:?}", names());
    let kinds: BTreeSet<_> = names().into_iter().map(|(_, event)| event).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    // One score, a badge of the label, and the label.
    assert_eq!(left_out(&server, id).await, 3);
    // Whoever asks for a test, or for this one again, gets it.
    let never = json!({"conditions": [{"type": "SCORE_GT", "category": "ANY", "threshold": 100}]});
    server.patch(&path, never).await;
    let before = names().len();
    server.post(&format!("{path}/actions/test"), json!({})).await;
    let delivery =
        server.deliveries(id).await.into_iter().find(|one| one["event"] == "IDENTITY_SCORED").unwrap();
    server.post(&format!("/api/deliveries/{}/actions/resend", delivery["id"]), json!({})).await;
    eventually("a test and a resend", async || (receiver.requests().len() == before + 2).then_some(())).await;
}

async fn what_events_say_holds_until_it_is_asked_again(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let mut server = TestServer::start(engine).await;
    let counter = json!({"name": "Spent", "function": "SUM", "of": "event.data.amount", "per": "identity.id",
        "windowSeconds": 3_600});
    let counter = server.post("/api/counters", counter).await["id"].clone();
    let above = |amount: u16| {
        json!([
            {"type": "EVENT_IS", "events": ["PURCHASE"]},
            {"type": "FACT_GT", "fact": "event.data.amount", "value": amount},
            {"type": "NOT", "condition": {"type": "COUNTER_GT", "counter": "spent", "value": 1_000_000}},
        ])
    };
    let events = json!(["IDENTITY_SCORED", "IDENTITY_LABELED"]);
    let id = create(&server, "Large", &receiver, json!({"events": events, "conditions": above(500)})).await;
    let path = format!("/api/channels/{id}");
    let told = || -> Vec<(String, u64)> { arrived(&receiver).into_keys().collect() };
    let send = async |server: &TestServer, user: &str, number: u8, amount: Option<u16>| {
        let name = if amount.is_some() { "checkout.completed" } else { "page.viewed" };
        let event = json!({"id": format!("{user}-{number}"), "type": name, "identity": {"id": user},
            "data": {"amount": amount}});
        let answer = server.post("/api/events?wait=10000", event).await;
        assert_eq!(answer["decision"]["pending"], false, "{answer}");
    };
    send(&server, "ada", 1, None).await;
    send(&server, "ada", 2, Some(700)).await;
    // Others have nothing to do with it, even after a restart.
    let ground = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    server = TestServer::start_on(ground, Arc::new(SystemClock), |_| {}).await;
    send(&server, "ada", 3, None).await;
    send(&server, "ada", 4, Some(10)).await;
    send(&server, "bob", 1, Some(900)).await;
    let expected = [("ada".to_owned(), 2), ("ada".to_owned(), 3), ("bob".to_owned(), 1)];
    eventually("three scores", async || (told().len() >= 3).then_some(())).await;
    assert_eq!((told(), left_out(&server, id).await), (expected.to_vec(), 2));
    // Of what people decide between cycles, too.
    for user in ["ada", "bob"] {
        server.post(&format!("/api/identities/{user}/actions/label"), json!({"outcome": "GOOD"})).await;
    }
    let labeled = || -> Vec<String> {
        let labeled = arrived(&receiver).into_iter().filter(|(_, body)| body["event"] == "IDENTITY_LABELED");
        labeled.map(|((user, _), _)| user).collect()
    };
    eventually("a label", async || (!labeled().is_empty()).then_some(())).await;
    assert_eq!(labeled(), ["bob"]);
    assert!(left_out(&server, id).await >= 3);
    // What is asked now is asked of the newest purchase.
    let all = eventually("all to be recorded", async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let rows = server.get(&format!("{path}/deliveries?status=DELIVERED&pageSize=1")).await;
        (rows["totalElements"] == told().len()).then_some(told())
    })
    .await;
    let of_ada = all.iter().filter(|(user, _)| user == "ada").count();
    assert_eq!(of_ada, 2, "{all:?}");
    for (amount, left_out) in [(5, 0), (500, of_ada), (1_000, all.len())] {
        server.patch(&path, json!({"conditions": above(amount)})).await;
        let range = json!({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "dryRun": true});
        let replay = server.post(&format!("{path}/actions/replay"), range).await;
        assert_eq!(replay["leftOut"], left_out, "above {amount}: {replay}");
    }
    // Another question has no answer until the next cycle, and then its own.
    send(&server, "bob", 2, None).await;
    assert_eq!(told(), all);
    let (status, body) =
        server.call(reqwest::Method::DELETE, &format!("/api/counters/{counter}"), None).await;
    assert_eq!((status.as_u16(), &body["code"]), (409, &json!("counter_in_use")));
    assert!(body["message"].as_str().unwrap().contains("\"Large\""), "{body}");
}

async fn a_replay_goes_by_the_conditions_of_now(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let server = TestServer::start(engine).await;
    let id = create(&server, "App", &receiver, json!({})).await;
    for round in 0..2 {
        for event in events(round).into_iter().take(30) {
            server.post("/api/events", event).await;
        }
    }
    settled(&server).await;
    let all = eventually("all to be told", async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let rows = server.get(&format!("/api/channels/{id}/deliveries?status=DELIVERED&pageSize=1")).await;
        let count = rows["totalElements"].as_u64().unwrap();
        (count >= 60 && count == receiver.requests().len() as u64).then_some(count)
    })
    .await;
    let crossing = arrived(&receiver).into_iter().filter(|(_, body)| {
        is_below(&body["data"]["previousScores"], 66) != is_below(&body["data"]["scores"], 66)
    });
    let crossing = crossing.count() as u64;
    let replay = async |dry_run: bool| {
        let range = json!({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "dryRun": dry_run});
        server.post(&format!("/api/channels/{id}/actions/replay"), range).await
    };
    assert_eq!(replay(true).await, json!({"matched": all, "queued": 0, "leftOut": 0, "dryRun": true}));
    server
        .patch(&format!("/api/channels/{id}"), json!({"scored": {"when": "CROSSED", "threshold": 66}}))
        .await;
    let expected = json!({"matched": all, "queued": 0, "leftOut": all - crossing, "dryRun": true});
    assert_eq!(replay(true).await, expected);
    let expected = json!({"matched": all, "queued": crossing, "leftOut": all - crossing, "dryRun": false});
    assert_eq!(replay(false).await, expected);
    assert!(crossing > 0 && crossing < all, "{crossing} of {all}");
    eventually("the replay", async || (receiver.requests().len() as u64 == all + crossing).then_some(()))
        .await;
    assert_eq!(left_out(&server, id).await, 0, "a replay leaves out nothing new");
}

async fn a_thin_payload_has_ids_alone(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let server = TestServer::start(engine).await;
    let config = json!({"url": receiver.url(), "payload": "THIN"});
    let id = create(&server, "App", &receiver, json!({ "config": config })).await;
    server.track("e1", "ada").await;
    let delivery = server.wait_for_deliveries(id, "DELIVERED", 1).await[0]["id"].as_i64().unwrap();
    let request = receiver.requests()[0].clone();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["data"], json!({"identityId": "ada", "cycleId": body["sequence"]}));
    // The log shows what was sent, whatever is sent now.
    server.patch(&format!("/api/channels/{id}"), json!({"config": {"url": receiver.url()}})).await;
    let attempts = server.get(&format!("/api/deliveries/{delivery}")).await["attempts"].clone();
    assert_eq!(attempts[0]["requestBody"], String::from_utf8(request.body).unwrap());
    server.post(&format!("/api/deliveries/{delivery}/actions/resend"), json!({})).await;
    let again = eventually("the resend", async || receiver.requests().get(1).cloned()).await;
    let again: Value = serde_json::from_slice(&again.body).unwrap();
    assert!(again["data"]["scores"].is_object(), "{again}");
}
