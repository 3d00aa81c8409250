//! `dregs users`: people who sign in, worked on directly in the store. The way back in for whoever has lost the last
//! password.

use clap::{Args, Subcommand};

use super::existing::{Existing, OfTeam, Settings};
use super::output::{columns, line};
use super::{Failure, runtime};
use crate::clock::{Clock as _, SystemClock};
use crate::ops::access::sign_in;
use crate::ops::team::teams::{self, Ownership};
use crate::store::users::{self, Role, User};
use crate::vault::new_token;

#[derive(Args)]
#[command(after_help = "\
Works on the store of the settings in force, so where the data directory or the database can be
reached, whether the server runs or not.

Examples:
  dregs users list
  dregs users reset-password admin@localhost
  dregs users reset-second-factor admin@localhost
  dregs users add-owner ada@example.com         Let them create, rename and delete teams")]
pub struct Users {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List who signs in
    List {
        #[command(flatten)]
        of: OfTeam,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give somebody a new password and print it, this one time; their sessions end
    ResetPassword {
        /// Their e-mail address, as `dregs users list` shows it
        email: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Have somebody own the installation: they make, rename and delete its teams
    AddOwner {
        /// Their e-mail address, as `dregs users list` shows it
        email: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Have somebody no longer own the installation
    RemoveOwner {
        /// Their e-mail address, as `dregs users list` shows it
        email: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove the second factor of somebody, its recovery codes and their passkeys; their sessions end
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
            Action::List { of, settings } => runtime.block_on(list(&settings.open()?, of)),
            Action::AddOwner { email, settings } => {
                runtime.block_on(set_owner(&settings.open()?, &email, true))
            }
            Action::RemoveOwner { email, settings } => {
                runtime.block_on(set_owner(&settings.open()?, &email, false))
            }
            Action::ResetPassword { email, settings } => {
                runtime.block_on(reset_password(&settings.open()?, &email))
            }
            Action::ResetSecondFactor { email, settings } => {
                runtime.block_on(reset_second_factor(&settings.open()?, &email))
            }
        }
    }
}

async fn list(opened: &Existing, of: OfTeam) -> Result<(), Failure> {
    let mut found = opened.store.read(users::all).await.map_err(|error| opened.failed(&error))?;
    let teams = opened.teams().await?;
    if of.team.is_some() {
        let team = opened.team(of.team.as_deref()).await?;
        found.retain(|user| user.team_id == team.id);
    }
    if teams.len() < 2 {
        let heads = ["EMAIL", "ROLE", "NAME"].map(str::to_owned);
        let row = |user: &User| [user.email.clone(), role(user), name(user)];
        let rows: Vec<_> = [heads].into_iter().chain(found.iter().map(row)).collect();
        columns(&rows).iter().for_each(line);
        return Ok(());
    }
    let team =
        |id| teams.iter().find(|team| team.id == id).map_or_else(String::new, |team| team.name.clone());
    let heads = ["EMAIL", "TEAM", "ROLE", "OWNER", "NAME"].map(str::to_owned);
    let owner = |user: &User| if user.is_owner { "owner" } else { "" }.to_owned();
    let row = |user: &User| [user.email.clone(), team(user.team_id), role(user), owner(user), name(user)];
    let rows: Vec<_> = [heads].into_iter().chain(found.iter().map(row)).collect();
    columns(&rows).iter().for_each(line);
    Ok(())
}

/// As the dashboard and `--role` have it.
fn role(user: &User) -> String {
    if user.role == Role::User { "ANALYST" } else { user.role.as_text() }.to_owned()
}

fn name(user: &User) -> String {
    user.name.clone().unwrap_or_default()
}

async fn set_owner(opened: &Existing, email: &str, is_owner: bool) -> Result<(), Failure> {
    let set = teams::set_owner(&opened.store, email, is_owner, SystemClock.now()).await;
    match set.map_err(|error| opened.failed(&error))? {
        Ownership::Unknown => Err(nobody(email)),
        Ownership::Last => Err(Failure::Failed(format!(
            "nobody but {email} owns the installation: make somebody else an owner first, with `dregs users add-owner`"
        ))),
        Ownership::Set if is_owner => {
            line("They make, rename and delete teams now, in Settings, Teams.");
            Ok(())
        }
        Ownership::Set => {
            line("They no longer make, rename or delete teams.");
            Ok(())
        }
    }
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
    let had_any = reset.map_err(|error| opened.failed(&error))?.ok_or_else(|| nobody(email))?;
    line(if had_any {
        "The password alone signs in: the second factor and passkeys are removed, and all sessions of this person have ended."
    } else {
        "Nothing was changed: there is no second factor and no passkey, and the password alone signs in."
    });
    Ok(())
}

fn nobody(email: &str) -> Failure {
    Failure::Failed(format!("nobody signs in as {email}: `dregs users list` shows those who do"))
}
