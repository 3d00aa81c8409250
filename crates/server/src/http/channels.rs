//! Channels: where to tell what happens.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::event::FieldError;
use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_core::rules::Condition;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Object, Unchecked, read_object};
use super::channel_filters::{self, Names, ScoredBody};
use super::elsewhere::elsewhere;
use super::error::{ApiError, Code, ErrorBody, both, check_name, must};
use super::params::{Path, word};
use super::rules::ConditionBody;
use crate::app::App;
use crate::channels::config::{ChannelConfig, ChannelType, FieldError as ConfigError};
use crate::channels::email::EmailConfig;
use crate::channels::slack::SlackConfig;
use crate::channels::webhook::{Payload, WebhookConfig};
use crate::ops::audit::Actor;
use crate::ops::deliver::endpoints;
use crate::ops::deliver::health;
use crate::ops::team::channels::OnResume;
use crate::store::channel_health::Health;
use crate::store::channels::{self, Channel};
use crate::store::{StoreError, deliveries, waiting};

const NAME_MAX_CHARS: usize = 100;
const SLUG_MAX_CHARS: usize = 60;

/// A channel.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelBody {
    id: i64,
    #[serde(rename = "type")]
    #[schema(example = "WEBHOOK")]
    channel_type: String,
    name: String,
    slug: String,
    enabled: bool,
    /// The subscribed event types.
    events: Vec<&'static str>,
    /// Values of custom headers are masked, and so is Slack's URL, and what a webhook's has under the name of a secret.
    /// Whoever may not change channels sees no more of a webhook's URL than its host and the first segment of its path.
    #[schema(value_type = ConfigBody)]
    config: ChannelConfig,
    /// What must hold for the identity of an event: the rest is left out.
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Vec<Condition>,
    scored: ScoredBody,
    /// Events that `conditions` and `scored` have left out, since the channel was made.
    left_out: i64,
    health: HealthBody,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Only in the answer to a webhook's creation: store it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<String>,
    /// Only in the answer to a change of the URL: headers that were sent back masked and are not kept, since their
    /// values would go to another origin than before. Give them anew where they belong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped_headers: Vec<String>,
}

/// How a channel is doing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthBody {
    /// HEALTHY, FAILING, or DISABLED where the server itself has disabled it.
    pub status: &'static str,
    /// Failed attempts in a row.
    failures: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    last_error: Option<String>,
    /// Nothing is sent before; then one attempt at a time, to see whether it works again.
    #[schema(value_type = Option<String>, format = DateTime)]
    resumes_at: Option<Timestamp>,
    /// Since when the delivery that waits longest has been due; null where none is, and where the channel is disabled.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_since: Option<Timestamp>,
    /// How much of the time to being disabled has passed; 0 where that never happens.
    disable_percent: u8,
    /// Why the server has disabled it.
    disabled_reason: Option<String>,
}

/// The configuration of a channel, by its type.
pub struct ConfigBody;

impl PartialSchema for ConfigBody {
    fn schema() -> RefOr<Schema> {
        let names = ["WebhookConfigBody", "EmailConfigBody", "SlackConfigBody"];
        let any =
            names.into_iter().fold(AnyOfBuilder::new(), |any, name| any.item(Ref::from_schema_name(name)));
        any.description(Some("The configuration of a channel, by its type.")).into()
    }
}

impl ToSchema for ConfigBody {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("WebhookConfigBody".into(), WebhookConfigBody::schema()));
        schemas.push(("EmailConfigBody".into(), EmailConfigBody::schema()));
        schemas.push(("SlackConfigBody".into(), SlackConfigBody::schema()));
    }
}

/// Whom e-mail is sent to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmailConfigBody {
    /// From 1 to 20.
    #[schema(example = json!(["trust@example.com"]))]
    recipients: Vec<String>,
    /// E-mails per minute, from 1 to 1000, above which events are combined into a digest; 10 by default.
    mails_per_minute: Option<u32>,
}

/// Where messages are posted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlackConfigBody {
    /// Of an incoming webhook. It is stored encrypted, and shown masked.
    #[schema(example = "https://hooks.slack.com/services/T0/B0/key")]
    url: String,
}

/// How a webhook is sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookConfigBody {
    /// http or https, without user name and password.
    #[schema(example = "https://example.com/webhooks/dregs")]
    url: String,
    /// Additional headers; their values are stored encrypted, and masked when read.
    headers: Option<std::collections::BTreeMap<String, String>>,
    /// The timeout of an attempt, from 100 to 30000.
    timeout_ms: Option<u64>,
    /// Concurrent requests, from 1 to 256; 32 by default.
    max_concurrency: Option<u32>,
    /// Requests per second, from 1 to 10000; unlimited by default.
    rate_per_second: Option<u32>,
    /// Whether events of an identity are delivered one after the other.
    ordered: Option<bool>,
    /// Whether a newer score replaces pending ones of the same identity: they become SUPERSEDED.
    coalesce: Option<bool>,
    /// FULL, or THIN: ids alone, in `data` too. FULL by default.
    #[schema(value_type = Option<String>, example = "FULL")]
    payload: Option<Payload>,
}

/// A new channel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewChannelBody {
    #[serde(rename = "type")]
    #[schema(example = "WEBHOOK")]
    channel_type: String,
    name: String,
    /// Made from the name unless given.
    slug: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    /// One event type or more, in either spelling: `IDENTITY_SCORED` or `identity.scored`.
    #[schema(example = json!(["identity.scored"]))]
    events: Vec<String>,
    #[schema(value_type = ConfigBody)]
    config: Object<Map<String, Value>>,
    /// Up to 20, those of escalation rules, which must all hold for the identity of an event. Without any,
    /// all is sent.
    #[schema(value_type = Option<Vec<ConditionBody>>)]
    conditions: Option<Value>,
    /// Which IDENTITY_SCORED are sent: all unless given.
    scored: Option<ScoredBody>,
}

fn yes() -> bool {
    true
}

impl NewChannelBody {
    /// The channel, which has no id yet.
    fn read(self, app: &App, team_id: i64, names: &Names) -> Result<(ChannelType, Channel), ApiError> {
        let slug = match self.slug {
            None if !self.name.trim().is_empty() => {
                slug_of(&self.name).ok_or_else(|| ApiError::field("slug", NO_SLUG_IN_NAME))
            }
            None => Ok(String::new()), // What is wrong is said of the name.
            Some(slug) => check_slug(&slug).map(|()| slug),
        };
        let channel_type = ChannelType::parse(&word(&self.channel_type))
            .ok_or_else(|| ApiError::field("type", "must be WEBHOOK, EMAIL or SLACK"));
        let config = channel_type.and_then(|channel_type| {
            let config = read_config(channel_type, self.config);
            let (config, by_identity) = config.check(|config| check_config(app, config))?;
            Ok((channel_type, config, by_identity))
        });
        let named = both(check_name(&self.name, NAME_MAX_CHARS), slug);
        let events = subscriptions(&self.events);
        let filter = channel_filters::read(self.conditions, self.scored, names, &ChannelFilter::default());
        let ((((), slug), (events, filter)), (channel_type, config, by_identity)) =
            both(both(named, both(events, filter)), config)?;
        channel_filters::check(&filter, events)?;
        let now = app.clock.now();
        let channel = Channel {
            id: 0,
            team_id,
            channel_type: channel_type.name().to_owned(),
            name: self.name.trim().to_owned(),
            slug,
            enabled: self.enabled,
            events,
            config: endpoints::stored(app.vault()?, &config).map_err(StoreError::Broken)?,
            by_identity,
            filter,
            left_out: 0,
            disabled_reason: None,
            created_at: now,
            updated_at: now,
        };
        Ok((channel_type, channel))
    }
}

/// What to change about a channel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChannelPatchBody {
    name: Option<String>,
    slug: Option<String>,
    enabled: Option<bool>,
    events: Option<Vec<String>>,
    /// Replaces the configuration; masked values are left unchanged, unless the URL leads to another origin: headers
    /// are left out then, and named in the answer.
    #[schema(value_type = Option<ConfigBody>)]
    config: Option<Object<Map<String, Value>>>,
    /// Replaces the conditions; an empty array removes them.
    #[schema(value_type = Option<Vec<ConditionBody>>)]
    conditions: Option<Value>,
    /// Replaces what is wanted of scores.
    scored: Option<ScoredBody>,
    /// With `enabled: true`: what becomes of paused deliveries. SEND by default.
    on_resume: Option<OnResumeBody>,
}

/// What a change makes of a channel.
struct Patched {
    channel: Channel,
    dropped_headers: Vec<String>,
    resumed: Option<OnResume>,
}

impl ChannelPatchBody {
    fn read(
        self,
        app: &App,
        mut channel: Channel,
        known: &ChannelConfig,
        names: &Names,
    ) -> Result<Patched, ApiError> {
        let is_resumed = !channel.enabled && self.enabled == Some(true);
        let is_right = self.on_resume.is_none() || is_resumed;
        let resume = must(is_right, "onResume", "goes with enabling a channel that is disabled");
        let config = self.config.map(|config| {
            let channel_type = ChannelType::parse(&channel.channel_type).unwrap_or(ChannelType::Webhook);
            read_config(channel_type, config).check(|mut config| {
                let kept = config.keep_masked(known).map_err(refused);
                let (dropped, (config, by_identity)) = both(kept, check_config(app, config))?;
                let stored = endpoints::stored(app.vault()?, &config).map_err(StoreError::Broken)?;
                Ok((stored, by_identity, dropped))
            })
        });
        let events = self.events.map(|events| subscriptions(&events));
        channel.name = self.name.map_or(channel.name, |name| name.trim().to_owned());
        channel.slug = self.slug.unwrap_or(channel.slug);
        let named = both(check_name(&channel.name, NAME_MAX_CHARS), check_slug(&channel.slug));
        let filter = channel_filters::read(self.conditions, self.scored, names, &channel.filter);
        let (((_, (events, filter)), config), ()) =
            both(both(both(named, both(events.transpose(), filter)), config.transpose()), resume)?;
        channel.events = events.unwrap_or(channel.events);
        channel_filters::check(&filter, channel.events)?;
        channel.filter = filter;
        let mut dropped_headers = Vec::new();
        if let Some((config, by_identity, dropped)) = config {
            (channel.config, channel.by_identity, dropped_headers) = (config, by_identity, dropped);
        }
        channel.enabled = self.enabled.unwrap_or(channel.enabled);
        if channel.enabled {
            channel.disabled_reason = None;
        }
        channel.updated_at = app.clock.now();
        let on_resume = match self.on_resume {
            Some(OnResumeBody::Skip) => OnResume::Skip,
            Some(OnResumeBody::Send) | None => OnResume::Send,
        };
        Ok(Patched { channel, dropped_headers, resumed: is_resumed.then_some(on_resume) })
    }
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum OnResumeBody {
    Send,
    Skip,
}

/// List the channels
#[utoipa::path(get, operation_id = "listChannels", path = "/channels", tag = "channels",
    responses((status = 200, body = Vec<ChannelBody>)))]
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<Vec<ChannelBody>>, ApiError> {
    let team_id = caller.team_id();
    let rows = app.store.read(move |tx| channels::of_team(tx, team_id)).await?;
    // What is sealed of each is opened, to be shown masked.
    let shared = Arc::clone(&app);
    let bodies =
        move || rows.into_iter().map(|row| shown(&shared, &caller, row)).collect::<Result<Vec<_>, _>>();
    Ok(Answer(with_due(&app, elsewhere(bodies).await??).await?))
}

/// Create a channel
///
/// The answer to a webhook's creation has its signing secret, this one time.
#[utoipa::path(post, operation_id = "createChannel", path = "/channels",
    tag = "channels", request_body = NewChannelBody,
    responses((status = 201, body = ChannelBody),
        (status = 409, body = ErrorBody, description = "Another channel has this slug.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewChannelBody>>,
) -> Result<(StatusCode, Answer<ChannelBody>), ApiError> {
    let names = Names::of_team(&app, caller.team_id()).await?;
    let (channel_type, channel) = new.check(|new| new.read(&app, caller.team_id(), &names))?;
    let created = app.channels().create(actor, channel.clone()).await;
    let (id, secret) = created.map_err(|error| slug_taken(error, &channel.slug))?;
    let secret = (channel_type == ChannelType::Webhook).then(|| secret.as_text().to_owned());
    Ok((StatusCode::CREATED, Answer(body(&app, Channel { id, ..channel }, secret)?)))
}

/// Read a channel
#[utoipa::path(get, operation_id = "readChannel", path = "/channels/{id}",
    tag = "channels", params(("id" = i64, Path)),
    responses((status = 200, body = ChannelBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<ChannelBody>, ApiError> {
    Ok(Answer(one_with_due(&app, shown(&app, &caller, find(&app, &caller, &id).await?)?).await?))
}

/// Change a channel
///
/// A channel that is disabled keeps its deliveries, paused; when it is enabled again, they are
/// sent or skipped, as `onResume` says.
#[utoipa::path(patch, operation_id = "changeChannel", path = "/channels/{id}",
    tag = "channels", params(("id" = i64, Path)),
    request_body = ChannelPatchBody,
    responses((status = 200, body = ChannelBody),
        (status = 409, body = ErrorBody, description = "Another channel has this slug.")))]
pub async fn update(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<ChannelPatchBody>>,
) -> Result<Answer<ChannelBody>, ApiError> {
    let before = find(&app, &caller, &id).await?;
    let known = stored_config(&app, &before)?;
    let names = Names::of_team(&app, caller.team_id()).await?;
    let Patched { channel, dropped_headers, resumed } =
        patch.check(|patch| patch.read(&app, before.clone(), &known, &names))?;
    let updated = app.channels().update(actor, before, channel.clone(), resumed).await;
    updated.map_err(|error| slug_taken(error, &channel.slug))?;
    let changed = ChannelBody { dropped_headers, ..body(&app, channel, None)? };
    Ok(Answer(one_with_due(&app, changed).await?))
}

/// Remove a channel
///
/// Its deliveries, sent and pending, are deleted with it.
#[utoipa::path(delete, operation_id = "removeChannel", path = "/channels/{id}",
    tag = "channels", params(("id" = i64, Path)),
    responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let channel = find(&app, &caller, &id).await?;
    app.channels().delete(actor, channel, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's channel with this id.
pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<Channel, ApiError> {
    let not_found = || ApiError::not_found(Code::ChannelNotFound, "channel");
    let id: i64 = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| channels::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

/// An event type in any spelling.
pub fn parse_event(field: &str, text: &str) -> Result<EventType, ApiError> {
    EventType::parse(&word(text)).or_else(|| EventType::parse(&text.to_ascii_lowercase())).ok_or_else(|| {
        let names = EventType::ALL.map(EventType::name).join(", ");
        ApiError::field(field, format!("{text:?} is no event type; there are {names}"))
    })
}

fn subscriptions(events: &[String]) -> Result<channels::Subscriptions, ApiError> {
    if events.is_empty() {
        return Err(ApiError::field("events", "must name at least one event type"));
    }
    events.iter().map(|text| parse_event("events", text)).collect()
}

/// Whether a text can be a slug.
///
/// # Errors
/// Names what it must have.
pub fn check_slug(slug: &str) -> Result<(), ApiError> {
    let is_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || slug.len() > SLUG_MAX_CHARS || !slug.chars().all(is_slug) {
        return Err(ApiError::field(
            "slug",
            format!("must have from 1 to {SLUG_MAX_CHARS} lower-case letters, digits and dashes"),
        ));
    }
    Ok(())
}

pub const NO_SLUG_IN_NAME: &str = "is required where the name has neither a letter from a to z nor a digit";

/// `name` in lower case, with one dash for whatever is neither letter nor digit; `None` where
/// nothing is left.
pub fn slug_of(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("-").chars().take(SLUG_MAX_CHARS).collect();
    Some(slug.trim_end_matches('-').to_owned()).filter(|slug| !slug.is_empty())
}

/// Reads a configuration of this type.
fn read_config(
    channel_type: ChannelType,
    Object(config): Object<Map<String, Value>>,
) -> Unchecked<ChannelConfig> {
    match channel_type {
        ChannelType::Webhook => read_object::<WebhookConfig>("config", config).map(ChannelConfig::Webhook),
        ChannelType::Email => read_object::<EmailConfig>("config", config).map(ChannelConfig::Email),
        ChannelType::Slack => read_object::<SlackConfig>("config", config).map(ChannelConfig::Slack),
    }
}

/// The configuration, and whether the channel follows identities, if it can be used as it is.
fn check_config(app: &App, config: ChannelConfig) -> Result<(ChannelConfig, bool), ApiError> {
    let is_sent = !matches!(config, ChannelConfig::Email(_)) || app.clients.mailer.is_some();
    let message = "there is no mail server: set smtp_url (DREGS_SMTP_URL) and start the server again";
    let sender = config.validate(&app.egress).map_err(refused);
    let ((), sender) = both(must(is_sent, "type", message), sender)?;
    Ok((config, sender.is_by_identity()))
}

fn refused(errors: Vec<ConfigError>) -> ApiError {
    let details = errors
        .into_iter()
        .map(|error| FieldError { field: format!("config.{}", error.field), message: error.message });
    ApiError::fields(details.collect())
}

fn stored_config(app: &App, channel: &Channel) -> Result<ChannelConfig, ApiError> {
    Ok(endpoints::config(app.vault()?, channel).map_err(StoreError::Broken)?)
}

/// A channel as it is shown to somebody.
fn shown(app: &App, caller: &Caller, channel: Channel) -> Result<ChannelBody, ApiError> {
    let known = stored_config(app, &channel)?;
    let body = body(app, channel, None)?;
    Ok(if caller.may_manage() { body } else { ChannelBody { config: known.masked_for_readers(), ..body } })
}

/// A channel as it is shown to those who may change it.
pub fn body(app: &App, channel: Channel, signing_secret: Option<String>) -> Result<ChannelBody, ApiError> {
    let config = stored_config(app, &channel)?.masked();
    Ok(ChannelBody {
        health: health(app, &channel),
        id: channel.id,
        channel_type: channel.channel_type,
        name: channel.name,
        slug: channel.slug,
        enabled: channel.enabled,
        events: channel.events.iter().map(EventType::name).collect(),
        config,
        conditions: channel.filter.conditions,
        scored: channel.filter.scored.into(),
        left_out: channel.left_out,
        created_at: channel.created_at,
        updated_at: channel.updated_at,
        signing_secret,
        dropped_headers: Vec::new(),
    })
}

/// Says of channels since when something of theirs has been due.
async fn with_due(app: &App, mut bodies: Vec<ChannelBody>) -> Result<Vec<ChannelBody>, ApiError> {
    let now = app.clock.now();
    let enabled: Vec<i64> = bodies.iter().filter(|body| body.enabled).map(|body| body.id).collect();
    let due = app.store.read(move |tx| {
        enabled
            .iter()
            .map(|id| Ok((*id, waiting::due_since(tx, *id)?)))
            .collect::<Result<HashMap<_, _>, StoreError>>()
    });
    let due = due.await?;
    for body in &mut bodies {
        let since = due.get(&body.id).copied().flatten();
        body.health.due_since = since.filter(|since| *since <= now);
    }
    Ok(bodies)
}

/// The same of one.
pub async fn one_with_due(app: &App, body: ChannelBody) -> Result<ChannelBody, ApiError> {
    with_due(app, vec![body])
        .await?
        .pop()
        .ok_or_else(|| ApiError::not_found(Code::ChannelNotFound, "channel"))
}

/// How a channel is doing.
pub fn health(app: &App, channel: &Channel) -> HealthBody {
    let now = app.clock.now();
    let Health { breaker, last_error } = app.health.get(channel.id);
    let status = match (&channel.disabled_reason, breaker.failures) {
        (Some(_), _) => "DISABLED",
        (None, 0) => "HEALTHY",
        (None, _) => "FAILING",
    };
    HealthBody {
        status,
        failures: breaker.failures,
        failing_since: breaker.failing_since,
        last_error: Some(last_error).filter(|error| !error.is_empty()),
        resumes_at: breaker.open_until.filter(|until| *until > now),
        due_since: None,
        disable_percent: breaker.percent(health::disable_after_ms(app.config.disable_after_hours), now),
        disabled_reason: channel.disabled_reason.clone(),
    }
}

fn slug_taken(error: StoreError, slug: &str) -> ApiError {
    match error {
        StoreError::Conflict => ApiError::new(
            StatusCode::CONFLICT,
            Code::SlugTaken,
            format!(
                "Another channel has the slug \"{slug}\", which a name becomes unless one is given: choose another."
            ),
        ),
        error => error.into(),
    }
}

/// Whether a delivery of this channel that waits is paused.
pub fn status_name(status: deliveries::Status, channel_enabled: bool) -> &'static str {
    match status {
        deliveries::Status::Pending if channel_enabled => "PENDING",
        deliveries::Status::Pending => "PAUSED",
        deliveries::Status::Delivered => "DELIVERED",
        deliveries::Status::Failed => "FAILED",
        deliveries::Status::Superseded => "SUPERSEDED",
    }
}
