//! One trace from a request to its webhook, whichever nodes see to it; and nothing of the kind where nobody asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dregs_server::limit::Limit;
use dregs_server::store::Tx;
use dregs_server::trace::QUEUE_MAX_SPANS;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::delivery::{OK, arrived};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::collector::{Collector, Told};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::receiver::{Received, Receiver};
use crate::support::server::{SECRET_KEY, TestServer, event, eventually};

on_both_engines!(
    one_node_takes_an_event_another_scores_it_a_third_tells_of_it_and_it_is_one_trace,
    what_is_decided_later_and_what_is_sent_again_stays_in_the_trace,
    a_cycle_is_in_the_trace_of_the_newest_event_and_linked_to_the_others,
);

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const SORRY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
const MASTER_KEY: (&str, &str) =
    ("DREGS_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
/// Half of what a request to the collector may take: an event that waited for it would take longer.
const EVENT_MAX: Duration = Duration::from_secs(5);
/// A server that stops waits no longer for a collector, and a little for itself.
const STOP_MAX: Duration = Duration::from_secs(8);

fn sampled() -> String {
    format!("00-{TRACE}-{CALLER}-01")
}

/// The trace and the span that a webhook says it belongs to.
fn parent(request: &Received) -> (String, String) {
    let header = request.headers["traceparent"].to_str().unwrap();
    let parts: Vec<_> = header.split('-').collect();
    assert_eq!((parts.len(), parts[0], parts[3]), (4, "00", "01"), "{header}");
    (parts[1].to_owned(), parts[2].to_owned())
}

/// The spans of a trace, as soon as there are so many.
async fn spans(collector: &Collector, trace_id: &str, count: usize) -> Vec<Told> {
    eventually(&format!("{count} spans"), async || {
        let spans = collector.of(trace_id);
        (spans.len() >= count).then_some(spans)
    })
    .await
}

fn named<'t>(spans: &'t [Told], name: &str) -> Vec<&'t Told> {
    let mut found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    found.sort_by_key(|span| span.began_at);
    found
}

fn only<'t>(spans: &'t [Told], name: &str) -> &'t Told {
    let found = named(spans, name);
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

/// A node that tells its spans to this collector, and begins no trace by itself.
async fn node(site: &Site, collector: &Collector, settings: &[(&str, &str)]) -> Process {
    let endpoint = collector.endpoint();
    let own = [MASTER_KEY, ("DREGS_OTLP_ENDPOINT", &endpoint), ("DREGS_TRACE_SAMPLE_RATIO", "0")];
    let mut node = site.start(None, &[&own[..], settings].concat());
    assert!(node.is_ready().await, "{}", node.log());
    node
}

async fn one_node_takes_an_event_another_scores_it_a_third_tells_of_it_and_it_is_one_trace(engine: Engine) {
    let first = Site::new(engine);
    let others = [first.beside(), first.beside()];
    // SQLite has one node, which is started again.
    let [second, third] = if engine == Engine::Postgres { [&others[0], &others[1]] } else { [&first; 2] };
    let collector = Collector::start().await;
    let is_up = Arc::new(AtomicBool::new(false));
    let mood = Arc::clone(&is_up);
    let receiver = Receiver::start(move |mut conversation| {
        let mood = Arc::clone(&mood);
        async move {
            while conversation.read_request().await.is_some() {
                let answer = if mood.load(Ordering::SeqCst) { OK } else { SORRY };
                conversation.send(answer.as_bytes()).await;
            }
        }
    })
    .await;

    // Whoever was scored waits an hour for the next cycle there, so that it is left to others.
    let taking = node(&first, &collector, &[("DREGS_MIN_CYCLE_MS", "3600000")]).await;
    assert_eq!(taking.track(event("before", "zoe")).await, 200);
    let is_scored = async || {
        let (_, scores) = taking.get("/api/identities/zoe/scores").await;
        (scores != "[]").then_some(())
    };
    eventually("the first scores", is_scored).await;
    let channel = json!({"type": "WEBHOOK", "name": "App", "events": ["identity.scored"], "config": {"url": receiver.url()}});
    let (_, channel) = taking.call(Method::POST, "/api/channels", Some(channel)).await;
    let channel: Value = serde_json::from_str(&channel).unwrap();
    assert_eq!(taking.track_with(event("traced", "zoe"), &[("traceparent", &sampled())]).await, 200);
    taking.end_well().await;
    let taken = collector.of(TRACE);
    assert_eq!(taken.len(), 2, "{taken:#?}");

    let due =
        |tx: &mut Tx| tx.execute("update identities set evaluate_at = 1 where evaluate_at is not null", &[]);
    assert_eq!(first.open_store().write(due).await.unwrap(), 1);
    let retries = [("DREGS_MIN_CYCLE_MS", "0"), ("DREGS_RETRY_SCHEDULE", "1,1,1,1")];
    let scoring = node(second, &collector, &retries).await;
    arrived(&receiver, 1).await;
    scoring.end_well().await;
    is_up.store(true, Ordering::SeqCst);
    let before = receiver.requests().len();
    let telling = node(third, &collector, &retries).await;
    let webhooks = arrived(&receiver, before + 1).await;
    let path = format!("/api/channels/{}/deliveries", channel["id"]);
    let delivered = async || telling.get(&path).await.1.contains("DELIVERED").then_some(());
    eventually("the delivery", delivered).await;
    let (_, page) = telling.get(&path).await;
    let page: Value = serde_json::from_str(&page).unwrap();
    let (_, log) = telling.get(&format!("/api/deliveries/{}", page["content"][0]["id"])).await;
    telling.end_well().await;

    let all = collector.of(TRACE);
    let request = only(&all, "POST /api/events");
    let (ingest, evaluate, decide) = (only(&all, "ingest"), only(&all, "evaluate"), only(&all, "decide"));
    let attempts = named(&all, "deliver");
    assert_eq!((all.len(), attempts.len()), (4 + webhooks.len(), webhooks.len()));
    let parents = [request, ingest, evaluate, decide].map(|span| span.parent_id.as_str());
    assert_eq!(parents, [CALLER, &request.span_id, &ingest.span_id, &evaluate.span_id]);
    assert!(attempts.iter().all(|attempt| attempt.parent_id == evaluate.span_id), "{all:#?}");
    // Sampled, and known to be of a caller elsewhere; the others have theirs here.
    assert_eq!((request.flags, ingest.flags), (0x301, 0x101));
    assert_eq!((request.kind, ingest.kind, attempts[0].kind), (2, 1, 3));

    // Each webhook names its own attempt, which the log shows.
    for (webhook, attempt) in webhooks.iter().zip(&attempts) {
        assert_eq!(parent(webhook), (TRACE.to_owned(), attempt.span_id.clone()));
        assert!(log.contains(&attempt.span_id), "{log}");
    }
    let (last, failed) = attempts.split_last().unwrap();
    assert!(failed.iter().all(|attempt| attempt.error.as_deref() == Some("http_status")), "{failed:#?}");
    assert_eq!(last.error, None);
    assert_eq!(
        (&last.attributes["http.response.status_code"], &last.attributes["dregs.trigger"]),
        (&"200".into(), &"RETRY".into())
    );
    assert_eq!(
        (&request.attributes["http.route"], &request.attributes["http.response.status_code"]),
        (&"/api/events".into(), &"200".into())
    );

    // Three nodes, or one that was started three times.
    assert_eq!(request.node, ingest.node);
    assert_eq!((&evaluate.node, &evaluate.node), (&decide.node, &attempts[0].node));
    assert!(evaluate.node != request.node && last.node != evaluate.node && last.node != request.node);
    for span in &all {
        assert!(span.began_at <= span.ended_at, "{span:?}");
    }
    assert!(request.began_at <= ingest.began_at && ingest.ended_at <= request.ended_at);
    let told = format!("{all:?}");
    let of_person = ["zoe", "example.com", "Lovelace"].iter().any(|word| told.contains(word));
    assert!(!of_person, "something of a person: {told}");
    // What was traced is over: a cycle for another reason is in no trace.
    let store = first.open_store();
    let left = |tx: &mut Tx| {
        tx.get(
            "select count(*) from identities where trace is not null or decide_trace is not null",
            &[],
            |row| row.get::<i64>(0),
        )
    };
    assert_eq!(store.read(left).await.unwrap(), 0);
}

/// A server in this process whose spans this collector takes.
async fn server(engine: Engine, collector: &Collector, sample_ratio: f64) -> TestServer {
    let endpoint = collector.endpoint();
    TestServer::start_with(engine, |config| {
        config.otlp_endpoint = Some(endpoint);
        config.trace_sample_ratio = sample_ratio;
    })
    .await
}

async fn track(server: &TestServer, event: Value, headers: &[(&str, &str)]) {
    let mut request = server.request(Method::POST, "/api/events").bearer_auth(SECRET_KEY).json(&event);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

async fn what_is_decided_later_and_what_is_sent_again_stays_in_the_trace(engine: Engine) {
    let collector = Collector::start().await;
    let server = server(engine, &collector, 0.0).await;
    clear(&server).await;
    let receiver = Receiver::answering(OK).await;
    let body = json!({
        "type": "WEBHOOK", "name": "Ops", "config": {"url": receiver.url()},
        "events": ["identity.badges_changed", "escalation.opened"],
    });
    let channel = server.post("/api/channels", body).await["id"].as_i64().unwrap();
    let badge = json!({
        "name": "Robot", "type": "BAD", "applyDelaySeconds": 1, "removeDelaySeconds": 0,
        "conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}],
    });
    server.post("/api/badge-rules", badge).await;
    let escalation = json!({
        "name": "Robots", "severity": "CRITICAL", "channels": ["ops"],
        "openAfterSeconds": 1, "closeAfterSeconds": 0,
        "conditions": [{"type": "BADGE_EXISTS", "badge": "robot"}],
    });
    server.post("/api/escalation-rules", escalation).await;
    let mut robot = event("robot", "bot");
    robot["userAgent"] = json!("python-requests/2.31");
    robot["session"] = json!("the bot's");
    track(&server, robot, &[("traceparent", &sampled())]).await;

    // A badge after a second, an escalation after another: each is decided by itself, in the trace of the cycle.
    let webhooks = arrived(&receiver, 2).await;
    let deliveries = server.wait_for_deliveries(channel, "DELIVERED", 2).await;
    let all = spans(&collector, TRACE, 8).await;
    let evaluate = only(&all, "evaluate");
    let decisions = named(&all, "decide");
    assert!(decisions.iter().all(|decision| decision.parent_id == evaluate.span_id), "{all:#?}");
    let added = decisions.iter().find(|decision| decision.attributes["dregs.badges.added"] == "1").unwrap();
    let opened =
        decisions.iter().find(|decision| decision.attributes["dregs.escalations.opened"] == "1").unwrap();
    let attempts = named(&all, "deliver");
    let parents: Vec<_> = attempts.iter().map(|attempt| &attempt.parent_id).collect();
    assert_eq!(parents, [&added.span_id, &opened.span_id]);
    assert!(added.began_at > evaluate.ended_at, "it was decided later");
    assert_eq!(parent(&webhooks[1]), (TRACE.to_owned(), attempts[1].span_id.clone()));

    // By hand, one and all: further attempts of the same trace.
    let (newest, count) = (&deliveries[0]["id"], all.len());
    server.post(&format!("/api/deliveries/{newest}/actions/resend"), Value::Null).await;
    let webhooks = arrived(&receiver, 3).await;
    let resent = spans(&collector, TRACE, count + 1).await;
    let resend = *named(&resent, "deliver").last().unwrap();
    assert_eq!((resend.attributes["dregs.trigger"].as_str(), &resend.parent_id), ("RESEND", &opened.span_id));
    assert_eq!(parent(&webhooks[2]), (TRACE.to_owned(), resend.span_id.clone()));
    server.wait_for_deliveries(channel, "DELIVERED", 2).await;
    let range = json!({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"});
    server.post(&format!("/api/channels/{channel}/actions/replay"), range).await;
    arrived(&receiver, 5).await;
    let replayed = spans(&collector, TRACE, count + 3).await;
    let replays =
        named(&replayed, "deliver").into_iter().filter(|one| one.attributes["dregs.trigger"] == "REPLAY");
    assert_eq!(replays.count(), 2);
}

async fn a_cycle_is_in_the_trace_of_the_newest_event_and_linked_to_the_others(engine: Engine) {
    let collector = Collector::start().await;
    let endpoint = collector.endpoint();
    let server = TestServer::start_with(engine, |config| {
        config.otlp_endpoint = Some(endpoint);
        config.min_cycle_ms = 4_000;
    })
    .await;
    server.track("first", "ada").await;
    let is_scored = async || (server.get("/api/identities/ada/scores").await != json!([])).then_some(());
    eventually("the first scores", is_scored).await;
    // None of its own: its callers say which. A third, which is in no trace, changes nothing.
    let traces = ["a", "b"].map(|digit| digit.repeat(32));
    for (name, trace) in ["second", "third"].into_iter().zip(&traces) {
        track(&server, event(name, "ada"), &[("traceparent", &format!("00-{trace}-{CALLER}-01"))]).await;
    }
    let off = format!("00-{}-{CALLER}-00", "c".repeat(32));
    let batch = server.request(Method::POST, "/api/events/batch").bearer_auth(SECRET_KEY);
    let batch = batch.json(&json!([event("fourth", "ada")])).header("traceparent", off).send();
    assert_eq!(batch.await.unwrap().status(), StatusCode::OK);
    let newest = spans(&collector, &traces[1], 4).await;
    let older = spans(&collector, &traces[0], 2).await;
    assert_eq!(older.len(), 2, "{older:#?}");
    let evaluate = only(&newest, "evaluate");
    assert_eq!(evaluate.parent_id, only(&newest, "ingest").span_id);
    assert_eq!(evaluate.links, std::slice::from_ref(&only(&older, "ingest").span_id));
    // The first event came without a trace, and began one.
    let own = collector.spans().into_iter().find(|span| span.parent_id.is_empty()).unwrap();
    assert_eq!((own.name.as_str(), own.flags), ("POST /api/events", 0x103));
    assert_eq!(spans(&collector, &own.trace_id, 4).await.len(), 4);
    assert!(collector.of(&"c".repeat(32)).is_empty());
}

/// Headers of requests that are in no trace, though they look like it.
fn malformed() -> Vec<Vec<String>> {
    let one = |text: String| vec![text];
    vec![
        vec![],
        one(format!("00-{TRACE}-{CALLER}-00")),
        one("00".to_owned()),
        one(format!("00-{TRACE}-{CALLER}")),
        one(format!("00-{TRACE}-{CALLER}-01-more")),
        one(format!("00-{}-{CALLER}-01", &TRACE[1..])),
        one(format!("00-{TRACE}-{CALLER}0-01")),
        one(format!("00-{}-{CALLER}-01", "0".repeat(32))),
        one(format!("00-{TRACE}-{}-01", "0".repeat(16))),
        one(format!("00-{}-{CALLER}-01", TRACE.to_uppercase())),
        one(format!("ff-{TRACE}-{CALLER}-01")),
        one(format!("01-{TRACE}-{CALLER}-01.more")),
        vec![sampled(), sampled()],
    ]
}

#[tokio::test]
async fn without_a_collector_only_what_its_caller_traces_is_traced_and_nothing_else_is_stored() {
    let server = TestServer::start(Engine::Sqlite).await;
    let receiver = Receiver::answering(OK).await;
    let (channel, _) = server.channel("App", json!({"url": receiver.url()})).await;
    let headers = malformed();
    for (n, values) in headers.iter().enumerate() {
        let values: Vec<_> = values.iter().map(|value| ("traceparent", value.as_str())).collect();
        track(&server, event(&format!("e{n}"), &format!("user-{n}")), &values).await;
    }
    // One whose sender is not known begins nothing either.
    let unknown =
        server.request(Method::POST, "/api/events").header("traceparent", sampled()).json(&json!({}));
    assert_eq!(unknown.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let requests = arrived(&receiver, headers.len()).await;
    assert!(requests.iter().all(|request| !request.headers.contains_key("traceparent")), "{requests:?}");
    server.wait_for_deliveries(channel, "DELIVERED", headers.len()).await;
    let stored = |tx: &mut Tx| {
        let sql =
            "select (select count(*) from identities where trace is not null or decide_trace is not null)
                     + (select count(*) from deliveries where trace is not null)";
        tx.get(sql, &[], |row| row.get::<i64>(0))
    };
    assert_eq!(server.app.store.read(stored).await.unwrap(), 0);

    // Of a later version as much is read as is known.
    let later = format!("cc-{TRACE}-{CALLER}-01-what-comes-later");
    track(&server, event("later", "later"), &[("traceparent", &later)]).await;
    let webhook = arrived(&receiver, headers.len() + 1).await.pop().unwrap();
    let (trace, span) = parent(&webhook);
    assert_eq!((trace.as_str(), span != CALLER), (TRACE, true));
    assert_eq!(server.app.store.read(stored).await.unwrap(), 1);

    // A channel that sets the header has its own way.
    let own = json!({"url": receiver.url(), "headers": {"traceparent": "its own"}});
    server.patch(&format!("/api/channels/{channel}"), json!({"config": own})).await;
    track(&server, event("own", "own"), &[("traceparent", &sampled())]).await;
    let webhook = arrived(&receiver, headers.len() + 2).await.pop().unwrap();
    let given: Vec<_> = webhook.headers.get_all("traceparent").iter().collect();
    assert_eq!(given, ["its own"]);
    server.wait_for_deliveries(channel, "DELIVERED", headers.len() + 2).await;
    let newest = server.deliveries(channel).await[0]["id"].clone();
    let log = server.get(&format!("/api/deliveries/{newest}")).await.to_string();
    assert!(!log.contains("its own") && !log.contains(TRACE), "{log}");
}

fn metric(server: &TestServer, name: &str) -> u64 {
    let text = server.app.metrics.render();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_collector_that_hangs_costs_spans_and_nothing_else() {
    let hanging = Collector(
        Receiver::start(|mut conversation| async move {
            conversation.read_request().await;
            conversation.wait_for_end().await;
        })
        .await,
    );
    let server = server(Engine::Sqlite, &hanging, 1.0).await;
    let queue_full = "dregs_spans_lost_total{reason=\"queue_full\"}";
    let refused = async || {
        let request = server.request(Method::POST, "/api/events").bearer_auth(SECRET_KEY).json(&json!({}));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    };
    for requests in 0.. {
        if metric(&server, queue_full) > 0 {
            break;
        }
        assert!(requests < 3 * QUEUE_MAX_SPANS, "the queue is never full");
        refused().await;
    }
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let begun = Instant::now();
        server.track(&format!("late-{n}"), "ada").await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < EVENT_MAX, "an event took {slowest:?}");
    assert!(server.reached(Limit::SpanQueue) > 0);
    assert_eq!(metric(&server, "dregs_spans_exported_total"), 0);
    let at_a_time = hanging.0.connections() - hanging.0.ended();
    assert!(at_a_time <= 1, "{at_a_time} requests at a time");
    // What is waiting when the server stops is given up in time.
    let app = Arc::clone(&server.app);
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < STOP_MAX, "it stopped after {:?}", begun.elapsed());
    let text = app.metrics.render();
    let line =
        text.lines().find(|line| line.starts_with("dregs_spans_lost_total{reason=\"not_taken\"}")).unwrap();
    let not_taken: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(not_taken >= QUEUE_MAX_SPANS, "{line}");
}

#[tokio::test]
async fn a_collector_that_is_gone_or_refuses_is_told_of_once_and_tried_as_the_protocol_says() {
    // Comes again when it asks so, and takes all then.
    let busy = Arc::new(AtomicBool::new(true));
    let mood = Arc::clone(&busy);
    let collector = Collector(
        Receiver::start(move |mut conversation| {
            let mood = Arc::clone(&mood);
            async move {
                while conversation.read_request().await.is_some() {
                    let answer = if mood.swap(false, Ordering::SeqCst) { SORRY } else { OK };
                    conversation.send(answer.as_bytes()).await;
                }
            }
        })
        .await,
    );
    let busy_server = server(Engine::Sqlite, &collector, 1.0).await;
    busy_server.track("first", "ada").await;
    let taken = async || (metric(&busy_server, "dregs_spans_exported_total") >= 4).then_some(());
    eventually("the spans to be taken", taken).await;
    drop(busy_server);

    // Is not there: what is to be sent is lost after a few tries.
    let gone = Collector::start().await.endpoint();
    let alone = TestServer::start_with(Engine::Sqlite, |config| config.otlp_endpoint = Some(gone)).await;
    alone.track("first", "ada").await;
    let lost = async || (metric(&alone, "dregs_spans_lost_total{reason=\"not_taken\"}") >= 4).then_some(());
    eventually("the spans to be lost", lost).await;
    drop(alone);

    // Does not want what it is sent: that is not sent again.
    let site = Site::new(Engine::Sqlite);
    let refusing = Receiver::answering("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let endpoint = format!("http://{}", refusing.address);
    let settings = [("DREGS_OTLP_ENDPOINT", endpoint.as_str()), ("DREGS_OTLP_HEADERS", "api-key=a%20secret")];
    let mut server = site.start(None, &settings);
    assert!(server.is_ready().await, "{}", server.log());
    for n in 0..3 {
        assert_eq!(server.track(event(&format!("e{n}"), "ada")).await, 200);
        let sent = async || (refusing.requests().len() > n).then_some(());
        eventually("a request to the collector", sent).await;
    }
    assert!(refusing.requests().iter().all(|request| request.headers["api-key"] == "a secret"));
    let log = server.end_well().await;
    assert_eq!(log.matches("spans are lost").count(), 1, "{log}");
    assert!(log.contains("400") && !log.contains("a secret"), "{log}");
}

#[tokio::test]
async fn lines_of_what_is_traced_have_the_ids() {
    let site = Site::new(Engine::Sqlite);
    let receiver = Receiver::answering(OK).await;
    let settings = [("DREGS_LOG", "warn,dregs_server=debug"), ("DREGS_LOG_FORMAT", "json")];
    let mut server = site.start(None, &settings);
    assert!(server.is_ready().await, "{}", server.log());
    let channel = json!({"type": "WEBHOOK", "name": "App", "events": ["identity.scored"], "config": {"url": receiver.url()}});
    server.call(Method::POST, "/api/channels", Some(channel)).await;
    assert_eq!(server.track(event("plain", "bob")).await, 200);
    arrived(&receiver, 1).await;
    let headers = [("traceparent", sampled()), ("x-request-id", "req-7".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(server.track_with(event("traced", "ada"), &headers).await, 200);
    let (_, span_id) = parent(&arrived(&receiver, 2).await[1]);
    let made = async || server.log().contains("an attempt was made").then_some(());
    eventually("the attempt's line", made).await;
    let log = server.end_well().await;
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |message: &str| {
        let found: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        assert_eq!(found.len(), 1, "{message}: {log}");
        found[0]["span"].clone()
    };
    let (request, cycle, attempt) =
        (of("a traced request was answered"), of("an identity was scored"), of("an attempt was made"));
    for span in [&request, &cycle, &attempt] {
        assert_eq!(
            (&span["trace_id"], span["span_id"].as_str().map(str::len)),
            (&json!(TRACE), Some(16)),
            "{span}"
        );
    }
    assert_eq!((&request["request_id"], &attempt["span_id"]), (&json!("req-7"), &json!(span_id)));
    let others = lines
        .iter()
        .filter(|line| line["span"]["name"] == "request" && line["span"]["request_id"] != "req-7");
    for line in others {
        assert_eq!(
            (&line["span"]["trace_id"], &line["span"]["span_id"]),
            (&Value::Null, &Value::Null),
            "{line}"
        );
    }
}
