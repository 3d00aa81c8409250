//! The trivial server of the HTTP ceiling: answers that every event is stored, and stores nothing. It runs
//! as a process of its own, as the server does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tokio::net::{TcpListener, TcpStream};

use crate::error::{Error, Result};
use crate::http::Connection;
use crate::sink::listen;

/// The argument that makes this program the responder.
pub const ARGUMENT: &str = "responder";

/// A key that every generated event has once.
const EVENT_KEY: &[u8] = b"\"userAgent\":";
const RESULT: &[u8] =
    b"{\"status\":\"success\",\"id\":\"0123456789abcdef0123456789abcdef\",\"fingerprint\":null}";

/// A running responder. It is killed when this is dropped, and ends by itself when this process does.
pub struct Responder {
    child: Child,
    address: SocketAddr,
}

impl Responder {
    /// Starts one.
    pub async fn start() -> Result<Self> {
        let binary = std::env::current_exe().map_err(Error::io("finding this program"))?;
        let mut child = Command::new(binary)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io("starting the responder"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(Error::io("asking the responder"))?;
        }
        match line.trim().parse() {
            Ok(address) => Ok(Self { child, address }),
            Err(_) => Err(Error::Protocol(format!("the responder says {line:?} instead of its address"))),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        // Both fail only when it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the responder, until standard input is closed.
pub async fn serve() -> Result<()> {
    let (listener, address) = listen().await?;
    writeln!(std::io::stdout(), "{address}").map_err(Error::io("telling the address"))?;
    let parent = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        _ = parent => {}
        () = accept(listener) => {}
    }
    Ok(())
}

/// A responder inside this process, until its runtime ends.
#[cfg(test)]
pub async fn spawn() -> Result<SocketAddr> {
    let (listener, address) = listen().await?;
    tokio::spawn(accept(listener));
    Ok(address)
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(stream: TcpStream) {
    let Ok(mut connection) = Connection::accepted(stream) else { return };
    let (mut body, mut response) = (Vec::new(), Vec::new());
    while let Ok(Some((events, is_batch))) =
        connection.serve(|request| (count(request.body), request.body.first() == Some(&b'['))).await
    {
        body.clear();
        if is_batch {
            body.push(b'[');
            body.extend_from_slice(&vec![RESULT; events].join(&b','));
            body.push(b']');
        } else {
            body.extend_from_slice(RESULT);
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        crate::load::write_request(&mut response, head, &body);
        if connection.send(&response).await.is_err() {
            return;
        }
    }
}

fn count(body: &[u8]) -> usize {
    // Every byte of a body is looked at once, which is the least a real server does.
    body.windows(EVENT_KEY.len()).filter(|window| *window == EVENT_KEY).count()
}
