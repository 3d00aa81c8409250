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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tdregs\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t4\n";
        assert_eq!(memory_of(status), Some(Memory { resident: 10_485_760, resident_peak: 20_971_520 }));
        assert_eq!(memory_of("Name:\tdregs\n"), None);
    }
}
