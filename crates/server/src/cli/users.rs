//! `dregs users`: people who sign in, worked on directly in the store. The way back in for whoever has lost the last
//! password.

use clap::{Args, Subcommand};

use super::existing::{Existing, Settings};
use super::output::{columns, line};
use super::{Failure, runtime};
use crate::clock::{Clock as _, SystemClock};
use crate::ops::access::sign_in;
use crate::store::users::{self, User};
use crate::vault::new_token;

#[derive(Args)]
#[command(after_help = "\
Works on the store of the settings in force, so where the data directory or the database can be
reached, whether the server runs or not.

Examples:
  dregs users list
  dregs users reset-password admin@localhost
  dregs users reset-second-factor admin@localhost")]
pub struct Users {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List who signs in
    List(Settings),
    /// Give somebody a new password and print it, this one time; their sessions end
    ResetPassword {
        /// Their e-mail address, as `dregs users list` shows it
        email: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove the second factor of somebody who has lost it, with its recovery codes; their sessions end
    ResetSecondFactor {
        /// Their e-mail address, as `dregs users list` shows it
        email: String,
        #[command(flatten)]
        settings: Settings,
    },
}

impl Users {
    pub fn run(self) -> Result<(), Failure> {
        let runtime = runtime()?;
        match self.action {
            Action::List(settings) => runtime.block_on(list(&settings.open()?)),
            Action::ResetPassword { email, settings } => {
                runtime.block_on(reset_password(&settings.open()?, &email))
            }
            Action::ResetSecondFactor { email, settings } => {
                runtime.block_on(reset_second_factor(&settings.open()?, &email))
            }
        }
    }
}

async fn list(opened: &Existing) -> Result<(), Failure> {
    let found = opened.store.read(users::all).await.map_err(|error| opened.failed(&error))?;
    let heads = ["EMAIL", "ROLE", "NAME"].map(str::to_owned);
    let rows: Vec<_> = [heads].into_iter().chain(found.iter().map(row)).collect();
    columns(&rows).iter().for_each(line);
    Ok(())
}

fn row(user: &User) -> [String; 3] {
    [user.email.clone(), user.role.as_text().to_owned(), user.name.clone().unwrap_or_default()]
}

async fn reset_password(opened: &Existing, email: &str) -> Result<(), Failure> {
    let password = new_token("");
    let hash = sign_in::hash_password(&password).map_err(Failure::Failed)?;
    let reset = sign_in::reset_password(&opened.store, email, hash, SystemClock.now()).await;
    if !reset.map_err(|error| opened.failed(&error))? {
        return Err(nobody(email));
    }
    line(format_args!("password  {password}"));
    line("");
    line("It is not shown again: change it in Settings, Account. All sessions of this person have ended.");
    Ok(())
}

async fn reset_second_factor(opened: &Existing, email: &str) -> Result<(), Failure> {
    let reset = sign_in::reset_second_factor_of(&opened.store, email, SystemClock.now()).await;
    if !reset.map_err(|error| opened.failed(&error))? {
        return Err(nobody(email));
    }
    line(
        "The second factor is removed: the password alone signs in, and all sessions of this person have ended.",
    );
    Ok(())
}

fn nobody(email: &str) -> Failure {
    Failure::Failed(format!("nobody signs in as {email}: `dregs users list` shows those who do"))
}
