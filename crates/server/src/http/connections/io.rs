//! What goes over a connection, noted on its line.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::line::Line;

/// A body has this long, whatever its size.
pub const BODY_MAX_SECONDS: u64 = 15;
/// And as much longer as its bytes take at this rate: what a mobile network of the second generation (EDGE) sends.
pub const BODY_MIN_KIB_PER_SECOND: u64 = 8;

/// A body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub struct TimedOut;

/// The stream of a connection.
pub struct Watched {
    stream: TcpStream,
    line: Arc<Line>,
    /// Whether the last write had to wait.
    is_blocked: bool,
}

impl Watched {
    pub fn new(stream: TcpStream, line: Arc<Line>) -> Self {
        Self { stream, line, is_blocked: false }
    }

    fn note<T>(&mut self, written: Poll<T>) -> Poll<T> {
        let is_blocked = written.is_pending();
        if is_blocked || self.is_blocked {
            self.line.written(is_blocked, Instant::now());
            self.is_blocked = is_blocked;
        }
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.line.received(Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of a request, which must come in time.
pub struct Arriving {
    body: Incoming,
    line: Arc<Line>,
    begun: Instant,
    received_bytes: u64,
    /// While it is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Arriving {
    pub fn new(body: Incoming, line: Arc<Line>) -> Self {
        Self { body, line, begun: Instant::now(), received_bytes: 0, deadline: None }
    }
}

/// How long a body may take of which so much has come.
fn patience(received_bytes: u64) -> Duration {
    Duration::from_secs(BODY_MAX_SECONDS + received_bytes / (BODY_MIN_KIB_PER_SECOND * 1024))
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                if self.deadline.take().is_some() {
                    self.line.go_on(Instant::now());
                }
                if let Some(Ok(frame)) = &frame {
                    self.received_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                if self.deadline.is_none() {
                    self.line.await_body(self.begun);
                    self.deadline = Some(Box::pin(sleep_until(self.begun + patience(self.received_bytes))));
                }
                let Some(deadline) = &mut self.deadline else { return Poll::Pending };
                ready!(deadline.as_mut().poll(cx));
                Poll::Ready(Some(Err(TimedOut.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.line.go_on(Instant::now());
    }
}

/// The body of an answer.
pub struct Leaving {
    body: Body,
    line: Arc<Line>,
}

impl Leaving {
    pub fn new(body: Body, line: Arc<Line>) -> Self {
        Self { body, line }
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.line.answered(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_as_much_time_as_its_bytes_need() {
        let cases = [(0, 15), (8 * 1024 - 1, 15), (8 * 1024, 16), (256 * 1024, 47), (4 * 1024 * 1024, 527)];
        for (bytes, seconds) in cases {
            assert_eq!(patience(bytes), Duration::from_secs(seconds), "{bytes}");
        }
    }
}
