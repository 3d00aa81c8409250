//! The store of a server that has run before, for commands that have none to make and none to change.

use clap::Args;

use super::serve::{store_failure, store_name};
use super::{Failure, load};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Flags, STORE, show_only};
use crate::store::{Location, Store, StoreError};

// What says where the store is. No doc comment: it would be the help of each command that has it.
#[derive(Args)]
#[command(mut_args(show_only(&STORE)))]
pub(super) struct Settings {
    #[command(flatten)]
    pub flags: Flags,
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

    pub fn failed(&self, error: &StoreError) -> Failure {
        store_failure(&self.name, error)
    }
}
