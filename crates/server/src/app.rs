//! Everything a running server shares, put together in one place. `ops` knows nothing of it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dregs_core::link::KeyHasher;
use dregs_core::notify::schedule::RetrySchedule;
use dregs_core::score::Weights;
use dregs_core::time::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, mpsc};

use crate::channels::egress::EgressPolicy;
use crate::channels::http::{EgressConfig, HttpClient};
use crate::channels::send::Clients;
use crate::channels::smtp::Mailer;
use crate::clock::{Clock, Steps};
use crate::config::Config;
use crate::geo::Geo;
use crate::ops::access::limits;
use crate::ops::access::oidc::Oidc;
use crate::ops::access::sign_in::{self, SignIns};
use crate::ops::access::usage;
use crate::ops::agent_keys::AgentKeys;
use crate::ops::decide::awaited::Awaited;
use crate::ops::decide::dismissals::Dismissals;
use crate::ops::decide::labels::Labels;
use crate::ops::decide::snoozes::Snoozes;
use crate::ops::deliver::deliveries::Resends;
use crate::ops::deliver::endpoints;
use crate::ops::deliver::health;
use crate::ops::deliver::log::Log;
use crate::ops::deliver::messages::EventIds;
use crate::ops::directories::Directories;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::handoff::{Evaluations, Handoff, Outgoing};
use crate::ops::identities::Editor;
use crate::ops::identities::erasure::Eraser;
use crate::ops::ingest::{self, Submission, common};
use crate::ops::installation::first_start::{self, FirstStart};
use crate::ops::installation::master_key::{self, Watch};
use crate::ops::installation::nodes::{self, Node, Roles};
use crate::ops::lists::roster::Rosters;
use crate::ops::live::Audience;
use crate::ops::long_reads::LongReads;
use crate::ops::team::channels::Channels;
use crate::store::claims::{Due, EVALUATION_LEASE_MS};
use crate::store::{
    Location, Result, Store, StoreError, Tx, backup, channel_health, deliveries, identities, settings,
    waiting,
};
use crate::telemetry;
use crate::trace::{Collector, Exporter, Traces};
use crate::vault::{self, KEY_FILE, Vault};

/// Identities accepted and not yet scored that are kept in memory, each a number and a time; more wait in the store, which
/// costs a claim. So many are scored within their lease by a server that scores three hundred a second.
const EVALUATIONS_MAX: usize = 8_192;
/// Deliveries of one channel that are kept in memory; more wait in the store.
const DELIVERIES_PER_CHANNEL_MAX: usize = 512;
const FOREVER: Timestamp = Timestamp::from_millis(i64::MAX);
/// The file in the data directory that holds the rows.
const DATABASE_FILE: &str = "dregs.db";
/// The file in the data directory that a running server holds locked.
const LOCK_FILE: &str = "dregs.lock";

/// A running server.
pub struct App {
    pub config: Config,
    pub started_at: Timestamp,
    pub clock: Arc<dyn Clock>,
    steps: Steps,
    pub store: Arc<Store>,
    pub key_hasher: KeyHasher,
    pub event_ids: EventIds,
    pub egress: EgressPolicy,
    pub clients: Clients,
    /// Where people open the dashboard.
    pub public_url: String,
    pub geo: Geo,
    /// What tells whether an agent is who it says.
    pub agent_keys: AgentKeys,
    pub retries: RetrySchedule,
    pub kept: Arc<Directories>,
    pub health: health::Board,
    pub rosters: Arc<Rosters>,
    pub live: Audience,
    /// Those who wait for decisions.
    pub awaited: Arc<Awaited>,
    pub rates: limits::Rates,
    pub bodies: limits::Bodies,
    pub long_reads: LongReads,
    pub usage: Arc<usage::Usage>,
    /// Wakes whoever writes reviews.
    pub reviews: Notify,
    /// Wakes whoever carries out bulk changes.
    pub bulk_changes: Notify,
    pub ingest: ingest::Queue,
    pub evaluations: Arc<Evaluations>,
    pub deliveries: Handoff<Outgoing>,
    /// This server among those on its database.
    pub node: Node,
    pub sign_ins: SignIns,
    /// `None` where nobody signs in at an OpenID provider.
    pub oidc: Option<Oidc>,
    pub traces: Traces,
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
    /// Where spans are sent, if anywhere.
    pub spans: Option<Exporter>,
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
    /// Something else is in the way, with which the settings have nothing to do.
    #[error("{0}")]
    Failed(String),
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What a configuration names, read and checked before anything is written.
pub struct Parts {
    egress: EgressPolicy,
    clients: Clients,
    geo: Geo,
    agent_keys: AgentKeys,
    oidc: Option<Oidc>,
    retries: RetrySchedule,
    weights: Weights,
    collector: Option<Collector>,
}

impl Parts {
    /// Reads the files and the texts that `config` names.
    ///
    /// # Errors
    /// [`StartError::Config`] when one cannot be read.
    pub fn read(config: &Config) -> std::result::Result<Self, StartError> {
        let read = || {
            let egress =
                EgressPolicy::parse(&config.egress_allow).map_err(|e| format!("egress_allow: {e}"))?;
            let way_out = EgressConfig {
                policy: egress.clone(),
                name_servers: config.egress_name_servers.clone(),
                ca_file: config.egress_ca_file.clone(),
            };
            let oidc = Oidc::read(config, way_out.clone())?;
            let collector = config.otlp_endpoint.as_deref();
            let collector = collector.map(|at| Collector::new(at, &config.otlp_headers, way_out.clone()));
            let collector = collector.transpose()?;
            let http = HttpClient::new(way_out)?;
            let mailer = config.smtp()?.map(Mailer::new).transpose()?;
            let geo = Geo::open(&config.geo_databases)?;
            let retries =
                RetrySchedule::parse(&config.retry_schedule).map_err(|e| format!("retry_schedule: {e}"))?;
            let weights =
                Weights::parse(&config.analyzer_weights).map_err(|e| format!("analyzer_weights: {e}"))?;
            let agent_keys = AgentKeys::new(&config.agent_signers, config.agent_keys_file.as_deref())?;
            let clients = Clients { http, mailer };
            Ok(Self { egress, clients, geo, agent_keys, oidc, retries, weights, collector })
        };
        read().map_err(StartError::Config)
    }
}

impl App {
    /// Opens the store, fills it at the first start and reads what is kept in memory.
    ///
    /// # Errors
    /// [`StartError::Config`] when a setting cannot be used, [`StartError::Store`] when the store
    /// cannot, [`StartError::Failed`] when something else is in the way.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> std::result::Result<Opened, StartError> {
        let parts = Parts::read(&config)?;
        Self::put_together(config, parts, clock).await
    }

    /// The same, where what the configuration names has been read.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub async fn put_together(
        config: Config,
        parts: Parts,
        clock: Arc<dyn Clock>,
    ) -> std::result::Result<Opened, StartError> {
        let wrong = |error: String| StartError::Config(error);
        let Parts { egress, clients, geo, agent_keys, oidc, retries, weights, collector } = parts;
        let (traces, spans) = match collector.map(|at| Traces::to(at, config.trace_sample_ratio)) {
            Some((traces, exporter)) => (traces, Some(exporter)),
            None => (Traces::default(), None),
        };
        std::fs::create_dir_all(&config.data_dir).map_err(|error| {
            wrong(format!("data_dir {} cannot be used: {error}", config.data_dir.display()))
        })?;
        let key_file = key_file(&config);
        let key = vault::master_key(config.master_key.as_deref(), &key_file).map_err(wrong)?;
        let now = clock.now();
        let place = location(&config);
        let is_alone = matches!(place, Location::File(_));
        let roles = config.roles;
        if is_alone && roles != Roles::ALL {
            return Err(wrong(format!(
                "roles: {roles} leaves work to other servers, and there is none on a SQLite file: give them one PostgreSQL \
                 (database_url), or this one all roles"
            )));
        }
        let lock = if is_alone { Some(lock(&config)?) } else { None };
        let store = tokio::task::spawn_blocking(move || Store::open(&place, now))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))??;
        let store = Arc::new(store);
        let key = match key {
            Some(key) => key,
            None if store.read(master_key::known).await?.is_some() => {
                return Err(wrong(no_key(&key_file)));
            }
            None => {
                let key = vault::make_master_key(&key_file).map_err(wrong)?;
                tracing::info!(file = %key_file.display(), "a new master key was made");
                key
            }
        };
        let vault = Arc::new(Vault::new(key));
        let Some(check) = master_key::fits(&store, &vault, now).await? else {
            return Err(wrong(wrong_key(&config, &key_file)));
        };
        endpoints::seal_all(&store, &vault).await?;
        let first_start = first_start::run(&store, &config, now).await?;
        let secret = installation_secret(&store).await?;
        if let (taken_at, Some(restored_at)) = store.read(backup::restored).await? {
            let taken_at = taken_at.map(|at| at.to_string()).unwrap_or_default();
            tracing::info!(%restored_at, taken_at, "this database was restored: what arrived after its backup is not in it");
        }
        if is_alone {
            release_leases(&store, now).await?;
        }
        let (ingest, submissions) = ingest::Queue::new();
        let min_cycle_ms = i64::try_from(config.min_cycle_ms).unwrap_or(i64::MAX);
        // What another node does is handed on in the store.
        let places = |role: bool, most: usize| if role { most } else { 0 };
        let (evaluations, evaluation_inbox) =
            Evaluations::new(places(roles.evaluate, EVALUATIONS_MAX), min_cycle_ms);
        let (deliveries, delivery_inbox) = Handoff::new(places(roles.deliver, DELIVERIES_PER_CHANNEL_MAX));
        let name = nodes::name(config.listen.port());
        let node = Node::register(&store, name, roles, is_alone, now).await?;
        let key_hasher = KeyHasher::new(secret.0);
        let login_limits =
            sign_in::Limits::new(config.login_failures_per_account, config.login_failures_per_address);
        let app = Self {
            key_hasher,
            event_ids: EventIds::new(secret.1),
            egress,
            clients,
            public_url: config.shown_public_url(),
            geo,
            agent_keys,
            retries,
            kept: Arc::new(Directories::new(
                Arc::clone(&store),
                Watch::new(vault, check),
                key_hasher,
                weights,
            )),
            health: health::Board::default(),
            rosters: Arc::new(Rosters::new(Arc::clone(&store), Arc::clone(&clock))),
            live: Audience::default(),
            awaited: Arc::default(),
            rates: limits::Rates::default(),
            bodies: limits::Bodies::default(),
            long_reads: LongReads::new(Arc::clone(&store)),
            usage: Arc::default(),
            reviews: Notify::new(),
            bulk_changes: Notify::new(),
            ingest,
            evaluations: Arc::new(evaluations),
            deliveries,
            node,
            sign_ins: SignIns::new(
                Arc::clone(&store),
                Arc::clone(&clock),
                login_limits,
                config.local_sign_in,
            )
            .map_err(StartError::Failed)?,
            oidc,
            traces,
            metrics: telemetry::metrics_handle(),
            stopping: AtomicBool::new(false),
            steps: Steps::default(),
            _lock: lock,
            started_at: now,
            config,
            clock,
            store,
        };
        app.reload().await?;
        app.learn(common::EVENTS_AT_START).await?;
        let inboxes =
            Inboxes { submissions, evaluations: evaluation_inbox, deliveries: delivery_inbox, spans };
        Ok(Opened { app: Arc::new(app), inboxes, first_start })
    }

    /// The deadline of an attempt whose channel sets none.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.config.deadline_ms)
    }

    /// Reads again what is kept in memory and has changed, by whatever node, and drops what is no longer
    /// needed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self) -> Result<()> {
        self.follow_clock().await?;
        self.kept.reload_changed(self.clock.now()).await?;
        // Changes with each attempt that fails: what is there is little.
        self.health.reload(&self.store).await?;
        self.usage.reload(&self.store, self.clock.now()).await?;
        self.learn_of_others().await?;
        self.kept.common.keep(&self.store, self.clock.now()).await?;
        self.rosters.prune().await
    }

    /// Learns what is common from what other nodes, if there are any, were told.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn learn_of_others(&self) -> Result<()> {
        if self.node.has_company() { self.learn(common::EVENTS_OF_OTHERS).await } else { Ok(()) }
    }

    /// The same of the newest events, as many as `limit`.
    async fn learn(&self, limit: i64) -> Result<()> {
        let mappings = self.kept.mappings.current();
        self.kept.common.look(&self.store, mappings, limit, self.clock.now()).await
    }

    /// What was to be done at a time of a clock that was put back since is done as much earlier.
    async fn follow_clock(&self) -> Result<()> {
        let now = self.clock.now();
        // Further ahead nobody is planned, whatever transaction was under way meanwhile.
        let beyond = now.plus_millis(self.evaluations.min_cycle_ms + 2 * EVALUATION_LEASE_MS);
        let end = move |tx: &mut Tx| identities::end_leases(tx, (beyond, FOREVER), now);
        let Some(step) = self.steps.back(now) else {
            return if self.steps.are_recent() { self.store.write(end).await.map(drop) } else { Ok(()) };
        };
        let advance = move |tx: &mut Tx| {
            identities::advance(tx, step, now)?;
            waiting::advance(tx, step, now)?;
            channel_health::advance(tx, step, now)
        };
        self.store.write(advance).await?;
        self.steps.settled(step);
        tracing::warn!(step_ms = step, "the clock was put back: what waits is due as much earlier");
        Ok(())
    }

    /// What cycles go by now.
    pub fn seen(&self) -> Seen {
        Seen::now(&self.kept, self.key_hasher)
    }

    /// What changes identities and devices.
    pub fn editor(&self) -> Editor<'_> {
        Editor {
            store: &self.store,
            kept: &self.kept,
            hasher: self.key_hasher,
            evaluations: &self.evaluations,
        }
    }

    /// What forgets people.
    pub fn eraser(&self) -> Eraser<'_> {
        Eraser {
            store: &self.store,
            long_reads: &self.long_reads,
            kept: &self.kept,
            hasher: self.key_hasher,
            evaluations: &self.evaluations,
            clock: self.clock.as_ref(),
        }
    }

    /// What takes badges off identities, and gives them back.
    pub fn dismissals(&self) -> Dismissals<'_> {
        Dismissals {
            store: &self.store,
            kept: &self.kept,
            hasher: self.key_hasher,
            deliveries: &self.deliveries,
            evaluations: &self.evaluations,
        }
    }

    /// What puts rules off for single identities.
    pub fn snoozes(&self) -> Snoozes<'_> {
        Snoozes {
            store: &self.store,
            kept: &self.kept,
            hasher: self.key_hasher,
            deliveries: &self.deliveries,
        }
    }

    /// What labels identities.
    pub fn labels(&self) -> Labels<'_> {
        Labels {
            store: &self.store,
            kept: &self.kept,
            hasher: self.key_hasher,
            deliveries: &self.deliveries,
            evaluations: &self.evaluations,
        }
    }

    /// What opens and seals secrets.
    ///
    /// # Errors
    /// Where the database has another master key by now.
    pub fn vault(&self) -> Result<&Vault> {
        self.kept.key.vault().map(Arc::as_ref)
    }

    /// What changes channels.
    pub fn channels(&self) -> Channels<'_> {
        Channels {
            store: &self.store,
            kept: &self.kept,
            health: &self.health,
            deliveries: &self.deliveries,
            node: &self.node,
        }
    }

    /// What sends deliveries again.
    pub fn resends(&self) -> Resends<'_> {
        Resends { store: &self.store, deliveries: &self.deliveries }
    }

    /// What shows attempts as they were.
    ///
    /// # Errors
    /// Where the database has another master key by now: what was signed cannot be made again.
    pub fn delivery_log(&self) -> Result<Log<'_>> {
        Ok(Log {
            store: &self.store,
            vault: self.vault()?,
            channels: &self.kept.channels,
            event_ids: self.event_ids,
        })
    }

    /// What stores events.
    pub fn ingest_writer(&self) -> ingest::Writer {
        ingest::Writer {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            hasher: self.key_hasher,
            kept: Arc::clone(&self.kept),
            evaluations: Arc::clone(&self.evaluations),
            awaited: Arc::clone(&self.awaited),
            usage: Arc::clone(&self.usage),
            traces: self.traces.clone(),
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.live.close();
        self.awaited.close();
    }
}

/// What to do about a master key that does not open what the database holds.
fn wrong_key(config: &Config, file: &Path) -> String {
    format!(
        "the database was filled with another master key than {}, so that its signing secrets cannot be read; \
         {GIVE_KEY}",
        given_key(config, file)
    )
}

/// What to do about a master key that is not there, where the database was filled with one.
fn no_key(file: &Path) -> String {
    format!("there is no master key at {}, and the database was filled with one; {GIVE_KEY}", file.display())
}

const GIVE_KEY: &str = "give this server the key of the first one, as DREGS_MASTER_KEY or master_key_file: it is the same on every node \
     and at every start. If that key is lost for good, `dregs keys reset-secrets` says what is lost with it, and how \
     to go on";

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
/// [`StartError::Failed`] where one does, [`StartError::Config`] where the directory cannot be used.
pub fn lock(config: &Config) -> std::result::Result<File, StartError> {
    let path = config.data_dir.join(LOCK_FILE);
    let file = File::create(&path).map_err(|error| {
        StartError::Config(format!("data_dir {} cannot be used: {error}", path.display()))
    })?;
    let folder = config.data_dir.display();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Failed(format!(
            "data_dir {folder} is in use by another dregs server: stop that one first"
        ))),
        Err(TryLockError::Error(error)) => Err(StartError::Config(format!(
            "data_dir {folder} is on a disk that cannot lock files, which keeps a second server away: {error}"
        ))),
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
