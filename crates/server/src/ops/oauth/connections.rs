//! Clients that act for people: how a connection begins with a code, goes on with refresh tokens, and ends.

use std::net::IpAddr;

use dregs_core::time::{MINUTE_MS, Timestamp};
use serde_json::json;

use super::authorization::is_for;
use super::refusal::{Kind, Refusal};
use super::{ACCESS_MS, ACCESS_PREFIX, REFRESH_MS, REFRESH_PREFIX, pkce};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::store::oauth_connections::{self, Connection, Tokens};
use crate::store::users::{self, User};
use crate::store::{Result, Store, StoreError, Tx, oauth_clients, oauth_codes};
use crate::vault::{TOKEN_DIGITS, new_token, token_hash};

/// A use is noted when the last one that was is this old.
const NOTED_EVERY_MS: i64 = MINUTE_MS;

/// The tokens of a client, which nobody sees again.
#[derive(Clone)]
pub struct Issued {
    pub access: String,
    pub refresh: String,
    kept: Tokens,
}

impl Issued {
    /// Those that follow in a family.
    fn new(family: &str, now: Timestamp) -> Self {
        let (access, refresh) = (new_token(ACCESS_PREFIX), new_token(family));
        let kept = Tokens {
            refresh_hash: token_hash(&refresh),
            access_hash: token_hash(&access),
            access_expires_at: now.plus_millis(ACCESS_MS),
            expires_at: now.plus_millis(REFRESH_MS),
        };
        Self { access, refresh, kept }
    }
}

/// What all refresh tokens of a connection begin with. It is as secret as they are: whoever brings it with another end
/// brings a token that was replaced, and nobody can end the connections of others by guesses.
fn family(refresh: &str) -> Option<&str> {
    let text = refresh.get(..REFRESH_PREFIX.len() + TOKEN_DIGITS)?;
    text.starts_with(REFRESH_PREFIX).then_some(text)
}

/// What a client redeems.
#[derive(Clone)]
pub struct Redeemed {
    pub code: String,
    pub client_id: String,
    pub verifier: String,
    /// OAuth 2.1 no longer asks for it; where it is there, it is that of the request.
    pub redirect_uri: Option<String>,
    pub resource: Option<String>,
}

/// Where a client asks for tokens.
#[derive(Clone)]
pub struct Place {
    /// What tokens are for.
    pub resource: String,
    pub address: Option<IpAddr>,
}

type Answer<T> = Result<std::result::Result<T, Refusal>>;

fn invalid_grant(message: &str) -> Refusal {
    Refusal::new(Kind::InvalidGrant, message)
}

/// Connects a client with the person who approved it. An earlier connection of the two ends.
///
/// # Errors
/// Those of the store; too many where the person has as many connections as there may be.
pub async fn begin(store: &Store, redeemed: Redeemed, place: Place, now: Timestamp) -> Answer<Issued> {
    let family = new_token(REFRESH_PREFIX);
    let issued = Issued::new(&family, now);
    let (hash, family_hash) = (token_hash(&redeemed.code), token_hash(&family));
    store
        .write(move |tx| {
            let Some(code) = oauth_codes::find(tx, &hash)? else {
                return Ok(Err(invalid_grant("The code is unknown.")));
            };
            if let Some(id) = code.connection_id {
                // Somebody else has it, too, and who of them came first is not known.
                if let Some(connection) = oauth_connections::find(tx, id)? {
                    end_misused(tx, &connection, "its code was used again", now)?;
                }
                return Ok(Err(invalid_grant("The code has been used.")));
            }
            let is_right = code.client_id == redeemed.client_id
                && redeemed.redirect_uri.as_ref().is_none_or(|uri| *uri == code.redirect_uri)
                && pkce::proves(&redeemed.verifier, &code.challenge);
            let is_target =
                code.resource == place.resource && is_for(redeemed.resource.as_deref(), &code.resource);
            if !is_right || !is_target || code.expires_at <= now {
                oauth_codes::delete(tx, &hash)?;
                let other = invalid_grant("The code has expired, or is of another client or request.");
                return Ok(Err(if is_target { other } else { wrong_target(&place) }));
            }
            let user = users::find(tx, code.team_id, code.user_id)?;
            let Some(user) = user else { return Ok(Err(invalid_grant("The person is gone."))) };
            if let Some(earlier) = oauth_connections::between(tx, (user.team_id, user.id), &code.client_id)? {
                oauth_connections::delete(tx, earlier.id)?;
            }
            bounds::CONNECTIONS.check(tx, user.team_id, user.id)?;
            let whose = (user.team_id, user.id);
            let id = oauth_connections::insert(tx, whose, &code.client_id, &family_hash, &issued.kept, now)?;
            if !oauth_codes::redeem(tx, &hash, id)? {
                return Err(StoreError::Retry);
            }
            oauth_clients::touch(tx, &code.client_id, now)?;
            if let Some(connection) = oauth_connections::find(tx, id)? {
                let actor = acting(&user, &connection, place.address);
                let after = Some(json!({ "name": connection.name }));
                record(tx, &actor, "mcp-client.connect", &connection, (None, after), now)?;
            }
            Ok(Ok(issued.clone()))
        })
        .await
}

fn wrong_target(place: &Place) -> Refusal {
    Refusal::new(Kind::InvalidTarget, format!("resource must be {}.", place.resource))
}

/// Gives a client new tokens for its refresh token. One that was replaced already ends the connection: either it was
/// stolen, or the client that has the newer one stole that.
///
/// # Errors
/// Those of the store.
pub async fn refresh(
    store: &Store,
    refresh: &str,
    client_id: String,
    resource: Option<String>,
    place: Place,
    now: Timestamp,
) -> Answer<Issued> {
    let unknown = || invalid_grant("The refresh token is unknown, or its connection has ended.");
    let Some(family) = family(refresh) else { return Ok(Err(unknown())) };
    let issued = Issued::new(family, now);
    let (family_hash, hash) = (token_hash(family), token_hash(refresh));
    store
        .write(move |tx| {
            let found = oauth_connections::find_by_family(tx, &family_hash)?;
            let found = found
                .filter(|(connection, _)| connection.client_id == client_id && connection.expires_at > now);
            let Some((connection, holds)) = found else { return Ok(Err(unknown())) };
            if holds != hash {
                end_misused(tx, &connection, "a refresh token was used again", now)?;
                return Ok(Err(invalid_grant("The refresh token has been used; the connection has ended.")));
            }
            if !is_for(resource.as_deref(), &place.resource) {
                return Ok(Err(wrong_target(&place)));
            }
            if !oauth_connections::rotate(tx, connection.id, &hash, &issued.kept)? {
                return Err(StoreError::Retry);
            }
            oauth_clients::touch(tx, &connection.client_id, now)?;
            Ok(Ok(issued.clone()))
        })
        .await
}

/// Ends the connection of a client that gives back a token of its own; any other token is not told apart (RFC 7009).
///
/// # Errors
/// Those of the store.
pub async fn revoke(
    store: &Store,
    token: &str,
    client_id: String,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<()> {
    let (family_hash, hash) = (family(token).map(token_hash), token_hash(token));
    store
        .write(move |tx| {
            let found = match &family_hash {
                // One that was replaced as well.
                Some(family) => {
                    oauth_connections::find_by_family(tx, family)?.map(|(connection, _)| connection)
                }
                None => oauth_connections::find_by_access(tx, &hash, now)?.map(|(connection, _)| connection),
            };
            let Some(connection) = found.filter(|found| found.client_id == client_id) else { return Ok(()) };
            let Some(user) = users::find(tx, connection.team_id, connection.user_id)? else { return Ok(()) };
            end(tx, &acting(&user, &connection, address), &connection, None, now)
        })
        .await
}

/// The clients that act for a person in a team, newest first.
///
/// # Errors
/// Those of the store.
pub async fn of_user(store: &Store, whose: (i64, i64), now: Timestamp) -> Result<Vec<Connection>> {
    store.read(move |tx| oauth_connections::of_user(tx, whose, now)).await
}

/// Ends a connection of a person in the actor's team; `false` where there is none.
///
/// # Errors
/// Those of the store.
pub async fn disconnect(store: &Store, actor: Actor, user_id: i64, id: i64, now: Timestamp) -> Result<bool> {
    store
        .write(move |tx| {
            let whose = (actor.team_id, user_id);
            let found =
                oauth_connections::find(tx, id)?.filter(|found| (found.team_id, found.user_id) == whose);
            let Some(connection) = found else { return Ok(false) };
            end(tx, &actor, &connection, None, now)?;
            Ok(true)
        })
        .await
}

/// The connection whose access token this is, and the person as they are now; notes the use.
///
/// # Errors
/// Those of the store.
pub async fn recognise(store: &Store, token: &str, now: Timestamp) -> Result<Option<(Connection, User)>> {
    let hash = token_hash(token);
    let found = store.read(move |tx| oauth_connections::find_by_access(tx, &hash, now)).await?;
    if let Some((connection, _)) = &found
        && connection.last_used_at.is_none_or(|used| now.millis_since(used) >= NOTED_EVERY_MS)
    {
        let id = connection.id;
        store.write(move |tx| oauth_connections::touch(tx, id, now)).await?;
    }
    Ok(found)
}

/// A person through a client of theirs.
fn acting(user: &User, connection: &Connection, address: Option<IpAddr>) -> Actor {
    Actor { mcp_token: Some(connection.name.clone()), ..Actor::user(user, address) }
}

fn end_misused(tx: &mut Tx, connection: &Connection, reason: &str, now: Timestamp) -> Result<()> {
    end(tx, &Actor::server(connection.team_id), connection, Some(reason), now)
}

/// Ends a connection, and what could become another one of the same two.
fn end(
    tx: &mut Tx,
    actor: &Actor,
    connection: &Connection,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    oauth_codes::delete_of(tx, (connection.team_id, connection.user_id), &connection.client_id)?;
    oauth_connections::delete(tx, connection.id)?;
    let before = Some(json!({ "name": connection.name }));
    let after = reason.map(|reason| json!({ "reason": reason }));
    record(tx, actor, "mcp-client.disconnect", connection, (before, after), now)
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    connection: &Connection,
    (before, after): (Option<serde_json::Value>, Option<serde_json::Value>),
    now: Timestamp,
) -> Result<()> {
    let act = Act { action, target_type: "mcp-client", target_id: &connection.client_id, before, after };
    audit::record(tx, actor, &act, now)
}
