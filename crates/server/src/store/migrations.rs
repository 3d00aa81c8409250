//! The tables and how they came to be. A shipped migration is never edited.

use dregs_core::time::Timestamp;

use super::{Result, StoreError, Tx};
use crate::values;

/// A step from one shape of the tables to the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Migration {
    pub version: i64,
    pub name: &'static str,
    /// The oldest version of the tables whose code goes on beside it: such a server may run, and start, while others are
    /// upgraded. Only what adds to the tables leaves the code of before whole.
    pub works_with: Option<i64>,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl Migration {
    /// Whether a database without it has none of the tables.
    pub fn is_initial(&self) -> bool {
        self.version == 1
    }
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        migration!($version, $name, None)
    };
    ($version:literal, $name:literal, $works_with:expr) => {
        Migration {
            version: $version,
            name: $name,
            works_with: $works_with,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// All, in their order.
pub const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_initial"),
    migration!(2, "0002_audit_log_mcp_token"),
    migration!(3, "0003_oauth"),
    migration!(4, "0004_labels"),
    migration!(5, "0005_weights"),
    migration!(6, "0006_label_reasons"),
    migration!(7, "0007_rule_versions"),
    migration!(8, "0008_escalation_work"),
    migration!(9, "0009_sign_in"),
    migration!(10, "0010_teams"),
    migration!(11, "0011_openid_connect"),
    migration!(12, "0012_bulk_changes"),
    migration!(13, "0013_traces"),
    migration!(14, "0014_nodes", Some(FIRST_THAT_ASKS)),
    // Servers without it send all that a channel is subscribed to.
    migration!(15, "0015_channel_filters", Some(FIRST_THAT_ASKS)),
    // Servers without it trust nobody.
    migration!(16, "0016_lists", Some(FIRST_THAT_ASKS)),
    // Events that servers without it store are in no counter.
    migration!(17, "0017_counters", Some(FIRST_THAT_ASKS)),
    // Escalations that servers without it open do not say what opened them.
    migration!(18, "0018_escalation_openings", Some(FIRST_THAT_ASKS)),
    // To servers without it each change of a rule is one of its conditions.
    migration!(19, "0019_conditions_revision", Some(FIRST_THAT_ASKS)),
];

/// The first version whose code asks what newer tables work with.
const FIRST_THAT_ASKS: i64 = 14;

/// Applies what is missing, all in the caller's transaction: it is all there afterwards, or none.
pub fn apply(tx: &mut Tx, now: Timestamp) -> Result<()> {
    tx.batch(
        "create table if not exists schema_migrations
           (version bigint primary key, name text not null, applied_at bigint not null)",
    )?;
    let pending = pending(tx)?;
    for migration in &pending {
        tx.batch(tx.dialect(migration.sqlite, migration.postgres))?;
        tx.execute(
            "insert into schema_migrations (version, name, applied_at) values ($1, $2, $3)",
            &values![migration.version, migration.name, now],
        )?;
        if migration.works_with.is_some() {
            tx.execute(
                "update schema_migrations set works_with = $2 where version = $1",
                &values![migration.version, migration.works_with],
            )?;
        }
    }
    if let (Some(first), Some(last)) = (pending.first(), pending.last()) {
        tracing::info!(first = first.name, last = last.name, "the database has its tables now");
    }
    Ok(())
}

/// The migrations this database does not have yet. Nothing is made to find that out.
pub fn pending(tx: &mut Tx) -> Result<Vec<&'static Migration>> {
    let is_there = tx.dialect(
        "select count(*) from sqlite_master where type = 'table' and name = 'schema_migrations'",
        "select cast(case when to_regclass('schema_migrations') is null then 0 else 1 end as bigint)",
    );
    let applied = match tx.get(is_there, &[], |row| row.flag(0))? {
        true => tx.query("select version from schema_migrations", &[], |row| row.get::<i64>(0))?,
        false => Vec::new(),
    };
    let newest = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if let Some(newer) = applied.iter().max().filter(|version| **version > newest) {
        if !works_beside(tx, newest)? {
            return Err(StoreError::Refused(format!(
                "it was last opened by a newer version of dregs (its tables are of version {newer}, this one knows those up \
                 to {newest}): start that version, or restore a backup from before"
            )));
        }
        tracing::warn!(
            newer,
            newest,
            "the database has the tables of a newer version of dregs, beside which this one works"
        );
    }
    Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).collect())
}

/// Whether code that knows the tables up to `newest` works with those of this database, which are newer.
fn works_beside(tx: &mut Tx, newest: i64) -> Result<bool> {
    let sql = "select count(*) from schema_migrations where version > $1 and (works_with is null or works_with > $1)";
    tx.get(sql, &values![newest], |row| Ok(row.get::<i64>(0)? == 0))
}
