//! A connection as HTTP sees it: plain or TLS, and metered.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The most bytes one answer may take from the network, TLS and all: room for 64 KiB of headers
/// and 64 KiB of body in tiny chunks, and an end to interim answers without end.
pub(in crate::channels) const ANSWER_WIRE_MAX_BYTES: usize = 512 * 1024;

/// How much may still be read from a connection until [`TrafficBudget::renew`].
#[derive(Clone)]
pub(in crate::channels) struct TrafficBudget(Arc<AtomicUsize>);

impl Default for TrafficBudget {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(ANSWER_WIRE_MAX_BYTES)))
    }
}

impl TrafficBudget {
    /// Makes room for the next answer on the same connection.
    pub(in crate::channels) fn renew(&self) {
        self.0.store(ANSWER_WIRE_MAX_BYTES, Ordering::Relaxed);
    }

    /// Whether the connection failed because the budget was used up.
    pub(in crate::channels) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A TCP connection that stops reading when its budget is spent.
pub(super) struct Metered {
    tcp: TcpStream,
    budget: TrafficBudget,
}

impl Metered {
    pub(super) fn new(tcp: TcpStream, budget: TrafficBudget) -> Self {
        Self { tcp, budget }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.budget.is_spent() {
            return Poll::Ready(Err(io::Error::other("the answer is too large")));
        }
        let filled = buf.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        let taken = buf.filled().len() - filled;
        let left = self.budget.0.load(Ordering::Relaxed);
        self.budget.0.store(left.saturating_sub(taken), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }
}

/// What carries HTTP: TCP, or TLS over it.
pub(in crate::channels) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection to a checked address.
pub(in crate::channels) struct Stream {
    pub(in crate::channels) io: Box<dyn Transport>,
    pub(in crate::channels) remote_address: SocketAddr,
    pub(in crate::channels) budget: TrafficBudget,
}
