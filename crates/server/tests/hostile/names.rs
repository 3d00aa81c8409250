//! Names that lead where nothing may go, change their mind, or lead nowhere.

use std::net::{IpAddr, SocketAddr};

use dregs_server::channels::outcome::ErrorClass;

use super::{assert_failed, client, local_client, send};
use crate::support::dns::{Answer, DnsServer};
use crate::support::receiver::Receiver;

/// Answers once and closes, so that the next request needs a new connection.
const OK_AND_CLOSE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

async fn dns_with(addresses: &[&str]) -> DnsServer {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    DnsServer::start(move |_, _| Answer::Addresses(addresses.clone())).await
}

fn refusal(address: &str, what: &str, network: &str) -> String {
    format!(
        "hooks.test resolves to {address}, {what}; the operator can allow it with DREGS_EGRESS_ALLOW={network} or \
         DREGS_EGRESS_ALLOW=hooks.test"
    )
}

#[tokio::test]
async fn a_name_that_leads_to_a_reserved_address_is_refused() {
    let cases = [
        ("10.0.0.5", "a private address", "10.0.0.0/8"),
        ("127.0.0.1", "a loopback address", "127.0.0.0/8"),
        ("169.254.169.254", "the address of a cloud's metadata service", "169.254.169.254/32"),
        ("::1", "a loopback address", "::1/128"),
        ("::ffff:192.168.1.1", "a private address", "192.168.0.0/16"),
        ("64:ff9b::a00:1", "a private address", "10.0.0.0/8"),
        ("fd00:ec2::254", "the address of a cloud's metadata service", "fd00:ec2::254/128"),
    ];
    for (address, what, network) in cases {
        let dns = dns_with(&[address]).await;
        let outcome = send(&client("", Some(dns.address), None), "http://hooks.test/").await;
        assert_failed(&outcome, None, ErrorClass::EgressBlocked, &refusal(address, what, network));
    }
}

#[tokio::test]
async fn an_address_in_the_url_is_refused_without_a_lookup() {
    let receiver = Receiver::answering(OK_AND_CLOSE).await;
    let port = receiver.address.port();
    let message =
        "127.0.0.1 is a loopback address; the operator can allow it with DREGS_EGRESS_ALLOW=127.0.0.0/8";
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1"] {
        let outcome = send(&client("", None, None), &format!("http://{host}:{port}/")).await;
        assert_failed(&outcome, None, ErrorClass::EgressBlocked, message);
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn one_bad_address_refuses_the_name() {
    let receiver = Receiver::answering(OK_AND_CLOSE).await;
    let url = format!("http://hooks.test:{}/", receiver.address.port());
    for addresses in [["127.0.0.1", "10.0.0.5"], ["10.0.0.5", "127.0.0.1"]] {
        let dns = dns_with(&addresses).await;
        let outcome = send(&client("127.0.0.0/8", Some(dns.address), None), &url).await;
        let message = refusal("10.0.0.5", "a private address", "10.0.0.0/8");
        assert_failed(&outcome, None, ErrorClass::EgressBlocked, &message);
    }
    let dns = dns_with(&["127.0.0.1", "fe80::1"]).await;
    let outcome = send(&client("127.0.0.0/8", Some(dns.address), None), &url).await;
    assert_failed(
        &outcome,
        None,
        ErrorClass::EgressBlocked,
        &refusal("fe80::1", "a link-local address", "fe80::/10"),
    );
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_after_the_check_changes_nothing() {
    let public = Receiver::answering(OK_AND_CLOSE).await;
    let inside: SocketAddr = ([127, 0, 0, 2], public.address.port()).into();
    let inside = Receiver::start_at(inside, None, |conversation| async move { drop(conversation) }).await;
    // The first answer is an allowed address; every later one is not.
    let dns = DnsServer::start(|_, asked_before| {
        let address = if asked_before == 0 { [127, 0, 0, 1] } else { [127, 0, 0, 2] };
        Answer::Addresses(vec![IpAddr::from(address)])
    })
    .await;
    let client = client("127.0.0.1", Some(dns.address), None);
    let url = format!("http://hooks.test:{}/", public.address.port());

    let outcome = send(&client, &url).await;
    assert_eq!((outcome.error, outcome.remote_address), (None, Some(public.address)));
    assert_eq!(dns.questions(), ["A hooks.test", "AAAA hooks.test"], "one lookup decides");

    let outcome = send(&client, &url).await;
    let message = refusal("127.0.0.2", "a loopback address", "127.0.0.0/8");
    assert_failed(&outcome, None, ErrorClass::EgressBlocked, &message);
    assert_eq!((public.connections(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn an_allowed_host_is_allowed_by_its_exact_name_only() {
    let receiver = Receiver::answering(OK_AND_CLOSE).await;
    let dns = dns_with(&["127.0.0.1"]).await;
    let client = client("hooks.test", Some(dns.address), None);
    let url = |name: &str| format!("http://{name}:{}/", receiver.address.port());
    for name in ["hooks.test", "HOOKS.test", "hooks.test."] {
        assert_eq!(send(&client, &url(name)).await.error, None, "{name}");
    }
    for name in ["a.hooks.test", "hooks.test.evil.test", "127.0.0.1"] {
        let error = send(&client, &url(name)).await.error.unwrap();
        assert_eq!(error.class, ErrorClass::EgressBlocked, "{name}");
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn names_that_are_none_of_hosts_are_looked_up_as_they_stand() {
    let receiver = Receiver::answering(OK_AND_CLOSE).await;
    let dns = dns_with(&["127.0.0.1"]).await;
    let client = client("127.0.0.0/8", Some(dns.address), None);
    let names = [
        "my_service",
        "_lead.test",
        "trail_.test",
        "a.b_c.test",
        "-dash-.test",
        "my_service.",
        "xn--bcher-kva.test",
    ];
    for name in names {
        let outcome = send(&client, &format!("http://{name}:{}/", receiver.address.port())).await;
        assert_eq!((outcome.error, outcome.remote_address), (None, Some(receiver.address)), "{name}");
        let asked = format!("A {}", name.trim_end_matches('.'));
        // The server of the tests writes a name as a zone file would.
        let asks = |question: &String| question.replace('\\', "") == asked || name.starts_with("xn--");
        assert!(dns.questions().iter().any(asks), "{asked}: {:?}", dns.questions());
    }
    let long = "a".repeat(64);
    let error = send(&client, &format!("http://{long}.test/")).await.error.unwrap();
    assert_eq!(error.class, ErrorClass::Dns);
    assert!(error.message.starts_with(&format!("the name {long}.test is none")), "{}", error.message);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_called_so() {
    let cases = [
        (Answer::NoSuchName, ErrorClass::Dns, "the name hooks.test does not exist"),
        (Answer::Addresses(vec![]), ErrorClass::Dns, "the name hooks.test has no address"),
        (Answer::Silence, ErrorClass::Timeout, "no complete answer within 400 ms: looking up the name"),
    ];
    for (answer, class, message) in cases {
        let dns = DnsServer::start(move |_, _| answer.clone()).await;
        let outcome = send(&client("", Some(dns.address), None), "https://hooks.test/").await;
        assert_failed(&outcome, None, class, message);
    }
}

#[tokio::test]
async fn localhost_is_loopback_whatever_the_network_says() {
    let receiver = Receiver::answering(OK_AND_CLOSE).await;
    let url = format!("http://localhost:{}/", receiver.address.port());
    let error = send(&client("", None, None), &url).await.error.unwrap();
    assert_eq!(error.class, ErrorClass::EgressBlocked);
    let outcome = send(&client("localhost", None, None), &url).await;
    assert_eq!((outcome.error, outcome.remote_address), (None, Some(receiver.address)));
    assert_eq!(send(&local_client(), &receiver.url()).await.error, None);
}
