//! How evenly shards fill. A dry run: rows are named, and nothing is stored.

use dregs_core::link::{KeyHasher, KeyKind, LinkKey};
use dregs_core::shard::{self, SHARDS};

use crate::events::{device, identity};
use crate::report::{Report, Row, Target, Unit};

const SCENARIO: &str = "shards";
/// Of ten million, chance alone puts 3.4% more than the mean into the fullest of 1,024.
const FULLEST_MOST: f64 = 1.05;

/// Names the rows of so many identities, and of the devices they have.
pub fn run(identities: u64, report: &mut Report) {
    let hasher = KeyHasher::new([0; 16]);
    let key = |value: String| shard::of(hasher.hash(&LinkKey { kind: KeyKind::Device, value }));
    let tables: [(&str, &dyn Fn(u64) -> i64); 3] = [
        ("identities", &|number| hasher.shard(1, &[&identity(number)])),
        ("devices", &|number| hasher.shard(1, &[&device(number)])),
        ("keys", &|number| key(device(number))),
    ];
    for (table, shard_of) in tables {
        let mut rows = vec![0_u64; SHARDS as usize];
        for number in 0..identities {
            if let Some(rows) = usize::try_from(shard_of(number)).ok().and_then(|shard| rows.get_mut(shard)) {
                *rows += 1;
            }
        }
        let mean = identities as f64 / SHARDS as f64;
        let least = rows.iter().min().copied().unwrap_or_default();
        let most = rows.iter().max().copied().unwrap_or_default();
        let what = |which: &str| {
            format!("{table} of {identities} users, the {which} of {SHARDS} shards against the mean")
        };
        report.add(Row::new(SCENARIO, what("emptiest"), least as f64 / mean, Unit::Times));
        report.add(
            Row::new(SCENARIO, what("fullest"), most as f64 / mean, Unit::Times)
                .target(Target::Most(FULLEST_MOST)),
        );
    }
}
