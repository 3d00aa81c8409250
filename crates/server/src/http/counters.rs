//! Counters: what a team counts of its events.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::counter::{
    CATALOGUE, Counter, Function, Template, WINDOW_MAX_SECONDS, WINDOW_MIN_SECONDS, is_key,
};
use dregs_core::fact::Fact;
use dregs_core::rules::Condition;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, check_name, must};
use super::page::{Page, PageQuery};
use super::params::{Params, Path, word};
use super::rules::{ConditionBody, NAME_MAX_CHARS, conditions, slug_of};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::counters::changes::{self as ops, Change, Changed};
use crate::ops::counters::{Said, Seen, of_identity};
use crate::store::StoreError;
use crate::store::counters::{self, Kept};

/// A counter of events, over a window of event time, for each value of a fact.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CounterBody {
    id: i64,
    name: String,
    /// By which rules use it.
    #[schema(example = "accounts-on-one-device-in-1-h")]
    slug: String,
    /// COUNT, DISTINCT, SUM, MIN or MAX.
    #[schema(example = "DISTINCT")]
    function: &'static str,
    /// The fact that it is of; null for COUNT, which is of events.
    #[schema(value_type = Option<String>, example = "identity.id")]
    of: Option<Fact>,
    /// The fact for each of whose values it counts apart.
    #[schema(value_type = String, example = "device")]
    per: Fact,
    /// Which events it counts: those that meet all.
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Vec<Condition>,
    window_seconds: u64,
    /// READY, or BUILDING while the past is counted: until then, no condition about it holds.
    #[schema(example = "READY")]
    status: &'static str,
    /// What it counts, in words.
    #[schema(example = "distinct accounts per device in 1 hour")]
    words: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Kept> for CounterBody {
    fn from(kept: Kept) -> Self {
        let Kept { counter, created_at, updated_at, .. } = kept;
        Self {
            id: counter.id,
            words: counter.words(),
            name: counter.name,
            slug: counter.slug,
            function: counter.function.name(),
            of: counter.function.of().cloned(),
            per: counter.per,
            conditions: counter.conditions,
            window_seconds: counter.window_seconds,
            status: status(counter.is_ready),
            created_at,
            updated_at,
        }
    }
}

const fn status(is_ready: bool) -> &'static str {
    if is_ready { "READY" } else { "BUILDING" }
}

/// A new counter.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCounterBody {
    /// Its slug is made of it, and stays.
    #[schema(example = "Accounts on one device in 1 h", max_length = 100)]
    name: String,
    /// COUNT, DISTINCT, SUM, MIN or MAX.
    #[schema(example = "DISTINCT")]
    function: String,
    /// The fact that it is of; null for COUNT, which is of events.
    #[schema(example = "identity.id")]
    of: Option<String>,
    /// The fact for each of whose values it counts apart: an identity, a device, an address, a network, an e-mail address
    /// or its domain, a phone number, a session, a country, a group, or a field of data.
    #[schema(example = "device")]
    per: String,
    /// Which events it counts: those that meet all. Without any, all events.
    #[serde(default)]
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    /// From 60 to 2592000, which is 30 days.
    #[schema(example = 3600, minimum = 60, maximum = 2_592_000)]
    window_seconds: u64,
}

/// What to change about a counter: at least one of them. Where it counts something else than before, it counts anew, the
/// past included.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CounterPatchBody {
    #[schema(example = "Accounts on one device", max_length = 100)]
    name: Option<String>,
    /// COUNT, DISTINCT, SUM, MIN or MAX.
    #[schema(example = "DISTINCT")]
    function: Option<String>,
    /// The fact that it is of. For COUNT, leave it out.
    #[schema(example = "identity.id")]
    of: Option<String>,
    /// The fact for each of whose values it counts apart.
    #[schema(example = "device")]
    per: Option<String>,
    #[schema(value_type = Option<Vec<ConditionBody>>)]
    conditions: Option<Value>,
    /// From 60 to 2592000, which is 30 days.
    #[schema(example = 3600, minimum = 60, maximum = 2_592_000)]
    window_seconds: Option<u64>,
}

impl CounterPatchBody {
    /// All of the counter as it is to be.
    fn over(self, before: &Counter) -> Result<NewCounterBody, ApiError> {
        let Self { name, function, of, per, conditions, window_seconds } = self;
        let is_any = name.is_some() || function.is_some() || of.is_some() || per.is_some();
        must(
            is_any || conditions.is_some() || window_seconds.is_some(),
            "",
            "must say name, function, of, per, conditions or windowSeconds",
        )?;
        let function = function.unwrap_or_else(|| before.function.name().to_owned());
        let is_count = word(&function) == Function::Count.name();
        let as_before = before.function.of().filter(|_| !is_count).map(ToString::to_string);
        let told = |conditions: &Vec<Condition>| serde_json::to_value(conditions).unwrap_or_default();
        Ok(NewCounterBody {
            name: name.unwrap_or_else(|| before.name.clone()),
            function,
            of: of.or(as_before),
            per: per.unwrap_or_else(|| before.per.to_string()),
            conditions: conditions.unwrap_or_else(|| told(&before.conditions)),
            window_seconds: window_seconds.unwrap_or(before.window_seconds),
        })
    }
}

impl NewCounterBody {
    /// The counter, over `before` if there is one.
    fn read(self, team_id: i64, before: Option<&Kept>, now: Timestamp) -> Result<Kept, ApiError> {
        let slug = before.map_or_else(|| slug_of(&self.name), |before| before.counter.slug.clone());
        let name = check_name(&self.name, NAME_MAX_CHARS);
        let name = name.and_then(|()| must(!slug.is_empty(), "name", "must have a letter or a digit"));
        let Self { function, of, per, conditions, window_seconds, .. } = &self;
        let (of, conditions) = (of.as_deref(), conditions.clone());
        let counter = Definition { function, of, per, conditions, window_seconds: *window_seconds }.read();
        let ((), counter) = both(name, counter)?;
        let (id, created_at) = before.map_or((0, now), |before| (before.counter.id, before.created_at));
        let counter = Counter { id, slug, name: self.name.trim().to_owned(), counts_from: now, ..counter };
        Ok(Kept { team_id, counter, created_at, updated_at: now })
    }
}

/// What a body says that a counter counts.
pub(super) struct Definition<'b> {
    pub function: &'b str,
    pub of: Option<&'b str>,
    pub per: &'b str,
    pub conditions: Value,
    pub window_seconds: u64,
}

impl Definition<'_> {
    /// A counter of that, not named yet.
    ///
    /// # Errors
    /// All that is wrong with it, field by field.
    pub fn read(self) -> Result<Counter, ApiError> {
        let window_seconds = self.window_seconds;
        let window = must(
            (WINDOW_MIN_SECONDS..=WINDOW_MAX_SECONDS).contains(&window_seconds),
            "windowSeconds",
            format!("must be from {WINDOW_MIN_SECONDS} to {WINDOW_MAX_SECONDS} seconds, which are 30 days"),
        );
        let (function, per) = (read_function(self.function, self.of), read_per(self.per));
        let conditions = read_conditions(self.conditions);
        let (function, (per, (conditions, ()))) = both(function, both(per, both(conditions, window)))?;
        Ok(Counter {
            id: 0,
            revision: 0,
            slug: String::new(),
            name: String::new(),
            function,
            per,
            conditions,
            window_seconds,
            counts_from: Timestamp::default(),
            is_ready: false,
        })
    }
}

fn read_fact(field: &str, name: &str) -> Result<Fact, ApiError> {
    Fact::try_from(name.to_owned()).map_err(|flaw| ApiError::field(field, flaw))
}

fn read_function(name: &str, of: Option<&str>) -> Result<Function, ApiError> {
    let name = word(name);
    let is_known = Function::NAMES.contains(&name.as_str());
    let known = must(is_known, "function", format!("must be one of {}", Function::NAMES.join(", ")));
    let of = of.map(|of| read_fact("of", of)).transpose().and_then(|of| {
        let is_of_event = of.as_ref().is_none_or(Fact::is_of_event);
        must(is_of_event, "of", "must be a fact that is known before an event is scored").map(|()| of)
    });
    let ((), of) = both(known, of)?;
    let flaw =
        if of.is_some() { "must be left out: COUNT counts events" } else { "is required, for all but COUNT" };
    Function::parse(&name, of).ok_or_else(|| ApiError::field("of", flaw))
}

fn read_per(name: &str) -> Result<Fact, ApiError> {
    let per = read_fact("per", name)?;
    must(
        is_key(&per),
        "per",
        "must be a fact that stands for somebody or something, such as device or identity.id",
    )?;
    Ok(per)
}

fn read_conditions(value: Value) -> Result<Vec<Condition>, ApiError> {
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    conditions(value, |condition| {
        let flaw = "must be about what is known of an event before it is scored: EVENT_IS, or a fact";
        (!condition.is_of_counters()).then(|| ("type", flaw.to_owned()))
    })
}

/// List the counters
#[utoipa::path(get, operation_id = "listCounters", path = "/counters", tag = "counters",
    params(PageQuery), responses((status = 200, body = Page<CounterBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Page<CounterBody>>, ApiError> {
    let (page, team_id) = (query.page(), caller.team_id());
    let mut own = app.store.read(counters::all).await?;
    own.retain(|kept| kept.team_id == team_id);
    if query.is_descending() {
        own.reverse();
    }
    let total = i64::try_from(own.len()).unwrap_or(i64::MAX);
    let content = own.into_iter().skip(page.start()).take(page.length()).map(CounterBody::from).collect();
    Ok(Answer(page.page(content, total)))
}

/// Read a counter
#[utoipa::path(get, operation_id = "readCounter", path = "/counters/{id}", tag = "counters",
    params(("id" = i64, Path)), responses((status = 200, body = CounterBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<CounterBody>, ApiError> {
    Ok(Answer(find(&app, &caller, &id).await?.into()))
}

/// Create a counter
///
/// It counts from a few seconds later on, and what was before that in the background; then its status is READY.
#[utoipa::path(post, operation_id = "createCounter", path = "/counters", tag = "counters",
    request_body = NewCounterBody, responses((status = 201, body = CounterBody),
        (status = 409, body = ErrorBody, description = "There is a counter of this name.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewCounterBody>>,
) -> Result<(StatusCode, Answer<CounterBody>), ApiError> {
    let kept = new.check(|new| new.read(caller.team_id(), None, app.clock.now()))?;
    Ok((StatusCode::CREATED, Answer(changed(&app, actor, Change::Create(kept)).await?.into())))
}

/// Change a counter
///
/// Its slug stays. Where it counts something else than before, its status is BUILDING until the past is counted anew.
#[utoipa::path(patch, operation_id = "changeCounter", path = "/counters/{id}", tag = "counters",
    params(("id" = i64, Path)), request_body = CounterPatchBody,
    responses((status = 200, body = CounterBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<CounterPatchBody>>,
) -> Result<Answer<CounterBody>, ApiError> {
    let before = find(&app, &caller, &id).await?;
    let after = patch
        .check(|patch| patch.over(&before.counter)?.read(caller.team_id(), Some(&before), app.clock.now()))?;
    Ok(Answer(changed(&app, actor, Change::Update { before, after: Box::new(after) }).await?.into()))
}

/// Remove a counter
#[utoipa::path(delete, operation_id = "removeCounter", path = "/counters/{id}", tag = "counters",
    params(("id" = i64, Path)), responses((status = 204),
        (status = 409, body = ErrorBody, description = "Rules or channels use it.")))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let kept = find(&app, &caller, &id).await?;
    match ops::change(&app.store, &app.kept, actor, Change::Delete(kept), app.clock.now()).await? {
        Changed::To(_) => Ok(StatusCode::NO_CONTENT),
        Changed::Named(by) => {
            let names: Vec<_> = by.iter().map(|name| format!("\"{name}\"")).collect();
            let message = format!("This counter is used by {}. Change that first.", names.join(", "));
            Err(ApiError::new(StatusCode::CONFLICT, Code::CounterInUse, message))
        }
    }
}

/// A counter that most teams can use.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CounterTemplateBody {
    /// What it is for.
    description: &'static str,
    /// What it counts, in words.
    words: String,
    /// As `POST /counters` takes it.
    counter: NewCounterBody,
}

impl CounterTemplateBody {
    fn of(template: &Template) -> Option<Self> {
        let (function, per) = template.counts()?;
        let conditions = template.conditions();
        let counter = NewCounterBody {
            name: template.name.to_owned(),
            function: function.name().to_owned(),
            of: function.of().map(ToString::to_string),
            per: per.to_string(),
            conditions: serde_json::to_value(&conditions).ok()?,
            window_seconds: template.window_seconds,
        };
        let words = template.words()?;
        Some(Self { description: template.description, words, counter })
    }
}

/// List counters that most teams can use
///
/// None is there by itself: send what `counter` has to `POST /counters`.
#[utoipa::path(get, operation_id = "listCounterTemplates", path = "/counters/catalog", tag = "counters",
    responses((status = 200, body = Vec<CounterTemplateBody>)))]
pub async fn catalogue(_: Caller) -> Answer<Vec<CounterTemplateBody>> {
    Answer(CATALOGUE.iter().filter_map(CounterTemplateBody::of).collect())
}

/// Of whom.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ValueParams {
    /// The id of an identity. It is required.
    #[param(example = "user-1815")]
    identity: Option<String>,
}

/// What a counter says of an identity.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CounterValueBody {
    /// At the time of its newest event. Null where that event has nothing by which it counts, or where there is no event,
    /// or for the least or the greatest of nothing.
    value: Option<f64>,
    /// READY or BUILDING: until it is READY, the value is too small.
    #[schema(example = "READY")]
    status: &'static str,
    /// By what it counts, as the newest event has it.
    #[schema(example = json!(["the device is 5f2c"]))]
    keys: Vec<String>,
    /// When the newest event happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Read what a counter says of an identity
///
/// At its newest event.
#[utoipa::path(get, operation_id = "readCounterValue", path = "/counters/{id}/value", tag = "counters",
    params(("id" = i64, Path), ValueParams), responses((status = 200, body = CounterValueBody)))]
pub async fn value(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<ValueParams>,
) -> Result<Answer<CounterValueBody>, ApiError> {
    let counter = find(&app, &caller, &id).await?.counter;
    let identity = params.identity.ok_or_else(|| ApiError::field("identity", "is required"))?;
    let (team_id, is_ready, seen) =
        (caller.team_id(), counter.is_ready, Seen::now(&app.kept, app.key_hasher));
    let said = app.store.read(move |tx| of_identity(tx, team_id, &counter, &identity, &seen)).await?;
    let Said { value, keys, at } =
        said.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))?;
    Ok(Answer(CounterValueBody { value, status: status(is_ready), keys, at }))
}

async fn changed(app: &App, actor: Actor, change: Change) -> Result<Kept, ApiError> {
    match ops::change(&app.store, &app.kept, actor, change, app.clock.now()).await {
        Ok(Changed::To(Some(kept))) => Ok(kept),
        Ok(_) => Err(not_found()),
        Err(StoreError::Conflict) => Err(ApiError::new(
            StatusCode::CONFLICT,
            Code::CounterExists,
            "There is a counter of this name. Change that one.",
        )),
        Err(error) => Err(error.into()),
    }
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Kept, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| counters::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found(Code::CounterNotFound, "counter of this team")
}
