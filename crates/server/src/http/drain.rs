//! Reading what an answer did not need. A server that closes a connection on unread bytes makes
//! the kernel reset it, and the caller never sees why it was refused.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What a caller may send in vain and still get an answer.
const DRAIN_MAX_BYTES: usize = 16 * 1024 * 1024;
/// How long it may take to do so.
const DRAIN_MS: u64 = 2_000;

/// Answers when the caller has sent what it wants to send, within limits.
pub async fn middleware(request: Request, next: Next) -> Response {
    // A caller that asked whether to send does not send after a refusal.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (returned, rest) = oneshot::channel();
    let lend = |body| Body::new(Lent { body, returned: Some(returned) });
    let response = next.run(request.map(lend)).await;
    if let Ok(body) = rest.await {
        // In vain or not: the answer goes out.
        let _ = timeout(Duration::from_millis(DRAIN_MS), drain(body)).await;
    }
    response
}

/// Reads a body and keeps nothing of it.
async fn drain(mut body: Body) {
    let mut left = DRAIN_MAX_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

/// A body that is given back when it is dropped before its end.
struct Lent {
    body: Body,
    returned: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(returned) = self.returned.take()
            && !self.body.is_end_stream()
        {
            // Nobody waits for it when the connection is gone.
            let _ = returned.send(std::mem::take(&mut self.body));
        }
    }
}
