//! The people of a team: invited, joined, promoted, removed.

use std::net::IpAddr;

use dregs_core::label::Reasons;
use dregs_core::rules::DueMinutes;
use dregs_core::time::{DAY_MS, Timestamp};
use serde_json::{Value, json};

use crate::ops::access::sign_in::{SignIns, normalise_email};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::decide::assignment;
use crate::store::teams::{self, Invitation, Team};
use crate::store::users::{self, Role, User};
use crate::store::{Result, Store, StoreError, Tx, members};
use crate::vault::{new_token, token_hash};

/// How long an invitation holds.
const INVITATION_MS: i64 = 7 * DAY_MS;

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    /// Nobody would be left to manage the team.
    LastAdmin,
    /// Nobody would be left who owns the installation.
    LastOwner,
    /// Somebody in the team has this e-mail address.
    EmailTaken,
}

type Outcome<T> = Result<std::result::Result<T, Refusal>>;

/// What to change about a team.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    pub name: Option<String>,
    pub label_reasons: Option<Reasons>,
    pub second_factor_required: Option<bool>,
    pub due_minutes: Option<DueMinutes>,
}

/// Renames the team, or changes the reasons that it offers, what it requires, or when its escalations are due.
///
/// # Errors
/// Those of the store.
pub async fn change_team(store: &Store, actor: Actor, change: TeamChange, now: Timestamp) -> Result<Team> {
    store
        .write(move |tx| {
            let before = teams::get(tx, actor.team_id)?;
            let (mut was, mut is) = (json!({}), json!({}));
            if let Some(name) = &change.name {
                (was["name"], is["name"]) = (json!(before.name), json!(name));
            }
            if let Some(reasons) = &change.label_reasons {
                (was["labelReasons"], is["labelReasons"]) = (json!(before.label_reasons), json!(reasons));
            }
            if let Some(required) = change.second_factor_required {
                was["secondFactorRequired"] = json!(before.second_factor_required);
                is["secondFactorRequired"] = json!(required);
            }
            if let Some(minutes) = &change.due_minutes {
                (was["dueMinutes"], is["dueMinutes"]) = (json!(before.due_minutes), json!(minutes));
            }
            let after = Team {
                name: change.name.clone().unwrap_or_else(|| before.name.clone()),
                label_reasons: change.label_reasons.clone().unwrap_or_else(|| before.label_reasons.clone()),
                second_factor_required: change
                    .second_factor_required
                    .unwrap_or(before.second_factor_required),
                due_minutes: change.due_minutes.unwrap_or(before.due_minutes),
                ..before
            };
            teams::update(tx, &after)?;
            record(tx, &actor, "team.change", "team", after.id, (Some(was), Some(is)), now)?;
            Ok(after)
        })
        .await
}

/// Gives a person another role. Of a viewer no escalation is left.
///
/// # Errors
/// Those of the store.
pub async fn set_role(
    store: &Store,
    actor: Actor,
    user_id: i64,
    role: Role,
    now: Timestamp,
) -> Outcome<User> {
    store
        .write(move |tx| {
            teams::lock(tx, actor.team_id)?;
            let Some(user) = users::find(tx, actor.team_id, user_id)? else {
                return Ok(Err(Refusal::NotFound));
            };
            if role != Role::Admin && is_last_admin(tx, &user)? {
                return Ok(Err(Refusal::LastAdmin));
            }
            members::set_role(tx, user.team_id, user.id, role)?;
            if role == Role::Viewer {
                assignment::let_go(tx, &actor, &user.email, now)?;
            }
            let after = User { role, ..user.clone() };
            record(tx, &actor, "member.change", "member", user.id, (told(&user), told(&after)), now)?;
            Ok(Ok(after))
        })
        .await
}

/// Removes a person from the team, in which they are signed out at once; their escalations there are nobody's again. Whoever
/// is in no other team is gone.
///
/// # Errors
/// Those of the store.
pub async fn remove(store: &Store, actor: Actor, user_id: i64, now: Timestamp) -> Outcome<()> {
    store
        .write(move |tx| {
            teams::lock(tx, actor.team_id)?;
            let Some(user) = users::find(tx, actor.team_id, user_id)? else {
                return Ok(Err(Refusal::NotFound));
            };
            if is_last_admin(tx, &user)? {
                return Ok(Err(Refusal::LastAdmin));
            }
            if !leaves_an_owner(tx, &actor, &user, now)? {
                return Ok(Err(Refusal::LastOwner));
            }
            members::delete(tx, user.team_id, user.id)?;
            assignment::let_go(tx, &actor, &user.email, now)?;
            record(tx, &actor, "member.remove", "member", user.id, (told(&user), None), now)?;
            Ok(Ok(()))
        })
        .await
}

/// Invites somebody; the answer is the invitation and its token, which nobody sees again.
///
/// # Errors
/// Those of the store.
pub async fn invite(
    store: &Store,
    actor: Actor,
    email: &str,
    role: Role,
    now: Timestamp,
) -> Outcome<(Invitation, String)> {
    let token = new_token("inv_");
    let hash = token_hash(&token);
    let mut new = Invitation {
        id: 0,
        team_id: actor.team_id,
        email: normalise_email(email),
        role,
        invited_by: actor.name.clone(),
        created_at: now,
        expires_at: now.plus_millis(INVITATION_MS),
    };
    let invited = store
        .write(move |tx| {
            if is_member(tx, new.team_id, &new.email)? {
                return Ok(Err(Refusal::EmailTaken));
            }
            teams::withdraw_earlier(tx, &new)?;
            bounds::INVITATIONS.check_team(tx, new.team_id)?;
            new.id = teams::invite(tx, &new, &hash)?;
            record(tx, &actor, "invitation.create", "invitation", new.id, (None, offered(&new)), now)?;
            Ok(Ok(new.clone()))
        })
        .await?;
    Ok(invited.map(|invitation| (invitation, token)))
}

/// Takes an invitation back.
///
/// # Errors
/// Those of the store.
pub async fn withdraw(store: &Store, actor: Actor, id: i64, now: Timestamp) -> Outcome<()> {
    store
        .write(move |tx| {
            let Some(was) = teams::withdraw(tx, actor.team_id, id)? else {
                return Ok(Err(Refusal::NotFound));
            };
            record(tx, &actor, "invitation.remove", "invitation", id, (offered(&was), None), now)?;
            Ok(Ok(()))
        })
        .await
}

/// Whom an invitation is for.
pub struct Invited {
    pub email: String,
    pub role: Role,
    pub team: String,
    /// Whether they sign in here already, and so join with their password.
    pub has_account: bool,
}

/// Whom an invitation is for, if it can be accepted.
///
/// # Errors
/// Those of the store.
pub async fn invited(store: &Store, token: &str, now: Timestamp) -> Result<Option<Invited>> {
    let token_hash = token_hash(token);
    let read = move |tx: &mut Tx| {
        let Some(Invitation { team_id, email, role, .. }) = teams::invitation(tx, &token_hash, now)? else {
            return Ok(None);
        };
        let has_account = users::find_by_email(tx, &email)?.is_some();
        Ok(Some(Invited { email, role, team: teams::get(tx, team_id)?.name, has_account }))
    };
    store.read(read).await
}

/// Whoever holds an invitation.
pub struct Newcomer {
    pub name: Option<String>,
    pub password: String,
    pub address: Option<IpAddr>,
}

/// Makes a person of whoever holds an invitation and has no account.
///
/// # Errors
/// Those of the store.
pub async fn accept(
    store: &Store,
    sign_ins: &SignIns,
    token: &str,
    Newcomer { name, password, address }: Newcomer,
    now: Timestamp,
) -> Outcome<User> {
    let token_hash = token_hash(token);
    // Hashing takes long on purpose, and is for those who are invited.
    let password_hash = sign_ins.hash_in_turn(password).await?;
    let accepted = store
        .write(move |tx| {
            let Some(invitation) = teams::take(tx, &token_hash, now)? else {
                return Ok(Err(Refusal::NotFound));
            };
            let Invitation { team_id, role, email, .. } = &invitation;
            bounds::MEMBERS.check_team(tx, *team_id)?;
            let id = users::insert(tx, *team_id, email, &password_hash, *role, now)?;
            users::set_name(tx, id, name.as_deref())?;
            let user = users::find(tx, *team_id, id)?.ok_or_else(gone)?;
            let actor = Actor::user(&user, address);
            record(tx, &actor, "member.join", "member", id, (None, told(&user)), now)?;
            Ok(Ok(user))
        })
        .await;
    match accepted {
        // Somebody has got this address since the invitation.
        Err(StoreError::Conflict) => Ok(Err(Refusal::EmailTaken)),
        other => other,
    }
}

/// Gives a person another name, or none.
///
/// # Errors
/// Those of the store.
pub async fn rename(
    store: &Store,
    user: User,
    name: Option<String>,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<User> {
    let rename = move |tx: &mut Tx| {
        users::set_name(tx, user.id, name.as_deref())?;
        let renamed = User { name: name.clone(), ..user.clone() };
        let (actor, change) = (Actor::user(&user, address), (told(&user), told(&renamed)));
        record(tx, &actor, "member.rename", "member", user.id, change, now)?;
        Ok(renamed)
    };
    store.write(rename).await
}

/// Has somebody join who holds an invitation and has shown that the account is theirs.
///
/// # Errors
/// Those of the store.
pub async fn join(
    store: &Store,
    token: &str,
    user: User,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Outcome<User> {
    let token_hash = token_hash(token);
    let joined = store
        .write(move |tx| {
            let invitation = teams::take(tx, &token_hash, now)?;
            let Some(invitation) = invitation.filter(|invitation| invitation.email == user.email) else {
                return Ok(Err(Refusal::NotFound));
            };
            let team_id = invitation.team_id;
            bounds::MEMBERS.check_team(tx, team_id)?;
            members::insert(tx, team_id, user.id, invitation.role, now)?;
            let user = users::find(tx, team_id, user.id)?.ok_or_else(gone)?;
            let actor = Actor::user(&user, address);
            record(tx, &actor, "member.join", "member", user.id, (None, told(&user)), now)?;
            Ok(Ok(user))
        })
        .await;
    match joined {
        Err(StoreError::Conflict) => Ok(Err(Refusal::EmailTaken)),
        other => other,
    }
}

/// Adds somebody to the actor's team, by their address. Whoever has no account gets one with this password hash; the answer
/// says whether that was so.
///
/// # Errors
/// Those of the store.
pub async fn add(
    store: &Store,
    actor: Actor,
    email: &str,
    role: Role,
    password_hash: String,
    now: Timestamp,
) -> Outcome<bool> {
    let (email, team_id) = (normalise_email(email), actor.team_id);
    store
        .write(move |tx| {
            bounds::MEMBERS.check_team(tx, team_id)?;
            if is_member(tx, team_id, &email)? {
                return Ok(Err(Refusal::EmailTaken));
            }
            let known = users::find_by_email(tx, &email)?.map(|user| user.id);
            let id = match known {
                Some(id) => members::insert(tx, team_id, id, role, now).map(|()| id)?,
                None => users::insert(tx, team_id, &email, &password_hash, role, now)?,
            };
            let user = users::find(tx, team_id, id)?.ok_or_else(gone)?;
            record(tx, &actor, "member.join", "member", id, (None, told(&user)), now)?;
            Ok(Ok(known.is_none()))
        })
        .await
}

fn gone() -> StoreError {
    StoreError::Broken("a person has gone".into())
}

fn is_member(tx: &mut Tx, team_id: i64, email: &str) -> Result<bool> {
    let Some(user) = users::find_by_email(tx, email)? else { return Ok(false) };
    Ok(users::find(tx, team_id, user.id)?.is_some())
}

/// Whether somebody owns the installation when a person has left this team. Where there is no other team, it passes from
/// the last one who does to the admin who has been there longest.
fn leaves_an_owner(tx: &mut Tx, actor: &Actor, user: &User, now: Timestamp) -> Result<bool> {
    let is_gone = members::of_user(tx, user.id)?.len() == 1;
    if !user.is_owner || !is_gone || users::count_owners(tx)? > 1 {
        return Ok(true);
    }
    if teams::all(tx)?.len() > 1 {
        return Ok(false);
    }
    let people = users::of_team(tx, user.team_id)?;
    let heir = people.iter().find(|other| other.role == Role::Admin && other.id != user.id);
    let Some(heir) = heir else { return Ok(false) };
    users::set_owner(tx, heir.id, true)?;
    record(tx, actor, "owner.add", "user", heir.id, (None, told(heir)), now)?;
    Ok(true)
}

/// Whoever has signed in at an OpenID provider and is no member yet.
pub struct Provided {
    /// Verified by the provider.
    pub email: String,
    pub name: Option<String>,
    /// By the provider's claim, if one is looked at.
    pub role: Option<Role>,
    pub is_multi_factor: bool,
    /// Whether such people become members without an invitation.
    pub is_provisioning: bool,
    pub address: Option<IpAddr>,
}

/// Why somebody is no member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJoined {
    NotInvited,
    NeedsSecondFactor,
}

/// Makes a member of them: of the team that has invited their address, or else of the first one.
pub fn join_by_provider(
    tx: &mut Tx,
    newcomer: &Provided,
    now: Timestamp,
) -> Result<std::result::Result<User, NotJoined>> {
    let Provided { email, name, role, .. } = newcomer;
    let invitation = teams::find_of(tx, email, now)?;
    let first = if newcomer.is_provisioning { users::first_team(tx)? } else { None };
    let invited = invitation.as_ref().map(|invitation| (invitation.team_id, Some(invitation.role)));
    let Some((team_id, invited_as)) = invited.or(first.map(|team_id| (team_id, None))) else {
        return Ok(Err(NotJoined::NotInvited));
    };
    if teams::get(tx, team_id)?.second_factor_required && !newcomer.is_multi_factor {
        return Ok(Err(NotJoined::NeedsSecondFactor));
    }
    if let Some(invitation) = invitation {
        teams::withdraw(tx, team_id, invitation.id)?;
    }
    bounds::MEMBERS.check_team(tx, team_id)?;
    let role = role.or(invited_as).unwrap_or(Role::Viewer);
    let id = users::insert(tx, team_id, email, users::NO_PASSWORD, role, now)?;
    users::set_name(tx, id, name.as_deref())?;
    let user = users::find(tx, team_id, id)?.ok_or_else(gone)?;
    let actor = Actor::user(&user, newcomer.address);
    record(tx, &actor, "member.join", "member", id, (None, told(&user)), now)?;
    Ok(Ok(user))
}

/// Gives a person the role that a provider says they have. The last admin stays one: nobody would be left to manage the
/// team.
pub fn follow_role(
    tx: &mut Tx,
    user: User,
    role: Role,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<User> {
    if user.role == role {
        return Ok(user);
    }
    teams::lock(tx, user.team_id)?;
    if role != Role::Admin && is_last_admin(tx, &user)? {
        tracing::warn!(
            setting = "oidc_roles",
            "the last admin of a team is none by the claim, and stays one"
        );
        return Ok(user);
    }
    let actor = Actor { name: "OpenID provider".to_owned(), address, ..Actor::server(user.team_id) };
    members::set_role(tx, user.team_id, user.id, role)?;
    if role == Role::Viewer {
        assignment::let_go(tx, &actor, &user.email, now)?;
    }
    let after = User { role, ..user.clone() };
    record(tx, &actor, "member.change", "member", user.id, (told(&user), told(&after)), now)?;
    Ok(after)
}

fn is_last_admin(tx: &mut Tx, user: &User) -> Result<bool> {
    let admins = users::of_team(tx, user.team_id)?.into_iter().filter(|user| user.role == Role::Admin);
    Ok(user.role == Role::Admin && admins.count() == 1)
}

fn told(user: &User) -> Option<Value> {
    Some(json!({"email": user.email, "name": user.name, "role": user.role.as_text()}))
}

fn offered(invitation: &Invitation) -> Option<Value> {
    Some(json!({"email": invitation.email, "role": invitation.role.as_text()}))
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    target_type: &'static str,
    id: i64,
    (before, after): (Option<Value>, Option<Value>),
    now: Timestamp,
) -> Result<()> {
    let act = Act { action, target_type, target_id: &id.to_string(), before, after };
    audit::record(tx, actor, &act, now)
}
