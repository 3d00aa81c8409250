//! `dregs config`: what is in force.

use clap::Args;

use super::output::{columns, line};
use super::{Failure, load};
use crate::app::Parts;
use crate::config::{Flags, Loaded, show_only};

#[derive(Args)]
#[command(mut_args(show_only(&["config"])), after_help = "\
Every setting is in what this prints: deadline_ms is deadline_ms in dregs.toml and DREGS_DEADLINE_MS in the
environment. It takes the flags of the server as well, which are in `dregs help serve`: --deadline-ms. Flags win
over the environment, and that over the file. Secrets are masked.")]
pub struct ShowConfig {
    #[command(flatten)]
    flags: Flags,
}

impl ShowConfig {
    pub fn run(self) -> Result<(), Failure> {
        let Loaded { config, in_force, .. } = load(&self.flags)?;
        let rows: Vec<[String; 3]> = in_force
            .into_iter()
            .map(|setting| [setting.key.to_owned(), shown(setting.value), setting.origin])
            .collect();
        columns(&rows).iter().for_each(line);
        Parts::read(&config)?;
        Ok(())
    }
}

fn shown(value: Option<String>) -> String {
    value.filter(|value| !value.is_empty()).unwrap_or_else(|| "-".to_owned())
}
