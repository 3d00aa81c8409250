//! The server under test, as a child process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::clock;
use crate::error::{Error, Result};
use crate::http::Connection;
use crate::scratch;

/// The secret key of the server's first credential.
pub const SECRET_KEY: &str = "sk_bench_5f2b8c1d9e7a4036b1c2d3e4f5a60718";
const PUBLIC_KEY: &str = "pk_bench_07f6e5d4c3b2a1906a7e9d1c8b2f5a43";
pub const ADMIN_EMAIL: &str = "bench@example.com";
pub const ADMIN_PASSWORD: &str = "correct horse battery staple";

/// How long a server may take until it is ready, migrations included.
const READY_SECONDS_MAX: u64 = 30;
/// How long it may take to end after SIGTERM: the 30 s of the contract and a little.
const STOP_SECONDS_MAX: u64 = 35;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How much of its log an error shows.
const LOG_SHOWN_BYTES: usize = 2_000;

/// A running server. It is killed when this is dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

/// What a server is started with.
pub struct Launch<'a> {
    /// The `dregs` executable.
    pub binary: &'a Path,
    /// A folder of its own: the data goes into `data`, the log into `server.log`.
    pub folder: &'a Path,
    /// A PostgreSQL database to use instead of SQLite.
    pub database_url: Option<&'a str>,
    /// Further settings, as environment variables.
    pub settings: &'a [(&'a str, &'a str)],
}

/// The memory of a process in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub resident: u64,
    pub resident_peak: u64,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub processor: Duration,
    /// To the disk, as far as the kernel tells who wrote it.
    pub written_bytes: u64,
}

impl Usage {
    /// What was used after `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
        }
    }
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub async fn start(launch: &Launch<'_>) -> Result<Self> {
        if !launch.binary.is_file() {
            return Err(Error::NoServer(launch.binary.to_owned()));
        }
        let data = data_folder(launch.folder);
        fs::create_dir_all(&data).map_err(Error::io(format!("making {}", data.display())))?;
        let log = launch.folder.join("server.log");
        let output = File::create(&log).map_err(Error::io(format!("making {}", log.display())))?;
        let errors = output.try_clone().map_err(Error::io("sharing the log file"))?;
        let address = free_address()?;
        let mut command = Command::new(launch.binary);
        command
            .arg("serve")
            .current_dir(launch.folder)
            .env_clear()
            .env("DREGS_LISTEN", address.to_string())
            .env("DREGS_DATA_DIR", &data)
            .env("DREGS_SECRET_KEY", SECRET_KEY)
            .env("DREGS_PUBLIC_KEY", PUBLIC_KEY)
            .env("DREGS_ADMIN_EMAIL", ADMIN_EMAIL)
            .env("DREGS_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("DREGS_EGRESS_ALLOW", "127.0.0.0/8")
            .env("DREGS_LOG", "warn")
            .envs(launch.database_url.map(|url| ("DREGS_DATABASE_URL", url)))
            .envs(launch.settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let child = command.spawn().map_err(Error::io(format!("starting {}", launch.binary.display())))?;
        let mut server = Self { child, address, log };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its memory now and at its peak.
    pub fn memory(&self) -> Result<Memory> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).map_err(Error::io(format!("reading {path}")))?;
        memory_of(&status).ok_or_else(|| Error::Protocol(format!("{path} does not tell the memory")))
    }

    /// What it has used so far.
    pub fn usage(&self) -> Result<Usage> {
        let read = |name: &str| {
            let path = format!("/proc/{}/{name}", self.child.id());
            fs::read_to_string(&path).map_err(Error::io(format!("reading {path}")))
        };
        let usage = usage_of(&read("stat")?, &read("io")?, rustix::param::clock_ticks_per_second());
        usage.ok_or_else(|| Error::Protocol("/proc does not tell what the server has used".into()))
    }

    /// Asks it to end with SIGTERM and waits for that; kills it when it takes too long, which is an error.
    pub async fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .map_err(|error| Error::Io { what: "sending SIGTERM".into(), source: error.into() })?;
        let deadline = clock::now() + Duration::from_secs(STOP_SECONDS_MAX);
        while clock::now() < deadline {
            match self.exited()? {
                Some(true) => return Ok(()),
                Some(false) => return Err(self.failure("failed while it stopped")),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        Err(self.failure(&format!("did not stop within {STOP_SECONDS_MAX} s of SIGTERM")))
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = clock::now() + Duration::from_secs(READY_SECONDS_MAX);
        while clock::now() < deadline {
            if self.exited()?.is_some() {
                return Err(self.failure("ended before it was ready"));
            }
            // While it does not listen yet, the connection is refused; that only means to ask again.
            if matches!(self.probe().await, Ok(200)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(self.failure(&format!("is not ready after {READY_SECONDS_MAX} s")))
    }

    async fn probe(&self) -> Result<u16> {
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.exchange(b"GET /readyz HTTP/1.1\r\nHost: dregs\r\n\r\n");
        match tokio::time::timeout(Duration::from_secs(1), answer).await {
            Ok(answer) => Ok(answer?.status),
            Err(_elapsed) => Err(Error::TooSlow(1)),
        }
    }

    /// Whether it ended well, or nothing while it runs.
    fn exited(&mut self) -> Result<Option<bool>> {
        let status = self.child.try_wait().map_err(Error::io("waiting for the server"))?;
        Ok(status.map(|status| status.success()))
    }

    fn failure(&self, what: &str) -> Error {
        let log = fs::read(&self.log).unwrap_or_default();
        let shown = &log[log.len().saturating_sub(LOG_SHOWN_BYTES)..];
        Error::Server { what: what.to_owned(), log: String::from_utf8_lossy(shown).into_owned() }
    }
}

/// The processor time that a PostgreSQL on this machine has used so far, all of its processes together.
pub fn database_processor(url: &str) -> Result<Duration> {
    let untold =
        || Error::Protocol("/proc does not tell what PostgreSQL has used: it is not on this machine".into());
    let backend = scratch::ask(url, "select pg_backend_pid()::bigint")?;
    let postmaster = ticks(backend).ok_or_else(untold)?.parent;
    let processes = fs::read_dir("/proc").map_err(Error::io("reading /proc"))?;
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i64>().ok());
    let own = ticks(postmaster).ok_or_else(untold)?;
    let children = pids.filter_map(ticks).filter(|process| process.parent == postmaster);
    // What children that have ended used counts with their parent.
    let all = own.own + own.of_ended_children + children.map(|process| process.own).sum::<u64>();
    Ok(Duration::from_secs_f64(all as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// A process and the ticks of the processor that it has used.
struct Ticks {
    parent: i64,
    own: u64,
    of_ended_children: u64,
}

fn ticks(pid: i64) -> Option<Ticks> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Ticks {
        parent: fields.get(1)?.parse().ok()?,
        own: number(11)? + number(12)?,
        of_ended_children: number(13)? + number(14)?,
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a server started in `folder` keeps its data.
pub fn data_folder(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// An address that nobody listens on: the kernel gives a port out again only after many others.
pub fn free_address() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(Error::io("finding a free port"))
}

fn memory_of(status: &str) -> Option<Memory> {
    let kilobytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    Some(Memory { resident: kilobytes("VmRSS")? * 1024, resident_peak: kilobytes("VmHWM")? * 1024 })
}

/// From `stat` and `io` of proc(5).
fn usage_of(stat: &str, io: &str, ticks_per_second: u64) -> Option<Usage> {
    // The name, in parentheses, may have anything in it. The times in user and kernel mode are the 14th and 15th field.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    let ticks = fields.map(str::parse::<u64>).sum::<std::result::Result<u64, _>>().ok()?;
    let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?;
    Some(Usage {
        processor: Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64),
        written_bytes: written.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_whatever_the_process_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 8 7 6 150 50 2 1 20 0 4 0 100 200 300";
        let io = "rchar: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 2\n";
        let expected = Usage { processor: Duration::from_secs(2), written_bytes: 4_096 };
        assert_eq!(usage_of(stat, io, 100), Some(expected));
        assert_eq!((usage_of("7", io, 100), usage_of(stat, "", 100)), (None, None));
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tdregs\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t4\n";
        assert_eq!(memory_of(status), Some(Memory { resident: 10_485_760, resident_peak: 20_971_520 }));
        assert_eq!(memory_of("Name:\tdregs\n"), None);
    }
}
