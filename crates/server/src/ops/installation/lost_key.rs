//! A master key that is lost for good: what it sealed cannot be read by anybody, and takes new values, so that the
//! server can go on. Nothing is sent unsigned meanwhile, and nothing to where nobody knows any more.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::notify::signature::Secret;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::channels::config::{ChannelConfig, ChannelType};
use crate::ops::access::sign_in;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::deliver::endpoints;
use crate::ops::installation::master_key;
use crate::ops::team::channels::new_secret;
use crate::store::channels::{self, Channel};
use crate::store::{Result, Store, StoreError, Tx};
use crate::vault::Vault;

/// These stand for the URL of a channel until somebody enters it again; the channel is disabled.
const SLACK_PLACEHOLDER: &str = "https://hooks.slack.com/services/lost-with-the-master-key";
const WEBHOOK_PLACEHOLDER: &str = "https://lost-with-the-master-key.invalid/";
/// Shown with a channel whose configuration was lost in part.
const DISABLED_REASON: &str =
    "what was sealed of its configuration was lost with the master key: enter it again";
/// The field that holds what is sealed of a webhook's configuration.
const SEALED: &str = "sealed";

/// A channel of which something cannot be read.
pub struct Lost {
    pub channel: Channel,
    pub is_secret_lost: bool,
    pub is_config_lost: bool,
}

/// A channel that was mended.
pub struct Mended {
    pub channel: Channel,
    /// What it signs with from now on, where that was lost.
    pub secret: Option<Secret>,
    /// It is disabled until somebody enters again what was lost of its configuration.
    pub is_disabled: bool,
}

/// Whether the key opens what the store holds, and the channels of which it does not open something.
///
/// # Errors
/// Those of the store.
pub async fn find(store: &Store, vault: &Vault) -> Result<(bool, Vec<Lost>)> {
    let (fits, rows, secrets) =
        store.read(|tx| Ok((master_key::known(tx)?, channels::all(tx)?, channels::all_secrets(tx)?))).await?;
    let unreadable: BTreeSet<_> = secrets
        .iter()
        .filter(|secret| endpoints::open_secret(vault, secret).is_err())
        .map(|secret| secret.channel_id)
        .collect();
    let lost = rows.into_iter().map(|channel| Lost {
        is_secret_lost: unreadable.contains(&channel.id),
        is_config_lost: endpoints::config(vault, &channel).is_err(),
        channel,
    });
    let lost: Vec<_> = lost.filter(|lost| lost.is_secret_lost || lost.is_config_lost).collect();
    let fits = fits.is_none_or(|check| master_key::opens(vault, &check));
    Ok((fits && lost.is_empty(), lost))
}

/// Gives everything that cannot be read a new value under `vault`, all in one transaction, and makes its key the one
/// that the database is filled with from now on. Second factors of people that cannot be read are removed; the second of
/// the answers is whose they were.
///
/// # Errors
/// Those of the store.
pub async fn reset(store: &Store, vault: &Vault, now: Timestamp) -> Result<(Vec<Mended>, Vec<String>)> {
    let (_, lost) = find(store, vault).await?;
    let people = sign_in::unreadable_second_factors(store, vault).await?;
    let emails = people.iter().map(|user| user.email.clone()).collect();
    let check = master_key::sealed(vault)?;
    let (mut mended, mut sealed) = (Vec::new(), BTreeMap::new());
    for Lost { mut channel, is_secret_lost, is_config_lost } in lost {
        if is_config_lost {
            channel.config = without_sealed(vault, &channel)?;
            channel.enabled = false;
            channel.disabled_reason = Some(DISABLED_REASON.to_owned());
            channel.updated_at = now;
        }
        let secret = if is_secret_lost {
            let (secret, bytes) = new_secret(vault)?;
            sealed.insert(channel.id, bytes);
            Some(secret)
        } else {
            None
        };
        mended.push(Mended { channel, secret, is_disabled: is_config_lost });
    }
    let changes: Vec<_> = mended
        .iter()
        .map(|one| (one.channel.clone(), sealed.remove(&one.channel.id), one.is_disabled))
        .collect();
    store
        .write(move |tx| {
            for (channel, secret, is_disabled) in &changes {
                write(tx, channel, secret.as_deref(), *is_disabled, now)?;
            }
            sign_in::remove_second_factors(tx, &people, now)?;
            master_key::replace(tx, &check)
        })
        .await?;
    Ok((mended, emails))
}

fn write(
    tx: &mut Tx,
    channel: &Channel,
    secret: Option<&[u8]>,
    is_disabled: bool,
    now: Timestamp,
) -> Result<()> {
    if let Some(secret) = secret {
        channels::delete_secrets(tx, channel.id)?;
        channels::insert_secret(tx, channel.id, secret, now)?;
    }
    if is_disabled {
        channels::update(tx, channel)?;
    }
    let act = Act {
        action: "channel.reset-lost-secrets",
        target_type: "channel",
        target_id: &channel.id.to_string(),
        before: None,
        after: Some(json!({
            "name": channel.name,
            "newSigningSecret": secret.is_some(),
            "disabled": is_disabled,
        })),
    };
    audit::record(tx, &Actor::command_line(channel.team_id), &act, now)
}

/// A configuration with placeholders where something was sealed in it, as it is stored.
fn without_sealed(vault: &Vault, channel: &Channel) -> Result<String> {
    let config = match ChannelType::parse(&channel.channel_type) {
        Some(ChannelType::Slack) => ChannelConfig::slack(SLACK_PLACEHOLDER),
        _ => {
            let mut bare: Map<String, Value> = serde_json::from_str(&channel.config)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            bare.remove(SEALED);
            bare.insert("url".into(), WEBHOOK_PLACEHOLDER.into());
            let bare = Channel { config: Value::Object(bare).to_string(), ..channel.clone() };
            endpoints::config(vault, &bare).map_err(StoreError::Broken)?
        }
    };
    endpoints::stored(vault, &config).map_err(StoreError::Broken)
}
