//! Answers as JSON.

use std::io::{self, Write};

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;

use super::elsewhere::elsewhere;
use super::error::ApiError;
use crate::store::StoreError;

/// An answer that is longer is written on another thread; this much takes well under a millisecond.
const INLINE_MAX_BYTES: usize = 64 * 1024;

/// What is answered.
pub struct Answer<T>(pub T);

impl<T: Serialize + Send + 'static> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut start = Start(Vec::with_capacity(1024));
        let body = match serde_json::to_writer(&mut start, &self.0) {
            Ok(()) => Body::from(start.0),
            Err(error) if error.is_io() => written_elsewhere(self.0),
            Err(error) => return ApiError::from(StoreError::Broken(error.to_string())).into_response(),
        };
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

fn written_elsewhere<T: Serialize + Send + 'static>(answer: T) -> Body {
    let written = async move {
        let bytes = elsewhere(move || serde_json::to_vec(&answer).map_err(io::Error::from)).await;
        bytes.unwrap_or_else(|_| Err(io::Error::other("the answer could not be written")))
    };
    Body::from_stream(stream::once(written))
}

/// What is written, as far as it is little.
struct Start(Vec<u8>);

impl Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > INLINE_MAX_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_whole_whatever_its_size() {
        for length in [0, 1, 1_000, INLINE_MAX_BYTES - 2, INLINE_MAX_BYTES - 1, 4 * INLINE_MAX_BYTES] {
            let response = Answer("x".repeat(length)).into_response();
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
            let is_long = length + 2 > INLINE_MAX_BYTES;
            assert_eq!(response.body().size_hint().exact().is_none(), is_long, "{length}");
            let bytes = response.into_body().collect().await.expect("a body").to_bytes();
            assert_eq!(bytes.len(), length + 2);
        }
    }
}
