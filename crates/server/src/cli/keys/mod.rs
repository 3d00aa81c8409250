//! `dregs keys`: credentials, worked on directly in the store.

mod reset_secrets;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::existing::{Existing, OfTeam, Settings};
use super::output::{columns, line};
use super::{Failure, load, runtime};
use crate::clock::{Clock as _, SystemClock};
use crate::ops::audit::Actor;
use crate::ops::team;
use crate::store::StoreError;
use crate::store::credentials::{self, Change, Credential};

#[derive(Args)]
#[command(after_help = "\
Works on the store of the settings in force, so where the data directory or the database can be
reached, whether the server runs or not; a running server follows within a second. Only
reset-secrets needs it stopped. From elsewhere: Settings in the dashboard, or /api/credentials.

Examples:
  dregs keys list
  dregs keys create Checkout --origin https://shop.example.com
  dregs keys create Checkout --team Staging     Where there are several teams
  dregs keys revoke 2
  dregs keys reset-secrets --lost-master-key    After the master key was lost")]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the credentials; secret keys are not kept and cannot be shown
    List {
        #[command(flatten)]
        of: OfTeam,
        #[command(flatten)]
        settings: Settings,
    },
    /// Make a credential and print its two keys, this one time
    Create {
        /// What it is for
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// A page that may send events with the public key, such as https://example.com
        #[arg(long = "origin", value_name = "URL", value_parser = origin)]
        origins: Vec<String>,
        #[command(flatten)]
        of: OfTeam,
        #[command(flatten)]
        settings: Settings,
    },
    /// Make both keys of a credential invalid
    Revoke {
        /// Its number, as `dregs keys list` shows it
        #[arg(value_name = "ID", value_parser = id)]
        id: i64,
        #[command(flatten)]
        settings: Settings,
    },
    /// Make a revoked credential valid again
    Enable {
        /// Its number, as `dregs keys list` shows it
        #[arg(value_name = "ID", value_parser = id)]
        id: i64,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give channels new signing secrets, where the master key that sealed the old ones is lost for good
    #[command(mut_arg("master_key_file", |arg| arg.hide(false)), after_help = "\
Stop every server on the database first. Without --lost-master-key this only says what cannot be read.")]
    ResetSecrets {
        /// Do it: what the lost key sealed is given up
        #[arg(long)]
        lost_master_key: bool,
        #[command(flatten)]
        settings: Settings,
    },
}

fn id(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "is not the number of a credential, as `dregs keys list` shows it".to_owned())
}

fn origin(text: &str) -> Result<String, String> {
    if team::credentials::is_origin(text) {
        return Ok(text.to_owned());
    }
    let is_page = url::Url::parse(text).is_ok_and(|url| url.has_host());
    let without_path = if is_page { ", without a path or a slash at the end" } else { "" };
    Err(format!("is not an origin such as https://example.com{without_path}"))
}

impl Keys {
    pub fn run(self) -> Result<(), Failure> {
        let runtime = runtime()?;
        match self.action {
            Action::List { of, settings } => runtime.block_on(list(&settings.open()?, of)),
            Action::Create { name, origins, of, settings } => {
                runtime.block_on(create(&settings.open()?, of, name, origins))
            }
            Action::Revoke { id, settings } => {
                runtime.block_on(set_enabled(&settings.open()?, id, Validity::Revoked))
            }
            Action::ResetSecrets { lost_master_key, settings } => {
                let config = load(&settings.flags)?.config;
                runtime.block_on(reset_secrets::run(&settings.open()?, &config, lost_master_key))
            }
            Action::Enable { id, settings } => {
                runtime.block_on(set_enabled(&settings.open()?, id, Validity::Valid))
            }
        }
    }
}

async fn list(opened: &Existing, of: OfTeam) -> Result<(), Failure> {
    let mut found = opened.store.read(credentials::all).await.map_err(|error| opened.failed(&error))?;
    let teams = opened.teams().await?;
    if of.team.is_some() {
        let team = opened.team(of.team.as_deref()).await?;
        found.retain(|credential| credential.team_id == team.id);
    }
    let heads = ["ID", "NAME", "STATE", "CREATED", "PUBLIC KEY", "ORIGINS"].map(str::to_owned);
    let rows = [heads].into_iter().chain(found.iter().map(row));
    if teams.len() < 2 {
        columns(&rows.collect::<Vec<_>>()).iter().for_each(line);
        return Ok(());
    }
    // Whose they are is worth a column where that is not plain.
    let name = |id| teams.iter().find(|team| team.id == id).map(|team| team.name.clone());
    let names = std::iter::once("TEAM".to_owned())
        .chain(found.iter().map(|credential| name(credential.team_id).unwrap_or_default()));
    let rows = rows
        .zip(names)
        .map(|([id, own, state, created, key, origins], team)| [id, team, own, state, created, key, origins]);
    columns(&rows.collect::<Vec<_>>()).iter().for_each(line);
    Ok(())
}

fn row(credential: &Credential) -> [String; 6] {
    let created: String = credential.created_at.to_string().chars().take("2026-11-23".len()).collect();
    [
        credential.id.to_string(),
        credential.name.clone(),
        if credential.enabled { "enabled" } else { "revoked" }.to_owned(),
        created,
        credential.public_key.clone(),
        credential.allowed_origins.join(" "),
    ]
}

async fn create(opened: &Existing, of: OfTeam, name: String, origins: Vec<String>) -> Result<(), Failure> {
    let team_id = opened.team(of.team.as_deref()).await?.id;
    let made = team::credentials::create(
        &opened.store,
        Actor::command_line(team_id),
        (name.clone(), origins),
        None,
        SystemClock.now(),
    )
    .await;
    let (credential, secret_key) = made.map_err(|error| match error {
        StoreError::Conflict => Failure::Failed(format!(
            "there is a credential called {name}, which may be revoked: take another name; `dregs keys list` shows them"
        )),
        error => opened.failed(&error),
    })?;
    line(format_args!("id          {}", credential.id));
    line(format_args!("public key  {}", credential.public_key));
    line(format_args!("secret key  {secret_key}"));
    line("");
    line("Keep the secret key: it is not shown again.");
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Validity {
    Valid,
    Revoked,
}

async fn set_enabled(opened: &Existing, id: i64, validity: Validity) -> Result<(), Failure> {
    let now = SystemClock.now();
    let change = Change { enabled: Some(validity == Validity::Valid), ..Change::default() };
    let failed = |error| opened.failed(&error);
    let unknown =
        || Failure::Failed(format!("there is no credential {id}: `dregs keys list` shows those there are"));
    let all = opened.store.read(credentials::all).await.map_err(failed)?;
    let known = all.iter().find(|credential| credential.id == id).ok_or_else(unknown)?;
    let actor = Actor::command_line(known.team_id);
    let changed = team::credentials::change(&opened.store, actor, id, change, now).await.map_err(failed)?;
    let credential = changed.ok_or_else(unknown)?;
    let state = if credential.enabled { "enabled" } else { "revoked" };
    line(format_args!("{} ({}) is {state}", credential.name, credential.public_key));
    Ok(())
}
