//! An endpoint on a real socket that behaves as badly as a test wants.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dregs_server::channels::http::PostRequest;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// Small, so that the bytes counted as sent are about the bytes taken by the other side.
const SEND_BUFFER_BYTES: u32 = 16 * 1024;

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Received {
    pub request_line: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A listening endpoint; it is gone when this is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    task: AbortHandle,
}

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    ended: AtomicU64,
    bytes_sent: AtomicU64,
    requests: Mutex<Vec<Received>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// An endpoint on a free port of 127.0.0.1 that treats each connection with `behave`.
    pub async fn start<F>(behave: impl Fn(Conversation) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), None, behave).await
    }

    /// The same, over TLS.
    pub async fn start_tls<F>(
        acceptor: TlsAcceptor,
        behave: impl Fn(Conversation) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), Some(acceptor), behave).await
    }

    /// The same, at a given address.
    pub async fn start_at<F>(
        address: SocketAddr,
        acceptor: Option<TlsAcceptor>,
        behave: impl Fn(Conversation) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(SEND_BUFFER_BYTES).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let behave = Arc::new(behave);
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                log.connections.fetch_add(1, Ordering::SeqCst);
                let (log, behave, acceptor) = (Arc::clone(&log), Arc::clone(&behave), acceptor.clone());
                tokio::spawn(async move {
                    let io: Box<dyn Io> = match acceptor {
                        None => Box::new(tcp),
                        Some(acceptor) => match acceptor.accept(tcp).await {
                            Ok(tls) => Box::new(tls),
                            Err(_) => return,
                        },
                    };
                    behave(Conversation { io, log: Arc::clone(&log) }).await;
                    log.ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, seen, task: task.abort_handle() }
    }

    /// An endpoint that reads each request and answers it with the same bytes, again and again.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |conversation| answer_all(conversation, Arc::clone(&answer))).await
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many connections this side is done with.
    pub fn ended(&self) -> u64 {
        self.seen.ended.load(Ordering::SeqCst)
    }

    /// How many bytes the other side, or the kernel for it, has taken.
    pub fn bytes_sent(&self) -> u64 {
        self.seen.bytes_sent.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<Received> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Forgets all but the first requests.
    pub fn truncate(&self, count: usize) {
        self.seen.requests.lock().unwrap().truncate(count);
    }
}

/// Answers every request on a connection with the same bytes.
pub async fn answer_all(mut conversation: Conversation, answer: Arc<Vec<u8>>) {
    while conversation.read_request().await.is_some() {
        if !conversation.send(&answer).await {
            return;
        }
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One connection to a receiver.
pub struct Conversation {
    io: Box<dyn Io>,
    log: Arc<Seen>,
}

impl Conversation {
    /// Reads one request and logs it; `None` at the end of the connection.
    pub async fn read_request(&mut self) -> Option<Received> {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if self.io.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let mut body = bytes.split_off(head_end);
        let head = String::from_utf8(bytes).unwrap();
        let mut lines = head.lines();
        let request_line = lines.next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        // A GET has none.
        let length = headers.get("content-length").map_or("0", |value| value.to_str().unwrap());
        let length: usize = length.parse().unwrap();
        while body.len() < length {
            if self.io.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        let received = Received { request_line, headers, body };
        self.log.requests.lock().unwrap().push(received.clone());
        Some(received)
    }

    /// Reads the first byte of a request and leaves the rest. Ending the connection then makes the
    /// kernel reset it.
    pub async fn read_one_byte(&mut self) {
        self.io.read_u8().await.unwrap();
    }

    /// Sends bytes, and says whether the other side still takes any.
    pub async fn send(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Ok(sent @ 1..) = self.io.write(bytes).await else {
                return false;
            };
            self.log.bytes_sent.fetch_add(sent as u64, Ordering::SeqCst);
            bytes = &bytes[sent..];
        }
        self.io.flush().await.is_ok()
    }

    /// Sends the same bytes until the other side takes no more.
    pub async fn send_forever(&mut self, bytes: &[u8]) {
        while self.send(bytes).await {}
    }

    /// Waits until the other side ends the connection, and says how many bytes it sent until then.
    pub async fn wait_for_end(&mut self) -> usize {
        let mut buffer = [0; 8192];
        let mut total = 0;
        while let Ok(read @ 1..) = self.io.read(&mut buffer).await {
            total += read;
        }
        total
    }
}

/// A small POST to `url`.
pub fn post_to(url: &str, deadline: std::time::Duration) -> PostRequest {
    PostRequest {
        target: dregs_server::channels::egress::Target::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::from_static(b"{}"),
        deadline,
        on_new_connection: false,
    }
}
