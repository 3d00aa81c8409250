//! A TCP proxy between a server and its PostgreSQL, which does to connections what networks do.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// A commit as the server asks for it: a simple query, its length, its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bcommit\0";
/// A commit whose answer is dropped is made well within this.
const COMMITTED_WITHIN: Duration = Duration::from_millis(200);

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    None,
    /// Connections break, and new ones with them.
    Cut,
    /// Whatever is sent arrives late.
    Slow,
    /// The database's side of each connection ends; what the server sends still arrives.
    HalfClosed,
    /// What the database answers stays under way until the fault is over.
    Held,
    /// Connections go silent without an end, and stay so when the fault is over.
    Silent,
    /// A commit arrives and is made; its answer does not come, and the connection breaks.
    CutAfterCommit,
    /// A commit never arrives: the connection breaks before it.
    CutBeforeCommit,
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::Cut,
        Self::Slow,
        Self::HalfClosed,
        Self::Held,
        Self::Silent,
        Self::CutAfterCommit,
        Self::CutBeforeCommit,
    ];
}

/// A running proxy; it ends when this is dropped.
pub struct Proxy {
    pub port: u16,
    fault: watch::Sender<Fault>,
    cut_commits: Arc<AtomicUsize>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy to a port of this machine, on a thread of its own: what a test does does not slow it down.
    pub fn to(port: u16) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, port)
    }

    /// The same, for those who come to this address.
    pub fn at(address: Ipv4Addr, port: u16) -> Self {
        let listener = StdListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let own = listener.local_addr().unwrap().port();
        let (fault, seen) = watch::channel(Fault::None);
        let (end, ended) = oneshot::channel();
        let cut_commits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&cut_commits);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept_all(listener, port, seen, counter) => {}
                    _ = ended => {}
                }
            });
        });
        Self { port: own, fault, cut_commits, end: Some(end), thread: Some(thread) }
    }

    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// How many commits were made whose answer did not come.
    pub fn cut_commits(&self) -> usize {
        self.cut_commits.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept_all(
    listener: StdListener,
    port: u16,
    fault: watch::Receiver<Fault>,
    cut_commits: Arc<AtomicUsize>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        if *fault.borrow() == Fault::Cut {
            continue;
        }
        let (fault, cut_commits) = (fault.clone(), Arc::clone(&cut_commits));
        tokio::spawn(async move {
            let Ok(database) = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await else {
                return;
            };
            let _ = (client.set_nodelay(true), database.set_nodelay(true));
            let (from_client, to_client) = client.into_split();
            let (from_database, to_database) = database.into_split();
            // Each way ends both, or a connection would be cut on one side only.
            tokio::select! {
                () = there(from_client, to_database, fault.clone(), &cut_commits) => {}
                () = back(from_database, to_client, fault) => {}
            }
        });
    }
}

/// The next bytes; `None` at the end, and where the connection is cut.
async fn next(from: &mut OwnedReadHalf, fault: &mut watch::Receiver<Fault>) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            read = from.read(&mut bytes) => {
                let count = read.ok().filter(|count| *count > 0)?;
                bytes.truncate(count);
                break;
            }
            changed = fault.changed() => {
                changed.ok()?;
                match *fault.borrow() {
                    Fault::Cut => return None,
                    Fault::Silent => break bytes.clear(),
                    _ => {}
                }
            }
        }
    }
    let now = *fault.borrow();
    match now {
        Fault::Cut => return None,
        Fault::Silent => std::future::pending::<()>().await,
        Fault::Slow => sleep(Duration::from_millis(15)).await,
        _ => {}
    }
    Some(bytes)
}

/// From the server to the database.
async fn there(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    cut_commits: &AtomicUsize,
) {
    while let Some(bytes) = next(&mut from, &mut fault).await {
        let is_commit = bytes.windows(COMMIT.len()).any(|window| window == COMMIT);
        let now = *fault.borrow();
        if is_commit && now == Fault::CutBeforeCommit {
            return;
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
        if is_commit && now == Fault::CutAfterCommit {
            cut_commits.fetch_add(1, Ordering::Relaxed);
            // Its answer waits meanwhile, see below.
            sleep(COMMITTED_WITHIN).await;
            return;
        }
    }
}

/// From the database to the server.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut fault: watch::Receiver<Fault>) {
    while let Some(bytes) = next(&mut from, &mut fault).await {
        let now = *fault.borrow();
        // The answer of a commit is known by its tag.
        if now == Fault::CutAfterCommit && bytes.windows(7).any(|window| window == b"COMMIT\0") {
            return std::future::pending().await;
        }
        if now == Fault::Held && fault.wait_for(|fault| *fault != Fault::Held).await.is_err() {
            return;
        }
        if now == Fault::HalfClosed {
            let _ = to.shutdown().await;
            return std::future::pending().await;
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
