//! Shards: where rows are once the tables are spread over machines.
//!
//! Rows about one identity have the shard of the identity, rows about a device, a group or a key have its own. An id
//! carries the shard of its row: it is a number that grows times [`SHARDS`], plus the shard. On one machine a shard
//! changes nothing.

/// How many there are, for ever: the last ten bits of an id.
pub const SHARDS: i64 = 1 << 10;

/// The shard of the row with this id, or with this keyed hash: from 0 to [`SHARDS`] - 1.
pub const fn of(id: i64) -> i64 {
    id & (SHARDS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_a_hash_have_a_shard() {
        for (id, shard) in
            [(0, 0), (7 * SHARDS + 5, 5), (-1, SHARDS - 1), (i64::MIN, 0), (i64::MAX, SHARDS - 1)]
        {
            assert_eq!(of(id), shard);
        }
    }
}
