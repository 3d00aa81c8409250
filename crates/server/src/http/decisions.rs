//! Decisions: how an identity stands, in the answer to an event or asked for by itself.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use dregs_core::rules::{Kind, Matched};
use dregs_core::score::Scores;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, must_have};
use super::params::{Path, whole_number};
use super::reference::Reference;
use super::schema::BadgeBody;
use crate::app::App;
use crate::ops::decide::awaited::{Answer as Awaited, Deadline, Waiter};
use crate::ops::decide::current::{self, Current, Escalation};
use crate::store::codec;

/// How long the answer to an event may wait for its cycle.
pub const WAIT_MAX_MS: u32 = 10_000;
/// Identities decided on at once.
pub const DECIDED_MAX: usize = 100;

/// How an event is answered.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SendParams {
    /// Answer with the decision about the identity, after the cycle that has seen this event, or after so many milliseconds,
    /// counted from the arrival of the request. Not with a public key.
    #[serde(default, deserialize_with = "wait")]
    #[param(minimum = 1, maximum = 10000, example = 200)]
    pub wait: Option<u32>,
}

fn wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number::<1, WAIT_MAX_MS, _>(deserializer).map(Some)
}

/// When a request has arrived, where this is the first that is asked of it.
pub struct Arrived(pub Instant);

impl<S: Sync> FromRequestParts<S> for Arrived {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Instant::now()))
    }
}

/// What may not be said of a batch.
#[derive(Deserialize)]
pub struct BatchParams {
    pub wait: Option<String>,
}

/// How an identity stands: what to decide by.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionBody {
    scores: DecisionScores,
    /// As the identity has them. Of one that is disregarded, none, and no escalations and rules either.
    badges: Vec<BadgeBody>,
    /// Escalations that are not closed, the oldest first.
    open_escalations: Vec<OpenEscalation>,
    /// Badge rules and escalation rules whose conditions hold now, whether or not their delays have passed. Left out is what
    /// people have put aside: by a label, by dismissing the badge, or by snoozing the rule.
    matched_rules: Vec<MatchedRule>,
    /// The newest cycle, as in `/identities/{id}/analysis/{cycleId}`; null before the first.
    #[schema(example = 3)]
    cycle_id: Option<i64>,
    /// In the answer to an event: whether the cycle that sees it has not run. The rest is then what stood before, as far as
    /// that was read in time; where it was not, it is empty. Asked for by itself: whether something waits to be scored.
    #[schema(example = false)]
    pending: bool,
}

/// All four scores, from 0, worst, to 100, best; null where there is none yet.
#[derive(Serialize, ToSchema)]
pub struct DecisionScores {
    #[schema(example = 4)]
    humanity: Option<u8>,
    #[schema(example = 35)]
    authenticity: Option<u8>,
    #[schema(example = 91)]
    uniqueness: Option<u8>,
    #[schema(example = 80)]
    behavior: Option<u8>,
}

impl Default for DecisionScores {
    fn default() -> Self {
        Self::from(Scores::default())
    }
}

impl From<Scores> for DecisionScores {
    fn from(scores: Scores) -> Self {
        let Scores { humanity, authenticity, uniqueness, behavior } = scores;
        Self { humanity, authenticity, uniqueness, behavior }
    }
}

/// An escalation of a rule that is not closed. Who was drawn at random for a look has none by that.
#[derive(Serialize, ToSchema)]
pub struct OpenEscalation {
    id: i64,
    /// OPEN or ACKNOWLEDGED.
    #[schema(example = "OPEN")]
    status: &'static str,
    /// INFO, WARNING or CRITICAL.
    #[schema(example = "CRITICAL")]
    severity: &'static str,
    rule: Reference,
}

impl From<&Escalation> for OpenEscalation {
    fn from(open: &Escalation) -> Self {
        let rule = Reference::rule(open.rule_id, open.rule_name.clone());
        Self { id: open.id, status: open.status, severity: open.severity, rule }
    }
}

/// A rule whose conditions hold.
#[derive(Serialize, ToSchema)]
pub struct MatchedRule {
    id: i64,
    #[schema(example = "Likely a bot")]
    name: String,
    /// BADGE or ESCALATION; ids are of one kind each.
    #[schema(example = "ESCALATION")]
    kind: &'static str,
}

impl From<&Matched> for MatchedRule {
    fn from(matched: &Matched) -> Self {
        let kind = match matched.kind {
            Kind::Badge => "BADGE",
            Kind::Escalation => "ESCALATION",
        };
        Self { id: matched.rule, name: matched.name.clone(), kind }
    }
}

impl DecisionBody {
    fn new(current: &Current, pending: bool) -> Self {
        Self {
            scores: current.scores.into(),
            badges: current.badges.iter().cloned().map(BadgeBody::from).collect(),
            open_escalations: current.escalations.iter().map(OpenEscalation::from).collect(),
            matched_rules: current.matched.iter().map(MatchedRule::from).collect(),
            cycle_id: current.cycle,
            pending,
        }
    }

    /// As it stands, without an event.
    fn of(current: &Current) -> Self {
        Self::new(current, current.is_due)
    }

    /// Not there in time.
    fn pending(before: Option<&Current>) -> Self {
        metrics::counter!("dregs_decisions_pending_total").increment(1);
        before.map_or_else(|| Self { pending: true, ..Self::default() }, |before| Self::new(before, true))
    }

    /// After the cycle that `waiter` waits for, or what there is at the deadline. `None` where the identity is gone.
    pub async fn awaited(waiter: Waiter, deadline: Deadline) -> Option<Self> {
        match waiter.until(deadline.at()).await {
            Awaited::Seen(current) => Some(Self::new(&current, false)),
            Awaited::Pending(before) => Some(Self::pending(before.as_deref())),
            Awaited::Gone => None,
        }
    }

    /// As it stands about whom a stored event is about. `None` where that is nobody. An event that is stored is answered,
    /// whatever becomes of this.
    pub async fn of_event(app: &App, team_id: i64, id: &str, deadline: Deadline) -> Option<Self> {
        let (packed_id, rules, now) = (codec::pack_id(id), app.kept.rules.current(), app.clock.now());
        let read = app.store.read(move |tx| current::of_event(tx, team_id, &packed_id, &rules, now));
        match timeout_at(deadline.at(), read).await {
            Ok(Ok(current)) => current.as_ref().map(Self::of),
            _ => Some(Self::pending(None)),
        }
    }
}

/// Read the decision about an identity
///
/// How it stands now: what an event with `wait` is answered with. Nothing is scored for it.
#[utoipa::path(get, operation_id = "readDecision", path = "/identities/{id}/decision", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = DecisionBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<DecisionBody>, ApiError> {
    let found = find(&app, caller.team_id(), vec![id]).await?.pop();
    let found = found.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))?;
    Ok(Answer(DecisionBody::of(&found)))
}

/// Whom to decide on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    /// The application's own ids of from 1 to 100 identities.
    #[schema(min_items = 1, max_items = 100, example = json!(["user_12345"]))]
    ids: Vec<String>,
}

/// Decisions about some identities.
#[derive(Serialize, ToSchema)]
pub struct DecideAnswer {
    /// In the order in which they were asked for, each once.
    decisions: Vec<IdentityDecision>,
    /// Those that there are not.
    unknown: Vec<String>,
}

/// The decision about an identity.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityDecision {
    #[schema(example = "user_12345")]
    identity_id: String,
    decision: DecisionBody,
}

/// Read the decisions about some identities
///
/// Reads, and changes nothing: an identity that there is not is not made.
#[utoipa::path(post, operation_id = "decideIdentities", path = "/identities/actions/decide", tag = "identities",
    request_body = DecideBody, responses((status = 200, body = DecideAnswer)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Unchecked<DecideBody>>,
) -> Result<Answer<DecideAnswer>, ApiError> {
    let ids = body.check(|DecideBody { mut ids }| {
        let asked = ids.len();
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        must_have("ids", asked, 1..=DECIDED_MAX, "identities").map(|()| ids)
    })?;
    let found = find(&app, caller.team_id(), ids.clone()).await?;
    let mut found: HashMap<_, _> =
        found.into_iter().map(|current| (current.external_id.clone(), current)).collect();
    let (mut decisions, mut unknown) = (Vec::with_capacity(found.len()), Vec::new());
    for identity_id in ids {
        match found.remove(&identity_id) {
            Some(current) => {
                decisions.push(IdentityDecision { identity_id, decision: DecisionBody::of(&current) })
            }
            None => unknown.push(identity_id),
        }
    }
    Ok(Answer(DecideAnswer { decisions, unknown }))
}

async fn find(app: &App, team_id: i64, ids: Vec<String>) -> Result<Vec<Current>, ApiError> {
    let (rules, now, hasher) = (app.kept.rules.current(), app.clock.now(), app.key_hasher);
    let read = app.store.read(move |tx| {
        let keys: Vec<_> =
            ids.iter().map(|id| (hasher.shard(team_id, &[id.as_str()]), team_id, id.as_str())).collect();
        current::find(tx, &keys, &rules, now)
    });
    Ok(read.await?)
}
