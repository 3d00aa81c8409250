//! Bodies: of which type, how encoded, how large, from whom; and what is refused before it is read.

use std::io::Write as _;
use std::sync::Arc;

use dregs_core::time::Timestamp;
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use dregs_server::store::users::Role;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use super::faithful::stored;
use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::{Ground, PUBLIC_KEY, SECRET_KEY, TestServer, answer, event};

const ORIGIN: &str = "https://app.example.com";
const PATIENCE: Duration = Duration::from_secs(20);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 0).unwrap()
}

/// Zeroes, encoded in a thousandth of their size and less.
fn bomb(mib: usize) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    (0..mib).for_each(|_| encoder.write_all(&vec![b' '; 1024 * 1024]).unwrap());
    encoder.finish().unwrap()
}

/// What has to be decoded with a memory of 128 MiB.
fn far_reaching(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(server: &TestServer, path: &str, encoding: &str, body: Vec<u8>) -> RequestBuilder {
    let request = server.request(Method::POST, path).bearer_auth(SECRET_KEY).body(body);
    request.header("Content-Type", "application/json").header("Content-Encoding", encoding)
}

type Encode = fn(&[u8]) -> Vec<u8>;

#[tokio::test]
async fn bodies_are_decoded_within_the_limits_of_what_they_become() {
    let server = TestServer::start(Engine::Sqlite).await;
    let encoders: [(&str, Encode); 6] = [
        ("gzip", gzip),
        ("X-Gzip", gzip),
        ("zstd", zstd),
        ("deflate", zlib),
        ("deflate", deflate),
        ("identity", |bytes| bytes.to_vec()),
    ];
    for (n, (name, encode)) in encoders.into_iter().enumerate() {
        let sent = encode(&serde_json::to_vec(&event(&format!("e{n}"), "ada")).unwrap());
        assert_eq!(answer(encoded(&server, "/api/events", name, sent)).await.0, 200, "{name}");
        let batch = json!([event(&format!("a{n}"), "ada"), event(&format!("b{n}"), "ada")]);
        let sent = encode(&serde_json::to_vec(&batch).unwrap());
        let (status, said) = answer(encoded(&server, "/api/events/batch", name, sent)).await;
        assert_eq!((status.as_u16(), said.as_array().unwrap().len()), (200, 2), "{name}");
        let group = encode(&serde_json::to_vec(&json!({"type": "team", "id": format!("t{n}")})).unwrap());
        assert!(answer(encoded(&server, "/api/groups", name, group)).await.0.is_success(), "{name}");
    }
    assert_eq!(stored(&server, "ada").await.len(), 3 * 6);

    let whole = serde_json::to_vec(&event("x", "bob")).unwrap();
    let large = serde_json::to_vec(&json!({"data": "x".repeat(256 * 1024)})).unwrap();
    let too_large = "413 body_too_large The body is larger than 256 KiB, the server's setting body_max_kib.";
    let garbled = "400 bad_request The body is not encoded as its Content-Encoding says";
    let mut cut = gzip(&whole);
    cut.truncate(cut.len() - 4);
    let refused = [
        ("gzip", gzip(&large), too_large),
        ("zstd", zstd(&large), too_large),
        ("deflate", zlib(&large), too_large),
        ("zstd", bomb(512), too_large),
        ("zstd", far_reaching(&whole), garbled),
        ("gzip", cut, garbled),
        ("gzip", whole.clone(), garbled),
        ("zstd", gzip(&whole), garbled),
        ("gzip", b"\x1f\x8b".to_vec(), garbled),
    ];
    for (name, body, expected) in refused {
        assert_eq!(refusal(encoded(&server, "/api/events", name, body)).await, expected, "{name}");
    }
    let unknown = "415 unsupported_media_type The Content-Encoding is none that is accepted here, which are one of: gzip, deflate, zstd.";
    for name in ["br", "compress", "gzip, gzip", "aes128gcm"] {
        let request = || encoded(&server, "/api/events", name, gzip(&gzip(&whole)));
        assert_eq!(refusal(request()).await, unknown, "{name}");
        assert_eq!(request().send().await.unwrap().headers()["accept-encoding"], "gzip, deflate, zstd");
    }
    assert_eq!(stored(&server, "bob").await, []);
}

#[tokio::test]
async fn bodies_are_json_by_their_type() {
    let server = TestServer::start(Engine::Sqlite).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let refused =
        "415 unsupported_media_type The body must be JSON, sent with \"Content-Type: application/json\".";
    let cases: [(&str, Value, &str); 4] = [
        ("/api/events", event("e1", "ada"), SECRET_KEY),
        ("/api/events/batch", json!([event("e2", "ada")]), SECRET_KEY),
        ("/api/groups", json!({"type": "team", "id": "t1"}), SECRET_KEY),
        (
            "/api/retention/actions/preview",
            json!({"events": null, "analyses": null, "deliveries": null, "auditLog": null}),
            &admin,
        ),
    ];
    for (path, body, token) in &cases {
        let post = |kind: Option<&str>| {
            let request = server.request(Method::POST, path).bearer_auth(token).body(body.to_string());
            kind.into_iter().fold(request, |request, kind| request.header("Content-Type", kind))
        };
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", ""]
        {
            assert_eq!(refusal(post(Some(kind))).await, refused, "{path} {kind}");
        }
        for kind in [
            None,
            Some("application/json"),
            Some("Application/JSON; charset=utf-8"),
            Some("application/ld+json"),
        ] {
            assert!(answer(post(kind)).await.0.is_success(), "{path} {kind:?}");
        }
    }
}

/// The first line of what the server answers to a head whose body does not come.
async fn answer_to_head(server: &TestServer, head: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = vec![0; 32];
    timeout(PATIENCE, stream.read_exact(&mut text)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&text).lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn what_the_rate_refuses_is_not_read() {
    // The clock stands still, so that nothing is filled again.
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let rate = |config: &mut Config| config.address_rate_per_second = 1;
    let server = TestServer::start_on(Ground::new(Engine::Sqlite), clock, rate).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let allow = server.request(Method::PATCH, "/api/credentials/1").bearer_auth(&admin);
    assert_eq!(answer(allow.json(&json!({"allowedOrigins": [ORIGIN]}))).await.0, 200);
    let head = |length: usize| {
        format!(
            "POST /api/events/batch HTTP/1.1\r\nHost: h\r\nOrigin: {ORIGIN}\r\nAuthorization: Bearer {PUBLIC_KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    // More than a page sends; each attempt counts, until there are too many.
    let too_large = "HTTP/1.1 413 Payload Too Large";
    for length in [4 * 1024 * 1024, 257 * 1024] {
        assert_eq!(answer_to_head(&server, &head(length)).await, too_large);
    }
    assert_eq!(answer_to_head(&server, &head(100_000)).await, "HTTP/1.1 429 Too Many Requests");
}

/// As some editors, shells and frameworks begin a text.
fn marked(text: &[u8]) -> Vec<u8> {
    [b"\xef\xbb\xbf", text].concat()
}

#[tokio::test]
async fn a_byte_order_mark_before_a_body_says_nothing() {
    let server = TestServer::start(Engine::Sqlite).await;
    let whole = |value: &Value| marked(value.to_string().as_bytes());
    let batch = whole(&json!([event("e2", "ada"), event("e3", "ada")]));
    let bodies = [
        ("/api/events", "identity", whole(&event("e1", "ada"))),
        ("/api/events/batch", "identity", batch.clone()),
        ("/api/events/batch", "gzip", gzip(&batch)),
        ("/api/events/batch", "identity", marked(b" [] ")),
        ("/api/groups", "identity", whole(&json!({"type": "team", "id": "t1"}))),
        ("/api/channels/1/actions/test", "identity", marked(b"")),
        ("/api/channels/1/actions/test", "identity", marked(b" null")),
    ];
    server.channel("listens", json!({"url": "http://127.0.0.1:9/"})).await;
    for (path, encoding, body) in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let (status, said) = answer(encoded(&server, path, encoding, body)).await;
        assert!(status.is_success(), "{path} {shown}: {status} {said}");
    }
    assert_eq!(stored(&server, "ada").await.len(), 3);
    // Twice it is no mark, and it is none anywhere else.
    for body in [marked(&marked(b"[]")), b"[\xef\xbb\xbf]".to_vec()] {
        assert_eq!(answer(encoded(&server, "/api/events/batch", "identity", body)).await.0, 400);
    }
}
