//! Labels: what people, chargebacks and appeals say of identities.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::label::{LabelKind, Outcome, Source, Verdict};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, both, every, must, must_have, text};
use super::identities::find as find_identity;
use super::page::{Page, PageQuery};
use super::params::{Params, Path, time, word};
use super::reference::Reference;
use super::triage::{REASON_MAX_CHARS, reason};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::labels::{Given, NewLabel};
use crate::store::labels::{self, Filter, Label};

/// Labels of one request.
pub const LABELS_MAX: usize = 1_000;
/// Longest note.
pub const NOTE_MAX_CHARS: usize = 4_000;
/// Longest key.
const KEY_MAX_CHARS: usize = 255;
/// Labels of one identity that are shown.
const SHOWN_MAX: i64 = 100;

/// What somebody has decided of an identity.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelBody {
    id: i64,
    identity: Reference,
    /// GOOD or BAD.
    #[schema(example = "BAD")]
    outcome: &'static str,
    /// Of BAD: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER; null where that was not said.
    #[schema(example = "DUPLICATE")]
    kind: Option<&'static str>,
    /// ANALYST, CHARGEBACK, APPEAL, USER_REPORT or IMPORT.
    #[schema(example = "ANALYST")]
    source: &'static str,
    reason: Option<String>,
    note: Option<String>,
    /// The user's e-mail address, or the credential's name.
    author: String,
    /// The cycle that was looked at; null where there was none yet.
    cycle_id: Option<i64>,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn_at: Option<Timestamp>,
    withdrawn_by: Option<String>,
}

impl From<Label> for LabelBody {
    fn from(label: Label) -> Self {
        Self {
            id: label.id,
            identity: Reference::identity(label.identity, label.identity_label),
            outcome: label.verdict.outcome.name(),
            kind: label.verdict.kind.map(LabelKind::name),
            source: label.source.name(),
            reason: label.reason,
            note: label.note,
            author: label.author,
            cycle_id: label.cycle,
            at: label.decided_at,
            created_at: label.created_at,
            withdrawn_at: label.withdrawn_at,
            withdrawn_by: label.withdrawn_by,
        }
    }
}

/// A label to give.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLabelBody {
    /// GOOD or BAD.
    #[schema(example = "BAD")]
    outcome: String,
    /// Of BAD, if that is known: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    #[schema(example = "DUPLICATE")]
    kind: Option<String>,
    /// From what it is known: ANALYST, CHARGEBACK, APPEAL, USER_REPORT or IMPORT. ANALYST by default where a person gives
    /// it, else IMPORT.
    source: Option<String>,
    /// In a few words that the user may be told.
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// For the team alone.
    #[schema(max_length = 4000)]
    note: Option<String>,
    /// The cycle that was looked at; the newest by default.
    cycle_id: Option<i64>,
}

/// A label to give to an identity, which was decided elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedLabelBody {
    /// The application's own id of the user.
    #[schema(example = "user_12345")]
    identity_id: String,
    /// GOOD or BAD.
    #[schema(example = "BAD")]
    outcome: String,
    /// Of BAD, if that is known: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    #[schema(example = "ABUSE")]
    kind: Option<String>,
    /// As in a label of one identity.
    #[schema(example = "CHARGEBACK")]
    source: Option<String>,
    /// In a few words that the user may be told.
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// For the team alone.
    #[schema(max_length = 4000)]
    note: Option<String>,
    /// Your own id of it: a label of the same identity and key is given once.
    #[schema(max_length = 255, example = "chargeback-2211")]
    key: Option<String>,
    /// When it was decided; now by default.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<String>,
}

/// Labels to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLabelsBody {
    #[schema(min_items = 1, max_items = 1000)]
    labels: Vec<ImportedLabelBody>,
}

/// What became of a label that was to be given.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GivenLabelBody {
    identity_id: String,
    /// CREATED; EXISTS where a label of the same key was given before; IDENTITY_NOT_FOUND or ANALYSIS_NOT_FOUND.
    #[schema(example = "CREATED")]
    status: &'static str,
    /// Of the label.
    id: Option<i64>,
}

/// What became of the labels, in their order.
#[derive(Serialize, ToSchema)]
pub struct GivenLabelsBody {
    labels: Vec<GivenLabelBody>,
}

/// Reads the verdict of a label.
///
/// # Errors
/// Names the field, under `prefix`.
pub fn verdict(prefix: &str, outcome: &str, kind: Option<&str>) -> Result<Verdict, ApiError> {
    let field = |name: &str| format!("{prefix}{name}");
    let outcome = Outcome::parse(&word(outcome))
        .ok_or_else(|| ApiError::field(&field("outcome"), "must be GOOD or BAD"));
    let kind = match kind {
        None => Ok(None),
        Some(_) if matches!(outcome, Ok(Outcome::Good)) => {
            Err(ApiError::field(&field("kind"), "goes with the outcome BAD alone"))
        }
        Some(text) => LabelKind::parse(&word(text)).map(Some).ok_or_else(|| {
            ApiError::field(&field("kind"), "must be BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER")
        }),
    };
    let (outcome, kind) = both(outcome, kind)?;
    Ok(Verdict { outcome, kind })
}

fn source(prefix: &str, text: Option<&str>, caller: &Caller) -> Result<Source, ApiError> {
    match text {
        None if matches!(caller, Caller::Person(_)) => Ok(Source::Analyst),
        None => Ok(Source::Import),
        Some(text) => parse_source(&format!("{prefix}source"), text),
    }
}

fn parse_source(field: &str, text: &str) -> Result<Source, ApiError> {
    let must = "must be ANALYST, CHARGEBACK, APPEAL, USER_REPORT or IMPORT";
    Source::parse(&word(text)).ok_or_else(|| ApiError::field(field, must))
}

/// The label in the place `place` of a request.
fn imported(
    place: usize,
    body: ImportedLabelBody,
    caller: &Caller,
    now: Timestamp,
) -> Result<NewLabel, ApiError> {
    let prefix = format!("labels[{place}].");
    let field = |name: &str| format!("{prefix}{name}");
    let at = time(&field("at"), body.at.as_deref()).and_then(|at| {
        must(at.is_none_or(|at| at <= now), &field("at"), "must not be in the future").map(|()| at)
    });
    let verdict = verdict(&prefix, &body.outcome, body.kind.as_deref());
    let source = source(&prefix, body.source.as_deref(), caller);
    let reason = text(&field("reason"), body.reason, REASON_MAX_CHARS);
    let note = text(&field("note"), body.note, NOTE_MAX_CHARS);
    let key = text(&field("key"), body.key, KEY_MAX_CHARS);
    let ((verdict, source), (reason, (note, (key, at)))) =
        both(both(verdict, source), both(reason, both(note, both(key, at))))?;
    Ok(NewLabel { identity: body.identity_id, verdict, source, reason, note, key, at, cycle: None })
}

/// Label identities
///
/// Such as chargebacks, or what another system has decided: up to 1,000 at once. What follows from each is done at once: a
/// BAD label gives the badge `confirmed-bad`; a GOOD one takes off the badges that accuse, and closes the escalations,
/// until something new is found. Labels with a `key` may be sent again: each is given once.
#[utoipa::path(post, operation_id = "giveLabels", path = "/labels", tag = "labels",
    request_body = NewLabelsBody, responses((status = 200, body = GivenLabelsBody)))]
pub async fn give(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Json(body): Json<Unchecked<NewLabelsBody>>,
) -> Result<Answer<GivenLabelsBody>, ApiError> {
    let now = app.clock.now();
    let new = body.check(|NewLabelsBody { labels }| {
        must_have("labels", labels.len(), 1..=LABELS_MAX, "labels")?;
        every(labels.into_iter().enumerate().map(|(place, label)| imported(place, label, &caller, now)))
    })?;
    let ids: Vec<_> = new.iter().map(|new| new.identity.clone()).collect();
    let given = app.labels().give(actor, new, now).await?;
    let labels = ids.into_iter().zip(given).map(|(identity_id, given)| {
        let (status, id) = match given {
            Given::Created(id) => ("CREATED", Some(id)),
            Given::Known(id) => ("EXISTS", Some(id)),
            Given::NoIdentity => ("IDENTITY_NOT_FOUND", None),
            Given::NoCycle => ("ANALYSIS_NOT_FOUND", None),
        };
        GivenLabelBody { identity_id, status, id }
    });
    Ok(Answer(GivenLabelsBody { labels: labels.collect() }))
}

/// Label an identity
///
/// A BAD label gives the badge `confirmed-bad`; a GOOD one takes off the badges that accuse, and closes the escalations,
/// until something new is found. Scores stay as they are.
#[utoipa::path(post, operation_id = "labelIdentity", path = "/identities/{id}/actions/label", tag = "labels",
    params(("id" = String, Path)), request_body = NewLabelBody, responses((status = 201, body = LabelBody)))]
pub async fn label(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<NewLabelBody>>,
) -> Result<(StatusCode, Answer<LabelBody>), ApiError> {
    let now = app.clock.now();
    let new = body.check(|body| {
        let verdict = verdict("", &body.outcome, body.kind.as_deref());
        let source = source("", body.source.as_deref(), &caller);
        let note = text("note", body.note, NOTE_MAX_CHARS);
        let ((verdict, source), (reason, note)) =
            both(both(verdict, source), both(reason(body.reason), note))?;
        let cycle = body.cycle_id;
        Ok(NewLabel { identity: id, verdict, source, reason, note, key: None, at: None, cycle })
    })?;
    let given = app.labels().give(actor, vec![new], now).await?;
    let id = match given.first() {
        Some(Given::Created(id) | Given::Known(id)) => *id,
        Some(Given::NoCycle) => {
            return Err(ApiError::not_found(Code::AnalysisNotFound, "cycle of this identity"));
        }
        _ => return Err(ApiError::not_found(Code::IdentityNotFound, "identity")),
    };
    Ok((StatusCode::CREATED, Answer(find(&app, &caller, id).await?.into())))
}

/// Which labels.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// GOOD or BAD.
    outcome: Option<String>,
    /// ANALYST, CHARGEBACK, APPEAL, USER_REPORT or IMPORT.
    source: Option<String>,
    /// Those that were withdrawn, or those that were not.
    withdrawn: Option<bool>,
}

/// List the labels, newest first
#[utoipa::path(get, operation_id = "listLabels", path = "/labels", tag = "labels",
    params(PageQuery, ListParams), responses((status = 200, body = Page<LabelBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<LabelBody>>, ApiError> {
    let (page, team_id) = (query.page(), caller.team_id());
    let outcome = params.outcome.as_deref().map(|outcome| verdict("", outcome, None)).transpose()?;
    let filter = Filter {
        outcome: outcome.map(|verdict| verdict.outcome),
        source: params.source.as_deref().map(|text| parse_source("source", text)).transpose()?,
        withdrawn: params.withdrawn,
        ..Filter::default()
    };
    let (count, found) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| {
            let count = labels::count(tx, team_id, &filter, page.count_limit())?;
            Ok((count, labels::page(tx, team_id, &filter, page.offset(), page.limit())?))
        })
        .await?;
    Ok(Answer(page.counted(found.into_iter().map(LabelBody::from).collect(), count)))
}

/// List the labels of an identity, newest first
#[utoipa::path(get, operation_id = "listLabelsOfIdentity", path = "/identities/{id}/labels", tag = "labels",
    params(("id" = String, Path)), responses((status = 200, body = Vec<LabelBody>)))]
pub async fn of_identity(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Vec<LabelBody>>, ApiError> {
    let (identity, team_id) = (find_identity(&app, &caller, id).await?, caller.team_id());
    let filter = Filter { identity_id: Some(identity.row_id), ..Filter::default() };
    let found = app.store.read(move |tx| labels::page(tx, team_id, &filter, 0, SHOWN_MAX)).await?;
    Ok(Answer(found.into_iter().map(LabelBody::from).collect()))
}

/// Withdraw a label
///
/// It counts no more, and stays in the list. The one before it counts again, if there is one.
#[utoipa::path(post, operation_id = "withdrawLabel", path = "/labels/{id}/actions/withdraw", tag = "labels",
    params(("id" = i64, Path)), responses((status = 200, body = LabelBody)))]
pub async fn withdraw(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Answer<LabelBody>, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let label = find(&app, &caller, id).await?;
    if label.withdrawn_at.is_none() {
        app.labels().withdraw(actor, label, app.clock.now()).await?;
    }
    Ok(Answer(find(&app, &caller, id).await?.into()))
}

pub async fn find(app: &App, caller: &Caller, id: i64) -> Result<Label, ApiError> {
    let team_id = caller.team_id();
    app.store.read(move |tx| labels::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

pub fn not_found() -> ApiError {
    ApiError::not_found(Code::LabelNotFound, "label")
}
