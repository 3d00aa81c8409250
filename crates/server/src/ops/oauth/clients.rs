//! Registration of clients (RFC 7591). It is open to anybody, as the protocol wants it, and so it is bounded: by address,
//! and in all. What is registered can do nothing before a person approves it.

use std::net::IpAddr;

use dregs_core::time::{HOUR_MS, Timestamp};

use super::refusal::{Kind, Refusal};
use super::{CLIENT_PREFIX, redirect};
use crate::limit::{self, Limit};
use crate::ops::access::limits::{Wait, network};
use crate::store::oauth_clients::{self, Client};
use crate::store::{Result, Store};
use crate::vault::{new_token, token_hash};

/// Registrations from an address in [`WINDOW_MS`]: each installation of a client makes one.
pub const OF_ADDRESS_MAX: i64 = 20;
const WINDOW_MS: i64 = HOUR_MS;
/// Clients that nobody is connected with.
pub const IDLE_MAX: i64 = 1_000;
const REDIRECT_URIS_MAX: usize = 10;
const NAME_MAX_CHARS: usize = 100;
/// What a client is called that has said no name.
const NAMELESS: &str = "MCP client";

/// What a client says of itself, as far as it matters here.
#[derive(Debug)]
pub struct Metadata {
    name: String,
    redirect_uris: Vec<String>,
}

impl Metadata {
    /// # Errors
    /// When no answer could be sent to the client, or its name cannot be shown.
    pub fn new(name: Option<&str>, redirect_uris: Vec<String>) -> std::result::Result<Self, Refusal> {
        if redirect_uris.is_empty() || redirect_uris.len() > REDIRECT_URIS_MAX {
            let message = format!("redirect_uris must have from 1 to {REDIRECT_URIS_MAX} addresses.");
            return Err(Refusal::new(Kind::InvalidRedirectUri, message));
        }
        if let Some(wrong) = redirect_uris.iter().find(|uri| !redirect::is_allowed(uri)) {
            let message = format!(
                "{wrong} is no https address, no http address of the machine itself, and no address of an app, such as \
                 com.example.app:/callback, without a fragment."
            );
            return Err(Refusal::new(Kind::InvalidRedirectUri, message));
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(NAMELESS);
        if name.chars().count() > NAME_MAX_CHARS || name.chars().any(char::is_control) {
            let message =
                format!("client_name must have at most {NAME_MAX_CHARS} characters, and none of control.");
            return Err(Refusal::new(Kind::InvalidClientMetadata, message));
        }
        Ok(Self { name: name.to_owned(), redirect_uris })
    }
}

/// Registers a client, unless its address has registered many.
///
/// # Errors
/// Those of the store.
pub async fn register(
    store: &Store,
    metadata: Metadata,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<std::result::Result<Client, Wait>> {
    let client = Client {
        id: new_token(CLIENT_PREFIX),
        name: metadata.name,
        redirect_uris: metadata.redirect_uris,
        created_at: now,
        used_at: None,
    };
    let network = token_hash(&format!("network {:?}", address.map(network)));
    let registered = store
        .write(move |tx| {
            let (count, first) = oauth_clients::registered(tx, &network, now.plus_millis(-WINDOW_MS))?;
            if count >= OF_ADDRESS_MAX {
                let over = first.unwrap_or(now).plus_millis(WINDOW_MS);
                return Ok(Err(Wait::of_millis(over.millis_since(now).max(0).unsigned_abs())));
            }
            let removed = oauth_clients::keep_newest(tx, IDLE_MAX - 1)?;
            oauth_clients::insert(tx, &client, &network)?;
            Ok(Ok((client.clone(), removed)))
        })
        .await?;
    if registered.as_ref().is_ok_and(|(_, removed)| *removed > 0) {
        limit::reached(Limit::RegisteredClients);
    }
    Ok(registered.map(|(client, _)| client))
}
