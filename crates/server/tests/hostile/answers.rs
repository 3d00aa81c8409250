//! Answers that hang, flood, end early, redirect or are no answers.

use std::time::Duration;

use dregs_server::channels::outcome::{ErrorClass, Outcome};
use tokio::time::{sleep, timeout};

use super::{DEADLINE, assert_cheap, check, local_client, response, send};
use crate::support::receiver::Receiver;

const CLOSED: &str = "the endpoint closed the connection before its answer was complete";

fn timed_out(receiver: &Receiver, waiting_for: &str) -> String {
    format!("no complete answer within 400 ms: connected to {}, waiting for {waiting_for}", receiver.address)
}

#[tokio::test]
async fn an_endpoint_that_hangs_before_headers_costs_the_deadline() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.wait_for_end().await;
    })
    .await;
    let outcome = check(&receiver, ErrorClass::Timeout, &timed_out(&receiver, "response headers")).await;
    assert_eq!(outcome.response, None);
    // The connection is given up, not left to the endpoint.
    let ended = timeout(DEADLINE, async {
        while receiver.ended() == 0 {
            sleep(DEADLINE / 100).await;
        }
    });
    assert!(ended.await.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn an_endpoint_that_never_reads_costs_the_deadline() {
    let receiver = Receiver::start(|conversation| async move {
        sleep(DEADLINE * 4).await;
        drop(conversation);
    })
    .await;
    check(&receiver, ErrorClass::Timeout, &timed_out(&receiver, "response headers")).await;
}

#[tokio::test]
async fn headers_that_drip_do_not_stretch_the_deadline() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        for byte in b"HTTP/1.1 200 OK\r\nx-drip: drip drip drip\r\n\r\n" {
            sleep(Duration::from_millis(50)).await;
            conversation.send(&[*byte]).await;
        }
    })
    .await;
    check(&receiver, ErrorClass::Timeout, &timed_out(&receiver, "response headers")).await;
}

#[tokio::test]
async fn a_body_that_drips_does_not_stretch_the_deadline() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await;
        while conversation.send(b".").await {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let outcome =
        check(&receiver, ErrorClass::Timeout, &timed_out(&receiver, "the rest of the response body")).await;
    let kept = outcome.response.unwrap();
    assert_eq!(kept.status, 200);
    assert!((1..=9).contains(&kept.body.len()), "{} bytes", kept.body.len());
}

#[tokio::test]
async fn a_status_decides_even_if_its_body_drips() {
    let receiver =
        Receiver::answering("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 100\r\n\r\n").await;
    check(&receiver, ErrorClass::HttpStatus, "the endpoint answered 503 Service Unavailable").await;
}

/// A success of which only the start is kept.
async fn check_flood(receiver: &Receiver) -> Outcome {
    let outcome = send(&local_client(), &receiver.url()).await;
    assert!(outcome.is_success(), "{:?}", outcome.error);
    assert_eq!(outcome.remote_address, Some(receiver.address));
    assert!(outcome.response.as_ref().unwrap().is_truncated);
    assert_cheap(receiver);
    outcome
}

#[tokio::test]
async fn a_body_of_ten_gigabytes_is_a_success_of_which_the_start_is_kept() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n").await;
        conversation.send_forever(&[b'x'; 8192]).await;
    })
    .await;
    let outcome = check_flood(&receiver).await;
    assert_eq!(outcome.response.unwrap().body, vec![b'x'; 16 * 1024]);
}

#[tokio::test]
async fn endless_chunks_are_cut_off() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        conversation.send_forever(&b"1\r\nx\r\n".repeat(1000)).await;
    })
    .await;
    // A chunk counts more than the one byte it holds.
    let kept = check_flood(&receiver).await.response.unwrap();
    assert_eq!(kept.body, vec![b'x'; 64 * 1024 / 17 + 1]);
}

#[tokio::test]
async fn a_compressed_bomb_is_not_touched() {
    // The start of a gzip stream, as a bomb has it; what follows does not matter.
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3][..], &[0xec; 4000]].concat();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let receiver = Receiver::answering([head.as_bytes(), &bomb].concat()).await;
    let outcome = send(&local_client(), &receiver.url()).await;
    let headers = [("content-encoding", "gzip"), ("content-length", "4010")];
    assert_eq!(outcome.response, Some(response(200, &headers, &bomb)));
    assert!(outcome.is_success());
    assert!(!receiver.requests()[0].headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    const TOO_LARGE: &str = "the response headers are too many or larger than 64 KiB";
    for flood in ["x-flood: flood flood flood flood\r\n", "no line ever ends "] {
        let receiver = Receiver::start(move |mut conversation| async move {
            conversation.read_request().await;
            conversation.send(b"HTTP/1.1 200 OK\r\nx-start: 1").await;
            conversation.send_forever(flood.repeat(100).as_bytes()).await;
        })
        .await;
        check(&receiver, ErrorClass::Protocol, TOO_LARGE).await;
    }
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-long: {}\r\n\r\n", "y".repeat(70_000));
    check(&Receiver::answering(long).await, ErrorClass::Protocol, TOO_LARGE).await;
}

#[tokio::test]
async fn interim_answers_without_end_are_refused() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send_forever(&b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)).await;
    })
    .await;
    check(&receiver, ErrorClass::Protocol, "the endpoint sends an answer without end").await;
}

#[tokio::test]
async fn more_headers_than_are_kept_are_noted() {
    let many = (0..80).map(|index| format!("x-{index}: {}\r\n", "y".repeat(20))).collect::<String>();
    let receiver = Receiver::answering(format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")).await;
    let kept = check_flood(&receiver).await.response.unwrap();
    assert_eq!((kept.headers.len(), kept.headers[63].0.as_str()), (64, "x-63"));
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-long: {}\r\n\r\n", "y".repeat(9000));
    let kept = check_flood(&Receiver::answering(long).await).await.response.unwrap();
    assert_eq!(kept.headers, [("content-length".to_owned(), "0".to_owned())]);
}

#[tokio::test]
async fn a_connection_that_ends_early_is_a_failure_whenever_it_ends() {
    let cases: [(&[u8], Option<u16>); 4] = [
        (b"", None),
        (b"HTTP/1.1 200 OK\r\nx-cut: ", None),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok", Some(200)),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", Some(200)),
    ];
    for (start, status) in cases {
        let receiver = Receiver::start(move |mut conversation| async move {
            conversation.read_request().await;
            conversation.send(start).await;
        })
        .await;
        let outcome = check(&receiver, ErrorClass::ConnectionClosed, CLOSED).await;
        assert_eq!(outcome.response.map(|response| response.status), status);
    }
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_body_is_a_failure() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_one_byte().await;
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok").await;
        sleep(Duration::from_millis(100)).await;
    })
    .await;
    let outcome = check(&receiver, ErrorClass::ConnectionClosed, CLOSED).await;
    assert_eq!(outcome.response, Some(response(200, &[("content-length", "100")], b"ok")));
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let cases = [
        ("301 Moved Permanently", elsewhere.url(), "127.0.0.1"),
        ("302 Found", elsewhere.url(), "127.0.0.1"),
        ("303 See Other", "http://169.254.169.254/latest/meta-data".to_owned(), "169.254.169.254"),
        ("307 Temporary Redirect", "//other.test/?secret=1".to_owned(), "other.test"),
        ("308 Permanent Redirect", "/elsewhere".to_owned(), "127.0.0.1"),
        ("302 Found", "http://[".to_owned(), "nowhere"),
    ];
    for (status, location, host) in cases {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::answering(answer).await;
        let message = format!(
            "the endpoint answered {status} to {host}; redirects are not followed, give the channel the final URL"
        );
        check(&receiver, ErrorClass::Redirect, &message).await;
        assert_eq!(receiver.requests().len(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_failing_status_is_named_and_may_ask_for_time() {
    let answer = |status: &str, retry_after: &str| {
        format!("HTTP/1.1 {status}\r\nretry-after: {retry_after}\r\ncontent-length: 4\r\n\r\nbusy")
    };
    let cases = [
        ("429 Too Many Requests", "90", Some(90)),
        ("503 Service Unavailable", " 7 ", Some(7)),
        ("503 Service Unavailable", "Mon, 23 Nov 2026 09:30:00 GMT", None),
        ("500 Internal Server Error", "-1", None),
        ("404 Not Found", "99999999999999999999999", None),
    ];
    for (status, retry_after, expected) in cases {
        let receiver = Receiver::answering(answer(status, retry_after)).await;
        let outcome =
            check(&receiver, ErrorClass::HttpStatus, &format!("the endpoint answered {status}")).await;
        assert_eq!(outcome.retry_after_seconds, expected, "{retry_after:?}");
        assert_eq!(outcome.response.unwrap().body, b"busy");
    }
    let dates = [
        ("date: Mon, 23 Nov 2026 09:28:00 GMT\r\n", "Mon, 23 Nov 2026 09:30:00 GMT", 120..=120),
        ("date: Mon, 23 Nov 2026 09:28:00 GMT\r\n", "Monday, 23-Nov-26 09:30:00 GMT", 120..=120),
        ("", "Fri, 01 Jan 2100 00:00:00 GMT", 2_000_000_000..=2_400_000_000),
    ];
    for (date, retry_after, expected) in dates {
        let busy = answer("503 Service Unavailable", &format!("{retry_after}\r\n{}", date.trim_end()));
        let receiver = Receiver::answering(busy.replace("\r\n\r\n\r\n", "\r\n\r\n")).await;
        let outcome = send(&local_client(), &receiver.url()).await;
        let asked = outcome.retry_after_seconds;
        assert!(asked.is_some_and(|seconds| expected.contains(&seconds)), "{date}{retry_after}: {asked:?}");
    }
    let receiver = Receiver::answering(answer("200 OK", "90")).await;
    let outcome = send(&local_client(), &receiver.url()).await;
    assert_eq!((outcome.is_success(), outcome.retry_after_seconds), (true, None));
}

#[tokio::test]
async fn an_answer_that_is_badly_written_is_an_answer() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    let cases = [
        "HTTP/1.1 200 OK\r\nx-folded: one\r\n two\r\n\tthree\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nx-folded:\r\n one\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nx-spaced : one\r\ncontent-length : 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
        "HTTP/1.1 200 OK\r\nx-mixed: one\ncontent-length: 2\r\n\nhi",
        "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 Alles in Ordnung \u{fc}\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.0 200 OK\r\n\r\nhi",
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nno header\r\nx y: z\r\n: nameless\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nx-control: a\u{1}b\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nempty:\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\ntrailer: x\r\n\r\n",
        many.as_str(),
    ];
    let misframed = [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\nhi\n0\n\n",
        "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhi",
    ];
    for answer in cases.into_iter().chain(misframed) {
        let bytes = answer.as_bytes().to_vec();
        let receiver = Receiver::start(move |mut conversation| {
            let bytes = bytes.clone();
            async move {
                conversation.read_request().await;
                conversation.send(&bytes).await;
            }
        })
        .await;
        let outcome = send(&local_client(), &receiver.url()).await;
        assert_eq!(outcome.error, None, "{answer:?}");
        let response = outcome.response.unwrap();
        let is_readable = answer != many && !misframed.contains(&answer);
        assert!(response.status < 300 && (response.body == b"hi" || !is_readable), "{answer:?}");
        assert_eq!(response.is_truncated, misframed.contains(&answer) || answer == many, "{answer:?}");
        if let Some((_, value)) = response.headers.iter().find(|(name, _)| name == "x-folded") {
            assert_eq!(value.split_whitespace().next(), Some("one"));
        }
    }
}

#[tokio::test]
async fn what_is_not_http_is_called_so() {
    let cases = [
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n\r\n", "the answer is not HTTP/1.1: invalid HTTP version parsed"),
        ("HTTP/1.1 abc OK\r\n\r\n", "the answer is not HTTP/1.1: invalid HTTP status-code parsed"),
    ];
    for (answer, message) in cases {
        let receiver = Receiver::answering(answer).await;
        check(&receiver, ErrorClass::Protocol, message).await;
    }
}
