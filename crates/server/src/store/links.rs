//! The index from keys to the identities that have them.

use std::collections::HashSet;

use dregs_core::label::Verdict;
use dregs_core::link::{DELETED_NAME, KeyHasher, KeyKind, LinkKey, OTHERS_MAX};
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::sql::with_shards;
use super::{Result, Tx};
use crate::values;

/// A key of an identity, hashed for the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashedKey {
    pub team_id: i64,
    pub kind: i64,
    pub hash: i64,
}

impl HashedKey {
    pub fn new(hasher: &KeyHasher, team_id: i64, key: &LinkKey) -> Self {
        Self { team_id, kind: key.kind as i64, hash: hasher.hash(key) }
    }

    const fn shard(&self) -> i64 {
        shard::of(self.hash)
    }
}

/// Stores keys of identities; the answer lists those that were new, which are the ones that may
/// make a difference to somebody else.
pub fn insert(tx: &mut Tx, keys: &[(HashedKey, i64, Timestamp)]) -> Result<Vec<(HashedKey, i64)>> {
    let rows: Vec<_> = keys
        .iter()
        .map(|(key, identity_id, seen_at)| {
            values![key.shard(), key.team_id, key.kind, key.hash, *identity_id, *seen_at]
        })
        .collect();
    tx.query_rows(
        "insert into identity_keys (shard, team_id, kind, hash, identity_id, first_seen_at) values {rows}
         on conflict do nothing returning team_id, kind, hash, identity_id",
        &rows,
        |row| Ok((HashedKey { team_id: row.get(0)?, kind: row.get(1)?, hash: row.get(2)? }, row.get(3)?)),
    )
}

/// Removes keys of identities.
pub fn remove(tx: &mut Tx, keys: &[(HashedKey, i64)]) -> Result<()> {
    let rows: Vec<_> =
        keys.iter().map(|(key, id)| values![key.shard(), key.team_id, key.kind, key.hash, *id]).collect();
    tx.execute_rows(
        "with v (shard, team_id, kind, hash, identity_id) as (values {rows})
         delete from identity_keys where (team_id, kind, hash, identity_id, shard) in
           (select team_id, kind, hash, identity_id, v.shard from v)",
        &rows,
    )?;
    Ok(())
}

/// Another identity on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub key: HashedKey,
    pub identity_id: i64,
    pub first_seen_at: Timestamp,
}

/// The newest holders of each key, at most [`KeyKind::others_max`] and one for the asker itself:
/// the work does not grow with how common a key is.
pub fn newest_holders(tx: &mut Tx, keys: &[HashedKey]) -> Result<Vec<Holder>> {
    let limit =
        |key: &HashedKey| KeyKind::from_code(key.kind).map_or(OTHERS_MAX, KeyKind::others_max) as i64 + 1;
    let rows: Vec<_> =
        keys.iter().map(|key| values![key.shard(), key.team_id, key.kind, key.hash, limit(key)]).collect();
    // A join that stops early for each row on its left is the one thing the two engines do not
    // spell alike. SQLite, which gets one row at a time, needs no join for it.
    let sqlite = "select $2, $3, $4, identity_id, first_seen_at from identity_keys
         where shard = $1 and team_id = $2 and kind = $3 and hash = $4 order by identity_id desc limit $5";
    let postgres = "with v (shard, team_id, kind, hash, count) as (values {rows})
         select v.team_id, v.kind, v.hash, k.identity_id, k.first_seen_at
         from v cross join lateral (
           select identity_id, first_seen_at from identity_keys k
           where k.shard = v.shard and k.team_id = v.team_id and k.kind = v.kind and k.hash = v.hash
           order by identity_id desc limit v.count) k
         order by k.identity_id desc";
    let sql = tx.dialect(sqlite, postgres).to_owned();
    tx.query_rows(&sql, &rows, |row| {
        Ok(Holder {
            key: HashedKey { team_id: row.get(0)?, kind: row.get(1)?, hash: row.get(2)? },
            identity_id: row.get(3)?,
            first_seen_at: row.time(4)?,
        })
    })
}

/// Up to `limit` of those who have a key, after the row `after`, in order.
pub fn holders_after(tx: &mut Tx, key: HashedKey, after: i64, limit: i64) -> Result<Vec<i64>> {
    tx.query(
        "select identity_id from identity_keys where shard = $6 and team_id = $1 and kind = $2 and hash = $3
           and identity_id > $4 order by identity_id limit $5",
        &values![key.team_id, key.kind, key.hash, after, limit, key.shard()],
        |row| row.get(0),
    )
}

/// Up to `limit` keys of a team and who has them, after a kind, a hash and an identity, in order.
pub fn after(
    tx: &mut Tx,
    team_id: i64,
    (kind, hash, identity_id): (i64, i64, i64),
    limit: i64,
) -> Result<Vec<(HashedKey, i64)>> {
    tx.query(
        "select kind, hash, identity_id from identity_keys
         where team_id = $1 and (kind, hash, identity_id) > ($2, $3, $4)
         order by kind, hash, identity_id limit $5",
        &values![team_id, kind, hash, identity_id, limit],
        |row| Ok((HashedKey { team_id, kind: row.get(0)?, hash: row.get(1)? }, row.get(2)?)),
    )
}

/// What a snapshot says about another identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub identity_id: i64,
    /// Its id at the sender.
    pub id: String,
    pub disregarded: bool,
    pub name: Option<String>,
    pub email: Option<String>,
    /// Filled in by who wants to compare it.
    pub date_of_birth: Option<String>,
    pub address: Option<String>,
    /// What people have decided of it.
    pub verdict: Option<Verdict>,
}

impl Described {
    /// One that was deleted, of which only the row id is known.
    fn deleted(identity_id: i64) -> Self {
        let (name, email, date_of_birth, address) = (None, None, None, None);
        Self {
            identity_id,
            id: DELETED_NAME.to_owned(),
            disregarded: false,
            name,
            email,
            date_of_birth,
            address,
            verdict: None,
        }
    }
}

/// What a snapshot says about other identities, deleted ones included.
pub fn describe(tx: &mut Tx, identity_ids: &[i64]) -> Result<Vec<Described>> {
    let mut described = tx.query_rows(
        "with v (shard, id) as (values {rows})
         select i.id, i.external_id, i.disregarded, i.display_name, i.display_email, i.verdict
         from v join identities i on i.shard = v.shard and i.id = v.id",
        &with_shards(identity_ids),
        |row| {
            Ok(Described {
                identity_id: row.get(0)?,
                id: row.get(1)?,
                disregarded: row.flag(2)?,
                name: row.get(3)?,
                email: row.get(4)?,
                date_of_birth: None,
                address: None,
                verdict: row.get::<Option<i64>>(5)?.and_then(Verdict::from_code),
            })
        },
    )?;
    let found: HashSet<_> = described.iter().map(|one| one.identity_id).collect();
    let missing: Vec<_> = identity_ids.iter().copied().filter(|id| !found.contains(id)).collect();
    let deleted = tx.query_rows(
        "with v (shard, id) as (values {rows})
         select d.id from v join deleted_identities d on d.shard = v.shard and d.id = v.id",
        &with_shards(&missing),
        |row| row.get(0),
    )?;
    described.extend(deleted.into_iter().map(Described::deleted));
    Ok(described)
}
