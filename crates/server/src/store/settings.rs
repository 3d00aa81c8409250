//! Values of this installation: secrets made once, and how far long work has come.

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

/// Every value whose name begins with `prefix`, by its name.
pub fn with_prefix(tx: &mut Tx, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    // The character after the last one that a name has sorts behind all names with the prefix.
    let end = format!("{prefix}\u{10ffff}");
    tx.query(
        "select name, value from settings where name >= $1 and name < $2 order by name",
        &values![prefix, &end],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub fn put(tx: &mut Tx, name: &str, value: &[u8]) -> Result<()> {
    tx.execute(
        "insert into settings (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value",
        &values![name, value],
    )?;
    Ok(())
}

/// Keeps others from changing the value until the transaction ends; `false` where it is another by now, or none.
pub fn lock(tx: &mut Tx, name: &str, value: &[u8]) -> Result<bool> {
    let sql = "update settings set value = value where name = $1 and value = $2";
    Ok(tx.execute(sql, &values![name, value])? == 1)
}

/// The same without waiting: `false` also where somebody else keeps it.
pub fn lock_free(tx: &mut Tx, name: &str, value: &[u8]) -> Result<bool> {
    let skip = tx.skip_locked();
    let sql = format!("select name from settings where name = $1 and value = $2{skip}");
    Ok(tx.find(&sql, &values![name, value], |row| row.get::<String>(0))?.is_some())
}

pub fn delete(tx: &mut Tx, name: &str) -> Result<()> {
    tx.execute("delete from settings where name = $1", &values![name])?;
    Ok(())
}
