//! What badge rules and escalation rules have in common.

use std::sync::Arc;

use axum::http::StatusCode;
use dregs_core::fact::{self, Fact};
use dregs_core::list::{ListType, Lists};
use dregs_core::rules::{
    ADDITIONS_MAX, Addition, CONDITIONS_MAX, Condition, DEPTH_MAX, Pattern, SECONDS_MAX, Which, depth,
};
use dregs_core::words::snake;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::body::read_twice;
use super::error::{ApiError, Code, both, every, must, must_have};
use super::facts::FactValueBody;
use super::page::{Page, PageQuery, sort};
use super::params::word;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::counters;
use crate::ops::team::lists;
use crate::ops::team::rules::{self as ops, Change};
use crate::store::StoreError;
use crate::store::rules::Kept;

/// Longest name of a rule.
pub(super) const NAME_MAX_CHARS: usize = 100;

/// What must hold: a score (`SCORE_LT`, `SCORE_LTE`, `SCORE_GT`, `SCORE_GTE` with category and threshold), an
/// age (`IDENTITY_AGE_GT`, and in escalation rules `IDENTITY_AGE_LT`, with seconds), an AI agent that acts for it
/// (`AGENT_IS` with its name, its operator or ANY, and whether that must be verified), or, in escalation rules, a badge
/// (`BADGE_EXISTS`, `BADGE_NOT_EXISTS` with its slug).
///
/// Also what an event and its identity say: `EVENT_IS` with the types of events, at which alone a rule or a channel is asked
/// then; a fact of `GET /facts` (`FACT_EQ`, `FACT_NE`, `FACT_GT`, `FACT_LT`, `FACT_CONTAINS` with value, `FACT_IN` with
/// values, `FACT_MATCHES` with a regular expression as pattern, `IN_LIST`, `NOT_IN_LIST` with the slug of a list); a counter (`COUNTER_GT`, `COUNTER_LT` with its slug and a
/// value). `ALL` and `ANY` with conditions, and `NOT` with a condition, join them, four levels deep.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ConditionBody {
    #[serde(rename = "type")]
    #[schema(example = "SCORE_LT")]
    condition_type: String,
    /// HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR or ANY.
    #[schema(example = "HUMANITY")]
    category: Option<String>,
    #[schema(example = 30, minimum = 0, maximum = 100)]
    threshold: Option<u8>,
    seconds: Option<u64>,
    badge: Option<String>,
    #[schema(example = "ChatGPT-User")]
    agent: Option<String>,
    verified: Option<bool>,
    #[schema(example = json!(["PURCHASE"]))]
    events: Option<Vec<String>>,
    #[schema(example = "event.data.amount")]
    fact: Option<String>,
    #[schema(value_type = Option<FactValueBody>, example = 500)]
    value: Option<Value>,
    #[schema(value_type = Option<Vec<FactValueBody>>)]
    values: Option<Vec<Value>>,
    pattern: Option<String>,
    counter: Option<String>,
    list: Option<String>,
    #[schema(no_recursion)]
    conditions: Option<Vec<Self>>,
    #[schema(no_recursion)]
    condition: Option<Box<Self>>,
}

/// What a rule adds to a list when it gives its badge or opens its escalation: the identity's own values, and none that is
/// common in the team, trusted, or a domain of a mail provider.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdditionBody {
    /// The slug of a list that is not trusted.
    #[schema(example = "banned-devices")]
    list: String,
    /// DEVICE, IP, EMAIL, EMAIL_DOMAIN, PHONE or IDENTITY: the type of the list.
    #[schema(example = "DEVICE")]
    what: String,
    /// After so many seconds the entries end; without it they have no end.
    #[schema(minimum = 1)]
    for_seconds: Option<u64>,
}

/// Reads what a rule adds to lists.
pub(super) fn additions(
    all: Vec<AdditionBody>,
    known: &Known,
    before: &[Addition],
) -> Result<Vec<Addition>, ApiError> {
    must_have("addsToLists", all.len(), 0..=ADDITIONS_MAX, "lists")?;
    every(all.into_iter().enumerate().map(|(n, body)| {
        let place = |parameter: &str| format!("addsToLists[{n}].{parameter}");
        let AdditionBody { list, what, for_seconds } = body;
        let ends = for_seconds.is_none_or(|seconds| (1..=SECONDS_MAX).contains(&seconds));
        let ends = must(ends, &place("forSeconds"), format!("must be from 1 to {SECONDS_MAX}"));
        let is_what = |what: &ListType| Addition::WHAT.contains(what);
        let what = ListType::parse(&word(&what)).filter(is_what).ok_or_else(|| {
            ApiError::field(&place("what"), "must be DEVICE, IP, EMAIL, EMAIL_DOMAIN, PHONE or IDENTITY")
        });
        let (what, ()) = both(what, ends)?;
        let addition = Addition { list, what, for_seconds };
        known.check_addition(n, &addition, before).map(|()| addition)
    }))
}

/// Which rules.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only `id`.
    sort: Option<String>,
}

pub(super) const fn yes() -> bool {
    true
}

pub(super) fn slug_of(name: &str) -> String {
    snake(name).replace('_', "-")
}

pub(super) fn check_seconds(field: &str, seconds: u64) -> Result<(), ApiError> {
    must(seconds <= SECONDS_MAX, field, format!("must be from 0 to {SECONDS_MAX}"))
}

/// The lists and counters that a team's rules may ask for.
pub(super) struct Known {
    pub team_id: i64,
    lists: Arc<lists::OfTeams>,
    counters: Arc<counters::OfTeams>,
}

impl Known {
    pub fn of_team(app: &App, team_id: i64) -> Self {
        Self { team_id, lists: app.kept.lists.current(), counters: app.kept.counters.current() }
    }

    /// Whoever adds to a list expects that there is one that fits; what is gone or trusted since may stay in a rule, and
    /// nothing is added.
    fn check_addition(&self, n: usize, addition: &Addition, before: &[Addition]) -> Result<(), ApiError> {
        match addition.flaw(self.lists.of(self.team_id)).filter(|_| !before.contains(addition)) {
            Some((parameter, flaw)) => Err(ApiError::field(&format!("addsToLists[{n}].{parameter}"), flaw)),
            None => Ok(()),
        }
    }

    /// The same of all that a rule adds.
    pub fn check_additions(&self, all: &[Addition], before: &[Addition]) -> Result<(), ApiError> {
        let checked = all.iter().enumerate().map(|(n, one)| self.check_addition(n, one, before));
        every(checked).map(drop)
    }

    /// Whoever asks for a list or a counter expects that there is one; what is gone since may stay in a rule.
    pub fn flaw(&self, condition: &Condition, before: &[Condition]) -> Flaw {
        if before.iter().flat_map(Condition::walk).any(|known| known == condition) {
            return None;
        }
        let lists = self.lists.of(self.team_id);
        if let Some(slug) = condition.list() {
            return flaw_of_list(lists, slug, condition.fact()?);
        }
        let counters = self.counters.of(self.team_id);
        let is_there = |counter: &str| counters.is_some_and(|all| all.find(counter).is_some());
        let counter = condition.counter().filter(|counter| !is_there(counter))?;
        Some(("counter", format!("there is no counter `{counter}`")))
    }
}

/// That there is a list, and that values of the fact can be on it.
fn flaw_of_list(lists: &Lists, slug: &str, fact: &Fact) -> Flaw {
    let Some(list) = lists.get(slug) else { return Some(("list", format!("there is no list `{slug}`"))) };
    if fact.list_types().contains(&list.list_type) {
        return None;
    }
    let names: Vec<_> = fact.list_types().iter().map(|list_type| list_type.name()).collect();
    let (names, has) = (names.join(" or "), list.list_type.name());
    Some(("list", format!("must be of type {names} for the fact `{fact}`; `{slug}` is of type {has}")))
}

/// What is wrong with a condition: which parameter, and why.
pub(super) type Flaw = Option<(&'static str, String)>;

/// Reads conditions, in which `flaw` may see what is wrong besides.
pub(super) fn conditions(
    value: Value,
    flaw: impl Fn(&Condition) -> Flaw,
) -> Result<Vec<Condition>, ApiError> {
    let Value::Array(all) = value else {
        return Err(ApiError::field("conditions", "must be an array of conditions"));
    };
    must_have("conditions", all.len(), 1..=CONDITIONS_MAX, "conditions")?;
    let read = every(all.into_iter().enumerate().map(|(n, one)| {
        let field = format!("conditions[{n}]");
        read_twice::<Parameters, Condition>(&field, one)
            .check(|condition| check(&field, &condition, &flaw).map(|()| condition))
    }))?;
    let flaw = format!("must not stand more than {DEPTH_MAX} levels deep inside one another");
    must(depth(&read) <= DEPTH_MAX, "conditions", flaw)?;
    let count = read.iter().flat_map(Condition::walk).count();
    must(
        count <= CONDITIONS_MAX,
        "conditions",
        format!("must be at most {CONDITIONS_MAX} with those inside them"),
    )?;
    Ok(read)
}

/// Checks a condition, and those that stand in it.
pub(super) fn check(
    field: &str,
    condition: &Condition,
    flaw: &impl Fn(&Condition) -> Flaw,
) -> Result<(), ApiError> {
    let right = |flaw: Flaw| match flaw {
        Some((parameter, flaw)) => Err(ApiError::field(&format!("{field}.{parameter}"), flaw)),
        None => Ok(()),
    };
    let inner = condition.inner().iter().enumerate().map(|(n, inner)| {
        let is_alone = matches!(condition, Condition::Not { .. });
        let place = if is_alone { "condition".to_owned() } else { format!("conditions[{n}]") };
        check(&format!("{field}.{place}"), inner, flaw)
    });
    let own = condition.flaw();
    // Of one parameter, one thing is wrong.
    let beside = flaw(condition).filter(|(it, _)| own.as_ref().is_none_or(|(parameter, _)| parameter != it));
    both(both(right(own), right(beside)), every(inner)).map(|_| ())
}

/// What conditions of any type ask for, read before the type is known: the error of a tagged enum names no field.
#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "category")]
    _category: Option<Which>,
    #[serde(rename = "threshold")]
    _threshold: Option<Threshold>,
    #[serde(rename = "seconds")]
    _seconds: Option<u64>,
    #[serde(rename = "badge")]
    _badge: Option<String>,
    #[serde(rename = "agent")]
    _agent: Option<String>,
    #[serde(rename = "verified")]
    _verified: Option<bool>,
    #[serde(rename = "events")]
    _events: Option<Vec<String>>,
    #[serde(rename = "fact")]
    _fact: Option<Fact>,
    #[serde(rename = "value")]
    _value: Option<fact::Value>,
    #[serde(rename = "values")]
    _values: Option<Vec<fact::Value>>,
    #[serde(rename = "pattern")]
    _pattern: Option<Pattern>,
    #[serde(rename = "counter")]
    _counter: Option<String>,
    #[serde(rename = "list")]
    _list: Option<String>,
    #[serde(rename = "conditions")]
    _conditions: Option<Vec<Self>>,
    #[serde(rename = "condition")]
    _condition: Option<Box<Self>>,
}

#[derive(Deserialize)]
#[serde(try_from = "i64")]
struct Threshold;

impl TryFrom<i64> for Threshold {
    type Error = &'static str;

    fn try_from(threshold: i64) -> Result<Self, Self::Error> {
        if (0..=100).contains(&threshold) { Ok(Self) } else { Err("must be from 0 to 100") }
    }
}

pub(super) fn paged<R: ops::Rule, B: From<Kept<R>>>(
    all: Vec<Kept<R>>,
    team_id: i64,
    query: &PageQuery,
    params: &ListParams,
) -> Result<Answer<Page<B>>, ApiError> {
    let page = query.page();
    sort(params.sort.as_deref(), &[("id", ())])?;
    let mut own: Vec<_> = all.into_iter().filter(|kept| kept.team_id == team_id).collect();
    if query.is_descending() {
        own.reverse();
    }
    let total = i64::try_from(own.len()).unwrap_or(i64::MAX);
    let content = own.into_iter().skip(page.start()).take(page.length()).map(B::from).collect();
    Ok(Answer(page.page(content, total)))
}

pub(super) async fn changed<R: ops::Rule + Sync>(
    app: &App,
    actor: Actor,
    change: Change<R>,
) -> Result<Kept<R>, ApiError> {
    match ops::change(&app.store, &app.kept, actor, change, app.clock.now()).await {
        Ok(Some(kept)) => Ok(kept),
        Ok(None) => Err(not_found()),
        Err(StoreError::Conflict) => Err(ApiError::new(
            StatusCode::CONFLICT,
            Code::RuleExists,
            "There is a rule of this name. Change that one.",
        )),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn find<R: ops::Rule + Sync>(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<Kept<R>, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| R::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

pub(super) fn not_found() -> ApiError {
    ApiError::not_found(Code::RuleNotFound, "rule")
}
