//! As much HTTP/1.1 as a load generator and its receiver need: whole messages with a length, kept in
//! one buffer, on connections that stay open.

use std::net::SocketAddr;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::error::{Error, Result};

/// The most header lines of a message.
const HEADERS_MAX: usize = 48;
/// What is read at once, and the space a connection starts with.
const BUFFER_BYTES: usize = 16 * 1024;
/// The longest message taken: an answer to a batch of 1,000 is about 100 KB.
const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A connection, from either end, and what has been read from it but not used yet.
pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

/// An answer, in the connection's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// Where the parts of a message are in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    head_bytes: usize,
    body_bytes: usize,
}

impl Connection {
    /// Connects to `address`.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.map_err(Error::io(format!("connecting to {address}")))?;
        Self::accepted(stream)
    }

    /// Takes over a connection that someone made to us.
    pub fn accepted(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true).map_err(Error::io("setting TCP_NODELAY"))?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(BUFFER_BYTES) })
    }

    /// Sends a whole request and reads the whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.buffer.clear();
        self.send(request).await?;
        loop {
            if !self.fill().await? {
                return Err(Error::Protocol("the server closed a connection instead of answering".into()));
            }
            let Some((status, frame)) = answer(&self.buffer)? else { continue };
            if self.buffer.len() >= frame.end() {
                return Ok(Answer { status, body: &self.buffer[frame.head_bytes..frame.end()] });
            }
        }
    }

    /// Reads the next request whole and gives it to `handle`. Answers what that answers; nothing when
    /// the peer has closed the connection.
    pub async fn serve<T>(&mut self, handle: impl FnOnce(&Request<'_, '_>) -> T) -> Result<Option<T>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
            let mut request = httparse::Request::new(&mut headers);
            let parsed = request.parse(&self.buffer).map_err(|error| malformed(&error))?;
            if let httparse::Status::Complete(head_bytes) = parsed {
                let frame = Frame::new(head_bytes, request.headers)?;
                if let Some(body) = self.buffer.get(head_bytes..frame.end()) {
                    let handled = handle(&Request { headers: request.headers, body });
                    self.buffer.advance(frame.end());
                    return Ok(Some(handled));
                }
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await.map_err(Error::io("writing to a connection"))
    }

    async fn fill(&mut self) -> Result<bool> {
        self.buffer.reserve(BUFFER_BYTES);
        let read = self.stream.read_buf(&mut self.buffer).await;
        Ok(read.map_err(Error::io("reading from a connection"))? > 0)
    }
}

/// A request, in the connection's buffer.
pub struct Request<'a, 'b> {
    headers: &'a [httparse::Header<'b>],
    pub body: &'a [u8],
}

impl Request<'_, '_> {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        header(self.headers, name)
    }
}

impl Frame {
    fn new(head_bytes: usize, headers: &[httparse::Header<'_>]) -> Result<Self> {
        let body_bytes = header(headers, "content-length")
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
            .ok_or_else(|| Error::Protocol("a message has no Content-Length".into()))?;
        if body_bytes > MESSAGE_MAX_BYTES {
            return Err(Error::Protocol(format!("a message has {body_bytes} bytes")));
        }
        Ok(Self { head_bytes, body_bytes })
    }

    fn end(self) -> usize {
        self.head_bytes + self.body_bytes
    }
}

/// The status of the answer at the start of `bytes` and where its body is; nothing while its head is
/// not complete.
fn answer(bytes: &[u8]) -> Result<Option<(u16, Frame)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes).map_err(|error| malformed(&error))? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(head_bytes) => {
            Ok(Some((response.code.unwrap_or(0), Frame::new(head_bytes, response.headers)?)))
        }
    }
}

fn header<'a>(headers: &'a [httparse::Header<'_>], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

fn malformed(error: &httparse::Error) -> Error {
    Error::Protocol(format!("a message is not HTTP/1.1: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_once_its_head_is_whole() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        let head_bytes = bytes.len() - 2;
        for end in 0..head_bytes {
            assert_eq!(answer(&bytes[..end]).unwrap(), None);
        }
        assert_eq!(answer(bytes).unwrap(), Some((200, Frame { head_bytes, body_bytes: 2 })));
    }

    #[test]
    fn what_has_no_length_or_too_much_of_it_is_refused() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        ] {
            assert!(matches!(answer(bytes), Err(Error::Protocol(_))));
        }
    }
}
