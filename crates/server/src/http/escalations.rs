//! Escalations: what rules want somebody to look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use dregs_core::label::Outcome;
use dregs_core::rules::DueMinutes;
use dregs_core::score::{Category, Scores};
use dregs_core::time::Timestamp;
use dregs_core::wave::Shared;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::assignments;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, both, must};
use super::known_names;
use super::labels::verdict;
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path, word};
use super::reference::Reference;
use super::triage::reason;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::escalations as ops;
use crate::ops::decide::waves;
use crate::store::escalations::{self, Escalation, Filter, Severity, Sort, Status};
use crate::store::{Tx, identities, teams};

/// Escalations of a status that are counted.
const COUNTED_MAX: i64 = 100_000;
/// Of a filter: those that are not closed.
const ACTIVE: &str = "ACTIVE";

/// A case that a rule has opened for somebody to look at.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EscalationBody {
    id: i64,
    /// OPEN, ACKNOWLEDGED or CLOSED.
    #[schema(example = "OPEN")]
    status: &'static str,
    /// INFO, WARNING or CRITICAL.
    #[schema(example = "CRITICAL")]
    severity: &'static str,
    identity: Reference,
    escalation_rule: Reference,
    /// The scores when it opened, by category: all four, null where there was none.
    score_snapshot: BTreeMap<&'static str, Option<u8>>,
    /// What opened it: the conditions of its rule with the values that met them. Null where it was drawn at random, or
    /// opened before this was kept.
    #[schema(example = "The event is PURCHASE; the event's \"amount\" is 9500, above 500.")]
    explanation: Option<String>,
    /// Your id of the event that opened it; null where its rule asks about no event, and once that event is not kept any
    /// more.
    #[schema(example = "evt-1")]
    event_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// The user's e-mail address, or the credential's name.
    acknowledged_by: Option<String>,
    /// Null where its rule closed it.
    closed_by: Option<String>,
    /// As whoever closed it put it, or what its rule found.
    close_reason: Option<String>,
    /// What was decided of the identity, GOOD or BAD; null where nothing was.
    #[schema(example = "BAD")]
    outcome: Option<&'static str>,
    /// The e-mail address of the member who works on it; null for nobody.
    assignee: Option<String>,
    /// Until when it is to be closed, by the times that the team has set; null where it has set none.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// Whether that is past, and it is not closed.
    overdue: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl EscalationBody {
    pub fn new(escalation: Escalation, due: DueMinutes, now: Timestamp) -> Self {
        let due_at = due.due_at(escalation.severity, escalation.opened_at);
        let overdue = escalation.status != Status::Closed && due_at.is_some_and(|due_at| due_at < now);
        Self {
            id: escalation.id,
            status: escalation.status.name(),
            severity: escalation.severity.name(),
            identity: Reference::identity(escalation.identity, escalation.identity_label),
            escalation_rule: Reference::rule(escalation.rule_id, escalation.rule_name),
            score_snapshot: snapshot(&escalation.scores),
            explanation: escalation.explanation,
            event_id: escalation.event_id,
            opened_at: escalation.opened_at,
            acknowledged_at: escalation.acknowledged_at,
            closed_at: escalation.closed_at,
            acknowledged_by: escalation.acknowledged_by,
            closed_by: escalation.closed_by,
            close_reason: escalation.close_reason,
            outcome: escalation.verdict.map(|verdict| verdict.outcome.name()),
            assignee: escalation.assignee,
            due_at,
            overdue,
            created_at: escalation.created_at,
        }
    }
}

fn snapshot(scores: &Scores) -> BTreeMap<&'static str, Option<u8>> {
    Category::ALL.into_iter().map(|category| (category.name(), scores.get(category))).collect()
}

/// Which escalations.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// `openedAt` by default; else `severity`.
    pub sort: Option<String>,
    /// OPEN, ACKNOWLEDGED or CLOSED; ACTIVE for those that are not closed.
    pub status: Option<String>,
    /// INFO, WARNING or CRITICAL.
    pub severity: Option<String>,
    pub identity: Option<String>,
    /// Who works on it: `me`, `none` for nobody, or the e-mail address or the id of a member.
    pub assignee: Option<String>,
    /// Whom a note mentions: as `assignee`, but for `none`.
    pub mentioned: Option<String>,
    /// Those that are past their due time and not closed; or all others.
    pub overdue: Option<bool>,
    /// What was decided of the identity: GOOD, BAD, or NONE where nothing was yet.
    pub outcome: Option<String>,
    /// The id of an escalation rule; one that is gone, as long as escalations of it are kept.
    pub rule: Option<String>,
    /// What the identity has in common with others: a kind and a value, as waves have them, such as `IP:203.0.113.7` or
    /// `EMAIL_DOMAIN:example.com`.
    pub shares: Option<String>,
}

/// List the escalations, newest first
#[utoipa::path(get, operation_id = "listEscalations", path = "/escalations", tag = "escalations",
    params(PageQuery, ListParams), responses((status = 200, body = Page<EscalationBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<EscalationBody>>, ApiError> {
    let page = query.page();
    let allowed = [("openedAt", Sort::OpenedAt), ("createdAt", Sort::OpenedAt), ("severity", Sort::Severity)];
    let sort = sort(params.sort.as_deref(), &allowed)?;
    let (team_id, now) = (caller.team_id(), app.clock.now());
    let Some(filter) = params.filter(&app, &caller, now).await? else {
        return Ok(Answer(page.page(Vec::new(), 0)));
    };
    let (count, found) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| {
            let count = escalations::count(tx, team_id, &filter, page.count_limit())?;
            let (ascending, offset, limit) = (query.ascending(), page.offset(), page.limit());
            Ok((count, escalations::page(tx, team_id, &filter, sort, ascending, offset, limit)?))
        })
        .await?;
    let due = app.store.read(move |tx| teams::due_minutes(tx, team_id)).await?;
    let bodies = found.into_iter().map(|one| EscalationBody::new(one, due, now)).collect();
    Ok(Answer(page.counted(bodies, count)))
}

impl ListParams {
    /// Those that are not closed, where it is not said in which status they are.
    pub fn active_by_default(mut self) -> Self {
        self.status.get_or_insert_with(|| ACTIVE.to_owned());
        self
    }

    /// The filter; `None` where it is about an identity that there is not.
    pub async fn filter(
        self,
        app: &App,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Option<Filter>, ApiError> {
        let Self { severity, rule, identity, outcome, overdue, shares, status, assignee, mentioned, .. } =
            self;
        let (is_active, status) = parse_status_filter(status.as_deref())?;
        let assignee = match assignee {
            Some(assignee) => Some(assignments::assignee(app, caller, &assignee).await?),
            None => None,
        };
        let mentioned = match mentioned {
            Some(member) => Some(assignments::member(app, caller, "mentioned", &member).await?.email),
            None => None,
        };
        let asked = Asked { severity, rule, identity, outcome, overdue, shares };
        let filter = asked.filter(app, caller.team_id(), now).await?;
        Ok(filter.map(|filter| Filter { status, is_active, assignee, mentioned, ..filter }))
    }
}

/// What is asked for of the escalations of a list, whoever works on them and however far they are.
#[derive(Default)]
pub struct Asked {
    pub severity: Option<String>,
    pub rule: Option<String>,
    pub identity: Option<String>,
    pub outcome: Option<String>,
    pub overdue: Option<bool>,
    pub shares: Option<String>,
}

impl Asked {
    /// The filter; `None` where it is about an identity that there is not.
    pub async fn filter(self, app: &App, team_id: i64, now: Timestamp) -> Result<Option<Filter>, ApiError> {
        let mut filter = Filter {
            severity: self.severity.as_deref().map(parse_severity).transpose()?,
            outcome: self.outcome.as_deref().map(outcome).transpose()?,
            ..Filter::default()
        };
        if let Some(is_overdue) = self.overdue {
            let due = app.store.read(move |tx| teams::due_minutes(tx, team_id)).await?;
            filter.overdue = Some((is_overdue, due.overdue_before(now)));
        }
        if let Some(text) = self.shares {
            filter.shares =
                Some(waves::shares(&Shared::parse(&text), &app.key_hasher, team_id).ok_or_else(|| {
                    let kinds = Shared::kinds();
                    let message =
                        format!("must be a kind and a value, such as IP:203.0.113.7; kinds are {kinds}");
                    ApiError::field("shares", message)
                })?);
        }
        if let Some(rule) = self.rule {
            filter.rule_id = Some(known_names::escalation_rule(app, team_id, &rule).await?);
        }
        if let Some(id) = self.identity {
            match app.store.read(move |tx| identities::find(tx, team_id, &id)).await? {
                Some(identity) => filter.identity_id = Some(identity.row_id),
                None => return Ok(None),
            }
        }
        Ok(Some(filter))
    }
}

/// How many escalations are in each status.
#[derive(Serialize, ToSchema)]
pub struct EscalationSummaryBody {
    open: i64,
    acknowledged: i64,
    closed: i64,
    /// Of those that are not closed, past their due time.
    overdue: i64,
    /// Of those that are not closed, the caller's own.
    mine: i64,
    /// Of those that are not closed, those of which a note mentions the caller.
    mentioned: i64,
}

/// Count the escalations in each status, each up to 100,000
#[utoipa::path(get, operation_id = "countEscalations", path = "/escalations/summary", tag = "escalations",
    responses((status = 200, body = EscalationSummaryBody)))]
pub async fn summary(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Answer<EscalationSummaryBody>, ApiError> {
    counted(&app, &caller).await.map(Answer)
}

pub async fn counted(app: &App, caller: &Caller) -> Result<EscalationSummaryBody, ApiError> {
    let (team_id, now) = (caller.team_id(), app.clock.now());
    let member = match caller {
        Caller::Person(user) => Some(user.email.clone()),
        Caller::Backend(_) => None,
    };
    let count = move |tx: &mut Tx| {
        let [open, acknowledged, closed] = escalations::summary(tx, team_id, COUNTED_MAX)?;
        let before = teams::due_minutes(tx, team_id)?.overdue_before(now);
        let late = Filter { overdue: Some((true, before.clone())), ..Filter::default() };
        let overdue =
            if before.is_empty() { 0 } else { escalations::count(tx, team_id, &late, COUNTED_MAX)? };
        let (mut mine, mut mentioned) = (0, 0);
        if let Some(member) = member {
            let active = || Filter { is_active: true, ..Filter::default() };
            let own = Filter { assignee: Some(Some(member.clone())), ..active() };
            let mentioning = Filter { mentioned: Some(member), ..active() };
            mine = escalations::count(tx, team_id, &own, COUNTED_MAX)?;
            mentioned = escalations::count(tx, team_id, &mentioning, COUNTED_MAX)?;
        }
        Ok(EscalationSummaryBody { open, acknowledged, closed, overdue, mine, mentioned })
    };
    Ok(app.store.read(count).await?)
}

/// Read an escalation
#[utoipa::path(get, operation_id = "readEscalation", path = "/escalations/{id}", tag = "escalations",
    params(("id" = i64, Path)), responses((status = 200, body = EscalationBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<EscalationBody>, ApiError> {
    body(&app, &caller, &id).await
}

/// Where an escalation goes.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscalationPatchBody {
    /// OPEN, ACKNOWLEDGED or CLOSED.
    #[schema(example = "ACKNOWLEDGED")]
    status: String,
    /// Why it is closed; only with the status CLOSED.
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// Labels its identity, too: GOOD or BAD; only with the status CLOSED.
    #[schema(example = "GOOD")]
    outcome: Option<String>,
    /// Of BAD: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    kind: Option<String>,
    /// The cycle that was looked at, by which it is labeled; the newest by default. Only with an outcome.
    cycle_id: Option<i64>,
}

impl EscalationPatchBody {
    fn read(self) -> Result<ops::Move, ApiError> {
        let status = parse_status(&self.status);
        // Of a status that is none nothing follows.
        let closes = status.as_ref().map_or(true, |status| *status == Status::Closed);
        let with_closed = |field: &str, is_given: bool| {
            must(closes || !is_given, field, "goes with the status CLOSED alone")
        };
        let reason = reason(self.reason);
        let of_reason = with_closed("reason", matches!(reason, Ok(Some(_))));
        let of_outcome = with_closed("outcome", self.outcome.is_some());
        let verdict = match (self.outcome.as_deref(), self.kind.as_deref()) {
            (None, Some(_)) => Err(ApiError::field("kind", "goes with the outcome BAD alone")),
            (outcome, kind) => outcome.map(|outcome| verdict("", outcome, kind)).transpose(),
        };
        let of_cycle = must(
            self.cycle_id.is_none() || matches!(verdict, Err(_) | Ok(Some(_))),
            "cycleId",
            "goes with an outcome alone",
        );
        let said = both(both(reason, of_reason), both(both(verdict, of_cycle), of_outcome));
        let (status, ((reason, ()), ((verdict, ()), ()))) = both(status, said)?;
        Ok(ops::Move { status, reason, verdict: verdict.map(|verdict| (verdict, self.cycle_id)) })
    }
}

/// Acknowledge, close or reopen an escalation
#[utoipa::path(patch, operation_id = "changeEscalation", path = "/escalations/{id}", tag = "escalations",
    params(("id" = i64, Path)), request_body = EscalationPatchBody,
    responses((status = 200, body = EscalationBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<EscalationPatchBody>>,
) -> Result<Answer<EscalationBody>, ApiError> {
    let to = patch.check(EscalationPatchBody::read)?;
    let escalation = find(&app, &caller, &id).await?;
    let moved = ops::set_status(&app.labels(), actor, escalation, to, app.clock.now()).await?;
    moved.map_err(|ops::NoCycle| ApiError::not_found(Code::AnalysisNotFound, "cycle of this identity"))?;
    body(&app, &caller, &id).await
}

/// An escalation as it is now.
pub async fn body(app: &App, caller: &Caller, id: &str) -> Result<Answer<EscalationBody>, ApiError> {
    let (escalation, team_id) = (find(app, caller, id).await?, caller.team_id());
    let due = app.store.read(move |tx| teams::due_minutes(tx, team_id)).await?;
    Ok(Answer(EscalationBody::new(escalation, due, app.clock.now())))
}

pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<Escalation, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| escalations::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

pub fn not_found() -> ApiError {
    ApiError::not_found(Code::EscalationNotFound, "escalation")
}

/// Whether those that are not closed are asked for, else those in a status.
fn parse_status_filter(text: Option<&str>) -> Result<(bool, Option<Status>), ApiError> {
    let Some(name) = text.map(word) else { return Ok((false, None)) };
    if name == ACTIVE {
        return Ok((true, None));
    }
    let unknown = || ApiError::field("status", "must be OPEN, ACKNOWLEDGED, CLOSED or ACTIVE");
    Status::parse(&name).map(|status| (false, Some(status))).ok_or_else(unknown)
}

pub fn parse_status(text: &str) -> Result<Status, ApiError> {
    Status::parse(&word(text))
        .ok_or_else(|| ApiError::field("status", "must be OPEN, ACKNOWLEDGED or CLOSED"))
}

fn outcome(text: &str) -> Result<Option<Outcome>, ApiError> {
    let name = word(text);
    let known = Outcome::parse(&name);
    if known.is_some() || name == "NONE" {
        return Ok(known);
    }
    Err(ApiError::field("outcome", "must be GOOD, BAD or NONE"))
}

fn parse_severity(text: &str) -> Result<Severity, ApiError> {
    Severity::parse(&word(text))
        .ok_or_else(|| ApiError::field("severity", "must be INFO, WARNING or CRITICAL"))
}
