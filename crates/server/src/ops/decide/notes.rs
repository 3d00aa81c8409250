//! What people note of an escalation, and whom they mention.

use dregs_core::time::Timestamp;
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::store::escalation_history::{self, Kind, NewEntry};
use crate::store::users::{self, User};
use crate::store::{Result, Store, Tx, escalations};

/// Notes of one escalation.
pub const NOTES_MAX: i64 = 200;

/// Why something is not done to a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NoEscalation,
    NoNote,
    /// There are as many as there may be.
    TooMany,
    /// Somebody else has written it.
    Others,
}

/// Adds a note; the answer is its id, and whom it mentions.
///
/// # Errors
/// Those of the store.
pub async fn add(
    store: &Store,
    actor: Actor,
    (escalation_id, text): (i64, String),
    now: Timestamp,
) -> Result<std::result::Result<(i64, Vec<String>), Refused>> {
    store
        .write(move |tx| {
            let Some(escalation) = escalations::find(tx, actor.team_id, escalation_id)? else {
                return Ok(Err(Refused::NoEscalation));
            };
            if escalation_history::count_notes(tx, escalation_id)? >= NOTES_MAX {
                return Ok(Err(Refused::TooMany));
            }
            let of = (escalation.identity_row, escalation_id);
            let entry = NewEntry {
                team_id: actor.team_id,
                of,
                kind: Kind::Note,
                actor: Some(&actor.name),
                text: Some(&text),
                at: now,
            };
            let Some(id) = escalation_history::insert(tx, &[entry])?.pop() else {
                return Ok(Err(Refused::NoEscalation));
            };
            let members = users::of_team(tx, actor.team_id)?;
            let mentioned = mentioned(&text, &members, &actor.name);
            for member in &mentioned {
                escalation_history::mention(tx, actor.team_id, of, id, member)?;
            }
            // The words stay with the identity, and go with it.
            record(tx, &actor, "escalation.note", (escalation_id, id), now)?;
            Ok(Ok((id, mentioned)))
        })
        .await
}

/// Takes a note away, which only its author may.
///
/// # Errors
/// Those of the store.
pub async fn remove(
    store: &Store,
    actor: Actor,
    (escalation_id, id): (i64, i64),
    now: Timestamp,
) -> Result<std::result::Result<(), Refused>> {
    store
        .write(move |tx| {
            if escalations::find(tx, actor.team_id, escalation_id)?.is_none() {
                return Ok(Err(Refused::NoEscalation));
            }
            let Some(note) = escalation_history::find_note(tx, escalation_id, id)? else {
                return Ok(Err(Refused::NoNote));
            };
            if note.actor.as_deref() != Some(actor.name.as_str()) {
                return Ok(Err(Refused::Others));
            }
            escalation_history::remove_note(tx, id)?;
            record(tx, &actor, "escalation.remove-note", (escalation_id, id), now)?;
            Ok(Ok(()))
        })
        .await
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    (escalation_id, note_id): (i64, i64),
    now: Timestamp,
) -> Result<()> {
    let act = Act {
        action,
        target_type: "escalation",
        target_id: &escalation_id.to_string(),
        before: None,
        after: Some(json!({ "noteId": note_id })),
    };
    audit::record(tx, actor, &act, now)
}

/// The e-mail addresses of those whom a text mentions: by `@` and the address, or what is before its own `@` where one
/// member alone is called so; without the author.
fn mentioned(text: &str, members: &[User], author: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let local = |user: &User| user.email.split('@').next().unwrap_or_default().to_lowercase();
    let is_mentioned = |user: &&User| {
        let own = local(user);
        let is_alone = members.iter().filter(|other| local(other) == own).count() == 1;
        has(&text, &user.email.to_lowercase()) || (is_alone && has(&text, &own))
    };
    members
        .iter()
        .filter(is_mentioned)
        .filter(|user| user.email != author)
        .map(|user| user.email.clone())
        .collect()
}

/// Whether a text has `@name`, and not as a part of a longer name or of an e-mail address.
fn has(text: &str, name: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || "_-+@".contains(c);
    text.match_indices(&format!("@{name}")).any(|(at, found)| {
        let mut after = text[at + found.len()..].chars();
        let goes_on = match after.next() {
            Some('.') => after.next().is_some_and(char::is_alphanumeric),
            next => next.is_some_and(is_of_name),
        };
        !goes_on && !text[..at].ends_with(is_of_name)
    })
}
