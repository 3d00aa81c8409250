//! Values of this installation that are made once.

use super::{Result, Tx};
use crate::values;

/// The value called `name`; `fresh` becomes it where there is none yet.
pub fn get_or_insert(tx: &mut Tx, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
    tx.execute(
        "insert into settings (name, value) values ($1, $2) on conflict (name) do nothing",
        &values![name, fresh],
    )?;
    tx.get("select value from settings where name = $1", &values![name], |row| row.get(0))
}
