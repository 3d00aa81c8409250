//! What the lists in memory are made of: the columns of identities, groups and devices by which
//! they are found and sorted.

use dregs_core::shard;

use super::{Result, Row, Tx};
use crate::values;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Identities,
    Groups,
    Devices,
}

/// Columns of time of an entry.
pub const TIMES: usize = 5;
/// Texts of an entry.
pub const TEXTS: usize = 4;

/// One thing in a list. What a column is, [`Kind::sql`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    /// Milliseconds since the Unix epoch.
    pub times: [Option<i64>; TIMES],
    pub scores: [Option<u8>; 4],
    pub disregarded: bool,
    pub texts: [Option<String>; TEXTS],
    /// Row ids of the groups that an identity is in, in order.
    pub groups: Vec<i64>,
}

impl Kind {
    /// The columns in the order of an entry's fields, and their table.
    fn sql(self) -> &'static str {
        match self {
            Self::Identities => {
                "select x.id, x.created_at, x.updated_at, x.last_tracked_at, x.last_scored_at, x.humanity,
                   x.authenticity, x.uniqueness, x.behavior, x.disregarded, x.external_id, x.display_name,
                   x.display_email, x.display_username, x.first_seen_at from identities x"
            }
            Self::Groups => {
                "select x.id, x.created_at, x.updated_at, x.last_tracked_at, cast(null as bigint),
                   cast(null as bigint), cast(null as bigint), cast(null as bigint), cast(null as bigint),
                   cast(0 as bigint), x.external_id, x.display_name, x.type, cast(null as text),
                   cast(null as bigint) from groups x"
            }
            Self::Devices => {
                "select x.id, x.first_seen_at, x.last_seen_at, cast(null as bigint), cast(null as bigint),
                   cast(null as bigint), cast(null as bigint), cast(null as bigint), cast(null as bigint),
                   x.disregarded, x.fingerprint, x.ip, cast(null as text), cast(null as text),
                   cast(null as bigint) from devices x"
            }
        }
    }
}

/// Up to `limit` entries of a team after the row `after`, in the order of their ids.
pub fn after(tx: &mut Tx, kind: Kind, team_id: i64, after: i64, limit: i64) -> Result<Vec<Entry>> {
    let sql = format!("{} where x.id > $1 and x.team_id = $2 order by x.id limit $3", kind.sql());
    let mut entries = tx.query(&sql, &values![after, team_id, limit], read)?;
    if let (Kind::Identities, Some(last)) = (kind, entries.last()) {
        let members = tx.query(
            "select identity_id, group_id from group_members where identity_id > $1 and identity_id <= $2
             order by identity_id, group_id",
            &values![after, last.id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        put_groups(&mut entries, &members);
    }
    Ok(entries)
}

/// Puts (identity, group), in order, into the entries of the identities.
fn put_groups(entries: &mut [Entry], members: &[(i64, i64)]) {
    for entry in entries {
        let from = members.partition_point(|(identity, _)| *identity < entry.id);
        let own = members[from..].iter().take_while(|(identity, _)| *identity == entry.id);
        entry.groups = own.map(|(_, group)| *group).collect();
    }
}

/// The entries of a team with these row ids, in no order; those that are gone are absent.
pub fn with_ids(tx: &mut Tx, kind: Kind, team_id: i64, ids: &[i64]) -> Result<Vec<Entry>> {
    let rows: Vec<_> = ids.iter().map(|id| values![shard::of(*id), *id, team_id]).collect();
    let sql = format!(
        "with v (shard, id, team_id) as (values {{rows}})
         {} join v on x.shard = v.shard and x.id = v.id and x.team_id = v.team_id",
        kind.sql()
    );
    let mut entries = tx.query_rows(&sql, &rows, read)?;
    if kind == Kind::Identities {
        let rows: Vec<_> = entries.iter().map(|entry| values![entry.id]).collect();
        let mut members = tx.query_rows(
            "with v (id) as (values {rows})
             select m.identity_id, m.group_id from v join group_members m on m.identity_id = v.id",
            &rows,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        members.sort_unstable();
        put_groups(&mut entries, &members);
    }
    Ok(entries)
}

fn read(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        times: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(14)?],
        scores: [row.small(5)?, row.small(6)?, row.small(7)?, row.small(8)?],
        disregarded: row.flag(9)?,
        texts: [row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?],
        groups: Vec::new(),
    })
}
