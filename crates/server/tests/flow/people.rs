//! What people are sent: letters through a real mail server, cards to Slack.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use dregs_server::clock::SystemClock;
use dregs_server::config::Config;
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{arrived, morning};
use super::rules::clear;
use super::sick::answering;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::mailbox::{Mailbox, header};
use crate::support::receiver::Receiver;
use crate::support::server::{Ground, TestServer, event, eventually};
use crate::support::tls::Authority;

on_both_engines!(an_escalation_is_told_by_mail_and_the_log_shows_the_letter, many_events_become_one_digest);

pub fn mails_through(mailbox: &Mailbox) -> impl FnOnce(&mut Config) {
    let port = mailbox.port;
    move |config| {
        config.smtp_url = Some(format!("smtp://127.0.0.1:{port}?tls=none"));
        config.smtp_from = "dregs <alerts@dregs.test>".into();
        config.public_url = Some("https://dregs.test".into());
    }
}

pub async fn channel(server: &TestServer, channel_type: &str, events: Value, config: Value) -> i64 {
    let body = json!({"type": channel_type, "name": "People", "events": events, "config": config});
    let channel = server.post("/api/channels", body).await;
    assert_eq!(channel["signingSecret"], Value::Null, "{channel}");
    channel["id"].as_i64().unwrap()
}

/// A user whose profile tries everything.
fn hostile(id: &str) -> Value {
    let mut event = event(id, "x\r\nBcc: all@evil.test <a href=https://evil.test/>");
    event["identity"]["data"] = json!({
        "email": "anna@evil.test",
        "name": "Anna\r\nBcc: all@evil.test\r\n\r\n<script>alert(1)</script> <a href='https://evil.test/'>x</a> \
                 www.evil.test \u{202e}*_`<!channel>&amp;",
    });
    event["session"] = json!("one visit");
    event["userAgent"] = json!("python-requests/2.31 <img src=https://evil.test/p.gif> https://evil.test/");
    event
}

async fn an_escalation_is_told_by_mail_and_the_log_shows_the_letter(engine: Engine) {
    let mailbox = Mailbox::open().await;
    let server = TestServer::start_with(engine, mails_through(&mailbox)).await;
    clear(&server).await;
    let recipients = json!(["trust@example.com", "ops@example.com"]);
    let config = json!({"recipients": recipients});
    let id = channel(&server, "EMAIL", json!(["ESCALATION_OPENED", "IDENTITY_SCORED"]), config).await;
    let rule = json!({
        "name": "Robots <b>\r\nX: y", "severity": "CRITICAL", "channels": ["people"],
        "conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 60}],
    });
    server.post("/api/escalation-rules", rule).await;
    server.post("/api/events", hostile("e1")).await;

    let mut letters = mailbox.arrived(2).await;
    letters.sort_by_key(|letter| header(letter, "Subject").to_owned());
    for letter in &letters {
        assert_eq!((&letter["from"], &letter["to"]), (&json!("alerts@dregs.test"), &recipients));
        let names: Vec<_> =
            letter["headers"].as_array().unwrap().iter().map(|h| h[0].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["From", "Subject", "Date", "Message-ID", "To", "MIME-Version", "Content-Type"],
            "{letter}"
        );
        // Our own elements, and the one link.
        for tag in letter["tags"].as_array().unwrap() {
            let ours = [
                "a", "body", "br", "div", "h1", "head", "html", "li", "meta", "p", "span", "strong", "table",
                "td", "title", "tr", "ul",
            ];
            assert!(ours.contains(&tag.as_str().unwrap()), "{tag} in {letter}");
        }
        let link = format!(
            "https://dregs.test/identities/{}",
            "x%0D%0ABcc%3A%20all%40evil.test%20%3Ca%20href%3Dhttps%3A%2F%2Fevil.test%2F%3E"
        );
        assert_eq!(letter["links"], json!([link]));
        let text = letter["text"].as_str().unwrap();
        assert_eq!(text.replace(&link, "").matches("://").count(), 0, "{text}");
        assert!(!text.replace(&link, "").contains("evil.test"), "{text}");
        assert!(text.contains("Humanity: ") && text.contains("python-requests"), "{text}");
    }
    assert!(header(&letters[0], "Subject").starts_with(
        "[dregs] CRITICAL Escalation opened: Robots <b> X: y – Anna Bcc: all@evil[.]test <script>alert(1)</script>"
    ));

    // The log keeps it as it was sent.
    let delivery = server.wait_for_deliveries(id, "DELIVERED", 2).await.remove(0);
    let log = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
    let attempt = &log["attempts"][0];
    assert_eq!((&attempt["httpStatus"], &attempt["errorClass"]), (&Value::Null, &Value::Null));
    assert_eq!(attempt["responseBody"], "250 2.0.0 Ok: queued");
    let subject = attempt["requestHeaders"]["Subject"].as_str().unwrap();
    assert!(attempt["requestHeaders"]["To"].as_str().unwrap().contains("ops@example.com"));
    assert!(
        !subject.is_empty() && attempt["requestBody"].as_str().unwrap().contains("Content-Type: text/html")
    );
}

async fn many_events_become_one_digest(engine: Engine) {
    let mailbox = Mailbox::open().await;
    let clock = morning();
    let server = TestServer::start_on(Ground::new(engine), clock.clone(), mails_through(&mailbox)).await;
    clear(&server).await;
    let config = json!({"recipients": ["trust@example.com"], "mailsPerMinute": 2});
    let id = channel(&server, "EMAIL", json!(["IDENTITY_SCORED"]), config).await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": false})).await;
    let events: Vec<_> = (0..30).map(|n| event(&format!("e{n}"), &format!("user-{n}"))).collect();
    server.post("/api/events/batch", json!(events)).await;
    server.wait_for_deliveries(id, "PAUSED", 30).await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": true})).await;

    // All at once: one letter tells of them, ten in full.
    server.wait_for_deliveries(id, "DELIVERED", 30).await;
    let letters = mailbox.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(header(&letters[0], "Subject"), "[dregs] 30 events");
    let text = letters[0]["text"].as_str().unwrap();
    assert!(text.contains("And 20 more:"), "{text}");
    assert_eq!(letters[0]["links"].as_array().unwrap().len(), 30);
    // One more goes alone, the next waits for the minute to end.
    server.track("f1", "later-1").await;
    server.wait_for_deliveries(id, "DELIVERED", 31).await;
    server.track("f2", "later-2").await;
    let waits = async || {
        let delivery = server.wait_for_deliveries(id, "PENDING", 1).await.remove(0);
        delivery["nextAttemptAt"].as_str().is_some_and(|at| at > "2026-11-23T09:00:30").then_some(delivery)
    };
    let delivery = eventually("the letter to be put off", waits).await;
    assert_eq!(delivery["attemptCount"], 0);
    // Of a digest the log keeps for each what was said of it, for others are erased with others.
    let first = &server.get(&format!("/api/channels/{id}/deliveries?identity=user-0")).await["content"][0];
    let log = server.get(&format!("/api/deliveries/{}", first["id"])).await;
    let body = log["attempts"][0]["requestBody"].as_str().unwrap();
    assert!(
        body.starts_with("A digest of 30 events.") && body.contains("user-0") && !body.contains("user-1"),
        "{body}"
    );
}

#[tokio::test]
async fn a_mail_server_that_refuses_is_tried_again_or_not_as_it_says() {
    let mailbox = Mailbox::open().await;
    let server = TestServer::start_with(Engine::Sqlite, mails_through(&mailbox)).await;
    clear(&server).await;
    let to = |who: &str| json!({"recipients": [format!("{who}@example.com")]});
    let id = channel(&server, "EMAIL", json!(["IDENTITY_SCORED"]), to("nobody")).await;
    server.track("e1", "ada").await;
    let failed = server.wait_for_deliveries(id, "FAILED", 1).await.remove(0);
    let expected = (json!(1), json!("smtp_reply"), "the mail server answered 550");
    assert_eq!((failed["attemptCount"].clone(), failed["errorClass"].clone()), (expected.0, expected.1));
    assert!(failed["errorMessage"].as_str().unwrap().starts_with(expected.2), "{failed}");

    server.patch(&format!("/api/channels/{id}"), json!({"config": to("busy")})).await;
    server.track("e2", "ada").await;
    let waits = async || {
        let waiting = server.wait_for_deliveries(id, "PENDING", 1).await.remove(0);
        (waiting["attemptCount"] == 1).then_some(waiting)
    };
    let waiting = eventually("an attempt", waits).await;
    assert!(waiting["errorMessage"].as_str().unwrap().contains("Mailbox full"), "{waiting}");

    // A test says what came of it, and a letter to somebody who is there arrives.
    server.patch(&format!("/api/channels/{id}"), json!({"config": to("trust")})).await;
    let tested = server.post(&format!("/api/channels/{id}/actions/test"), Value::Null).await;
    assert_eq!((&tested["status"], &tested["trigger"]), (&json!("DELIVERED"), &json!("TEST")));
    // What waited for the other address may come first: the channel is tried again when it was changed.
    eventually("the letter of the test", async || {
        let arrived = mailbox.arrived(1).await;
        arrived.iter().any(|one| header(one, "Subject") == "[dregs] Test of this channel").then_some(())
    })
    .await;
}

#[tokio::test]
async fn letters_are_sent_with_tls_and_a_password() {
    let authority = Authority::new("Mail");
    let (certificate, key) = authority.files("localhost");
    for (tls, scheme) in [("starttls", "smtp"), ("implicit", "smtps")] {
        let (user, password) = ("dregs@example.com", "p/w:1");
        let settings = json!({
            "tls": tls, "certificate": certificate.path(), "key": key.path(), "user": user, "password": password,
        });
        let mailbox = Mailbox::start(settings).await;
        let url =
            |password: &str| format!("{scheme}://dregs%40example.com:{password}@localhost:{}", mailbox.port);
        for (url, is_trusted, expected) in [
            (url("p%2Fw%3A1"), true, json!(null)),
            (url("wrong"), true, json!("smtp_reply")),
            (url("p%2Fw%3A1"), false, json!("tls")),
        ] {
            let ca = is_trusted.then(|| authority.file.path().to_owned());
            let change = move |config: &mut Config| {
                config.smtp_url = Some(url);
                config.egress_ca_file = ca;
            };
            let server = TestServer::start_with(Engine::Sqlite, change).await;
            let id = channel(
                &server,
                "EMAIL",
                json!(["channel.test"]),
                json!({"recipients": ["trust@example.com"]}),
            )
            .await;
            let tested = server.post(&format!("/api/channels/{id}/actions/test"), Value::Null).await;
            assert_eq!(tested["errorClass"], expected, "{tls}: {tested}");
            if expected == "tls" {
                let said = "the mail server's certificate is signed by an authority this server does not know: name a \
                            file with that authority's certificate in egress_ca_file (DREGS_EGRESS_CA_FILE)";
                assert!(tested["errorMessage"].as_str().unwrap().starts_with(said), "{tested}");
            }
            assert!(!tested.to_string().contains("w%3A1"), "{tested}");
        }
        assert_eq!(mailbox.arrived(1).await[0]["isTls"], json!(true), "{tls}");
    }
}

#[tokio::test]
async fn a_mail_channel_needs_a_mail_server_and_sound_addresses() {
    let server = TestServer::start(Engine::Sqlite).await;
    let channel = |config: Value| json!({"type": "EMAIL", "name": "Mail", "events": ["channel.test"], "config": config});
    let call = async |server: &TestServer, config: Value| {
        let (status, answer) = server.call(Method::POST, "/api/channels", Some(channel(config))).await;
        format!("{status} {}", answer["details"])
    };
    let refused = call(&server, json!({"recipients": ["trust@example.com"]})).await;
    assert!(refused.contains("there is no mail server: set smtp_url"), "{refused}");
    let mailbox = Mailbox::open().await;
    let server = TestServer::start_with(Engine::Sqlite, mails_through(&mailbox)).await;
    for config in [
        json!({"recipients": []}),
        json!({"recipients": ["a@b\r\nBcc: c@d"]}),
        json!({"recipients": ["Anna <anna@example.com>"]}),
        json!({"recipients": ["anna@example.com"], "mailsPerMinute": 0}),
        json!({"url": "https://h.test"}),
    ] {
        let refused = call(&server, config.clone()).await;
        assert!(refused.starts_with("400"), "{config}: {refused}");
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const LIMITED: &str =
    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 40\r\ncontent-length: 12\r\n\r\nrate_limited";
const NO_SERVICE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\nno_service";
const INVALID: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 15\r\n\r\ninvalid_payload";

#[tokio::test]
async fn slack_is_sent_cards_and_its_answers_are_heeded() {
    let answer = Arc::new(Mutex::new(OK));
    let slack = answering(&answer).await;
    let clock = morning();
    let server = TestServer::start_on(Ground::new(Engine::Sqlite), clock.clone(), |_| {}).await;
    clear(&server).await;
    let url = format!("http://{}/services/T0/B0/s3cret", slack.address);
    let id = channel(&server, "SLACK", json!(["IDENTITY_SCORED"]), json!({"url": url})).await;
    let path = format!("/api/channels/{id}");
    let shown = server.get(&path).await["config"]["url"].clone();
    assert_eq!(shown, format!("http://{}/********", slack.address));
    // Sent back masked it stays what it is.
    server.patch(&path, json!({"config": {"url": shown}})).await;

    server.post("/api/events", hostile("e1")).await;
    let request = arrived(&slack, 1).await.remove(0);
    assert_eq!(request.request_line, "POST /services/T0/B0/s3cret HTTP/1.1");
    let card: Value = serde_json::from_slice(&request.body).unwrap();
    let text = card.to_string();
    assert!(!text.contains("mrkdwn\"") || card["mrkdwn"] == false, "{text}");
    assert!(!card["text"].as_str().unwrap().contains(['<', '>']), "{text}");
    assert!(card["blocks"][0]["text"]["text"] == "Scored" && text.contains("Humanity: "), "{text}");
    assert_eq!(text.matches("://").count(), 1, "{text}");
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    let log = server.deliveries(id).await.remove(0);
    let log = server.get(&format!("/api/deliveries/{}", log["id"])).await;
    assert!(!log.to_string().contains("s3cret"), "{log}");
    assert_eq!(log["attempts"][0]["requestBody"], text);

    // Its limit holds for all that waits, not only for what was refused.
    *answer.lock().unwrap() = LIMITED;
    server.track("e2", "bob").await;
    let limited = async || {
        let channel = server.get(&path).await;
        let resumes_at = channel["health"]["resumesAt"].as_str().unwrap_or_default();
        resumes_at.starts_with("2026-11-23T09:00:40").then_some(channel)
    };
    eventually("the channel to wait for Slack", limited).await;
    let requests = slack.requests().len();
    *answer.lock().unwrap() = OK;
    server.track("e3", "carl").await;
    server.wait_for_deliveries(id, "PENDING", 2).await;
    clock.advance(39_000);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(slack.requests().len(), requests);
    clock.advance(60_000);
    server.wait_for_deliveries(id, "DELIVERED", 3).await;

    // What it will never take is not sent again; and a webhook that is gone disables the channel.
    *answer.lock().unwrap() = INVALID;
    server.track("e4", "dora").await;
    let failed = server.wait_for_deliveries(id, "FAILED", 1).await.remove(0);
    assert_eq!(failed["errorMessage"], "Slack answered 400: invalid_payload");
    assert_eq!(server.get(&path).await["enabled"], true);
    *answer.lock().unwrap() = NO_SERVICE;
    server.track("e5", "emil").await;
    let disabled = async || {
        let channel = server.get(&path).await;
        (channel["enabled"] == false).then_some(channel)
    };
    let disabled = eventually("the channel to be disabled", disabled).await;
    let reason = "nothing will be taken there any more: Slack answered 404: no_service";
    assert_eq!(disabled["health"]["disabledReason"], reason);
}

#[tokio::test]
async fn a_card_of_somebody_whose_id_is_invisible_says_it_by_numbers() {
    let answer = Arc::new(Mutex::new(OK));
    let slack = answering(&answer).await;
    let server = TestServer::start(Engine::Sqlite).await;
    clear(&server).await;
    let url = format!("http://{}/services/T0/B0/s3cret", slack.address);
    channel(&server, "SLACK", json!(["IDENTITY_SCORED"]), json!({"url": url})).await;
    for (number, id) in ["\u{200b}", "\u{2060}\u{feff}", "\u{e0041}"].into_iter().enumerate() {
        server.post("/api/events", event(&format!("e{number}"), id)).await;
        let request = arrived(&slack, number + 1).await.remove(number);
        let card: Value = serde_json::from_slice(&request.body).unwrap();
        let first = id.chars().next().map(u32::from).unwrap();
        assert!(card["text"].as_str().unwrap().contains(&format!("U+{first:04X}")), "{card}");
    }
}

#[tokio::test]
async fn slack_is_behind_the_same_guard_and_its_url_is_not_in_the_database() {
    let slack = Receiver::answering(OK).await;
    let ground = Ground::new(Engine::Sqlite);
    let server =
        TestServer::start_on(ground, Arc::new(SystemClock), |config| config.egress_allow = String::new())
            .await;
    let body =
        |url: &str| json!({"type": "SLACK", "name": "S", "events": ["channel.test"], "config": {"url": url}});
    let (status, refused) = server.call(Method::POST, "/api/channels", Some(body(&slack.url()))).await;
    assert_eq!((status.as_u16(), &refused["details"][0]["field"]), (400, &json!("config.url")));
    let server = TestServer::start_on(server.stop(), Arc::new(SystemClock), |_| {}).await;
    let channel = server.post("/api/channels", body(&format!("{}s3cret", slack.url()))).await;
    // The operator has changed his mind.
    let forbidden = |config: &mut Config| config.egress_allow = String::new();
    let server = TestServer::start_on(server.stop(), Arc::new(SystemClock), forbidden).await;
    let tested = server.post(&format!("/api/channels/{}/actions/test", channel["id"]), Value::Null).await;
    assert_eq!(tested["errorClass"], "egress_blocked", "{tested}");
    let rotate = format!("/api/channels/{}/actions/rotate-secret", channel["id"]);
    let (_, refused) = server.call(Method::POST, &rotate, None).await;
    assert_eq!(refused["message"], "Only a webhook has a signing secret.");
    let stored = server.app.store.read(dregs_server::store::channels::all).await.unwrap();
    assert!(!stored[0].config.contains("s3cret"), "{}", stored[0].config);
}
