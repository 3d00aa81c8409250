//! What has become of an escalation, and what people have noted of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, text};
use super::escalations::{find, not_found};
use super::params::Path;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::escalations::HISTORY_MAX;
use crate::ops::decide::notes::{self as ops, NOTES_MAX, Refused};
use crate::store::escalation_history::{self, Entry, Kind};
use crate::store::escalations::Escalation;
use crate::store::labels::{self, Label};
use crate::store::{Result, Tx};

/// Longest note.
pub const NOTE_MAX_CHARS: usize = 4_000;
/// Labels of the identity that are looked at.
const LABELS_MAX: i64 = 100;

/// What has happened to an escalation.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EscalationHistoryEntryBody {
    /// OPENED, ASSIGNED, ACKNOWLEDGED, NOTED, LABELED, LABEL_WITHDRAWN, SNOOZED, SNOOZE_ENDED, CLOSED or REOPENED.
    #[serde(rename = "type")]
    #[schema(example = "NOTED")]
    kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The user's e-mail address, or the credential's name; null for its rule.
    by: Option<String>,
    /// The rule that has opened it, a note, or why it was closed or the identity labeled.
    text: Option<String>,
    /// To whom it was assigned; null for nobody.
    assignee: Option<String>,
    /// Until when its rule is snoozed for the identity.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Of a label: GOOD or BAD.
    outcome: Option<&'static str>,
    /// Of a note, which its author can delete by it.
    note_id: Option<i64>,
    /// E-mail addresses of those whom a note mentions.
    mentions: Vec<String>,
}

/// Read the history of an escalation, in the order of time
///
/// The last 500 entries. Notes and labels of its identity are among them.
#[utoipa::path(get, operation_id = "readEscalationHistory", path = "/escalations/{id}/history", tag = "escalations",
    params(("id" = i64, Path)), responses((status = 200, body = Vec<EscalationHistoryEntryBody>)))]
pub async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> std::result::Result<Answer<Vec<EscalationHistoryEntryBody>>, ApiError> {
    let (escalation, team_id) = (find(&app, &caller, &id).await?, caller.team_id());
    Ok(Answer(app.store.read(move |tx| read(tx, team_id, escalation)).await?))
}

fn read(tx: &mut Tx, team_id: i64, escalation: Escalation) -> Result<Vec<EscalationHistoryEntryBody>> {
    let entries = escalation_history::of_escalation(tx, escalation.id, HISTORY_MAX)?;
    let mentions = escalation_history::mentions(tx, escalation.identity_row, escalation.id)?;
    let of_identity =
        labels::Filter { identity_id: Some(escalation.identity_row), ..labels::Filter::default() };
    let labels = labels::page(tx, team_id, &of_identity, 0, LABELS_MAX)?;
    let unwritten = escalation_history::unwritten(&escalation, &entries);
    let mut told: Vec<_> = unwritten
        .into_iter()
        .map(|(kind, by, text, at)| EscalationHistoryEntryBody {
            kind: name(kind),
            at,
            by: by.map(str::to_owned),
            text: text.map(str::to_owned),
            ..EscalationHistoryEntryBody::default()
        })
        .collect();
    told.extend(entries.into_iter().map(|entry| with_mentions(entry, &mentions)));
    told.extend(labels.into_iter().flat_map(|label| of_label(label, &escalation)));
    told.push(EscalationHistoryEntryBody {
        kind: "OPENED",
        at: escalation.opened_at,
        text: Some(escalation.rule_name),
        ..EscalationHistoryEntryBody::default()
    });
    // Whoever closes it with a label labels first.
    told.sort_by_key(|entry| (entry.at, entry.kind != "OPENED", entry.kind == "CLOSED", entry.note_id));
    Ok(told)
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Assigned => "ASSIGNED",
        Kind::Acknowledged => "ACKNOWLEDGED",
        Kind::Closed => "CLOSED",
        Kind::Reopened => "REOPENED",
        Kind::Note => "NOTED",
        Kind::Snoozed => "SNOOZED",
        Kind::SnoozeEnded => "SNOOZE_ENDED",
    }
}

fn with_mentions(entry: Entry, mentions: &[(i64, String)]) -> EscalationHistoryEntryBody {
    let is_note = entry.kind == Kind::Note;
    let of_note = mentions.iter().filter(|(note, _)| *note == entry.id);
    let until = entry.text.as_deref().filter(|_| entry.kind == Kind::Snoozed).and_then(Timestamp::parse);
    let (assignee, text) = match entry.kind {
        Kind::Assigned => (entry.text, None),
        Kind::Snoozed => (None, None),
        _ => (None, entry.text),
    };
    EscalationHistoryEntryBody {
        kind: name(entry.kind),
        at: entry.at,
        by: entry.actor,
        text,
        assignee,
        until,
        outcome: None,
        note_id: is_note.then_some(entry.id),
        mentions: of_note.map(|(_, member)| member.clone()).collect(),
    }
}

/// What was said of the identity while the escalation was not closed.
fn of_label(label: Label, escalation: &Escalation) -> Vec<EscalationHistoryEntryBody> {
    let is_then = |at: Timestamp| {
        at >= escalation.opened_at && escalation.closed_at.is_none_or(|closed_at| at <= closed_at)
    };
    let outcome = Some(label.verdict.outcome.name());
    let mut told = Vec::new();
    if let Some(at) = label.withdrawn_at.filter(|at| is_then(*at)) {
        let by = label.withdrawn_by;
        told.push(EscalationHistoryEntryBody {
            kind: "LABEL_WITHDRAWN",
            at,
            by,
            outcome,
            ..EscalationHistoryEntryBody::default()
        });
    }
    if is_then(label.created_at) {
        told.push(EscalationHistoryEntryBody {
            kind: "LABELED",
            at: label.created_at,
            by: Some(label.author),
            text: label.reason,
            outcome,
            ..EscalationHistoryEntryBody::default()
        });
    }
    told
}

/// A note on an escalation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNoteBody {
    /// Mentions members by `@` and the e-mail address, or what is before its `@` where one member alone is called so.
    #[schema(min_length = 1, max_length = 4000, example = "The card is his wife's. @ada, do you agree?")]
    text: String,
}

/// The note that was added.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddedNoteBody {
    note_id: i64,
    /// The e-mail addresses of colleagues whom it mentions, and who are told.
    mentioned: Vec<String>,
}

/// Add a note to an escalation
///
/// For the team alone. It goes with the identity, when that is deleted.
#[utoipa::path(post, operation_id = "addEscalationNote", path = "/escalations/{id}/notes", tag = "escalations",
    params(("id" = i64, Path)), request_body = NewNoteBody, responses((status = 201, body = AddedNoteBody)))]
pub async fn add_note(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(new): Json<Unchecked<NewNoteBody>>,
) -> std::result::Result<(StatusCode, Answer<AddedNoteBody>), ApiError> {
    let text = new.check(|new| {
        let text = text("text", Some(new.text), NOTE_MAX_CHARS)?;
        text.ok_or_else(|| ApiError::field("text", "must not be blank"))
    })?;
    let escalation = find(&app, &caller, &id).await?;
    let added = ops::add(&app.store, actor, (escalation.id, text), app.clock.now()).await?;
    let (note_id, mentioned) = added.map_err(refused)?;
    Ok((StatusCode::CREATED, Answer(AddedNoteBody { note_id, mentioned })))
}

/// Delete a note of one's own
#[utoipa::path(delete, operation_id = "deleteEscalationNote", path = "/escalations/{id}/notes/{noteId}",
    tag = "escalations", params(("id" = i64, Path), ("noteId" = i64, Path)),
    responses((status = 204), (status = 403, body = ErrorBody, description = "Somebody else has written it.")))]
pub async fn delete_note(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path((id, note_id)): Path<(String, String)>,
) -> std::result::Result<StatusCode, ApiError> {
    let escalation = find(&app, &caller, &id).await?;
    let note_id = note_id.parse().map_err(|_| refused(Refused::NoNote))?;
    let removed = ops::remove(&app.store, actor, (escalation.id, note_id), app.clock.now()).await?;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(refused)
}

fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::NoEscalation => not_found(),
        Refused::NoNote => ApiError::not_found(Code::NoteNotFound, "note"),
        Refused::TooMany => ApiError::field("text", format!("there are {NOTES_MAX} notes already")),
        Refused::Others => {
            let message = "Only its author may delete a note.";
            ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
        }
    }
}

/// An entry of the history of any of an identity's escalations, as its export has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedEntry {
    escalation_id: i64,
    #[serde(flatten)]
    entry: EscalationHistoryEntryBody,
}

impl From<Entry> for ExportedEntry {
    fn from(entry: Entry) -> Self {
        Self { escalation_id: entry.escalation_id, entry: with_mentions(entry, &[]) }
    }
}
