//! Analyses of simulated people as the store keeps them, a file each: what its dictionary is trained on.

use std::fs;
use std::path::Path;

use dregs_core::score::Scores;
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::figures::Error;
use crate::innocents::run::new_team;
use crate::simulator;
use crate::stage::Stage;
use crate::stage::sources::Sources;

const SEED: u64 = 20_261_127;
/// Enough for a dictionary of some ten KiB.
const SAMPLES_MAX: usize = 8_000;

/// Writes samples to `folder`.
pub fn write(packages: &Path, folder: &Path) -> Result<(), Error> {
    let sources = Sources::unseen(packages)?;
    let mut stage = Stage::new(&sources, SEED, "user_", i64::MAX);
    simulator::enter(&mut stage);
    let (events, _) = stage.finish();
    let every = events.len().div_ceil(SAMPLES_MAX);
    let mut samples = Vec::new();
    let mut last: Option<Scores> = None;
    let mut team = new_team();
    for (at, (arrives_at, event)) in events.into_iter().enumerate() {
        team.take(&event, Timestamp::from_millis(arrives_at), &mut |decided| {
            if decided.observations.is_empty() || !at.is_multiple_of(every) {
                return;
            }
            let before = last.replace(*decided.scores);
            let (observations, badges) = (decided.observations, &decided.decision.after.badges);
            samples.push(json!({"previousScores": before, "observations": observations, "badges": badges}));
        });
    }
    fs::create_dir_all(folder)?;
    for (number, sample) in samples.into_iter().take(SAMPLES_MAX).enumerate() {
        fs::write(folder.join(format!("{number:05}.json")), sample.to_string())?;
    }
    Ok(())
}
