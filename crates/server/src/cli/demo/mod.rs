//! `dregs demo`: the server, three receivers and a population, so that somebody who has never seen
//! it sees scores fall and webhooks arrive.

mod population;
mod receivers;
mod story;

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Args;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use self::population::Population;
use self::receivers::Kind;
use self::story::Story;
use super::api::Api;
use super::output::{line, note};
use super::serve::{StopSignals, bind, check_directory, open};
use super::{Failure, runtime, unusable};
use crate::app::Opened;
use crate::clock::{SystemClock, monotonic};
use crate::config::{Config, address};
use crate::ops::installation::first_start::ADMIN_EMAIL;
use crate::ops::team::credentials::SECRET_PREFIX;
use crate::telemetry;
use crate::vault::new_token;

/// How often somebody of the population may act.
const TICK: Duration = Duration::from_millis(50);
/// The demo's own schedule: nobody watches for the usual 30, 60 and 120 seconds.
const RETRY_SCHEDULE: &str = "2,4,8";

#[derive(Args)]
#[command(after_help = "\
Starts a server on a store of its own, three receivers of webhooks (one healthy, one that fails now
and then, one that is slow) and a population: ordinary people, an office of eight behind one
address, bots, a ring of five accounts on one device, and disposable e-mail addresses. Nothing leaves
this machine, and nothing is left behind unless you --keep it.

Examples:
  dregs demo
  dregs demo --seconds 30 --keep ./demo")]
pub struct Demo {
    /// End by itself after this many seconds [default: at Ctrl-C]
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<u64>,
    /// Where the HTTP API listens [default: 127.0.0.1:8080, or a free port where that is taken]
    #[arg(long, value_name = "ADDR", value_parser = listen)]
    listen: Option<SocketAddr>,
    /// Keep the store in this directory, and use it again next time
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|seconds| *seconds > 0).ok_or("is not a whole number of seconds, 1 or more")
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    address(text).ok_or("is not an address and a port, such as 127.0.0.1:8080")
}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        runtime()?.block_on(self.play())
    }

    async fn play(self) -> Result<(), Failure> {
        let mut stop = StopSignals::new().map_err(|error| Failure::Failed(format!("no signals: {error}")))?;
        let stage = Stage::build(self.listen, self.keep.as_deref()).await?;
        introduce(&stage);

        let (news, arrivals) = mpsc::unbounded_channel();
        for kind in Kind::ALL {
            receivers::start(kind, &stage.api, news.clone()).await?;
        }
        let population = Crowd::start(stage.api.clone())?;
        let mut story = Story::new(stage.api.clone(), monotonic());
        let end = async {
            match self.seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = story.tell(arrivals, &population.sent) => {}
            () = stop.next() => {}
            () = end => {}
        }
        let sent = population.end();
        story.conclude(sent);
        let farewell = stage.farewell();
        tokio::select! {
            () = stage.clear() => {}
            () = stop.next() => {}
        }
        farewell.iter().for_each(line);
        Ok(())
    }
}

/// A server in this process.
struct Stage {
    api: Api,
    address: SocketAddr,
    secret_key: String,
    password: String,
    server: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    directory: Directory,
}

impl Stage {
    async fn build(listen: Option<SocketAddr>, keep: Option<&Path>) -> Result<Self, Failure> {
        let listener = match listen {
            Some(address) => bind(address).await?,
            None => bind_somewhere().await?,
        };
        let address = listener.local_addr().map_err(|error| Failure::Failed(error.to_string()))?;
        let directory = Directory::new(keep)?;
        let secret_key = directory.secret("secret-key", SECRET_PREFIX)?;
        let password = directory.secret("admin-password", "")?;
        let mut config = Config::for_data_dir(directory.path.clone());
        config.listen = address;
        config.secret_key = Some(secret_key.clone());
        config.admin_password = Some(password.clone());
        config.egress_allow = "127.0.0.0/8".to_owned();
        config.retry_schedule = RETRY_SCHEDULE.to_owned();
        config.log = "error".to_owned();
        telemetry::start_log(&config).map_err(Failure::Failed)?;
        let opened = open(config).await?;
        let (stop, stopped) = oneshot::channel();
        let server = start_server(opened, listener, stopped)?;
        let api = Api::new(&format!("http://{address}"), &secret_key);
        Ok(Self { api, address, secret_key, password, server, stop, directory })
    }

    /// Ends the server after what is under way, and removes what it left.
    async fn clear(self) {
        drop(self.stop);
        let server = self.server;
        let ended = tokio::task::spawn_blocking(move || server.join().is_ok()).await;
        if !ended.unwrap_or(false) {
            note("dregs: the server of the demo did not end well");
        }
    }

    /// What to do next, as lines.
    fn farewell(&self) -> Vec<String> {
        let mut lines = vec![String::new(), "Try next:".to_owned()];
        let dregs = own_name();
        if self.directory.is_kept {
            // At the demo's address, which the call below names.
            let listen = if self.address == Config::default().listen {
                String::new()
            } else {
                format!(" --listen {}", self.address)
            };
            lines.push(format!("  {dregs} serve --data-dir {}{listen}", self.directory.path.display()));
            lines.push(format!("  {}", self.question()));
        } else {
            lines.push(format!(
                "  {dregs} serve --egress-allow 127.0.0.0/8    Your own server; it prints your keys"
            ));
            lines.push(format!("  {dregs} listen                              See its webhooks"));
        }
        lines
    }

    /// A call to copy into a terminal.
    fn question(&self) -> String {
        format!(
            "curl -s -H 'Authorization: Bearer {}' {}/api/identities/ring-1/analysis",
            self.secret_key,
            self.api.server()
        )
    }
}

/// As this command was called: by its name alone where it was found on the `PATH`.
fn own_name() -> String {
    let called = std::env::args().next().unwrap_or_default();
    let folder = std::env::current_dir().unwrap_or_default();
    let near =
        Path::new(&called).strip_prefix(folder).map_or(called.clone(), |near| near.display().to_string());
    if near.contains('/') { near } else { "dregs".to_owned() }
}

fn introduce(stage: &Stage) {
    line(format_args!(
        "A server at {}, with the store in {}.",
        stage.api.server(),
        stage.directory.path.display()
    ));
    line("");
    line("  people   12 ordinary ones          office     8 behind one address");
    line("  bots      3, regular as a clock    ring       5 accounts on one device");
    line("  disposable e-mail addresses, a new one every few seconds");
    line("");
    line("People, the office and the ring have a past of some days, which is played in the first minutes.");
    line("Bots and disposable ones are new, and some rules wait until somebody is a quarter of an hour old.");
    line("Each is scored from 0 to 100 for humanity, authenticity, uniqueness and behavior. Each line with");
    line("a ✓ is a webhook that arrived with two genuine signatures. Meanwhile, in a browser:");
    line("");
    line(format_args!("  {}  e-mail {ADMIN_EMAIL}  password {}", stage.api.server(), stage.password));
    line("");
    line("Or ask the server yourself:");
    line("");
    line(format_args!("  {}", stage.question()));
    line("");
}

async fn bind_somewhere() -> Result<TcpListener, Failure> {
    let usual = Config::default().listen;
    match TcpListener::bind(usual).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            note(format_args!("{usual} is taken by another process: the demo takes another port"));
            bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
        }
        Err(_) => bind(usual).await,
        Ok(listener) => Ok(listener),
    }
}

fn start_server(
    opened: Opened,
    listener: TcpListener,
    stopped: oneshot::Receiver<()>,
) -> Result<JoinHandle<()>, Failure> {
    let listener = listener.into_std().map_err(|error| Failure::Failed(error.to_string()))?;
    let serve = move || -> Result<(), Failure> {
        runtime()?.block_on(async {
            let listener =
                TcpListener::from_std(listener).map_err(|error| Failure::Failed(error.to_string()))?;
            let stopped = async { drop(stopped.await) };
            crate::serve(opened.app, opened.inboxes, listener, stopped)
                .await
                .map_err(|error| Failure::Failed(error.to_string()))
        })
    };
    let server = thread::Builder::new().name("server".to_owned()).spawn(move || {
        if let Err(failure) = serve() {
            note(format_args!("dregs: {failure}"));
        }
    });
    server.map_err(|error| Failure::Failed(format!("the server cannot start: {error}")))
}

/// The store of the demo; removed at the end unless it is kept.
struct Directory {
    path: PathBuf,
    is_kept: bool,
}

impl Directory {
    fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("dregs-demo-{:08x}", rand::random::<u32>())),
        };
        check_directory(&path, "the directory", "--keep")?;
        Ok(Self { path, is_kept: keep.is_some() })
    }

    /// A secret of the demo: kept in a file beside the store, because a store knows only its hash.
    fn secret(&self, name: &str, prefix: &str) -> Result<String, Failure> {
        let file = self.path.join(name);
        let unusable =
            |error: io::Error| unusable(&error, format!("{} cannot be used: {error}", file.display()));
        match fs::read_to_string(&file) {
            Ok(key) => Ok(key.trim().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = new_token(prefix);
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                options.open(&file).and_then(|mut file| file.write_all(key.as_bytes())).map_err(unusable)?;
                Ok(key)
            }
            Err(error) => Err(unusable(error)),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            note(format_args!("dregs: {} is still there: {error}", self.path.display()));
        }
    }
}

/// The population at work, on a thread of its own.
struct Crowd {
    thread: JoinHandle<()>,
    /// Events the server has stored.
    sent: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Crowd {
    fn start(api: Api) -> Result<Self, Failure> {
        let sent = Arc::new(AtomicU64::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let (counter, over) = (Arc::clone(&sent), Arc::clone(&is_over));
        let thread = thread::Builder::new().name("population".to_owned()).spawn(move || {
            let mut population = Population::new(StdRng::from_rng(&mut rand::rng()));
            let started = monotonic();
            while !over.load(Ordering::Relaxed) {
                for event in population.act(started.elapsed(), &SystemClock) {
                    match api.post("/events", &event) {
                        Ok(_) => drop(counter.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => note(format_args!("dregs: an event was lost: {error}")),
                    }
                }
                thread::sleep(TICK);
            }
        });
        let thread = thread.map_err(|error| Failure::Failed(format!("the demo cannot start: {error}")))?;
        Ok(Self { thread, sent, is_over })
    }

    /// Waits for the last event and says how many there were.
    fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            note("dregs: the population of the demo did not end well");
        }
        self.sent.load(Ordering::Relaxed)
    }
}
