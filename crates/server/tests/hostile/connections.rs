//! Connections: refused, kept, closed behind our back; and TLS that is not what it should be.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dregs_server::channels::outcome::ErrorClass;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::{DEADLINE, assert_failed, check, client, local_client, send};
use crate::support::dns::{Answer, DnsServer};
use crate::support::receiver::{Receiver, answer_all, post_to};
use crate::support::tls::{Authority, acceptor_of};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn ok() -> Arc<Vec<u8>> {
    Arc::new(OK.into())
}

#[tokio::test]
async fn a_refused_connection_is_called_so() {
    let address = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    let outcome = send(&local_client(), &format!("http://{address}/")).await;
    let message = format!("no connection: {address} refused the connection");
    assert_failed(&outcome, None, ErrorClass::Connect, &message);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_and_its_address_is_known() {
    let receiver = Receiver::answering(OK).await;
    let client = local_client();
    for _ in 0..3 {
        let outcome = send(&client, &receiver.url()).await;
        assert_eq!((outcome.error, outcome.remote_address), (None, Some(receiver.address)));
    }
    assert_eq!((receiver.connections(), receiver.requests().len()), (1, 3));
}

#[tokio::test]
async fn a_connection_with_unread_rest_is_not_used_again() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
        conversation.send_forever(&[b'x'; 8192]).await;
    })
    .await;
    let client = local_client();
    for _ in 0..2 {
        assert_eq!(send(&client, &receiver.url()).await.error, None);
    }
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_without_a_failure() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(OK.as_bytes()).await;
    })
    .await;
    let client = local_client();
    for _ in 0..3 {
        assert_eq!(send(&client, &receiver.url()).await.error, None);
        sleep(DEADLINE / 20).await;
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn a_request_under_which_a_kept_connection_breaks_is_not_repeated_in_silence() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(OK.as_bytes()).await;
        conversation.read_request().await;
    })
    .await;
    let client = local_client();
    assert_eq!(send(&client, &receiver.url()).await.error, None);
    let broken = send(&client, &receiver.url()).await;
    assert_eq!((broken.error.unwrap().class, broken.again_at_once), (ErrorClass::ConnectionClosed, true));
    assert_eq!((receiver.connections(), receiver.requests().len()), (1, 2));
    // On a connection of its own it is the endpoint that fails.
    let closing = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
    })
    .await;
    let closed = "the endpoint closed the connection before its answer was complete";
    assert!(!check(&closing, ErrorClass::ConnectionClosed, closed).await.again_at_once);
    assert_eq!(closing.connections(), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_asked_for_again() {
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        conversation.send(OK.as_bytes()).await;
        conversation.read_request().await;
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok").await;
    })
    .await;
    let client = local_client();
    assert_eq!(send(&client, &receiver.url()).await.error, None);
    let broken = send(&client, &receiver.url()).await;
    assert_eq!((broken.error.unwrap().class, broken.again_at_once), (ErrorClass::ConnectionClosed, false));
    assert_eq!((receiver.connections(), receiver.requests().len()), (1, 2));
}

#[tokio::test]
async fn every_answer_on_a_connection_may_be_as_large_as_the_first() {
    let receiver =
        Receiver::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n{:60000}", "")).await;
    let client = local_client();
    for _ in 0..10 {
        assert_eq!(send(&client, &receiver.url()).await.error, None);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_request_given_up_at_the_deadline_is_not_sent_on_behind_our_back() {
    const BODY_BYTES: usize = 16 * 1024 * 1024;
    let authority = Authority::new("Known");
    let (taken, mut bytes_taken) = tokio::sync::mpsc::channel(1);
    let receiver = Receiver::start_tls(authority.acceptor("127.0.0.1"), move |mut conversation| {
        let taken = taken.clone();
        async move {
            sleep(DEADLINE * 2).await;
            taken.send(conversation.wait_for_end().await).await.unwrap();
        }
    })
    .await;
    let mut request = post_to(&tls_url("127.0.0.1", receiver.address), DEADLINE);
    request.body = vec![b'x'; BODY_BYTES].into();
    let client = client("127.0.0.0/8", None, Some(authority.file.path().into()));
    let error = client.post(request).await.error.unwrap();
    assert_eq!(error.class, ErrorClass::Timeout);
    let taken = timeout(DEADLINE * 20, bytes_taken.recv()).await.unwrap().unwrap();
    assert!(taken < BODY_BYTES, "all of it arrived");
}

#[tokio::test]
async fn the_second_address_is_used_when_the_first_does_not_answer() {
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    let dns = DnsServer::start(|_, _| {
        Answer::Addresses(["127.0.0.9", "127.0.0.1"].map(|ip| ip.parse().unwrap()).into())
    })
    .await;
    let client = client("127.0.0.0/8", Some(dns.address), None);
    let outcome = send(&client, &format!("http://two.test:{port}/")).await;
    assert_eq!((outcome.error, outcome.remote_address), (None, Some(receiver.address)));
}

fn tls_url(name: &str, address: SocketAddr) -> String {
    format!("https://{name}:{}/hook", address.port())
}

#[tokio::test]
async fn tls_with_a_known_authority_and_the_right_name_works() {
    let authority = Authority::new("Known");
    let receiver =
        Receiver::start_tls(authority.acceptor("hooks.test"), |conversation| answer_all(conversation, ok()))
            .await;
    let dns = DnsServer::start(|_, _| Answer::Addresses(vec![Ipv4Addr::LOCALHOST.into()])).await;
    let client = client("hooks.test", Some(dns.address), Some(authority.file.path().into()));
    for _ in 0..2 {
        let outcome = send(&client, &tls_url("hooks.test", receiver.address)).await;
        assert_eq!((outcome.error, outcome.remote_address), (None, Some(receiver.address)));
    }
    assert_eq!(receiver.connections(), 1);
    assert_eq!(
        receiver.requests()[0].headers["host"],
        format!("hooks.test:{}", receiver.address.port()).as_str()
    );
}

#[tokio::test]
async fn tls_of_another_name_or_an_unknown_authority_is_refused() {
    let known = Authority::new("Known");
    let unknown = Authority::new("Unknown");
    let cases = [
        (known.acceptor("other.test"), "the endpoint's certificate is not for 127.0.0.1"),
        (
            unknown.acceptor("127.0.0.1"),
            "the endpoint's certificate is signed by an authority this server does not know: name a file with that \
             authority's certificate in egress_ca_file (DREGS_EGRESS_CA_FILE), or have the endpoint send its whole \
             chain",
        ),
        (
            acceptor_of(&Authority::vouching_for_itself("127.0.0.1")),
            "the endpoint's certificate vouches for itself, as that of an authority does: have one signed by an \
             authority, and name a file with the authority's in egress_ca_file (DREGS_EGRESS_CA_FILE)",
        ),
    ];
    for (acceptor, message) in cases {
        let receiver = Receiver::start_tls(acceptor, |conversation| answer_all(conversation, ok())).await;
        let client = client("127.0.0.0/8", None, Some(known.file.path().into()));
        let outcome = send(&client, &tls_url("127.0.0.1", receiver.address)).await;
        assert_failed(&outcome, Some(receiver.address), ErrorClass::Tls, message);
        assert!(receiver.requests().is_empty(), "nothing is said to a stranger");
    }
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_called_so() {
    let plain = Receiver::start(|mut conversation| async move {
        conversation.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        conversation.wait_for_end().await;
    })
    .await;
    let outcome = send(&local_client(), &tls_url("127.0.0.1", plain.address)).await;
    let message = "the endpoint does not speak TLS on this port; if it is meant to, check the port, otherwise use http://";
    assert_failed(&outcome, Some(plain.address), ErrorClass::Tls, message);

    let closing = Receiver::start(|conversation| async move { drop(conversation) }).await;
    let outcome = send(&local_client(), &tls_url("127.0.0.1", closing.address)).await;
    let message = "the endpoint closed the connection while TLS was agreed on";
    assert_failed(&outcome, Some(closing.address), ErrorClass::Tls, message);

    let silent = Receiver::start(|mut conversation| async move {
        conversation.wait_for_end().await;
    })
    .await;
    let outcome = send(&local_client(), &tls_url("127.0.0.1", silent.address)).await;
    let message =
        format!("no complete answer within 400 ms: connected to {}, agreeing on TLS", silent.address);
    assert_failed(&outcome, Some(silent.address), ErrorClass::Timeout, &message);
}
