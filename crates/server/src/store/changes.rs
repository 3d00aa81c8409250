//! The change log: what each commit has touched, for what is kept in memory of it.

use std::collections::BTreeSet;

use dregs_core::time::Timestamp;

use super::rosters::Kind;
use super::{Result, Row, StoreError, Tx};
use crate::values;

/// Rows that a commit has made, changed or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub identities: BTreeSet<i64>,
    pub groups: BTreeSet<i64>,
    pub devices: BTreeSet<i64>,
}

impl Touched {
    /// An identity alone.
    pub fn identity(id: i64) -> Self {
        Self { identities: BTreeSet::from([id]), ..Self::default() }
    }

    /// What was touched of one kind.
    pub fn of(&self, kind: Kind) -> &BTreeSet<i64> {
        match kind {
            Kind::Identities => &self.identities,
            Kind::Groups => &self.groups,
            Kind::Devices => &self.devices,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.identities.is_empty() && self.groups.is_empty() && self.devices.is_empty()
    }

    /// How many of each, and the distances between them, seven bits a byte.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for ids in [&self.identities, &self.groups, &self.devices] {
            push(&mut bytes, ids.len() as u64);
            let mut before = 0;
            for id in ids {
                push(&mut bytes, id.abs_diff(before));
                before = *id;
            }
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut lists = [const { BTreeSet::new() }; 3];
        for ids in &mut lists {
            let mut id = 0_i64;
            for _ in 0..pull(&mut bytes)? {
                id = id.checked_add_unsigned(pull(&mut bytes)?)?;
                ids.insert(id);
            }
        }
        let [identities, groups, devices] = lists;
        bytes.is_empty().then_some(Self { identities, groups, devices })
    }
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Notes what this transaction touches.
pub fn insert(tx: &mut Tx, touched: &Touched, now: Timestamp) -> Result<()> {
    if !touched.is_empty() {
        tx.execute_rows_later(
            "insert into changes (at, touched) values {rows}",
            &[values![now, &touched.encode()]],
        )?;
    }
    Ok(())
}

/// The last number given so far, and 0 before the first.
pub fn last(tx: &mut Tx) -> Result<i64> {
    tx.get("select cast(coalesce(max(id), 0) as bigint) from changes", &[], |row| row.get(0))
}

/// Up to `limit` entries after `id`, in order.
pub fn after(tx: &mut Tx, id: i64, limit: i64) -> Result<Vec<(i64, Touched)>> {
    tx.query("select id, touched from changes where id > $1 order by id limit $2", &values![id, limit], read)
}

/// The entries with these numbers, as far as they are there.
pub fn with_ids(tx: &mut Tx, ids: &[i64]) -> Result<Vec<(i64, Touched)>> {
    let rows: Vec<_> = ids.iter().map(|id| values![*id]).collect();
    tx.query_rows(
        "with v (id) as (values {rows}) select c.id, c.touched from v join changes c on c.id = v.id",
        &rows,
        read,
    )
}

fn read(row: &Row) -> Result<(i64, Touched)> {
    let broken = || StoreError::Broken("an entry of the change log cannot be read".into());
    Ok((row.get(0)?, Touched::decode(&row.get::<Vec<u8>>(1)?).ok_or_else(broken)?))
}

/// The number before the first entry that is still there; the last one given, where none is.
pub fn gone(tx: &mut Tx) -> Result<i64> {
    tx.get("select cast(coalesce(min(id) - 1, 0) as bigint) from changes", &[], |row| row.get(0))
}

/// Removes entries from before `before`, of the `limit` oldest; the newest stays, so that numbers go on.
pub fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    let mut oldest = |limit: i64| {
        tx.query("select id, at from changes order by id limit $1", &values![limit], |row| {
            Ok((row.get::<i64>(0)?, row.time(1)?))
        })
    };
    // Nearly always there is nothing to remove.
    if oldest(1)?.iter().all(|(_, at)| *at >= before) {
        return Ok(0);
    }
    let oldest = oldest(limit)?;
    let Some((last, _)) = oldest.iter().rfind(|(_, at)| *at < before) else { return Ok(0) };
    tx.execute("delete from changes where id <= $1 and id < (select max(id) from changes)", &values![*last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_touched_comes_back() {
        let touched = Touched {
            identities: BTreeSet::from([1, 2, 300, i64::MAX]),
            groups: BTreeSet::new(),
            devices: BTreeSet::from([70_000]),
        };
        assert_eq!(Touched::decode(&touched.encode()), Some(touched));
        assert_eq!(Touched::decode(&[1]), None);
        assert_eq!(Touched::decode(&[0, 0, 0, 0]), None);
    }
}
