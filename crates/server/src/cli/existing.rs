//! The store of a server that has run before, for commands that have none to make and none to change.

use clap::Args;

use super::serve::{not_a_file, store_failure, store_name};
use super::{Failure, load};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Flags, STORE, show_only};
use crate::ops::team::credentials::is_same_name;
use crate::store::teams::{self, Summary};
use crate::store::{Location, Store, StoreError};

// What says where the store is. No doc comment: it would be the help of each command that has it.
#[derive(Args)]
#[command(mut_args(show_only(&STORE)))]
pub(super) struct Settings {
    #[command(flatten)]
    pub flags: Flags,
}

// The team that a command is about. No doc comment, as above.
#[derive(Args)]
pub(super) struct OfTeam {
    /// The team, where there are several: its name or number, as `dregs teams list` shows them
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
}

impl Settings {
    pub fn open(self) -> Result<Existing, Failure> {
        Existing::open(&load(&self.flags)?.config)
    }
}

/// A store, and what to call it in an error.
pub(super) struct Existing {
    pub store: Store,
    pub name: String,
}

impl Existing {
    /// Opens the store that the settings name, which has to be there, with all its tables.
    pub fn open(config: &Config) -> Result<Self, Failure> {
        let (location, name) = (app::location(config), store_name(config));
        let (flag, is_there) = match &location {
            Location::File(path) => ("--data-dir", path.exists()),
            Location::Postgres(_) => ("--database-url", true),
        };
        if let Location::File(_) = location {
            not_a_file(&config.data_dir, "data_dir", flag)?;
        }
        if !is_there {
            return Err(Failure::Failed(format!(
                "{name} is not there: start the server once, which makes it, or choose another with {flag}"
            )));
        }
        let unapplied = Store::unapplied(&location).map_err(|error| store_failure(&name, &error))?;
        if let Some(first) = unapplied.first() {
            let problem = match first.is_initial() {
                true => format!(
                    "holds no tables of dregs: start the server once, which makes them, or choose another with {flag}"
                ),
                false => "is of another version: run `dregs migrate` first".to_owned(),
            };
            return Err(Failure::Failed(format!("{name} {problem}")));
        }
        match Store::open(&location, SystemClock.now()) {
            Ok(store) => Ok(Self { store, name }),
            Err(error) => Err(store_failure(&name, &error)),
        }
    }

    /// Every team.
    pub async fn teams(&self) -> Result<Vec<Summary>, Failure> {
        self.store.read(teams::all).await.map_err(|error| self.failed(&error))
    }

    /// The team that was named; the only one where none was.
    pub async fn team(&self, named: Option<&str>) -> Result<Summary, Failure> {
        let mut all = self.teams().await?;
        let names: Vec<_> = all.iter().map(|team| format!("\"{}\"", team.name)).collect();
        let names = names.join(", ");
        if let Some(named) = named {
            all.retain(|team| is_same_name(&team.name, named) || named.parse() == Ok(team.id));
        }
        match (&all[..], named) {
            ([_], _) => Ok(all.remove(0)),
            ([], None) => Err(Failure::Failed(format!(
                "{} is empty: start the server once, it makes the first team and its keys",
                self.name
            ))),
            ([], Some(named)) => {
                Err(Failure::Failed(format!("there is no team \"{named}\"; there are {names}")))
            }
            (_, None) => {
                Err(Failure::Misused(format!("there are several teams: name one of {names} with --team")))
            }
            (_, Some(named)) => Err(Failure::Failed(format!(
                "several teams are called \"{named}\": say its number, as `dregs teams list` shows it"
            ))),
        }
    }

    pub fn failed(&self, error: &StoreError) -> Failure {
        store_failure(&self.name, error)
    }
}
