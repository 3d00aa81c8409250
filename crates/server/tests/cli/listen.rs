use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::{Ground, PATIENCE, Running, Webhook};

/// The address in `Listening on http://…`.
fn address(running: &Running) -> String {
    running.line_with("Listening on http://").trim_start_matches("Listening on http://").to_owned()
}

/// Sends a webhook by hand and gives back the status line.
fn post(address: &str, webhook: &Webhook) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers: String =
        webhook.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (body, length) = (&webhook.body, webhook.body.len());
    write!(
        stream,
        "POST /any HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Custom: kept\r\n{headers}Content-Length: \
         {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// An application that takes one request and answers 204; gives back what it was sent.
fn application() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = Vec::new();
        // The body of the webhook ends with its three last braces.
        while !request.ends_with(b"}}}") {
            let mut chunk = [0; 1024];
            let count = stream.read(&mut chunk).unwrap();
            assert_ne!(count, 0, "the request ended early");
            request.extend_from_slice(&chunk[..count]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, taken)
}

#[test]
fn a_genuine_webhook_is_printed_forwarded_and_answered_as_the_application_did() {
    let ground = Ground::new();
    let webhook = Webhook::now();
    let (url, application) = application();
    let args = ["listen", "--port", "0", "--secret", webhook.secret.as_text(), "--forward", &url];
    let mut listening = ground.start(&args, &[]);
    let address = address(&listening);

    assert_eq!(post(&address, &webhook), "HTTP/1.1 204 No Content");
    let line = listening.line_with("IDENTITY_SCORED");
    assert!(line.ends_with("IDENTITY_SCORED          user_1  #3  humanity 12 (-52)  verified"), "{line}");
    let line = listening.line_with("-> ");
    assert!(line.contains(&format!("-> {url} 204  ")), "{line}");

    let request = application.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, webhook.body);
    assert!(head.starts_with("POST /webhooks HTTP/1.1\r\n"), "{head}");
    for (name, value) in webhook.headers.iter().chain(&[("x-custom", "kept".to_owned())]) {
        assert_eq!(head.matches(&format!("\r\n{name}: {value}")).count(), 1, "{name} in {head}");
    }
    assert_eq!(listening.stop_with("INT"), (Some(0), String::new()));
}

#[test]
fn what_is_not_genuine_is_refused_with_the_reason_and_not_forwarded() {
    let ground = Ground::new();
    let mut webhook = Webhook::now();
    // Nobody answers there: forwarding would show.
    let forward = "http://127.0.0.1:1/";
    let secret = webhook.secret.as_text().to_owned();
    let listening = ground.start(&["listen", "--port", "0", "--secret", &secret, "--forward", forward], &[]);
    let address = address(&listening);

    webhook.body = webhook.body.replace("12", "99");
    assert_eq!(post(&address, &webhook), "HTTP/1.1 401 Unauthorized");
    assert!(listening.line_with("IDENTITY_SCORED").ends_with("NOT VERIFIED"));
    assert!(listening.line_with("x-dregs-signature: ").contains("does not match"));
    assert!(listening.line_with("webhook-signature: ").contains("does not match"));

    assert_eq!(post(&address, &Webhook::now()), "HTTP/1.1 502 Bad Gateway");
    listening.line_with("verified");
    assert!(listening.line_with("-> ").contains("-> http://127.0.0.1:1/ "));
}
