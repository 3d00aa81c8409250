//! What a server takes of the processor when nothing happens, however much a team has set up.

use std::time::Duration;

use dregs_core::shard::SHARDS;

use crate::error::Result;
use crate::population::Place;
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};

const SCENARIO: &str = "idle";
/// Of one processor.
const TARGET_PERCENT: f64 = 0.5;
const ENTRIES: u64 = 200_000;
const RULES: u64 = 1_000;
const DEVICES: u64 = 10_000;
/// What is done at a start is over.
const SETTLE: Duration = Duration::from_secs(5);

/// Measures for so long.
pub async fn run(setting: &Setting, time: Duration, report: &mut Report) -> Result<()> {
    let rig = Rig::start(setting, Store::Sqlite, &[]).await?;
    let rig = rig.refilled(setting, set_up).await?;
    tokio::time::sleep(SETTLE).await;
    let before = rig.bare.server.usage()?;
    tokio::time::sleep(time).await;
    let used = rig.bare.server.usage()?.since(before);
    let percent = 100.0 * used.processor.as_secs_f64() / time.as_secs_f64();
    let what = format!("{ENTRIES} dataset entries, {RULES} rules, {DEVICES} disregarded devices");
    report.add(Row::new(SCENARIO, what, percent, Unit::Percent).target(Target::Most(TARGET_PERCENT)));
    Ok(())
}

async fn set_up(place: Place) -> Result<()> {
    place
        .run(vec![
            format!(
                "insert into dataset_entries (team_id, dataset, value, included, created_at)
             select 1, 'disposable-email-domains', 'domain-' || i || '.test', 1, 0 from {{series {ENTRIES}}}"
            ),
            format!(
                "insert into badge_rules (team_id, revision, enabled, name, slug, type, priority, conditions,
               apply_delay_seconds, remove_delay_seconds, created_at, updated_at)
             select team_id, 1, 1, 'Rule ' || i, 'rule-' || i, type, priority, conditions, 0, 0, 0, 0
             from {{series {RULES}}} join badge_rules on id = (select min(id) from badge_rules)"
            ),
            format!(
                "insert into devices (id, shard, team_id, fingerprint, first_seen_at, last_seen_at, disregarded)
             select i * {SHARDS} + i % {SHARDS}, i % {SHARDS}, 1, 'fp-' || i, 0, 0, 1 from {{series {DEVICES}}}"
            ),
        ])
        .await
}
