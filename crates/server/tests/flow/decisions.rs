//! Events whose answers wait for the decision: they have it as soon as it is there, never later than was asked, and an
//! event that is stored is answered whatever becomes of it.

use std::time::Duration;

use dregs_server::failpoint::Failpoint;
use dregs_server::limit::Limit;
use dregs_server::ops::decide::awaited::WAITERS_MAX;
use dregs_server::store::{Tx, tally};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::kill::{self, nodes::MASTER_KEY};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::server::{
    ADMIN_EMAIL, ADMIN_PASSWORD, PUBLIC_KEY, SECRET_KEY, TestServer, answer, event, eventually,
};

on_both_engines!(
    the_answer_has_the_decision_of_the_cycle_that_has_seen_the_event,
    who_waits_is_not_kept_until_an_identity_may_be_scored_again,
    no_answer_is_later_than_asked_but_for_the_storing,
    a_repeated_event_is_answered_with_the_decision_as_it_stands,
    what_may_not_wait_is_refused_and_stores_nothing,
    however_many_wait_for_one_identity_few_reads_tell_them,
    whoever_goes_away_or_is_forgotten_leaves_nobody_waiting,
    a_server_that_stops_answers_those_who_wait,
    who_is_disregarded_has_nothing_that_speaks_against_them,
    decisions_of_many_are_read_at_once,
    too_many_do_not_wait,
    an_event_whose_server_is_killed_while_its_answer_waits_is_stored,
);

/// Longer than any test takes, and no longer than may be.
const LONG: u32 = 10_000;

async fn wait(server: &TestServer, millis: u32, body: Value) -> Value {
    server.post(&format!("/api/events?wait={millis}"), body).await
}

/// Of evaluation.
const PLACES: usize = 8_192;

/// Nobody is scored from now on: all places are taken, and nobody comes for what waits in the store. Answers how many
/// places are to be given back.
async fn hold_evaluation(server: &TestServer) -> usize {
    let mut taken = 0;
    eventually("all places", async || {
        taken += server.app.evaluations.reserve(PLACES - taken);
        (taken == PLACES).then_some(())
    })
    .await;
    taken
}

async fn the_answer_has_the_decision_of_the_cycle_that_has_seen_the_event(engine: Engine) {
    let server = TestServer::start(engine).await;
    let rule = json!({"name": "Anybody", "severity": "CRITICAL", "channels": [],
        "conditions": [{"type": "SCORE_GTE", "category": "ANY", "threshold": 0}]});
    let rule = server.post("/api/escalation-rules", rule).await;
    let badge = json!({"name": "Seen", "type": "NEUTRAL",
        "conditions": [{"type": "SCORE_GTE", "category": "ANY", "threshold": 0}]});
    let badge = server.post("/api/badge-rules", badge).await;
    let answer = wait(&server, LONG, event("e1", "ada")).await;
    assert_eq!(
        Vec::from_iter(answer.as_object().unwrap().keys()),
        ["status", "id", "fingerprint", "decision"]
    );
    let decision = &answer["decision"];
    assert_eq!((&decision["pending"], &decision["cycleId"]), (&json!(false), &json!(1)));
    // It is what the API tells elsewhere.
    let identity = server.get("/api/identities/ada").await;
    let scores = ["humanity", "authenticity", "uniqueness", "behavior"]
        .map(|category| (category, identity[format!("{category}Score")].clone()));
    let expected: serde_json::Map<String, Value> =
        scores.into_iter().map(|(category, score)| (category.to_owned(), score)).collect();
    assert_eq!(decision["scores"], Value::Object(expected));
    assert_eq!(decision["badges"], identity["badges"]);
    let escalations = server.get("/api/escalations?identity=ada&status=OPEN&pageSize=100").await;
    let mut open: Vec<_> = escalations["content"].as_array().unwrap().clone();
    open.sort_by_key(|one| one["id"].as_i64());
    let open: Vec<_> = open
        .iter()
        .map(|one| json!({"id": one["id"], "status": "OPEN", "severity": one["severity"], "rule": one["escalationRule"]}))
        .collect();
    assert!(!open.is_empty());
    assert_eq!(decision["openEscalations"], json!(open));
    for matched in [
        json!({"id": badge["id"], "name": "Seen", "kind": "BADGE"}),
        json!({"id": rule["id"], "name": "Anybody", "kind": "ESCALATION"}),
    ] {
        assert!(decision["matchedRules"].as_array().unwrap().contains(&matched), "{decision}");
    }
    assert_eq!(server.get("/api/identities/ada/decision").await, *decision);

    // Without, nothing is different; and about nobody there is nothing to decide.
    assert_eq!(
        server.track("e2", "ada").await,
        json!({"status": "success", "id": "e2", "fingerprint": null})
    );
    let device = json!({"id": "e3", "type": "page.view", "device": {"fingerprint": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}});
    assert_eq!(wait(&server, LONG, device).await["decision"], Value::Null);
}

async fn who_waits_is_not_kept_until_an_identity_may_be_scored_again(engine: Engine) {
    // Far longer than anybody waits.
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 3_600_000).await;
    let analysis = async || server.get("/api/identities/ada/analysis").await["eventCount"].clone();
    assert_eq!(wait(&server, LONG, event("e1", "ada")).await["decision"]["pending"], false);
    for number in 2..5 {
        assert_eq!(
            wait(&server, LONG, event(&format!("e{number}"), "ada")).await["decision"]["pending"],
            false
        );
        assert_eq!(analysis().await, json!(number));
    }
    // One that waits for its turn is seen with one that is waited for; alone it goes on waiting.
    server.track("e5", "ada").await;
    assert_eq!(server.get("/api/identities/ada/decision").await["pending"], true);
    let answer = wait(&server, LONG, event("e6", "ada")).await;
    assert_eq!((&answer["decision"]["pending"], analysis().await), (&json!(false), json!(6)));
    server.track("e7", "ada").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(analysis().await, json!(6));
}

async fn no_answer_is_later_than_asked_but_for_the_storing(engine: Engine) {
    let server = TestServer::start(engine).await;
    assert_eq!(wait(&server, LONG, event("e1", "ada")).await["decision"]["pending"], false);
    let held = hold_evaluation(&server).await;
    let begun = Instant::now();
    let answer = wait(&server, 300, event("e2", "ada")).await;
    let took = begun.elapsed();
    // What stood before was read meanwhile.
    assert_eq!((&answer["decision"]["pending"], &answer["decision"]["cycleId"]), (&json!(true), &json!(1)));
    assert!((300..1_500).contains(&took.as_millis()), "{took:?}");
    // The store is stuck: the event is answered when it is stored, and its decision is not waited for in addition.
    let store = std::sync::Arc::clone(&server.app.store);
    let (stuck, sent) = tokio::join!(
        store.write(|tx: &mut Tx| {
            // Both engines have one writer here: the rows of all identities are held.
            tx.execute("update identities set updated_at = updated_at", &[])?;
            std::thread::sleep(Duration::from_millis(1_500));
            Ok(())
        }),
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let begun = Instant::now();
            (wait(&server, 100, event("e3", "ada")).await, begun.elapsed())
        }
    );
    stuck.unwrap();
    let (answer, took) = sent;
    assert_eq!((&answer["status"], &answer["decision"]["pending"]), (&json!("success"), &json!(true)));
    assert!(took.as_millis() > 1_000 && took.as_millis() < 3_000, "{took:?}");
    server.app.evaluations.release(held);
    eventually("all to be scored", async || {
        let decision = server.get("/api/identities/ada/decision").await;
        (decision["pending"] == false).then_some(())
    })
    .await;
    assert_eq!(server.get("/api/identities/ada/analysis").await["eventCount"], 3);
}

async fn a_repeated_event_is_answered_with_the_decision_as_it_stands(engine: Engine) {
    let server = TestServer::start(engine).await;
    let first = wait(&server, LONG, event("e1", "ada")).await;
    assert_eq!(wait(&server, LONG, event("e1", "ada")).await, first);
    // It is about whom the first was about.
    assert_eq!(wait(&server, LONG, event("e1", "bob")).await, first);
    assert_eq!(server.call(Method::GET, "/api/identities/bob", None).await.0, 404);
    let held = hold_evaluation(&server).await;
    server.track("e2", "ada").await;
    let begun = Instant::now();
    let again = wait(&server, LONG, event("e2", "ada")).await;
    assert_eq!((&again["decision"]["pending"], &again["decision"]["cycleId"]), (&json!(true), &json!(1)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.app.evaluations.release(held);
}

async fn what_may_not_wait_is_refused_and_stores_nothing(engine: Engine) {
    let server = TestServer::start(engine).await;
    let refusal = async |request: reqwest::RequestBuilder| {
        let (status, body) = answer(request).await;
        format!(
            "{} {} {}",
            status.as_u16(),
            body["code"].as_str().unwrap(),
            body["message"].as_str().unwrap()
        )
    };
    let send =
        |path: &str, body: Value| server.request(Method::POST, path).bearer_auth(SECRET_KEY).json(&body);
    for wrong in ["0", "10001", "-1", "1.5", "soon", "99999999999999999999"] {
        let request = send(&format!("/api/events?wait={wrong}"), event("e1", "ada"));
        assert_eq!(refusal(request).await, "400 bad_request wait: must be a whole number from 1 to 10000");
    }
    let batch = send("/api/events/batch?wait=100", json!([event("e1", "ada")]));
    assert_eq!(
        refusal(batch).await,
        "400 bad_request wait: is for single events, at POST /api/events; after a batch, ask POST \
         /api/identities/actions/decide"
    );
    let sign_in = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let token = server.post("/api/auth/login", sign_in).await["token"].as_str().unwrap().to_owned();
    let credentials = answer(server.request(Method::GET, "/api/credentials").bearer_auth(&token)).await.1;
    let path = format!("/api/credentials/{}", credentials[0]["id"]);
    let allow = server.request(Method::PATCH, &path).bearer_auth(&token);
    let allowed = answer(allow.json(&json!({"allowedOrigins": ["https://shop.example"]}))).await;
    assert_eq!(allowed.0, StatusCode::OK, "{}", allowed.1);
    let of_page = |path: &str| {
        let request = server.request(Method::POST, path).bearer_auth(PUBLIC_KEY);
        request.header("Origin", "https://shop.example").json(&event("e1", "ada"))
    };
    let public = of_page("/api/events?wait=100").send().await.unwrap();
    // The page can read why.
    assert_eq!(public.headers()["access-control-allow-origin"], "https://shop.example");
    assert_eq!(
        refusal(of_page("/api/events?wait=100")).await,
        "403 public_key_not_allowed A public key may only send events, and not read what is known of anybody: `wait` \
         needs the secret key. Send the event without it, or from the backend."
    );
    assert_eq!(server.get("/api/events").await["totalElements"], 0);
    // No event is lost for what else its address says, and its sender is told.
    for (query, told) in [
        ("from=shop&wait", json!(["?from", "?wait"])),
        ("wiat=100&utm_source=mail", json!(["?wiat"])),
        ("wait=100", Value::Null),
    ] {
        let (status, sent) = answer(send(&format!("/api/events?{query}"), event("e1", "ada"))).await;
        assert_eq!((status.as_u16(), &sent["ignoredFields"]), (200, &told), "{query}");
    }
    assert_eq!(server.get("/api/events").await["totalElements"], 1);
}

async fn however_many_wait_for_one_identity_few_reads_tell_them(engine: Engine) {
    const WAITERS: usize = 500;
    let server = TestServer::start(engine).await;
    server.track("first", "ada").await;
    let held = hold_evaluation(&server).await;
    tally::begin();
    let request = |number: usize| {
        let path = format!("/api/events?wait={LONG}");
        let request = server.request(Method::POST, &path).bearer_auth(SECRET_KEY);
        tokio::spawn(answer(request.json(&event(&format!("e{number}"), "ada"))))
    };
    let requests: Vec<_> = (0..WAITERS).map(request).collect();
    eventually("all to wait", async || (server.app.awaited.waiters() == WAITERS).then_some(())).await;
    tally::take();
    let begun = Instant::now();
    server.app.evaluations.release(held);
    for request in requests {
        let (status, answer) = request.await.unwrap();
        assert_eq!((status, &answer["decision"]["pending"]), (StatusCode::OK, &json!(false)));
    }
    let polls = begun.elapsed().as_millis() / 100 + 1;
    let of_decisions = |(sql, _): &(&String, &tally::Count)| sql.contains("left join analyses");
    let reads: u64 = tally::take().iter().filter(of_decisions).map(|(_, count)| count.runs).sum();
    assert!(reads > 0 && u128::from(reads) <= polls + 5, "{reads} reads in {:?}", begun.elapsed());
    assert_eq!(server.app.awaited.waiters(), 0);
}

/// Sends an event as a program does that goes away without the answer.
async fn go_away(server: &TestServer, name: &str) -> TcpStream {
    let body = event(name, "ada").to_string();
    let head = format!(
        "POST /api/events?wait={LONG} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    stream
}

async fn whoever_goes_away_or_is_forgotten_leaves_nobody_waiting(engine: Engine) {
    let server = TestServer::start(engine).await;
    let held = hold_evaluation(&server).await;
    let waiters = async |count: usize| {
        eventually("so many to wait", async || (server.app.awaited.waiters() == count).then_some(())).await;
    };
    let mut streams = Vec::new();
    for number in 0..20 {
        streams.push(go_away(&server, &format!("e{number}")).await);
    }
    waiters(20).await;
    let metrics = server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\ndregs_decisions_awaited 20\n"), "{metrics}");
    let begun = Instant::now();
    drop(streams);
    waiters(0).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "long before they would have been answered");
    assert_eq!(server.get("/api/events").await["totalElements"], 20);

    let (answer, ()) = tokio::join!(wait(&server, LONG, event("last", "ada")), async {
        waiters(1).await;
        assert_eq!(server.call(Method::DELETE, "/api/identities/ada", None).await.0, 204);
    });
    assert_eq!(answer, json!({"status": "success", "id": "last", "fingerprint": null, "decision": null}));
    assert_eq!(server.call(Method::GET, "/api/identities/ada/decision", None).await.0, 404);
    server.app.evaluations.release(held);
}

async fn a_server_that_stops_answers_those_who_wait(engine: Engine) {
    let server = TestServer::start(engine).await;
    hold_evaluation(&server).await;
    let path = format!("/api/events?wait={LONG}");
    let request = server.request(Method::POST, &path).bearer_auth(SECRET_KEY).json(&event("e1", "ada"));
    let request = tokio::spawn(answer(request));
    eventually("it to wait", async || (server.app.awaited.waiters() == 1).then_some(())).await;
    let begun = Instant::now();
    let ground = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    let (status, answer) = request.await.unwrap();
    assert_eq!((status, &answer["decision"]["pending"]), (StatusCode::OK, &json!(true)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // What it said of the event is true.
    let clock = std::sync::Arc::new(dregs_server::clock::SystemClock);
    let server = TestServer::start_on(ground, clock, |_| {}).await;
    let again = wait(&server, LONG, event("e1", "ada")).await;
    assert_eq!((&again["id"], &again["status"]), (&json!("e1"), &json!("success")));
}

async fn who_is_disregarded_has_nothing_that_speaks_against_them(engine: Engine) {
    let server = TestServer::start(engine).await;
    let anybody = json!([{"type": "SCORE_GTE", "category": "ANY", "threshold": 0}]);
    server
        .post(
            "/api/escalation-rules",
            json!({"name": "Anybody", "severity": "CRITICAL", "channels": [], "conditions": anybody}),
        )
        .await;
    server.post("/api/badge-rules", json!({"name": "Seen", "type": "BAD", "conditions": anybody})).await;
    let before = wait(&server, LONG, event("e1", "ada")).await;
    for name in ["badges", "openEscalations", "matchedRules"] {
        assert_ne!(before["decision"][name], json!([]), "{name}");
    }
    // At once, while the cycle that takes it all off is still to come.
    let held = hold_evaluation(&server).await;
    server.patch("/api/identities/ada", json!({"disregarded": true})).await;
    let nothing = |decision: &Value| {
        ["badges", "openEscalations", "matchedRules"].iter().all(|name| decision[*name] == json!([]))
    };
    let now = server.get("/api/identities/ada/decision").await;
    assert!(nothing(&now) && now["pending"] == true, "{now}");
    server.app.evaluations.release(held);
    let after = &wait(&server, LONG, event("e2", "ada")).await["decision"];
    assert!(nothing(after) && after["pending"] == false && after["scores"] != Value::Null, "{after}");
}

async fn decisions_of_many_are_read_at_once(engine: Engine) {
    let server = TestServer::start(engine).await;
    for user in ["ada", "bob"] {
        assert_eq!(wait(&server, LONG, event(user, user)).await["decision"]["pending"], false);
    }
    let ids = json!({"ids": ["bob", "nobody", "ada", "bob"]});
    let answer = server.post("/api/identities/actions/decide", ids).await;
    let decision = async |user: &str| {
        let decision = server.get(&format!("/api/identities/{user}/decision")).await;
        json!({"identityId": user, "decision": decision})
    };
    let expected =
        json!({"decisions": [decision("bob").await, decision("ada").await], "unknown": ["nobody"]});
    assert_eq!(answer, expected);
    assert_eq!(server.get("/api/identities").await["totalElements"], 2, "nobody is made");
    let none = json!({"ids": []});
    assert_eq!(
        server.call(Method::POST, "/api/identities/actions/decide", Some(none)).await.1["message"],
        "ids: must have from 1 to 100 identities"
    );
}

async fn too_many_do_not_wait(engine: Engine) {
    let server = TestServer::start(engine).await;
    assert_eq!(wait(&server, LONG, event("e1", "ada")).await["decision"]["pending"], false);
    let held = hold_evaluation(&server).await;
    let waiters: Vec<_> = (0..WAITERS_MAX).map(|_| server.app.awaited.join(1, i64::MAX).unwrap()).collect();
    let reached = server.reached(Limit::DecisionWaiters);
    let begun = Instant::now();
    let answer = wait(&server, LONG, event("e2", "ada")).await;
    // At once, and as it stands.
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!((&answer["decision"]["pending"], &answer["decision"]["cycleId"]), (&json!(true), &json!(1)));
    assert!(server.reached(Limit::DecisionWaiters) > reached);
    drop(waiters);
    server.app.evaluations.release(held);
}

async fn an_event_whose_server_is_killed_while_its_answer_waits_is_stored(engine: Engine) {
    let site = Site::new(engine);
    let at = format!("{}:1", Failpoint::EvaluateRead.name());
    let mut server = site.start(Some(&at), &[]);
    assert!(server.is_ready().await);
    let path = format!("/events?wait={LONG}");
    let request = reqwest::Client::new().post(format!("http://{}/api{path}", site.address));
    let sent = request.bearer_auth(SECRET_KEY).json(&event("e1", "ada")).send().await;
    assert!(sent.is_err(), "the server was to end before it answers: {sent:?}");
    server.end(Duration::from_secs(10)).await;
    kill::end_leases(&site, engine).await;
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    // It is the same event, sent again.
    let again = kill::call(site.address, Method::POST, &path, event("e1", "ada")).await;
    assert_eq!((&again["status"], &again["id"]), (&json!("success"), &json!("e1")));
    eventually("it to be scored", async || {
        let decision =
            kill::call(site.address, Method::POST, &path, event("e1", "ada")).await["decision"].clone();
        (decision["pending"] == false && decision["cycleId"] == 1).then_some(())
    })
    .await;
    server.kill();
}

/// What stores events does not score, and the other way round.
#[tokio::test]
async fn what_another_node_decides_is_found_in_the_store() {
    let site = Site::new(Engine::Postgres);
    let other = site.beside();
    let mut answering = site.start(None, &[MASTER_KEY, ("DREGS_ROLES", "api")]);
    assert!(answering.is_ready().await);
    let mut scoring = other.start(None, &[MASTER_KEY, ("DREGS_ROLES", "evaluate,deliver")]);
    assert!(scoring.is_ready().await);
    for number in 0..3 {
        let body = Some(event(&format!("e{number}"), "ada"));
        let (status, answer) = answering.call(Method::POST, &format!("/api/events?wait={LONG}"), body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, &answer["decision"]["pending"]), (200, &json!(false)), "{answer}");
    }
    // Nobody is left to score.
    scoring.kill();
    let begun = Instant::now();
    let (status, answer) =
        answering.call(Method::POST, "/api/events?wait=300", Some(event("e3", "ada"))).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &answer["decision"]["pending"]), (200, &json!(true)), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    answering.kill();
}
