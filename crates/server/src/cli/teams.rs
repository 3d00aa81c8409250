//! `dregs teams`: the teams of the installation and who is in them, worked on directly in the store.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::existing::{Existing, Settings};
use super::output::{columns, counted, line};
use super::{Failure, runtime};
use crate::clock::{Clock as _, SystemClock};
use crate::ops::access::sign_in;
use crate::ops::audit::Actor;
use crate::ops::team::members;
use crate::ops::team::teams::{self, Made, Refusal};
use crate::store::StoreError;
use crate::store::teams::Summary;
use crate::store::users::{self, Role};
use crate::vault::new_token;

#[derive(Args)]
#[command(after_help = "\
A team has everything of its own: people, keys, channels, rules, and whatever its events bring.
Works on the store of the settings in force, so where the data directory or the database can be
reached, whether the server runs or not; a running server follows within two seconds.

Examples:
  dregs teams list
  dregs teams add Staging                       Make a team, and print the keys of its first credential
  dregs teams add-member Staging ada@example.com --role admin
  dregs teams delete Staging                    With everything that it has, for good")]
pub struct Teams {
    #[command(subcommand)]
    action: Action,
}

const LAST_OWNER: &str =
    "nobody else owns the installation: make somebody an owner first, with `dregs users add-owner`";

// The settings stand last in each: what follows them would stand under their heading in the help.
#[derive(Subcommand)]
enum Action {
    /// List the teams
    List(Settings),
    /// Make a team and print the two keys of its first credential, this one time
    Add {
        /// What it is called, which no other team is
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give a team another name
    Rename {
        /// Its name or number, as `dregs teams list` shows them
        team: String,
        /// What it is called from now on
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Delete a team for good, with everything that it has
    Delete {
        /// Its whole name, as `dregs teams list` shows it
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Add somebody to a team; whoever does not sign in yet gets a password, which is printed this one time
    AddMember {
        /// Its name or number, as `dregs teams list` shows them
        team: String,
        /// Their e-mail address
        email: String,
        /// What they may do there
        #[arg(long, value_enum, ignore_case = true)]
        role: RoleName,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove somebody from a team; their other teams they keep
    RemoveMember {
        /// Its name or number, as `dregs teams list` shows them
        team: String,
        /// Their e-mail address, as `dregs users list` shows it
        email: String,
        #[command(flatten)]
        settings: Settings,
    },
}

/// As the dashboard calls them.
#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Admin,
    // As the API calls it, USER.
    #[value(alias = "user")]
    Analyst,
    Viewer,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Analyst => Self::User,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

impl Teams {
    pub fn run(self) -> Result<(), Failure> {
        let runtime = runtime()?;
        match self.action {
            Action::List(settings) => runtime.block_on(list(&settings.open()?)),
            Action::Add { name, settings } => runtime.block_on(add(&settings.open()?, name)),
            Action::Rename { team, name, settings } => {
                runtime.block_on(rename(&settings.open()?, &team, name))
            }
            Action::Delete { name, settings } => runtime.block_on(delete(&settings.open()?, name)),
            Action::AddMember { team, email, role, settings } => {
                runtime.block_on(add_member(&settings.open()?, &team, &email, role.into()))
            }
            Action::RemoveMember { team, email, settings } => {
                runtime.block_on(remove_member(&settings.open()?, &team, &email))
            }
        }
    }
}

async fn list(opened: &Existing) -> Result<(), Failure> {
    let heads = ["ID", "NAME", "MEMBERS", "CREATED"].map(str::to_owned);
    let all = opened.teams().await?;
    let rows: Vec<_> = [heads].into_iter().chain(all.iter().map(row)).collect();
    columns(&rows).iter().for_each(line);
    Ok(())
}

fn row(team: &Summary) -> [String; 4] {
    let created: String = team.created_at.to_string().chars().take("2026-11-23".len()).collect();
    [team.id.to_string(), team.name.clone(), team.members.to_string(), created]
}

async fn add(opened: &Existing, name: String) -> Result<(), Failure> {
    // Where there is none, the first start makes it, with somebody who may sign in.
    let first = opened.teams().await?.first().map(|team| team.id);
    let Some(first) = first else { return opened.team(None).await.map(drop) };
    let actor = Actor::command_line(first);
    let made = teams::create(&opened.store, actor, None, name.trim().to_owned(), SystemClock.now()).await;
    let Made { team, public_key, secret_key } = made.map_err(|error| taken(opened, &name, &error))?;
    line(format_args!("id          {}", team.id));
    line(format_args!("public key  {public_key}"));
    line(format_args!("secret key  {secret_key}"));
    line("");
    line(
        "Keep the secret key: it is not shown again. Nobody is in the team yet: `dregs teams add-member` adds people.",
    );
    Ok(())
}

fn taken(opened: &Existing, name: &str, error: &StoreError) -> Failure {
    match error {
        StoreError::Conflict => Failure::Failed(format!("there is a team called {name}: take another name")),
        error => opened.failed(error),
    }
}

async fn rename(opened: &Existing, named: &str, name: String) -> Result<(), Failure> {
    let team = opened.team(Some(named)).await?;
    let (actor, now) = (Actor::command_line(team.id), SystemClock.now());
    let renamed = teams::rename(&opened.store, actor, team.id, name.trim().to_owned(), now).await;
    let renamed = renamed.map_err(|error| taken(opened, &name, &error))?.map_err(refused)?;
    line(format_args!("{} is called {} now", team.name, renamed.name));
    Ok(())
}

async fn delete(opened: &Existing, name: String) -> Result<(), Failure> {
    let team = opened.team(Some(&name)).await?;
    // Another team's log says so: its own goes with it.
    let others = opened.teams().await?;
    let log = others.iter().map(|team| team.id).filter(|id| *id != team.id).min();
    let actor = Actor::command_line(log.unwrap_or_default());
    let deleted = teams::delete(&opened.store, actor, team.id, name, SystemClock.now()).await;
    deleted.map_err(|error| opened.failed(&error))?.map_err(refused)?;
    let people = counted(team.members.unsigned_abs(), "member");
    line(format_args!("{}, with {people}, is deleted: its keys no longer work.", team.name));
    line("What it has is removed in the background, by the server that runs, or when one is started.");
    Ok(())
}

fn refused(refusal: Refusal) -> Failure {
    Failure::Failed(match refusal {
        Refusal::NotFound => "the team is gone".into(),
        Refusal::OtherName => "say the whole name of the team, as `dregs teams list` shows it".into(),
        Refusal::LastTeam | Refusal::Chosen => "it is the only team: make another one first".into(),
        Refusal::LastOwner => LAST_OWNER.into(),
    })
}

async fn add_member(opened: &Existing, named: &str, email: &str, role: Role) -> Result<(), Failure> {
    if !email.contains('@') {
        return Err(Failure::Misused(format!("\"{email}\" is no e-mail address")));
    }
    let team = opened.team(Some(named)).await?;
    let password = new_token("");
    let hash = sign_in::hash_password(&password).map_err(Failure::Failed)?;
    let (actor, now) = (Actor::command_line(team.id), SystemClock.now());
    let added = members::add(&opened.store, actor, email, role, hash, now).await;
    let is_new = added.map_err(|error| opened.failed(&error))?.map_err(|refusal| not_done(refusal, email))?;
    line(format_args!("{email} is in {} now", team.name));
    if is_new {
        line(format_args!("password  {password}"));
        line("");
        line("It is not shown again: change it in Settings, Account.");
    }
    Ok(())
}

async fn remove_member(opened: &Existing, named: &str, email: &str) -> Result<(), Failure> {
    let team = opened.team(Some(named)).await?;
    let (id, address) = (team.id, sign_in::normalise_email(email));
    let people =
        opened.store.read(move |tx| users::of_team(tx, id)).await.map_err(|error| opened.failed(&error))?;
    let Some(user) = people.into_iter().find(|user| user.email == address) else {
        return Err(not_done(members::Refusal::NotFound, email));
    };
    let actor = Actor::command_line(team.id);
    let removed = members::remove(&opened.store, actor, user.id, SystemClock.now()).await;
    removed.map_err(|error| opened.failed(&error))?.map_err(|refusal| not_done(refusal, email))?;
    line(format_args!("{email} is no longer in {}", team.name));
    Ok(())
}

fn not_done(refusal: members::Refusal, email: &str) -> Failure {
    Failure::Failed(match refusal {
        members::Refusal::NotFound => {
            format!("{email} is not in the team: `dregs users list` shows who is in which")
        }
        members::Refusal::LastAdmin => {
            format!("{email} is the only admin of the team: make somebody else one first")
        }
        members::Refusal::LastOwner => LAST_OWNER.into(),
        members::Refusal::EmailTaken => format!("{email} is in the team already"),
    })
}
