//! `dregs serve`: the server, until it is told to stop.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::line;
use super::{Failure, runtime, unusable};
use crate::app::{App, Opened, Parts, StartError};
use crate::clock::SystemClock;
use crate::config::{self, Config, Flags, Loaded};
use crate::failpoint;
use crate::ops::installation::first_start::FirstStart;
use crate::store::StoreError;
use crate::telemetry;

#[derive(Args)]
#[command(after_help = "\
Every setting can also stand in dregs.toml or in the environment: `dregs config` shows them all.
The first start prints the password and the keys it makes, once. Ctrl-C or SIGTERM ends the server
after what is under way is finished, at most 30 seconds later; a second one ends it at once.

Examples:
  dregs serve
  dregs serve --listen 0.0.0.0:8080 --log-format json
  dregs serve --database-url postgres://dregs@localhost/dregs
  dregs serve --egress-allow 127.0.0.0/8        Let webhooks reach this machine")]
pub struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub fn run(self) -> Result<(), Failure> {
        let Loaded { config, warnings, .. } = config::load(&self.flags)?;
        telemetry::start_log(&config).map_err(Failure::Misused)?;
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        if let Some(failpoint) = &config.failpoint {
            failpoint::arm(failpoint)
                .map_err(|problem| Failure::Misused(format!("DREGS_FAILPOINT: {problem}")))?;
        }
        runtime()?.block_on(serve(config))
    }
}

async fn serve(config: Config) -> Result<(), Failure> {
    // Listening comes first: where it fails, no keys have been made that nobody would ever see.
    let listener = bind(config.listen).await?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let mut stop = StopSignals::new().map_err(|error| Failure::Failed(format!("no signals: {error}")))?;
    let Opened { app, inboxes, first_start } = open(config).await?;
    if let Some(made) = &first_start {
        introduce(made, address);
    }
    line(format_args!("dregs {} listens on http://{address}", env!("CARGO_PKG_VERSION")));
    let (begin, begun) = tokio::sync::oneshot::channel::<()>();
    let stopping = async {
        // Without a sender the server would stop as well, and that is right.
        let _ = begun.await;
    };
    let twice = async {
        stop.next().await;
        drop(begin);
        stop.next().await;
    };
    tokio::select! {
        served = crate::serve(app, inboxes, listener, stopping) => {
            served.map_err(|error| Failure::Failed(error.to_string()))
        }
        () = twice => Err(Failure::Failed("stopped at once; the next start goes on from here".to_owned())),
    }
}

/// SIGTERM and Ctrl-C.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub fn new() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Takes the address of the HTTP API.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Failure::Failed(format!(
            "another process listens on {address}: stop it, or choose another address with --listen or DREGS_LISTEN, \
             such as {}:{}",
            address.ip(),
            address.port().saturating_add(1)
        )),
        ErrorKind::PermissionDenied => Failure::Misused(format!(
            "this user may not listen on {address}: choose a port from 1024 on with --listen, and put a proxy in \
             front"
        )),
        ErrorKind::AddrNotAvailable => Failure::Misused(format!(
            "{address} is not an address of this machine: choose one with --listen, such as 0.0.0.0:8080"
        )),
        _ => Failure::Failed(format!("cannot listen on {address} (--listen): {error}")),
    })
}

/// Opens the store and everything that hangs on it.
pub(super) async fn open(config: Config) -> Result<Opened, Failure> {
    let parts = Parts::read(&config)?;
    check_data_dir(&config.data_dir)?;
    let store = store_name(&config);
    App::put_together(config, parts, Arc::new(SystemClock)).await.map_err(|error| match error {
        StartError::Store(error) => store_failure(&store, &error),
        error => error.into(),
    })
}

/// What cannot be done with the store that `name` names, and what to do about it.
pub(super) fn store_failure(name: &str, error: &StoreError) -> Failure {
    Failure::Failed(format!("{name} cannot be used: {error}"))
}

/// The setting that says where the rows are, without secrets.
pub(super) fn store_name(config: &Config) -> String {
    match &config.database_url {
        Some(_) => format!("database_url {}", config.shown_database_url()),
        None => format!("the database in data_dir {}", config.data_dir.display()),
    }
}

/// What is written into the data directory to see whether it can be.
const PROBE: [u8; 4096] = [0; 4096];

/// Makes the data directory if it is missing, and makes sure that files can be made in it.
pub(super) fn check_data_dir(directory: &Path) -> Result<(), Failure> {
    check_directory(directory, "data_dir", "--data-dir")
}

/// The same of a directory that `name` and `flag` stand for.
pub(super) fn check_directory(directory: &Path, name: &str, flag: &str) -> Result<(), Failure> {
    not_a_file(directory, name, flag)?;
    let probe = directory.join(".writable");
    let shown = directory.display();
    // Something must be in it, or it finds room on a full disk.
    let checked = std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&probe, PROBE))
        .and_then(|()| std::fs::remove_file(&probe));
    checked.map_err(|error| {
        let _ = std::fs::remove_file(&probe);
        let told = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                format!("{name} {shown} cannot be written to: its disk is full ({error}). Make room, and start again")
            }
            _ => format!(
                "{name} {shown} cannot be written to: {error}. Make it writable for this user, or choose another \
                 with {flag}"
            ),
        };
        unusable(&error, told)
    })
}

/// That a directory is no file, nor below one.
pub(super) fn not_a_file(directory: &Path, name: &str, flag: &str) -> Result<(), Failure> {
    let what = match std::fs::metadata(directory) {
        Ok(found) if !found.is_dir() => "is a file, not a directory",
        Err(error) if error.kind() == ErrorKind::NotADirectory => "is below a file",
        _ => return Ok(()),
    };
    Err(Failure::Misused(format!("{name} {} {what}: choose a directory with {flag}", directory.display())))
}

fn introduce(made: &FirstStart, address: SocketAddr) {
    let generated = |secret: &Option<String>| secret.clone().unwrap_or_else(|| "as configured".to_owned());
    line("This is the first start. Keep these: they are not shown again.");
    line("");
    line(format_args!("  admin       {}", made.admin_email));
    line(format_args!("  password    {}", generated(&made.admin_password)));
    line(format_args!("  public key  {}", made.public_key));
    line(format_args!("  secret key  {}", generated(&made.secret_key)));
    line("");
    line("Send a first event:");
    line("");
    for part in first_event(made.secret_key.as_deref().unwrap_or("$DREGS_SECRET_KEY"), address) {
        line(format_args!("  {part}"));
    }
    line("");
}

/// A call to try, as lines for a shell: what a script sends, so that the first scores say something.
pub(super) fn first_event(secret_key: &str, address: SocketAddr) -> [String; 4] {
    let who = r#"{"id": "user_1", "data": {"email": "qwrtzpl@yopmail.com", "name": "asdf asdf"}}"#;
    [
        format!("curl http://{address}/api/events \\"),
        // In double quotes: the key may be the name of a variable.
        format!("  -H \"Authorization: Bearer {secret_key}\" -H 'Content-Type: application/json' \\"),
        format!("  -d '{{\"type\": \"user.signup\", \"identity\": {who},"),
        r#"       "userAgent": "python-requests/2.32", "ip": "203.0.113.7"}'"#.to_owned(),
    ]
}
