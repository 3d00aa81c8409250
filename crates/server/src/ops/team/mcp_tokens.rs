//! Tokens with which a person's AI agents act.

use dregs_core::time::{MINUTE_MS, Timestamp};
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::team::credentials::is_same_name;
use crate::store::mcp_tokens::{self, McpToken};
use crate::store::users::User;
use crate::store::{Result, Store, StoreError, Tx};
use crate::vault::{new_token, token_hash};

/// What an MCP token begins with.
pub const PREFIX: &str = "mcp_";
/// A use is noted when the last one that was is this old: not every call is to be a write.
const NOTED_EVERY_MS: i64 = MINUTE_MS;

/// A new token of a person: what is kept of it, and itself, which nobody sees again.
///
/// # Errors
/// Those of the store; a conflict where another of the person's has the name.
pub async fn create(
    store: &Store,
    actor: Actor,
    user_id: i64,
    name: String,
    now: Timestamp,
) -> Result<(McpToken, String)> {
    let token = new_token(PREFIX);
    let hash = token_hash(&token);
    let created = store
        .write(move |tx| {
            bounds::MCP_TOKENS.check(tx, actor.team_id, user_id)?;
            let known = mcp_tokens::of_user(tx, actor.team_id, user_id)?;
            if known.iter().any(|known| is_same_name(&known.name, &name)) {
                return Err(StoreError::Conflict);
            }
            let id = mcp_tokens::insert(tx, actor.team_id, user_id, &name, &hash, now)?;
            let after = Some(json!({ "name": name }));
            let (action, target_id) = ("mcp-token.create", &id.to_string());
            let act = Act { action, target_type: "mcp-token", target_id, before: None, after };
            audit::record(tx, &actor, &act, now)?;
            Ok(McpToken { id, name: name.clone(), created_at: now, last_used_at: None })
        })
        .await?;
    Ok((created, token))
}

/// Removes a person's token in the actor's team; `false` where there is none.
///
/// # Errors
/// Those of the store.
pub async fn delete(store: &Store, actor: Actor, user_id: i64, id: i64, now: Timestamp) -> Result<bool> {
    let delete = move |tx: &mut Tx| {
        let Some(name) = mcp_tokens::delete(tx, actor.team_id, user_id, id)? else { return Ok(false) };
        let before = Some(json!({ "name": name }));
        let (action, target_id) = ("mcp-token.delete", &id.to_string());
        let act = Act { action, target_type: "mcp-token", target_id, before, after: None };
        audit::record(tx, &actor, &act, now)?;
        Ok(true)
    };
    store.write(delete).await
}

/// The token that this is, and the person who made it as they are now; notes the use.
///
/// # Errors
/// Those of the store.
pub async fn recognise(store: &Store, token: &str, now: Timestamp) -> Result<Option<(McpToken, User)>> {
    let hash = token_hash(token);
    let found = store.read(move |tx| mcp_tokens::find(tx, &hash)).await?;
    if let Some((token, _)) = &found
        && token.last_used_at.is_none_or(|used| now.millis_since(used) >= NOTED_EVERY_MS)
    {
        let id = token.id;
        store.write(move |tx| mcp_tokens::touch(tx, id, now)).await?;
    }
    Ok(found)
}
