//! Notices: messages in the words that people are sent.

use std::sync::Arc;

use dregs_core::notify::message::Message;
use dregs_core::notify::notice::{About, Notice};

use crate::store::{Result, Store, Tx, analyses, identities};

/// The messages in words, in their order. Names and observations are those of the identity at that time.
///
/// # Errors
/// Those of the store.
pub async fn load(
    store: &Store,
    public_url: &str,
    team_id: i64,
    messages: &[Arc<Message>],
) -> Result<Vec<Notice>> {
    let asked = messages.to_vec();
    let about = store.read(move |tx| asked.iter().map(|m| about(tx, team_id, m)).collect::<Result<Vec<_>>>());
    let about = about.await?;
    let words = |(message, about): (&Arc<Message>, &About)| Notice::new(message, about, public_url);
    Ok(messages.iter().zip(&about).map(words).collect())
}

fn about(tx: &mut Tx, team_id: i64, message: &Message) -> Result<About> {
    let Some(id) = &message.identity_id else { return Ok(About::default()) };
    let Some(identity) = identities::find(tx, team_id, id)? else { return Ok(About::default()) };
    let sequence = message.sequence.and_then(|sequence| i64::try_from(sequence).ok()).unwrap_or(i64::MAX);
    let analysis = analyses::newest_at(tx, identity.row_id, sequence)?;
    let name = identity.display_name.or(identity.display_email).or(identity.display_username);
    Ok(About { name, observations: analysis.map(|a| a.detail.observations).unwrap_or_default() })
}
