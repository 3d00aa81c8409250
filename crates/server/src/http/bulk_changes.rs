//! Changes of many escalations at once: of a ring, of a wave, of whatever a filter finds.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::label::{LabelKind, Outcome};
use dregs_core::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::assignments;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, must, must_have};
use super::escalations::{ListParams, parse_status};
use super::labels::verdict;
use super::params::Path;
use super::reference::Reference;
use super::triage::{PlannedDeliveriesBody, reason};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::bulk_changes::{self as ops, BULK_MAX, Change, Chosen, UNDO_DAYS};
use crate::store::bulk_changes::{self, BulkChange, State as ItemState};
use crate::store::escalations::{Filter, Status};

/// Changes that are listed.
const LISTED_MAX: i64 = 50;

/// Which escalations a change is of: as the parameters of `listEscalations`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkFilterBody {
    /// OPEN, ACKNOWLEDGED or CLOSED; ACTIVE, those that are not closed, by default.
    status: Option<String>,
    /// INFO, WARNING or CRITICAL.
    severity: Option<String>,
    /// The id of an escalation rule.
    rule: Option<String>,
    identity: Option<String>,
    /// What was decided of the identity: GOOD, BAD, or NONE where nothing was yet.
    outcome: Option<String>,
    /// `me`, `none` for nobody, or a member.
    assignee: Option<String>,
    /// Whom a note mentions: `me`, or a member.
    mentioned: Option<String>,
    /// Those that are past their due time; or all others.
    overdue: Option<bool>,
    /// Those that have opened before: what has come since somebody looked stays as it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_before: Option<Timestamp>,
    /// What the identity has in common with others, as waves have it.
    #[schema(example = "DEVICE:0123456789abcdef0123456789abcdef")]
    shares: Option<String>,
}

/// A change of many escalations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBulkChangeBody {
    /// Which ones, by their ids; or else `filter`.
    #[schema(max_items = 10000)]
    ids: Option<Vec<i64>>,
    /// Those that match when the change is made; of more than 10,000, those that opened first.
    filter: Option<BulkFilterBody>,
    /// OPEN, ACKNOWLEDGED or CLOSED; or else `assignee`.
    #[schema(example = "CLOSED")]
    status: Option<String>,
    /// Why they are closed; only with the status CLOSED.
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// Labels their identities, too: GOOD or BAD; only with the status CLOSED.
    outcome: Option<String>,
    /// Of BAD: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    kind: Option<String>,
    /// Who is to work on them: `me`, `none` for nobody, or a member.
    assignee: Option<String>,
    /// Assigns what somebody else has, too; without it that is left with them.
    #[serde(default)]
    force: bool,
}

impl NewBulkChangeBody {
    /// Everything that can be told wrong without looking at the store.
    fn check(self) -> Result<Self, ApiError> {
        let one_of = |is_one: bool, field: &str, message: &str| must(is_one, field, message);
        let which = one_of(
            self.ids.is_some() != self.filter.is_some(),
            "ids",
            "say which escalations: `ids`, or `filter`, and not both",
        );
        let what = one_of(
            self.status.is_some() != self.assignee.is_some(),
            "status",
            "say what to do: `status`, or `assignee`, and not both",
        );
        let count = self.ids.as_ref().map_or(1, Vec::len);
        let count = must_have("ids", count, 1..=BULK_MAX, "ids");
        let status = self.status.as_deref().map(parse_status).transpose();
        let closes = matches!(status, Err(_) | Ok(Some(Status::Closed)));
        let is_said = self.reason.is_some() || self.outcome.is_some() || self.kind.is_some();
        let field = if self.reason.is_some() { "reason" } else { "outcome" };
        let with_closed = must(closes || !is_said, field, "goes with the status CLOSED alone");
        let reason = reason(self.reason.clone());
        let label = match (self.outcome.as_deref(), self.kind.as_deref()) {
            (None, Some(_)) => Err(ApiError::field("kind", "goes with the outcome BAD alone")),
            (outcome, kind) => outcome.map(|outcome| verdict("", outcome, kind)).transpose(),
        };
        both(both(both(which, what), count), both(both(status, with_closed), both(reason, label)))?;
        Ok(self)
    }

    /// Which escalations, and what is done to them; `None` where they are of an identity that there is not.
    async fn read(
        self,
        app: &App,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Option<(Chosen, Change)>, ApiError> {
        let change = match (&self.status, &self.assignee) {
            (_, Some(assignee)) => {
                let assignee = assignments::bulk_assignee(app, caller, assignee).await?;
                Change::Assign { assignee, force: self.force }
            }
            (status, None) => {
                let status = parse_status(status.as_deref().unwrap_or_default())?.name().to_owned();
                let label = self.outcome.as_deref().map(|outcome| verdict("", outcome, self.kind.as_deref()));
                let label = label.transpose()?;
                Change::Move {
                    status,
                    reason: reason(self.reason)?,
                    outcome: label.map(|label| label.outcome),
                    kind: label.and_then(|label| label.kind),
                }
            }
        };
        let chosen = match (self.ids, self.filter) {
            (Some(ids), _) => Chosen::Ids(ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()),
            (None, filter) => match filter.unwrap_or_default().filter(app, caller, now).await? {
                Some(filter) => Chosen::Matching(Box::new(filter)),
                None => return Ok(None),
            },
        };
        Ok(Some((chosen, change)))
    }
}

impl BulkFilterBody {
    async fn filter(self, app: &App, caller: &Caller, now: Timestamp) -> Result<Option<Filter>, ApiError> {
        let Self {
            status,
            severity,
            rule,
            identity,
            outcome,
            assignee,
            mentioned,
            overdue,
            shares,
            opened_before,
        } = self;
        let params = ListParams {
            status,
            severity,
            rule,
            identity,
            outcome,
            assignee,
            mentioned,
            overdue,
            shares,
            ..ListParams::default()
        };
        let filter = params.active_by_default().filter(app, caller, now).await?;
        Ok(filter.map(|filter| Filter { opened_before, ..filter }))
    }
}

/// What a bulk change would do.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkPreviewBody {
    /// Escalations that would be changed.
    escalations: usize,
    /// Whether those are all that match: of more than 10,000 a change takes those that opened first.
    is_exact: bool,
    /// Escalations that match, and are as they should be already or stay with whoever else has them.
    unchanged: usize,
    /// Of all that match, those that somebody else works on.
    of_others: usize,
    /// Of the label GOOD: other escalations of the same identities, which are closed as well.
    closed_too: usize,
    /// Whose they are.
    identities: usize,
    /// Of those, the ones of whom no score is below 50: look at them before you label.
    unsuspicious: usize,
    /// Some of the identities.
    examples: Vec<Reference>,
    /// What channels would be sent.
    deliveries: Vec<PlannedDeliveriesBody>,
    /// Whether that is all: of more than 200 identities that are labeled, it is at least that.
    deliveries_are_exact: bool,
}

impl From<ops::Preview> for BulkPreviewBody {
    fn from(preview: ops::Preview) -> Self {
        let ops::Preview { escalations, is_exact, unchanged, of_others, closed_too, identities, .. } =
            preview;
        let ops::Preview { unsuspicious, named, deliveries, deliveries_are_exact, .. } = preview;
        Self {
            escalations,
            is_exact,
            unchanged,
            of_others,
            closed_too,
            identities,
            unsuspicious,
            deliveries_are_exact,
            examples: named.into_iter().map(|(id, name)| Reference::identity(id, name)).collect(),
            deliveries: deliveries.into_iter().map(PlannedDeliveriesBody::from).collect(),
        }
    }
}

/// Preview a change of many escalations
///
/// How many would be changed, whose, and what would be sent. Read-only.
#[utoipa::path(post, operation_id = "previewBulkChange", path = "/escalations/bulk-changes/actions/preview",
    tag = "escalations", request_body = NewBulkChangeBody, responses((status = 200, body = BulkPreviewBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    actor: Actor,
    Json(new): Json<Unchecked<NewBulkChangeBody>>,
) -> Result<Answer<BulkPreviewBody>, ApiError> {
    let new = new.check(NewBulkChangeBody::check)?;
    let Some((chosen, change)) = new.read(&app, &caller, app.clock.now()).await? else {
        let nothing = BulkPreviewBody { is_exact: true, deliveries_are_exact: true, ..Default::default() };
        return Ok(Answer(nothing));
    };
    let context = app.labels().context();
    let preview = app.long_reads.read(move |tx| ops::preview(tx, &actor, &context, &chosen, &change)).await?;
    Ok(Answer(preview.into()))
}

/// A change of many escalations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkChangeBody {
    id: i64,
    /// RUNNING, FINISHED, UNDOING or UNDONE.
    #[schema(example = "FINISHED")]
    state: &'static str,
    /// Null of an assignment.
    status: Option<String>,
    reason: Option<String>,
    /// GOOD or BAD.
    outcome: Option<&'static str>,
    /// BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    kind: Option<&'static str>,
    /// The e-mail address of the member to whom they were assigned; null for nobody, and of no assignment.
    assignee: Option<String>,
    /// Escalations that it is of.
    total: i64,
    /// Of those, the ones that were changed, undone or not.
    changed: i64,
    /// Those that were as they should be, or that are gone.
    skipped: i64,
    /// Those that were undone.
    undone: i64,
    /// Those that were not, as somebody had changed them since.
    kept: i64,
    /// The user's e-mail address, or the credential's name.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    undone_at: Option<Timestamp>,
    /// Until when it can be undone.
    #[schema(value_type = String, format = DateTime)]
    undoable_until: Timestamp,
}

impl BulkChangeBody {
    fn new(row: BulkChange, tally: &[(i64, i64)]) -> Result<Self, ApiError> {
        let state = match (row.finished_at, row.undo_asked_at, row.undone_at) {
            (_, _, Some(_)) => "UNDONE",
            (_, Some(_), None) => "UNDOING",
            (Some(_), ..) => "FINISHED",
            (None, ..) => "RUNNING",
        };
        let count = |state: ItemState| {
            tally.iter().filter(|(code, _)| *code == state as i64).map(|(_, count)| *count).sum::<i64>()
        };
        let (undone, kept) = (count(ItemState::Undone), count(ItemState::Kept));
        let (status, reason, outcome, kind, assignee) = match ops::change_of(&row)? {
            Change::Move { status, reason, outcome, kind } => (Some(status), reason, outcome, kind, None),
            Change::Assign { assignee, .. } => (None, None, None, None, assignee),
        };
        Ok(Self {
            id: row.id,
            state,
            status,
            reason,
            outcome: outcome.map(Outcome::name),
            kind: kind.map(LabelKind::name),
            assignee,
            total: row.total,
            changed: count(ItemState::Changed) + undone + kept,
            skipped: count(ItemState::Skipped),
            undone,
            kept,
            by: ops::asker(row.team_id, &row.actor)?.name,
            created_at: row.created_at,
            finished_at: row.finished_at,
            undone_at: row.undone_at,
            undoable_until: row.created_at.plus_millis(UNDO_DAYS * DAY_MS),
        })
    }
}

/// Change many escalations
///
/// Acknowledge, close, label or assign them. It is carried out in the background: read it to see how far it is.
#[utoipa::path(post, operation_id = "createBulkChange", path = "/escalations/bulk-changes", tag = "escalations",
    request_body = NewBulkChangeBody, responses((status = 202, body = BulkChangeBody)))]
pub async fn create(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Json(new): Json<Unchecked<NewBulkChangeBody>>,
) -> Result<(StatusCode, Answer<BulkChangeBody>), ApiError> {
    let (new, now) = (new.check(NewBulkChangeBody::check)?, app.clock.now());
    let nobody = (Chosen::Ids(Vec::new()), Change::Assign { assignee: None, force: false });
    let (chosen, change) = new.read(&app, &caller, now).await?.unwrap_or(nobody);
    let id = ops::begin((&app.store, &app.long_reads), actor, chosen, change, now).await?;
    app.bulk_changes.notify_one();
    let body = body(&app, caller.team_id(), id).await?;
    Ok((StatusCode::ACCEPTED, Answer(body)))
}

/// List the changes of many escalations, newest first
///
/// The last 50, of at most a week.
#[utoipa::path(get, operation_id = "listBulkChanges", path = "/escalations/bulk-changes", tag = "escalations",
    responses((status = 200, body = Vec<BulkChangeBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Answer<Vec<BulkChangeBody>>, ApiError> {
    let team_id = caller.team_id();
    let found = app
        .store
        .read(move |tx| {
            let rows = bulk_changes::newest(tx, team_id, LISTED_MAX)?;
            rows.into_iter().map(|row| Ok((bulk_changes::tally(tx, row.id)?, row))).collect()
        })
        .await;
    let found: Vec<(Vec<(i64, i64)>, BulkChange)> = found?;
    let bodies = found.into_iter().map(|(tally, row)| BulkChangeBody::new(row, &tally));
    Ok(Answer(bodies.collect::<Result<_, _>>()?))
}

/// Read a change of many escalations
#[utoipa::path(get, operation_id = "readBulkChange", path = "/escalations/bulk-changes/{id}", tag = "escalations",
    params(("id" = i64, Path)), responses((status = 200, body = BulkChangeBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<BulkChangeBody>, ApiError> {
    body(&app, caller.team_id(), id.parse().map_err(|_| not_found())?).await.map(Answer)
}

/// Undo a change of many escalations
///
/// Each goes back to what it was, and labels are withdrawn, unless somebody has changed it since. Within 7 days. Carried
/// out in the background.
#[utoipa::path(post, operation_id = "undoBulkChange", path = "/escalations/bulk-changes/{id}/actions/undo",
    tag = "escalations", params(("id" = i64, Path)),
    responses((status = 202, body = BulkChangeBody),
        (status = 409, body = ErrorBody, description = "It is not finished, was undone, or is too old.")))]
pub async fn undo(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<(StatusCode, Answer<BulkChangeBody>), ApiError> {
    let (team_id, now) = (caller.team_id(), app.clock.now());
    let found = body(&app, team_id, id.parse().map_err(|_| not_found())?).await?;
    let refused = |message: &str| ApiError::new(StatusCode::CONFLICT, Code::WrongState, message);
    if found.undoable_until <= now {
        return Err(refused("It is too old to be undone."));
    }
    if !ops::undo(&app.store, actor, found.id, now).await? {
        let message = if found.finished_at.is_none() { "It is not finished yet." } else { "It was undone." };
        return Err(refused(message));
    }
    app.bulk_changes.notify_one();
    Ok((StatusCode::ACCEPTED, Answer(body(&app, team_id, found.id).await?)))
}

async fn body(app: &App, team_id: i64, id: i64) -> Result<BulkChangeBody, ApiError> {
    let found = app
        .store
        .read(move |tx| {
            let Some(row) = bulk_changes::find(tx, team_id, id)? else { return Ok(None) };
            Ok(Some((bulk_changes::tally(tx, id)?, row)))
        })
        .await?;
    let (tally, row) = found.ok_or_else(not_found)?;
    BulkChangeBody::new(row, &tally)
}

fn not_found() -> ApiError {
    ApiError::not_found(Code::BulkChangeNotFound, "bulk change")
}
