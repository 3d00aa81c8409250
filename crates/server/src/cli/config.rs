//! `dregs config`: what is in force.

use clap::Args;

use super::output::{columns, line};
use super::{Failure, load};
use crate::app::Parts;
use crate::config::{Flags, Loaded, show_only};

#[derive(Args)]
#[command(mut_args(show_only(&["config"])), after_help = "\
Every setting is in what this prints: deadline_ms is deadline_ms in dregs.toml and DREGS_DEADLINE_MS in the
environment. What stands in brackets explains a value, and is no part of it. It takes the flags of the server as
well, which are in `dregs help serve`: --deadline-ms. Flags win over the environment, and that over the file.
Secrets are masked.")]
pub struct ShowConfig {
    #[command(flatten)]
    flags: Flags,
}

impl ShowConfig {
    pub fn run(self) -> Result<(), Failure> {
        let Loaded { config, in_force, .. } = load(&self.flags)?;
        let rows: Vec<[String; 3]> = in_force
            .into_iter()
            .map(|setting| [setting.key.to_owned(), shown(setting.key, setting.value), setting.origin])
            .collect();
        columns(&rows).iter().for_each(line);
        Parts::read(&config)?;
        Ok(())
    }
}

/// A value, and what it means where that is not to be seen.
fn shown(key: &str, value: Option<String>) -> String {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return "-".to_owned() };
    let meaning = match (key, value.as_str()) {
        ("disable_after_hours", "0") => "never",
        ("draw_per_week", "0") => "none",
        ("monthly_event_quota" | "credential_rate_per_second" | "address_rate_per_second", "0") => "no limit",
        ("retry_schedule", schedule) if schedule != "standard" => "seconds",
        _ => return value,
    };
    format!("{value} ({meaning})")
}
