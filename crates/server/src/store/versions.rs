//! What of the rows that servers keep in memory has changed. Triggers count, so that no change can be forgotten,
//! whoever makes it; of devices, whose table can be spread and has none, whoever disregards one; of lists, of which
//! thousands of entries change at once, the functions that change them.

use std::collections::HashMap;

use super::{Result, Tx};
use crate::values;

/// What is kept in memory, each read for itself. The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    Channels,
    Credentials,
    Names,
    Devices,
    Mappings,
    /// With the weights of analyzers, which are changed as rarely: one more number would be read at each cycle.
    Rules,
    Datasets,
    Common,
    Counters,
    Lists,
}

impl Kept {
    pub const ALL: [Self; 10] = [
        Self::Channels,
        Self::Credentials,
        Self::Names,
        Self::Devices,
        Self::Mappings,
        Self::Rules,
        Self::Datasets,
        Self::Common,
        Self::Counters,
        Self::Lists,
    ];

    /// What scores and decisions go by.
    const SCORING: [Self; 6] =
        [Self::Devices, Self::Mappings, Self::Rules, Self::Datasets, Self::Common, Self::Lists];

    fn name(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Credentials => "credentials",
            Self::Names => "names",
            Self::Devices => "devices",
            Self::Mappings => "mappings",
            Self::Rules => "rules",
            Self::Datasets => "datasets",
            Self::Common => "common",
            Self::Counters => "counters",
            Self::Lists => "lists",
        }
    }
}

/// The number of each kind: another one than before says that rows of it were added, changed or removed.
pub type Versions = HashMap<Kept, i64>;

/// The numbers of all kinds.
pub fn all(tx: &mut Tx) -> Result<Versions> {
    read(tx, "select name, version from versions")
}

/// Whether everything that scoring goes by is still as it was at `seen`. If it is, it stays so until the transaction
/// ends: who changes it waits, and has those scored again who were scored by what was before.
pub fn hold(tx: &mut Tx, seen: &Versions) -> Result<bool> {
    let sql = "select name, version from versions where name in ('common', 'datasets', 'devices', 'lists', 'mappings', 'rules')";
    let current = read(tx, &format!("{sql}{}", tx.dialect("", " for share")))?;
    Ok(Kept::SCORING.iter().all(|kept| current.get(kept) == seen.get(kept)))
}

/// Notes that rows of this kind have changed.
pub(super) fn grow(tx: &mut Tx, kept: Kept) -> Result<()> {
    tx.execute("update versions set version = version + 1 where name = $1", &values![kept.name()])?;
    Ok(())
}

/// Keeps everybody else from noting changes of this kind, and from holding what is, until the transaction ends.
pub(super) fn lock(tx: &mut Tx, kept: Kept) -> Result<()> {
    let sql = format!("select version from versions where name = $1{}", tx.dialect("", " for update"));
    tx.find(&sql, &values![kept.name()], |row| row.get::<i64>(0)).map(drop)
}

fn read(tx: &mut Tx, sql: &str) -> Result<Versions> {
    let rows = tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))?;
    let kept = |name: &str| Kept::ALL.into_iter().find(|kept| kept.name() == name);
    Ok(rows.into_iter().filter_map(|(name, version)| Some((kept(&name)?, version))).collect())
}
