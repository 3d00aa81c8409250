//! Letters whose recipients, or whose mail server, do not take everything.

use std::sync::Arc;

use dregs_server::config::Config;
use serde_json::{Value, json};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::delivery::morning;
use super::people::{channel, mails_through};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::mailbox::{Mailbox, header};
use crate::support::server::{Ground, TestServer, eventually};
use crate::support::tls::Authority;

on_both_engines!(one_recipient_that_is_refused_keeps_the_letter_from_no_other);

/// The test server with a manual clock and a channel that writes to these.
async fn writes_to(engine: Engine, mailbox: &Mailbox, recipients: Value) -> (TestServer, i64) {
    let server = TestServer::start_on(Ground::new(engine), morning(), mails_through(mailbox)).await;
    clear(&server).await;
    let id = channel(&server, "EMAIL", json!(["IDENTITY_SCORED"]), json!({"recipients": recipients})).await;
    (server, id)
}

async fn one_recipient_that_is_refused_keeps_the_letter_from_no_other(engine: Engine) {
    let mailbox = Mailbox::open().await;
    let recipients = json!(["nobody@example.com", "trust@example.com"]);
    let (server, id) = writes_to(engine, &mailbox, recipients).await;
    server.track("e1", "ada").await;
    let delivery = server.wait_for_deliveries(id, "DELIVERED", 1).await.remove(0);
    let refused = "nobody@example.com: the mail server answered 550: ";
    let words = delivery["errorMessage"].as_str().unwrap();
    assert!(words.starts_with(&format!("1 of 2 recipients were taken; {refused}")), "{words}");
    assert_eq!((&delivery["attemptCount"], &delivery["errorClass"]), (&json!(1), &Value::Null));
    let letter = mailbox.arrived(1).await.remove(0);
    assert_eq!(letter["to"], json!(["trust@example.com"]));
    assert!(header(&letter, "To").contains("nobody@example.com"));
    let log = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
    let attempt = &log["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["errorMessage"]), (&json!("DELIVERED"), &json!(words)));
    assert!(attempt["responseBody"].as_str().unwrap().contains(refused), "{attempt}");
    let channel = server.get(&format!("/api/channels/{id}")).await;
    assert_eq!(channel["health"]["status"], "HEALTHY");
}

#[tokio::test]
async fn whoever_is_refused_for_now_gets_it_later_and_nobody_gets_it_twice() {
    let mailbox = Mailbox::open().await;
    let clock = morning();
    let ground = Ground::new(Engine::Sqlite);
    let server = TestServer::start_on(ground, Arc::clone(&clock) as _, mails_through(&mailbox)).await;
    clear(&server).await;
    let recipients = json!(["trust@example.com", "later@example.com", "nobody@example.com"]);
    let id = channel(&server, "EMAIL", json!(["IDENTITY_SCORED"]), json!({"recipients": recipients})).await;
    server.track("e1", "ada").await;
    let tried = async || {
        let waiting = server.wait_for_deliveries(id, "PENDING", 1).await.remove(0);
        (waiting["attemptCount"] == 1).then_some(waiting)
    };
    let waiting = eventually("an attempt", tried).await;
    assert!(waiting["errorMessage"].as_str().unwrap().contains("450"), "{waiting}");
    assert_eq!(server.get(&format!("/api/channels/{id}")).await["health"]["status"], "HEALTHY");
    clock.advance(32_000);
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    let letters = mailbox.arrived(2).await;
    let to: Vec<_> = letters.iter().map(|letter| letter["to"].clone()).collect();
    assert_eq!(to, [json!(["trust@example.com"]), json!(["later@example.com"])]);
    // Asked for again it goes to everybody.
    let delivery = server.deliveries(id).await.remove(0);
    server.post(&format!("/api/deliveries/{}/actions/resend", delivery["id"]), Value::Null).await;
    let both = json!(["trust@example.com", "later@example.com"]);
    assert_eq!(mailbox.arrived(3).await[2]["to"], both);
}

#[tokio::test]
async fn domains_in_other_letters_need_no_extension_of_the_mail_server() {
    let mailbox = Mailbox::open().await;
    let mut change = Some(mails_through(&mailbox));
    let change = move |config: &mut Config| {
        change.take().unwrap()(config);
        config.smtp_from = "dregs <alerts@büro.test>".into();
    };
    let server = TestServer::start_with(Engine::Sqlite, change).await;
    let recipients = json!(["ops@müller.de", "ops@例え.テスト", "jörg@example.com"]);
    let id = channel(&server, "EMAIL", json!(["ESCALATION_OPENED"]), json!({"recipients": recipients})).await;
    let tested = server.post(&format!("/api/channels/{id}/actions/test"), Value::Null).await;
    assert_eq!(tested["status"], "DELIVERED", "{tested}");
    let words = "2 of 3 recipients were taken; jörg@example.com: the mail server takes only ASCII before the at sign \
                 (it has no SMTPUTF8)";
    assert_eq!(tested["errorMessage"], words);
    let letter = mailbox.arrived(1).await.remove(0);
    assert_eq!(letter["to"], json!(["ops@xn--mller-kva.de", "ops@xn--r8jz45g.xn--zckzah"]));
    assert_eq!(letter["from"], "alerts@xn--bro-hoa.test");
    assert!(header(&letter, "From").contains("alerts@xn--bro-hoa.test"));
    assert!(header(&letter, "Message-ID").ends_with("@xn--bro-hoa.test>"));
    // What is configured is shown as it was written.
    assert_eq!(server.get(&format!("/api/channels/{id}")).await["config"]["recipients"], recipients);
}

#[tokio::test]
async fn what_the_mail_server_does_not_offer_is_said_with_the_setting_and_not_tried_again() {
    let mailbox = Mailbox::start(json!({"tls": "none", "auth": "none"})).await;
    let port = mailbox.port;
    let cases = [
        (
            format!("smtp://127.0.0.1:{port}"),
            "the mail server offers no STARTTLS: have smtp_url (DREGS_SMTP_URL)",
        ),
        (
            format!("smtp://anna:pass@127.0.0.1:{port}?tls=none"),
            "the mail server offers no sign-in with a password (AUTH PLAIN or LOGIN): leave user and password out of \
             smtp_url (DREGS_SMTP_URL)",
        ),
    ];
    for (url, words) in cases {
        let change = move |config: &mut Config| config.smtp_url = Some(url);
        let server = TestServer::start_with(Engine::Sqlite, change).await;
        clear(&server).await;
        let config = json!({"recipients": ["trust@example.com"]});
        let id = channel(&server, "EMAIL", json!(["IDENTITY_SCORED"]), config).await;
        server.track("e1", "ada").await;
        let failed = server.wait_for_deliveries(id, "FAILED", 1).await.remove(0);
        let said = failed["errorMessage"].as_str().unwrap();
        assert!(said.starts_with(words), "{said}");
        assert_eq!(failed["attemptCount"], 1);
    }
    assert_eq!(mailbox.letters().len(), 0);
}

/// A port that says this to whoever connects, and closes.
async fn port_that_says(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn a_mail_server_that_cannot_be_used_is_said_with_the_setting() {
    let authority = Authority::new("Mail");
    let (certificate, key) = authority.files("localhost");
    let plain = Mailbox::open().await;
    let tls = json!({"tls": "implicit", "certificate": certificate.path(), "key": key.path()});
    let implicit = Mailbox::start(tls).await;
    let starttls = json!({"tls": "starttls", "certificate": certificate.path(), "key": key.path()});
    let starttls = Mailbox::start(starttls).await;
    let (web, closing) = (port_that_says("HTTP/1.1 400 Bad Request\r\n\r\n").await, port_that_says("").await);
    let down = crate::cli::free_port();
    let setting = "smtp_url (DREGS_SMTP_URL)";
    let refused = format!(
        "127.0.0.1:{down} refused the connection: is the mail server running, and are host and port in {setting} right?"
    );
    let cases = [
        (format!("smtp://127.0.0.1:{down}"), "connect", refused.clone()),
        (format!("smtps://127.0.0.1:{down}"), "connect", refused),
        ("smtp://no-such-host.invalid".to_owned(), "dns", "no-such-host.invalid has no address (".to_owned()),
        (
            format!("smtp://127.0.0.1:{web}"),
            "protocol",
            format!("127.0.0.1:{web} does not greet as a mail server does ("),
        ),
        (
            format!("smtp://127.0.0.1:{closing}"),
            "protocol",
            format!("127.0.0.1:{closing} does not greet as a mail server does ("),
        ),
        (
            format!("smtps://127.0.0.1:{closing}"),
            "connection_closed",
            format!("127.0.0.1:{closing} closed the connection while TLS was agreed on; see {setting}"),
        ),
        (
            format!("smtps://127.0.0.1:{}", plain.port),
            "tls",
            format!(
                "127.0.0.1:{} does not speak TLS from the first byte: have {setting} begin with smtp:// for",
                plain.port
            ),
        ),
        (
            format!("smtp://localhost:{}", implicit.port),
            "timeout",
            format!(
                "localhost:{} said nothing within 1000 ms of being connected to: for a port with TLS from the first byte, \
                 such as 465, {setting} begins with smtps://",
                implicit.port
            ),
        ),
        (
            format!("smtps://127.0.0.1:{}", implicit.port),
            "tls",
            format!("the mail server's certificate is not for 127.0.0.1; see {setting}"),
        ),
        (
            format!("smtp://127.0.0.1:{}", starttls.port),
            "tls",
            format!("the mail server's certificate is not for 127.0.0.1; see {setting}"),
        ),
    ];
    for (url, class, words) in cases {
        let (shown, ca) = (url.clone(), authority.file.path().to_owned());
        let change = move |config: &mut Config| {
            (config.smtp_url, config.egress_ca_file, config.deadline_ms) = (Some(url), Some(ca), 1_000);
        };
        let server = TestServer::start_with(Engine::Sqlite, change).await;
        let config = json!({"recipients": ["trust@example.com"]});
        let id = channel(&server, "EMAIL", json!(["channel.test"]), config).await;
        let tested = server.post(&format!("/api/channels/{id}/actions/test"), Value::Null).await;
        assert_eq!(tested["errorClass"], class, "{shown}: {tested}");
        let said = tested["errorMessage"].as_str().unwrap();
        assert!(said.starts_with(&words) && said.contains(setting), "{shown}: {said}");
    }
}
