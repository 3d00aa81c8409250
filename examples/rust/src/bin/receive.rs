//! Answers webhooks: 204 where they are genuine, 401 where they are not.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use dregs::webhooks::{SIGNATURE_HEADER, verify};

async fn receive(headers: HeaderMap, body: Bytes) -> StatusCode {
    // Without a secret nothing is genuine.
    let secret = std::env::var("DREGS_WEBHOOK_SECRET").unwrap_or_default();
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match verify(&body, signature, &secret) {
        // `event["event"]`, `event["identityId"]`, `event["data"]["scores"]` …
        Ok(_event) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(4000);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, Router::new().route("/webhooks/dregs", post(receive))).await
}
