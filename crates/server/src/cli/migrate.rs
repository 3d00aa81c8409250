//! `dregs migrate`: the tables as this version needs them.

use clap::Args;

use super::output::{line, note};
use super::serve::{check_data_dir, store_failure, store_name};
use super::{Failure, load};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Flags, STORE, show_only};
use crate::store::{Location, Store};

/// What spreads tables.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Cluster {
    Citus,
}

#[derive(Args)]
#[command(mut_args(show_only(&STORE)), after_help = "\
The server does this by itself when it starts. Run it before, where several servers share a database
and a migration should have ended before the first of them starts.

Examples:
  dregs migrate --check                         Exit with 1 if there is something to do
  dregs migrate --database-url postgres://dregs@localhost/dregs
  dregs migrate --distribute citus              Spread the tables over a Citus cluster, servers stopped")]
pub struct Migrate {
    /// Only say what would be done
    #[arg(long)]
    check: bool,
    /// Spread the tables over the machines of a cluster, for good
    #[arg(long, value_name = "ENGINE", conflicts_with = "check")]
    distribute: Option<Cluster>,
    #[command(flatten)]
    flags: Flags,
}

impl Migrate {
    pub fn run(self) -> Result<(), Failure> {
        let config = load(&self.flags)?.config;
        let location = app::location(&config);
        let name = store_name(&config);
        let failed = |error| store_failure(&name, &error);
        if let Some(Cluster::Citus) = self.distribute {
            let Location::Postgres(url) = &location else {
                let hint = "--distribute needs a cluster: name its coordinator with --database-url";
                return Err(Failure::Misused(hint.into()));
            };
            let is_new = Store::spread_over_citus(url, SystemClock.now()).map_err(failed)?;
            let how = if is_new { "now" } else { "already" };
            line(format_args!("the tables of {name} are spread over the cluster {how}"));
            return Ok(());
        }
        if let Location::File(path) = &location {
            if self.check && !path.exists() {
                note(format_args!("dregs: there is no database at {} yet", path.display()));
                return Err(Failure::Silent);
            }
            check_data_dir(&config.data_dir)?;
        }
        let unapplied = Store::unapplied(&location).map_err(failed)?;
        if unapplied.is_empty() {
            line(format_args!("{name} is up to date"));
            return Ok(());
        }
        if !self.check {
            Store::open(&location, SystemClock.now()).map_err(failed)?;
        }
        let verb = if self.check { "missing" } else { "applied" };
        unapplied.iter().for_each(|migration| line(format_args!("{verb}  {}", migration.name)));
        if self.check { Err(Failure::Silent) } else { Ok(()) }
    }
}
