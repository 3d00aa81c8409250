//! The teams of an installation: made, renamed and deleted.

use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use crate::ops::access::sign_in::normalise_email;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::team::credentials::{PUBLIC_PREFIX, SECRET_PREFIX, is_same_name};
use crate::ops::team::rules;
use crate::store::credentials::{self, NewCredential};
use crate::store::teams::{self, Summary};
use crate::store::users::{self, Role};
use crate::store::{Result, Store, StoreError, Tx, members, team_deletion};
use crate::vault::{new_token, token_hash};

/// What the first credential of a team is called.
const CREDENTIAL_NAME: &str = "Default";

/// A new team, and the keys of its first credential, of which nobody sees the secret one again.
pub struct Made {
    pub team: Summary,
    pub public_key: String,
    pub secret_key: String,
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    /// What was typed is not the team's name.
    OtherName,
    /// There would be none.
    LastTeam,
    /// It is the one in which the actor is.
    Chosen,
    /// Nobody would be left who owns the installation.
    LastOwner,
}

type Outcome<T> = Result<std::result::Result<T, Refusal>>;

/// Makes a team with its first credential and the rules that every team begins with.
///
/// # Errors
/// Those of the store.
pub fn fill(tx: &mut Tx, name: &str, credential: &NewCredential, now: Timestamp) -> Result<i64> {
    let team_id = users::insert_team(tx, name, now)?;
    credentials::insert(tx, team_id, credential, now)?;
    rules::starter(tx, team_id, now)?;
    Ok(team_id)
}

/// Makes a team, of which `admin` is one, if that is somebody. The log of the new team says so, as whose actor's team it
/// counts.
///
/// # Errors
/// Those of the store; a conflict where another team has the name.
pub async fn create(
    store: &Store,
    actor: Actor,
    admin: Option<i64>,
    name: String,
    now: Timestamp,
) -> Result<Made> {
    let (public_key, secret_key) = (new_token(PUBLIC_PREFIX), new_token(SECRET_PREFIX));
    let credential = NewCredential {
        name: CREDENTIAL_NAME.into(),
        public_key: public_key.clone(),
        secret_hash: token_hash(&secret_key),
        allowed_origins: Vec::new(),
        rate_per_second: None,
    };
    let team = store
        .write(move |tx| {
            let first = users::first_team(tx)?.unwrap_or_default();
            bounds::TEAMS.check_team(tx, first)?;
            check_name(tx, None, &name)?;
            let id = fill(tx, &name, &credential, now)?;
            if let Some(user_id) = admin {
                members::insert(tx, id, user_id, Role::Admin, now)?;
            }
            let actor = Actor { team_id: id, ..actor.clone() };
            record(tx, &actor, "team.create", id, (None, Some(json!({ "name": name }))), now)?;
            let members = i64::from(admin.is_some());
            Ok(Summary { id, name: name.clone(), created_at: now, members })
        })
        .await?;
    Ok(Made { team, public_key, secret_key })
}

/// Gives a team another name, which its own log says.
///
/// # Errors
/// Those of the store; a conflict where another team has the name.
pub async fn rename(store: &Store, actor: Actor, id: i64, name: String, now: Timestamp) -> Outcome<Summary> {
    store
        .write(move |tx| {
            let Some(before) = hold(tx)?.into_iter().find(|team| team.id == id) else {
                return Ok(Err(Refusal::NotFound));
            };
            check_name(tx, Some(id), &name)?;
            let team = teams::get(tx, id)?;
            teams::update(tx, &teams::Team { name: name.clone(), ..team })?;
            let actor = Actor { team_id: id, ..actor.clone() };
            let change = (Some(json!({ "name": before.name })), Some(json!({ "name": name })));
            record(tx, &actor, "team.change", id, change, now)?;
            Ok(Ok(Summary { name: name.clone(), ..before }))
        })
        .await
}

/// Deletes a team, whose name was typed. Its keys and sessions end at once, on other nodes within two seconds, and its rows
/// go in the background. The log of the actor's team says so.
///
/// # Errors
/// Those of the store.
pub async fn delete(store: &Store, actor: Actor, id: i64, typed: String, now: Timestamp) -> Outcome<()> {
    store
        .write(move |tx| {
            let all = hold(tx)?;
            let Some(team) = all.iter().find(|team| team.id == id) else {
                return Ok(Err(Refusal::NotFound));
            };
            if typed.trim() != team.name.trim() {
                return Ok(Err(Refusal::OtherName));
            }
            if all.len() == 1 {
                return Ok(Err(Refusal::LastTeam));
            }
            if id == actor.team_id {
                return Ok(Err(Refusal::Chosen));
            }
            let mut owners = users::count_owners(tx)?;
            for user in users::of_team(tx, id)?.into_iter().filter(|user| user.is_owner) {
                owners -= i64::from(members::of_user(tx, user.id)?.len() == 1);
            }
            if owners == 0 {
                return Ok(Err(Refusal::LastOwner));
            }
            team_deletion::begin(tx, id, now)?;
            record(tx, &actor, "team.delete", id, (Some(json!({ "name": team.name })), None), now)?;
            Ok(Ok(()))
        })
        .await
}

/// What became of making somebody an owner of the installation, or no longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    Set,
    /// Nobody has this address.
    Unknown,
    /// Nobody else owns it.
    Last,
}

/// Makes somebody an owner of the installation, or no longer one, for whoever works on the store itself.
///
/// # Errors
/// Those of the store.
pub async fn set_owner(store: &Store, email: &str, is_owner: bool, now: Timestamp) -> Result<Ownership> {
    let email = normalise_email(email);
    store
        .write(move |tx| {
            hold(tx)?;
            let Some(user) = users::find_by_email(tx, &email)? else { return Ok(Ownership::Unknown) };
            if !is_owner && user.is_owner && users::count_owners(tx)? == 1 {
                return Ok(Ownership::Last);
            }
            users::set_owner(tx, user.id, is_owner)?;
            let act = Act {
                action: if is_owner { "owner.add" } else { "owner.remove" },
                target_type: "user",
                target_id: &user.id.to_string(),
                before: None,
                after: Some(json!({ "email": user.email })),
            };
            audit::record(tx, &Actor::command_line(user.team_id), &act, now)?;
            Ok(Ownership::Set)
        })
        .await
}

/// Every team. Nobody else makes, renames or deletes one until the transaction has ended.
fn hold(tx: &mut Tx) -> Result<Vec<Summary>> {
    let first = users::first_team(tx)?.unwrap_or_default();
    teams::lock(tx, first)?;
    teams::all(tx)
}

/// Commands name a team: those who own the installation give no two the same name.
fn check_name(tx: &mut Tx, own: Option<i64>, name: &str) -> Result<()> {
    let all = teams::all(tx)?;
    let is_taken = all.iter().any(|team| Some(team.id) != own && is_same_name(&team.name, name));
    if is_taken { Err(StoreError::Conflict) } else { Ok(()) }
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: i64,
    (before, after): (Option<Value>, Option<Value>),
    now: Timestamp,
) -> Result<()> {
    let act = Act { action, target_type: "team", target_id: &id.to_string(), before, after };
    audit::record(tx, actor, &act, now)
}
