//! Everything a running server shares.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dregs_core::link::KeyHasher;
use dregs_core::notify::schedule::RetrySchedule;
use dregs_core::score::Weights;
use dregs_core::time::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::channels::egress::EgressPolicy;
use crate::channels::http::{EgressConfig, HttpClient};
use crate::channels::send::Clients;
use crate::channels::smtp::Mailer;
use crate::clock::Clock;
use crate::config::Config;
use crate::geo::Geo;
use crate::ops::access::limits;
use crate::ops::access::sign_in;
use crate::ops::access::usage;
use crate::ops::deliver::endpoints;
use crate::ops::deliver::health;
use crate::ops::deliver::messages::EventIds;
use crate::ops::handoff::{Handoff, Outgoing};
use crate::ops::identities::devices;
use crate::ops::ingest::common;
use crate::ops::ingest::names::Names;
use crate::ops::ingest::{self, Submission};
use crate::ops::installation::first_start::{self, FirstStart};
use crate::ops::installation::master_key;
use crate::ops::lists::roster;
use crate::ops::lists::roster::Rosters;
use crate::ops::live::Audience;
use crate::ops::team::credentials;
use crate::ops::team::datasets;
use crate::ops::team::mappings;
use crate::ops::team::rules;
use crate::store::claims::Due;
use crate::store::versions::{self, Kept, Versions};
use crate::store::{Location, Result, Store, StoreError, Tx, deliveries, identities, settings};
use crate::telemetry;
use crate::vault::{self, KEY_FILE, Vault};

/// Identities accepted and not yet scored that are kept in memory, each a number and a time; more wait in the store, which
/// costs a claim. So many are scored within their lease by a server that scores three hundred a second.
const EVALUATIONS_MAX: usize = 8_192;
/// Deliveries of one channel that are kept in memory; more wait in the store.
const DELIVERIES_PER_CHANNEL_MAX: usize = 512;
/// The file in the data directory that holds the rows.
const DATABASE_FILE: &str = "dregs.db";
/// The file in the data directory that a running server holds locked.
const LOCK_FILE: &str = "dregs.lock";

/// A running server.
pub struct App {
    pub config: Config,
    pub started_at: Timestamp,
    pub clock: Arc<dyn Clock>,
    pub store: Store,
    pub vault: Vault,
    pub key_hasher: KeyHasher,
    pub event_ids: EventIds,
    pub egress: EgressPolicy,
    pub clients: Clients,
    /// Where people open the dashboard.
    pub public_url: String,
    pub geo: Geo,
    pub weights: Arc<Weights>,
    pub retries: RetrySchedule,
    pub credentials: credentials::Directory,
    pub channels: endpoints::Directory,
    pub health: health::Board,
    pub names: Arc<Names>,
    pub mappings: mappings::Directory,
    pub rules: rules::Directory,
    pub datasets: datasets::Directory,
    pub common: common::Directory,
    pub rosters: Rosters,
    pub live: Audience,
    pub rates: limits::Rates,
    pub bodies: limits::Bodies,
    /// Documents of many pages are read one page at a time, so that a reader is left for everybody else.
    long_reads: Semaphore,
    pub usage: usage::Usage,
    /// Wakes whoever writes reviews.
    pub reviews: Notify,
    pub disregarded: devices::Disregarded,
    /// What of the rows kept in memory has been read, by their version.
    read: Mutex<Versions>,
    /// One reading at a time: a slow one must not put back what was before under the number of what is now.
    reloading: tokio::sync::Mutex<()>,
    pub ingest: ingest::Queue,
    pub evaluations: Handoff<Due>,
    pub deliveries: Handoff<Outgoing>,
    pub password_turns: sign_in::Turns,
    /// A hash that no password has, for sign-ins of people who do not exist.
    pub decoy_hash: String,
    pub metrics: PrometheusHandle,
    stopping: AtomicBool,
    /// Held while a SQLite file is in use.
    _lock: Option<File>,
}

/// What the workers listen to.
pub struct Inboxes {
    pub submissions: mpsc::Receiver<Submission>,
    pub evaluations: mpsc::UnboundedReceiver<Due>,
    pub deliveries: mpsc::UnboundedReceiver<Outgoing>,
}

/// An opened server.
pub struct Opened {
    pub app: Arc<App>,
    pub inboxes: Inboxes,
    /// What the first start on an empty store made.
    pub first_start: Option<FirstStart>,
}

/// Why a server cannot start: one line for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("{0}")]
    Config(String),
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl App {
    /// Opens the store, fills it at the first start and reads what is kept in memory.
    ///
    /// # Errors
    /// [`StartError::Config`] when a setting cannot be used, [`StartError::Store`] when the store
    /// cannot.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> std::result::Result<Opened, StartError> {
        let wrong = |error: String| StartError::Config(error);
        std::fs::create_dir_all(&config.data_dir).map_err(|error| {
            wrong(format!("data_dir {} cannot be used: {error}", config.data_dir.display()))
        })?;
        let key_file = key_file(&config);
        let vault = Vault::new(vault::master_key(config.master_key.as_deref(), &key_file).map_err(wrong)?);
        let egress =
            EgressPolicy::parse(&config.egress_allow).map_err(|e| wrong(format!("egress_allow: {e}")))?;
        let http = HttpClient::new(EgressConfig {
            policy: egress.clone(),
            name_servers: config.egress_name_servers.clone(),
            ca_file: config.egress_ca_file.clone(),
        })
        .map_err(wrong)?;
        let mailer = config.smtp().map_err(wrong)?.map(Mailer::new).transpose().map_err(wrong)?;
        let geo = Geo::open(&config.geo_databases).map_err(wrong)?;
        let retries = RetrySchedule::parse(&config.retry_schedule)
            .map_err(|e| wrong(format!("retry_schedule: {e}")))?;

        let weights =
            Weights::parse(&config.analyzer_weights).map_err(|e| wrong(format!("analyzer_weights: {e}")))?;
        let weights = Arc::new(weights);

        let now = clock.now();
        let place = location(&config);
        let is_alone = matches!(place, Location::File(_));
        let lock = if is_alone { Some(lock(&config).map_err(wrong)?) } else { None };
        let store = tokio::task::spawn_blocking(move || Store::open(&place, now))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))??;
        if !master_key::fits(&store, &vault, now).await? {
            return Err(wrong(wrong_key(&config, &key_file)));
        }
        endpoints::seal_all(&store, &vault).await?;
        let first_start = first_start::run(&store, &config, now).await?;
        let secret = installation_secret(&store).await?;
        if is_alone {
            release_leases(&store, now).await?;
        }
        let (ingest, submissions) = ingest::Queue::new();
        let (evaluations, evaluation_inbox) = Handoff::new(EVALUATIONS_MAX);
        let (deliveries, delivery_inbox) = Handoff::new(DELIVERIES_PER_CHANNEL_MAX);
        let app = Self {
            key_hasher: KeyHasher::new(secret.0),
            event_ids: EventIds::new(secret.1),
            vault,
            egress,
            clients: Clients { http, mailer },
            public_url: config.shown_public_url(),
            geo,
            retries,
            weights,
            credentials: credentials::Directory::default(),
            channels: endpoints::Directory::default(),
            health: health::Board::default(),
            names: Arc::default(),
            mappings: mappings::Directory::default(),
            rules: rules::Directory::default(),
            datasets: datasets::Directory::default(),
            common: common::Directory::default(),
            rosters: Rosters::default(),
            live: Audience::default(),
            rates: limits::Rates::default(),
            bodies: limits::Bodies::default(),
            long_reads: Semaphore::new(1),
            usage: usage::Usage::default(),
            reviews: Notify::new(),
            disregarded: devices::Disregarded::default(),
            read: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            ingest,
            evaluations,
            deliveries,
            password_turns: sign_in::Turns::default(),
            decoy_hash: sign_in::hash_password(&crate::vault::new_token("")).map_err(wrong)?,
            metrics: telemetry::metrics_handle(),
            stopping: AtomicBool::new(false),
            _lock: lock,
            started_at: now,
            config,
            clock,
            store,
        };
        app.reload().await?;
        app.common.learn_again(&app.store, app.clock.now()).await?;
        let inboxes = Inboxes { submissions, evaluations: evaluation_inbox, deliveries: delivery_inbox };
        Ok(Opened { app: Arc::new(app), inboxes, first_start })
    }

    pub fn min_cycle_ms(&self) -> i64 {
        i64::try_from(self.config.min_cycle_ms).unwrap_or(i64::MAX)
    }

    /// The deadline of an attempt whose channel sets none.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.config.deadline_ms)
    }

    /// Reads the channels again, after a change or because another node may have made one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload_channels(&self) -> Result<()> {
        self.channels.reload(&self.store, &self.vault, self.clock.now()).await
    }

    /// Reads again what is kept in memory and has changed, by whatever node, and drops what is no longer
    /// needed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self) -> Result<()> {
        self.reload_changed().await?;
        // Changes with each attempt that fails: what is there is little.
        self.health.reload(&self.store).await?;
        self.usage.reload(&self.store, self.clock.now()).await?;
        roster::prune(&self.rosters, &self.store, self.clock.now()).await
    }

    /// Reads again what is kept in memory and has changed, by whatever node.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload_changed(&self) -> Result<()> {
        let _turn = self.reloading.lock().await;
        // Before the rows: what changes meanwhile is read once more the next time.
        let current = self.store.read(versions::all).await?;
        for kept in Kept::ALL {
            let version = current.get(&kept).copied();
            if version.is_none() || version != self.versions().get(&kept).copied() {
                self.reload_kept(kept).await?;
                version.and_then(|version| self.versions().insert(kept, version));
            }
        }
        Ok(())
    }

    /// The numbers of what is kept in memory, which is at least as new as they say if it is looked at after them.
    pub fn kept_versions(&self) -> Versions {
        self.versions().clone()
    }

    /// Reads a part of something long, such as an export, when it is its turn: however many there are, one of the
    /// store's readers is theirs at most.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read_long<R: Send + 'static>(
        &self,
        closure: impl FnOnce(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let stopping = |_| StoreError::Unavailable("the server is stopping".into());
        let _turn = self.long_reads.acquire().await.map_err(stopping)?;
        self.store.read(closure).await
    }

    async fn reload_kept(&self, kept: Kept) -> Result<()> {
        match kept {
            Kept::Channels => self.reload_channels().await,
            Kept::Credentials => self.credentials.reload(&self.store).await,
            Kept::Names => self.names.reload(&self.store).await,
            Kept::Devices => self.disregarded.reload(&self.store, &self.key_hasher).await,
            Kept::Mappings => self.mappings.reload(&self.store).await,
            Kept::Rules => self.rules.reload(&self.store).await,
            Kept::Datasets => self.datasets.reload(&self.store).await,
            Kept::Common => self.common.reload(&self.store).await,
        }
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.live.close();
    }
}

/// What to do about a master key that does not open what the database holds.
fn wrong_key(config: &Config, file: &Path) -> String {
    format!(
        "the database was filled with another master key than {}, so that its signing secrets cannot be read; \
         give this server the key of the first one, as DREGS_MASTER_KEY or master_key_file: it is the same on every \
         node and at every start. If that key is lost for good: `dregs keys reset-secrets`",
        given_key(config, file)
    )
}

/// Where the master key is taken from, for people.
pub fn given_key(config: &Config, file: &Path) -> String {
    match &config.master_key {
        Some(_) => "the one in DREGS_MASTER_KEY".to_owned(),
        None => format!("the one in {}", file.display()),
    }
}

/// The file that holds the master key, unless the key itself is given.
pub fn key_file(config: &Config) -> PathBuf {
    config.master_key_file.clone().unwrap_or_else(|| config.data_dir.join(KEY_FILE))
}

/// Where the rows are, by the configuration.
pub fn location(config: &Config) -> Location {
    match &config.database_url {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::File(config.data_dir.join(DATABASE_FILE)),
    }
}

/// Makes sure that no other server uses the SQLite file: each would take what the other works on
/// for left over from a crash.
///
/// # Errors
/// One line that says who is in the way.
pub fn lock(config: &Config) -> std::result::Result<File, String> {
    let path = config.data_dir.join(LOCK_FILE);
    let file = File::create(&path)
        .map_err(|error| format!("data_dir {} cannot be used: {error}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(format!(
            "data_dir {} is in use by another dregs server: stop that one first",
            config.data_dir.display()
        )),
    }
}

/// Random bytes that are made once for a store: they key the hashes in it and its event ids.
async fn installation_secret(store: &Store) -> Result<([u8; 16], [u8; 16])> {
    let fresh: [u8; 32] = rand::random();
    let stored = store.write(move |tx| settings::get_or_insert(tx, "installation_secret", &fresh)).await?;
    let broken = || StoreError::Broken("the installation secret is not 32 bytes".into());
    let (first, rest) = stored.split_first_chunk::<16>().ok_or_else(broken)?;
    let second = rest.try_into().map_err(|_| broken())?;
    Ok((*first, second))
}

/// No other process works on a SQLite file, so what was leased was leased by one that is gone.
async fn release_leases(store: &Store, now: Timestamp) -> Result<()> {
    let (cycles, attempts) = store
        .write(move |tx| Ok((identities::release_leases(tx, now)?, deliveries::release_leases(tx, now)?)))
        .await?;
    if cycles + attempts > 0 {
        tracing::info!(cycles, attempts, "going on with what was under way when the server stopped");
    }
    Ok(())
}
