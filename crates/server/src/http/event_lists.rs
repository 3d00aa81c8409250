//! Reading events back.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use dregs_core::agent::{KnownAgent, Purpose};
use dregs_core::device::Interaction;
use dregs_core::event::Event;
use dregs_core::mapping::{CanonicalType, TYPES};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::error::{ApiError, Code};
use super::page::{COUNTED_MAX, Page, PageQuery, sort};
use super::params::{Params, Path, times, word};
use super::reference::{GroupReference, Reference};
use crate::app::App;
use crate::ops::lists::event_lists::{self as ops, Wanted};
use crate::store::event_lists;

/// An agent of an AI service.
#[derive(Serialize, ToSchema)]
pub struct AgentBody {
    #[schema(value_type = String, example = "ChatGPT-User")]
    name: Cow<'static, str>,
    /// Who runs it; `unknown` where nobody says so.
    #[schema(value_type = String, example = "OpenAI")]
    operator: Cow<'static, str>,
    /// Whether its signature (Web Bot Auth) is by its operator's key: true where it is, false where it is not and
    /// should be, null where it has none or it cannot be told. Then the name is its own word.
    verified: Option<bool>,
    /// What it visits for. For a person who has just asked for it: ACTION, CODING, ANSWER. For others: SEARCH,
    /// TRAINING, DATA.
    #[schema(value_type = String, example = "ANSWER")]
    purpose: Purpose,
}

impl AgentBody {
    pub fn new(agent: KnownAgent) -> Self {
        let KnownAgent { name, operator, verified, purpose } = agent;
        Self { name, operator, verified, purpose }
    }
}

/// An event as it was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedEventBody {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    identity: Option<Reference>,
    groups: Vec<GroupReference>,
    fingerprint: Option<String>,
    session: Option<String>,
    #[schema(value_type = Option<String>)]
    ip: Option<std::net::IpAddr>,
    url: Option<String>,
    user_agent: Option<String>,
    /// Null where neither a signature nor the user agent names one that is known.
    agent: Option<AgentBody>,
    /// Where it came from, by the sender's word.
    event_source: Option<String>,
    /// The sender's name for what happened.
    #[schema(example = "user.signup")]
    event_name: String,
    /// The canonical type of that name; null where it has no mapping.
    #[schema(example = "REGISTRATION")]
    canonical_type: Option<&'static str>,
    /// Sensitive values are redacted.
    event_data: Map<String, Value>,
}

impl TrackedEventBody {
    pub fn new(shown: ops::Shown) -> Self {
        let ops::Shown { event, identity_label, group_labels, canonical_type } = shown;
        let agent = event.agent().map(AgentBody::new);
        let Event { id, name, timestamp, source, identity, groups, data, fingerprint, .. } = event;
        let groups = groups.into_iter().zip(group_labels);
        Self {
            identity: identity.map(|identity| Reference::identity(identity.id, identity_label)),
            groups: groups
                .map(|(group, label)| GroupReference::new(group.group_type, group.id, label))
                .collect(),
            id,
            timestamp,
            fingerprint,
            session: event.session,
            ip: event.ip,
            url: event.url,
            agent,
            user_agent: event.user_agent,
            event_source: source,
            event_name: name,
            canonical_type,
            event_data: data,
        }
    }
}

/// An event with all that was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WholeEventBody {
    #[serde(flatten)]
    event: TrackedEventBody,
    /// What the event said of the identity; it was merged into it.
    identity_data: Map<String, Value>,
    /// What the browser script saw of the device; see `GET /devices/{fingerprint}/components`.
    components: Option<Map<String, Value>>,
    /// How the page was operated since the event before, as the browser script sums it up.
    #[schema(value_type = Option<Object>)]
    interaction: Option<Interaction>,
}

impl WholeEventBody {
    fn new(shown: ops::Shown) -> Self {
        let Event { identity, components, interaction, .. } = shown.event.clone();
        let identity_data = identity.map(|identity| identity.data).unwrap_or_default();
        Self { event: TrackedEventBody::new(shown), identity_data, components, interaction }
    }
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only `timestamp`.
    sort: Option<String>,
    identity: Option<String>,
    /// Sent with the group with this id.
    group: Option<String>,
    /// Narrows `group`; alone, sent with any group of this type.
    group_type: Option<String>,
    /// The fingerprint of a device.
    device: Option<String>,
    session: Option<String>,
    /// Part of the event's name, in any case; or its whole id.
    term: Option<String>,
    canonical_type: Option<String>,
    /// Happened at or after.
    from: Option<String>,
    /// Happened before.
    to: Option<String>,
}

/// List the events, newest first
#[utoipa::path(get, operation_id = "listEvents", path = "/events", tag = "events",
    params(PageQuery, ListParams), responses((status = 200, body = Page<TrackedEventBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<TrackedEventBody>>, ApiError> {
    let page = query.page();
    sort(params.sort.as_deref(), &[("timestamp", ())])?;
    let (from, to) = times(params.from.as_deref(), params.to.as_deref())?;
    let wanted = Wanted {
        identity: params.identity,
        group: params.group,
        group_type: params.group_type,
        device: params.device,
        session: params.session,
        term: params.term.filter(|term| !term.is_empty()),
        canonical_type: params.canonical_type.as_deref().map(parse_canonical).transpose()?,
        from,
        to,
    };
    let team_id = caller.team_id();
    let Some(filter) = ops::filter(&app.store, &app.kept, app.key_hasher, team_id, wanted).await? else {
        return Ok(Answer(page.page(Vec::new(), 0)));
    };
    let (count, found) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| {
            // One walk finds the page and counts what follows; how many stand before it is known.
            let limit = page.limit() + COUNTED_MAX;
            let mut ids = event_lists::page(tx, team_id, &filter, query.ascending(), page.offset(), limit)?;
            let count = match ids.len() {
                0 => event_lists::count(tx, team_id, &filter, page.offset())?,
                here => page.offset() + here as i64,
            };
            ids.truncate(page.length());
            Ok((count, event_lists::load(tx, &ids)?))
        })
        .await?;
    let shown = ops::show(&app.store, &app.kept.mappings.current(), team_id, found).await?;
    Ok(Answer(page.counted(shown.into_iter().map(TrackedEventBody::new).collect(), count)))
}

/// A name that is no type would find nothing, which reads as if nobody had done it.
fn parse_canonical(text: &str) -> Result<String, ApiError> {
    let name = word(text);
    if CanonicalType::parse(&name).is_some() {
        return Ok(name);
    }
    let names: Vec<_> = TYPES.iter().copied().map(CanonicalType::name).collect();
    Err(ApiError::field("canonicalType", format!("must be one of {}", names.join(", "))))
}

/// Read an event
#[utoipa::path(get, operation_id = "readEvent", path = "/events/{id}", tag = "events",
    params(("id" = String, Path)), responses((status = 200, body = WholeEventBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<WholeEventBody>, ApiError> {
    let found = ops::find(&app.store, caller.team_id(), &id).await?;
    let shown = ops::show(&app.store, &app.kept.mappings.current(), caller.team_id(), found).await?.pop();
    let event = shown.ok_or_else(|| ApiError::not_found(Code::EventNotFound, "event"))?;
    Ok(Answer(WholeEventBody::new(event)))
}
