//! One connection to PostgreSQL, worked on by one thread, which waits for nothing longer than it should: a server
//! that is frozen, or gone without a word, must not hold whoever asks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::StoreError;
use super::pg_address::{Address, SslMode};
use super::tx::{Kept, Value};
use super::{pg_tls, tally, words};
use crate::clock::monotonic;
use crate::limit::{self, Limit};

/// Prepared statements a connection keeps; a statement over many rows has eight.
const STATEMENTS_MAX: usize = 1_000;
/// For everything from the name of the host to the first answer.
pub const CONNECT_MAX: Duration = Duration::from_secs(3);
/// For a statement, told to the server: what the hot path asks takes milliseconds, and pages of long lists well
/// under a second.
pub const STATEMENT_MAX_MS: u64 = 6_000;
/// The same, when the server does not keep to it.
pub const ANSWER_MAX: Duration = Duration::from_secs(7);
/// The same, once another connection was given up: what the hot path asks is answered long before.
const SUSPECT_AFTER: Duration = Duration::from_secs(1);
/// For a transaction that this process has left open, since it is frozen, or the network between has gone silent: until
/// then nobody else gets at the rows that it has changed. Between two statements it computes for milliseconds.
const IDLE_TRANSACTION_MAX_MS: u64 = 5_000;
/// Ways to find rows that read a whole table. They are the best for a table that is still small, and a plan is kept
/// while the table grows: until it was next analysed, each look at twenty identities would read all of them. The
/// server still reads a table whole where no index fits; that then seems so dear to it that it would compile the
/// statement first, which takes longer.
const NOT_PLANNED: [&str; 4] = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"];
/// What was sent must be acknowledged by the other machine within this.
const USER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that nothing has been said on for this long is tried.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// A connection that was not used for this long is looked at first; and how often, until what came is taken in.
const UNUSED_LONG: Duration = Duration::from_secs(1);
const LOOKS: usize = 3;

/// How long a statement may take.
#[derive(Clone, Debug)]
pub enum Patience {
    /// As long as somebody waits for an answer; and not much longer, once another connection of the pool was silent.
    Limited(Silences),
    /// As long as it takes: migrations rewrite tables.
    Endless,
}

/// How often a connection of the pool was given up since no answer came: the others may be as dead, and each would have
/// somebody else wait as long.
#[derive(Clone, Debug, Default)]
pub struct Silences(watch::Sender<u64>);

impl Silences {
    pub fn count(&self) -> u64 {
        *self.0.borrow()
    }

    fn add(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Ends when whoever waits for an answer since this was called should wait no longer.
    async fn enough(&self) {
        let mut heard = self.0.subscribe();
        let other = async {
            sleep(SUSPECT_AFTER).await;
            _ = heard.changed().await;
        };
        tokio::select! {
            () = other => {}
            () = sleep(ANSWER_MAX) => self.add(),
        }
    }
}

/// A statement with its parameters.
pub struct Asked<'v> {
    pub sql: Cow<'v, str>,
    pub values: Vec<Value<'v>>,
}

impl Asked<'_> {
    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(Value::as_postgres).collect()
    }
}

/// A statement that waits for the next one, with its parameters.
pub struct Later {
    pub sql: String,
    pub values: Vec<Kept>,
}

impl Later {
    fn asked(&self) -> Asked<'_> {
        Asked { sql: self.sql.as_str().into(), values: self.values.iter().map(Kept::value).collect() }
    }
}

/// A connection and the statements prepared on it.
pub struct Connection {
    client: Client,
    runtime: Runtime,
    statements: HashMap<String, Statement>,
    patience: Patience,
    /// What begins a transaction, and is sent with its first statement.
    opening: Option<&'static str>,
    /// Statements of whose outcome nobody asks: they are sent with the next one.
    later: Vec<Later>,
    /// It did not answer in time, so that nobody knows what it does.
    is_given_up: bool,
    /// Rows were changed since this was last asked.
    has_written: bool,
    /// Whether the tables are spread over machines.
    pub is_spread: bool,
    /// Whether another transaction was faster than this one the last time.
    pub is_again: bool,
    used_at: Instant,
}

impl Connection {
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong and what to do.
    pub fn open(address: &Address, patience: Patience) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let connecting = async {
            match timeout(CONNECT_MAX, connect(address)).await {
                Ok(connected) => connected,
                Err(_) => Err(StoreError::Refused(format!(
                    "PostgreSQL does not answer within {} s: is it running, and are host and port right?",
                    CONNECT_MAX.as_secs()
                ))),
            }
        };
        let client = runtime.block_on(connecting)?;
        let mut connection = Self {
            client,
            runtime,
            statements: HashMap::new(),
            patience,
            opening: None,
            later: Vec::new(),
            is_given_up: false,
            has_written: false,
            is_spread: false,
            is_again: false,
            used_at: monotonic(),
        };
        if matches!(connection.patience, Patience::Limited(_)) {
            connection.set_up(address)?;
        }
        connection.is_spread = connection.finds_spread_tables()?;
        Ok(connection)
    }

    /// Limits, and how to plan. What the address sets itself stays.
    fn set_up(&mut self, address: &Address) -> Result<(), StoreError> {
        let own = address.config.get_options().unwrap_or_default();
        let limits = [
            ("statement_timeout", STATEMENT_MAX_MS.to_string()),
            ("idle_in_transaction_session_timeout", IDLE_TRANSACTION_MAX_MS.to_string()),
        ];
        let plans = NOT_PLANNED.map(|name| (name, "off".to_owned()));
        for (name, value) in limits.into_iter().chain(plans) {
            if !own.contains(name) {
                self.batch(&format!("set {name} = {value}"))?;
            }
        }
        Ok(())
    }

    fn finds_spread_tables(&mut self) -> Result<bool, StoreError> {
        let citus = "select 1 from pg_extension where extname = 'citus'";
        let spread = "select 1 from pg_dist_partition where logicalrelid = to_regclass('identities')";
        for sql in [citus, spread] {
            let asked = Asked { sql: sql.into(), values: vec![] };
            if self.query_each(&[asked])?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether another connection has to take its place.
    pub fn is_closed(&mut self) -> bool {
        let now = monotonic();
        if now.duration_since(self.used_at) >= UNUSED_LONG {
            // The server may have ended it meanwhile, which nobody has looked at yet.
            self.runtime.block_on(async {
                for _ in 0..LOOKS {
                    tokio::task::yield_now().await;
                }
            });
        }
        self.used_at = now;
        self.is_given_up || self.client.is_closed()
    }

    /// Whether rows were changed since the last time this was asked.
    pub fn take_written(&mut self) -> bool {
        std::mem::take(&mut self.has_written)
    }

    /// Runs statements that take no parameters and answer nothing.
    pub fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        tally::add(sql, 1, 0);
        self.send(&[], async |client, _| client.batch_execute(sql).await)
    }

    /// Begins a transaction with the next statement.
    pub fn begin(&mut self, sql: &'static str) {
        self.later.clear();
        self.opening = Some(sql);
    }

    /// Commits a transaction; one in which nothing was asked has never begun.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        if self.opening.is_some() && self.later.is_empty() {
            self.opening = None;
            return Ok(());
        }
        self.batch("commit")
    }

    /// Ends a transaction without what it has done.
    pub fn roll_back(&mut self) -> Result<(), StoreError> {
        self.later.clear();
        match self.opening.take() {
            Some(_) => Ok(()),
            None => self.batch("rollback"),
        }
    }

    /// Runs statements before the next one, or before the end of the transaction, without an answer of their own: what
    /// is wrong with them is the answer of what they are sent with.
    pub fn execute_later(&mut self, asked: impl IntoIterator<Item = Later>) {
        self.later.extend(asked);
    }

    /// Runs statements in their order, all sent before the first is answered; the answer is the number of rows they
    /// changed.
    pub fn execute_each(&mut self, asked: &[Asked]) -> Result<u64, StoreError> {
        if asked.is_empty() {
            return Ok(0);
        }
        let changed =
            self.send(asked, async |client, statements| execute(client, asked, statements).await)?;
        let changed = changed.iter().sum();
        self.has_written |= changed > 0;
        Ok(changed)
    }

    /// Runs queries in their order, all sent before the first is answered.
    pub fn query_each(&mut self, asked: &[Asked]) -> Result<Vec<Row>, StoreError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.send(asked, async |client, statements| {
            let each = statements.iter().zip(asked);
            try_join_all(each.map(async |(statement, one)| client.query(statement, &one.parameters()).await))
                .await
        })?;
        let rows: Vec<_> = rows.into_iter().flatten().collect();
        // What an insert or an update returns.
        let is_change = |sql: &str| sql.starts_with("insert") || sql.contains("update ");
        self.has_written |= !rows.is_empty() && asked.iter().any(|one| is_change(&one.sql));
        Ok(rows)
    }

    /// Sends what begins the transaction, what waits, and what `ask` asks by the statements for `asked`, in this order and
    /// before the first is answered: one round trip.
    fn send<T>(
        &mut self,
        asked: &[Asked],
        ask: impl AsyncFnOnce(&Client, &[Statement]) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let later = std::mem::take(&mut self.later);
        let later: Vec<_> = later.iter().map(Later::asked).collect();
        let before = self.prepare_each(&later)?;
        let statements = self.prepare_each(asked)?;
        let opening = opened(&self.client, self.opening.take());
        let each = execute(&self.client, &later, &before);
        let all = async { tokio::try_join!(biased; opening, each, ask(&self.client, &statements)) };
        let ((), changed, answer) = wait(&self.runtime, &self.patience, &mut self.is_given_up, all)?;
        self.has_written |= changed.iter().any(|changed| *changed > 0);
        Ok(answer)
    }

    fn prepare_each(&mut self, asked: &[Asked]) -> Result<Vec<Statement>, StoreError> {
        let types = |one: &Asked| one.values.iter().map(Value::postgres_type).collect::<Vec<_>>();
        asked.iter().map(|one| self.prepare(&one.sql, &types(one))).collect()
    }

    /// The statement for `sql`, prepared at most once.
    fn prepare(&mut self, sql: &str, types: &[Type]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        let asked = self.client.prepare_typed(sql, types);
        let statement = wait(&self.runtime, &self.patience, &mut self.is_given_up, asked)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Runs statements; the answer is the number of rows that each has changed.
async fn execute(
    client: &Client,
    asked: &[Asked<'_>],
    statements: &[Statement],
) -> Result<Vec<u64>, tokio_postgres::Error> {
    let each = statements.iter().zip(asked);
    try_join_all(each.map(async |(statement, one)| client.execute(statement, &one.parameters()).await)).await
}

/// Begins a transaction, if one is to begin.
async fn opened(client: &Client, opening: Option<&'static str>) -> Result<(), tokio_postgres::Error> {
    match opening {
        Some(sql) => {
            tally::add(sql, 1, 0);
            client.batch_execute(sql).await
        }
        None => Ok(()),
    }
}

/// Waits for an answer, and gives the connection up when it does not come in time.
fn wait<T>(
    runtime: &Runtime,
    patience: &Patience,
    is_given_up: &mut bool,
    asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    if *is_given_up {
        return Err(StoreError::Unavailable("the connection was given up".into()));
    }
    tally::add(tally::ROUND_TRIP, 1, 0);
    let Patience::Limited(silences) = patience else {
        return Ok(runtime.block_on(asked)?);
    };
    let begun = monotonic();
    let answered = runtime.block_on(async {
        tokio::select! {
            biased;
            answer = asked => Some(answer),
            () = silences.enough() => None,
        }
    });
    match answered {
        Some(answer) => {
            if answer.as_ref().is_err_and(|error| error.code() == Some(&SqlState::QUERY_CANCELED)) {
                limit::reached(Limit::DatabaseStatement);
            }
            Ok(answer?)
        }
        None => {
            *is_given_up = true;
            limit::reached(Limit::DatabaseAnswer);
            // Sooner than it might have, where another connection was silent.
            let seconds = begun.elapsed().as_secs();
            Err(StoreError::Unavailable(format!("PostgreSQL did not answer within {seconds} s")))
        }
    }
}

/// Connects as `sslmode` asks, on the runtime that is entered.
async fn connect(address: &Address) -> Result<Client, StoreError> {
    use tokio_postgres::config::SslMode::{Disable, Prefer, Require};
    let mut config = address.config.clone();
    config.application_name(config.get_application_name().unwrap_or("dregs").to_owned());
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(USER_TIMEOUT);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_idle(KEEPALIVE_IDLE);
        config.keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
    let refused = |error: tokio_postgres::Error| StoreError::Refused(words::of_connecting(&error));
    let tls = || -> Result<_, StoreError> {
        Ok(MakeRustlsConnect::new(pg_tls::client_config(address).map_err(StoreError::Refused)?))
    };
    let mode = if address.is_local() { SslMode::Disable } else { address.mode };
    let connected = match mode {
        SslMode::Disable => attempt(config.ssl_mode(Disable), NoTls).await,
        SslMode::Allow => match attempt(config.ssl_mode(Disable), NoTls).await {
            Err(error) if is_worth_another(&error) => attempt(config.ssl_mode(Require), tls()?).await,
            connected => connected,
        },
        SslMode::Prefer => match attempt(config.ssl_mode(Prefer), tls()?).await {
            // The server may let this user in without encryption only.
            Err(error) if is_worth_another(&error) => {
                attempt(config.ssl_mode(Disable), NoTls).await.map_err(|_| error)
            }
            connected => connected,
        },
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
            attempt(config.ssl_mode(Require), tls()?).await
        }
    };
    connected.map_err(refused)
}

/// Whether it may go well with or without encryption, if it went wrong the other way.
fn is_worth_another(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error.to_string().contains("TLS"),
    }
}

async fn attempt<T>(config: &Config, tls: T) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    // It ends with the runtime, or when the server ends it; whoever asks next sees that.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
