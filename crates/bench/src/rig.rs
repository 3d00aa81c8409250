//! What a scenario needs around it: a server on an empty store, a sink, and a channel between the two.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::events::Generator;
use crate::http::Connection;
use crate::ledger::Ledger;
use crate::load::{head, write_request};
use crate::population::Place;
use crate::scratch::{self, Folder, ScratchDatabase};
use crate::server::{Launch, Server, data_folder};
use crate::sink::{Signer, Sink};

/// How many webhooks the server may have under way to the sink.
const SINK_CONCURRENCY: u32 = 64;

/// Which store the server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store<'a> {
    Sqlite,
    /// A database made for the run on the PostgreSQL of this URL.
    Postgres(&'a str),
}

/// What every scenario is told.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The `dregs` executable.
    pub binary: PathBuf,
    /// Where the folders of the runs are made.
    pub folder: PathBuf,
    /// Where the events come from.
    pub generator: Generator,
    /// How many connections a closed loop has.
    pub connections: usize,
    /// How many identities may wait for their webhook in a closed loop.
    pub outstanding_max: usize,
}

/// A server with nothing around it. What is started is ended and what is made is removed when this is
/// dropped, in the order of the fields.
pub struct Bare {
    pub server: Server,
    database: Option<ScratchDatabase>,
    pub folder: Folder,
}

/// A server whose webhooks come to a sink.
pub struct Rig {
    pub bare: Bare,
    _sink: Sink,
    pub ledger: Ledger,
}

impl Bare {
    /// Starts a server on an empty store with these further settings.
    pub async fn start(setting: &Setting, store: Store<'_>, settings: &[(&str, &str)]) -> Result<Self> {
        let folder = Folder::make(&setting.folder)?;
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres(url) => Some(ScratchDatabase::make(url)?),
        };
        let database_url = database.as_ref().map(ScratchDatabase::url);
        let launch = Launch { binary: &setting.binary, folder: folder.path(), database_url, settings };
        let server = Server::start(&launch).await?;
        Ok(Self { server, database, folder })
    }

    /// How large its PostgreSQL database is.
    pub fn database_bytes(&self) -> Result<i64> {
        let url = self.database.as_ref().map(ScratchDatabase::url).unwrap_or_default();
        scratch::ask(url, "select pg_database_size(current_database())")
    }

    /// Starts another server on the same PostgreSQL, with a folder of its own.
    pub async fn beside(&self, setting: &Setting, settings: &[(&str, &str)]) -> Result<(Server, Folder)> {
        let folder = Folder::make(&setting.folder)?;
        let database_url = self.database.as_ref().map(ScratchDatabase::url);
        let launch = Launch { binary: &setting.binary, folder: folder.path(), database_url, settings };
        Ok((Server::start(&launch).await?, folder))
    }

    /// Makes a webhook channel for scores; `config` is added to its configuration. The answer signs as it does.
    pub async fn add_channel(&self, slug: &str, to: SocketAddr, config: &Value) -> Result<Signer> {
        let mut config = config.clone();
        config["url"] = format!("http://{to}/webhooks").into();
        let channel = json!({
            "type": "WEBHOOK", "name": slug, "slug": slug, "enabled": true,
            "events": ["IDENTITY_SCORED"], "config": config,
        });
        let answer = call(self.server.address(), "POST", "/api/channels", &channel.to_string()).await?;
        let secret = answer["signingSecret"].as_str();
        let secret =
            secret.ok_or_else(|| Error::Protocol(format!("a new channel has no signingSecret: {answer}")))?;
        Signer::new(secret)
    }

    /// How many deliveries have yet to be made, in the store and in memory.
    pub async fn waiting(&self) -> Result<u64> {
        let metrics = ask(self.server.address(), "GET", "/metrics", "").await?;
        let gauge = |name: &str| {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
            value.ok_or_else(|| Error::Protocol(format!("no {name} among the metrics")))
        };
        Ok((gauge("dregs_delivery_queue_depth ")? + gauge("dregs_deliveries_in_memory ")?) as u64)
    }
}

impl Rig {
    /// Starts a server on an empty store with these further settings, a sink, and the channel to it.
    pub async fn start(setting: &Setting, store: Store<'_>, settings: &[(&str, &str)]) -> Result<Self> {
        let bare = Bare::start(setting, store, settings).await?;
        let ledger = Ledger::default();
        let sink = Sink::start(ledger.clone()).await?;
        let config = json!({"maxConcurrency": SINK_CONCURRENCY});
        sink.trust(bare.add_channel("sink", sink.address(), &config).await?);
        Ok(Self { bare, _sink: sink, ledger })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.bare.server.address()
    }

    /// Stops the server, has its store filled, and starts it again; the channel and the sink stay.
    pub async fn refilled(
        mut self,
        setting: &Setting,
        fill: impl AsyncFnOnce(Place) -> Result<()>,
    ) -> Result<Self> {
        let Bare { server, database, folder } = self.bare;
        server.stop().await?;
        let url = database.as_ref().map(ScratchDatabase::url);
        let file = || {
            sqlite_files(&data_folder(folder.path()))?
                .pop()
                .ok_or_else(|| Error::Protocol("there is no database to fill".into()))
        };
        fill(match url {
            Some(url) => Place::Postgres(url.to_owned()),
            None => Place::Sqlite(file()?.0),
        })
        .await?;
        let launch =
            Launch { binary: &setting.binary, folder: folder.path(), database_url: url, settings: &[] };
        let server = Server::start(&launch).await?;
        self.bare = Bare { server, database, folder };
        Ok(self)
    }

    /// Stops the server in good order and leaves its folder to look into.
    pub async fn stop(self) -> Result<Folder> {
        let Bare { server, folder, .. } = self.bare;
        server.stop().await?;
        Ok(folder)
    }
}

/// Calls the API; an error unless the answer is JSON and its status 2xx.
pub async fn call(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<Value> {
    let text = ask(address, method, path, body).await?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Protocol(format!("{method} {path} answered no JSON: {error}")))
}

/// The same, of an answer in plain text.
async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<String> {
    let mut request = Vec::new();
    write_request(&mut request, &head(address, method, path), body.as_bytes());
    let mut connection = Connection::open(address).await?;
    let answer = connection.exchange(&request).await?;
    let text = String::from_utf8_lossy(answer.body).into_owned();
    if !(200..300).contains(&answer.status) {
        return Err(Error::Refused {
            request: format!("{method} {path}"),
            status: answer.status,
            body: text,
        });
    }
    Ok(text)
}

/// The SQLite databases in a folder, by their first bytes, and their size with their logs, in bytes.
pub fn sqlite_files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let entries = fs::read_dir(folder).map_err(Error::io(format!("reading {}", folder.display())))?;
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let mut start = [0; MAGIC.len()];
        let read =
            fs::File::open(&path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
        if read.is_ok() && start == MAGIC {
            let bytes = |suffix: &str| {
                let mut name = path.clone().into_os_string();
                name.push(suffix);
                fs::metadata(name).map_or(0, |metadata| metadata.len())
            };
            found.push((path.clone(), bytes("") + bytes("-wal")));
        }
    }
    Ok(found)
}
