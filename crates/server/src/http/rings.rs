//! The ring of an identity, and a ban of what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::list::ListType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, every, must_have, text};
use super::identities::IdentityBody;
use super::lists::COMMENT_MAX_CHARS;
use super::params::{Path, time_ahead};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::identities::ring::{self, BAN_LISTS, Key, OnList, Ring, VALUES_OF_TYPE_MAX};
use crate::ops::team::lists::Put;
use crate::ops::team::ring_bans::{self, Ban, Banned, Refusal};

/// Values in one ban: as many as a ring shows, of six types.
pub const KEYS_MAX: usize = 6 * VALUES_OF_TYPE_MAX;

/// The ring of an identity, and what of it can be banned.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingBody {
    /// The one that was asked for, then the nearest; 50 at most.
    members: Vec<IdentityBody>,
    /// False where there are more members.
    is_whole: bool,
    /// By type, then those that most of the ring have; 50 of each type at most.
    keys: Vec<RingKeyBody>,
    /// False where there are more values of a type.
    keys_are_whole: bool,
    /// Where a ban puts values.
    lists: Vec<BanListBody>,
}

/// A value that members of a ring have.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingKeyBody {
    /// DEVICE, IP, EMAIL, PHONE, IDENTITY or TEXT, which is a card.
    #[serde(rename = "type")]
    #[schema(example = "DEVICE")]
    list_type: &'static str,
    /// As a list spells it.
    value: String,
    /// Members of the ring that have it, but for those who are labeled good.
    inside: usize,
    /// Others that have it, whom a ban would hit as well; of an IPv6 address, those in its /64. Null of cards, of which
    /// nobody knows.
    outside: Option<usize>,
    /// False where there may be more of them.
    outside_is_exact: bool,
    /// Why it cannot be banned; null where it can.
    held_back: Option<String>,
    /// Whether it can be banned and nobody outside the ring has it.
    hits_nobody_else: bool,
    /// Whether it is banned already.
    is_banned: bool,
}

impl From<Key> for RingKeyBody {
    fn from(key: Key) -> Self {
        let hits_nobody_else = key.hits_nobody_else();
        let Key { list_type, value, inside, outside, outside_is_exact, held_back, is_banned } = key;
        let list_type = list_type.name();
        Self { list_type, value, inside, outside, outside_is_exact, held_back, hits_nobody_else, is_banned }
    }
}

/// A list of banned values of one type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BanListBody {
    #[serde(rename = "type")]
    #[schema(example = "DEVICE")]
    list_type: &'static str,
    #[schema(example = "banned-devices")]
    slug: &'static str,
    name: &'static str,
    /// Null where the team has none with this slug: the first ban makes it.
    id: Option<i64>,
    /// The facts by which rules ask for its values.
    #[schema(example = json!(["device"]))]
    facts: Vec<String>,
    /// The names of rules that are on and ask for it. Without one, a ban changes nothing.
    rules: Vec<String>,
}

impl From<OnList> for BanListBody {
    fn from(OnList { list, id, facts, rules }: OnList) -> Self {
        let list_type = list.list_type.name();
        Self { list_type, slug: list.slug, name: list.name, id, facts, rules }
    }
}

/// Read the ring of an identity
///
/// Those of its cluster, and the values of theirs that a list can hold: how many of the ring have each, how many others, and
/// which cannot be banned, since they are nobody's own.
#[utoipa::path(get, operation_id = "readRing", path = "/identities/{id}/ring", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = RingBody)))]
pub async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<RingBody>, ApiError> {
    let Ring { members, is_whole, keys, keys_are_whole, lists } = find(&app, &caller, id).await?;
    let members = IdentityBody::all(members).await?;
    let keys = keys.into_iter().map(RingKeyBody::from).collect();
    let lists = lists.into_iter().map(BanListBody::from).collect();
    Ok(Answer(RingBody { members, is_whole, keys, keys_are_whole, lists }))
}

/// That the ring has this, and that it may be banned.
fn check_of_ring(ring: &Ring, place: usize, (list_type, value): &(ListType, String)) -> Result<(), ApiError> {
    let field = format!("keys[{place}].value");
    let known = ring.keys.iter().find(|key| key.list_type == *list_type && key.value == *value);
    let Some(known) = known else { return Err(ApiError::field(&field, "must be one that the ring has")) };
    let why = known.held_back.as_ref();
    why.map_or(Ok(()), |why| Err(ApiError::field(&field, format!("cannot be banned: {why}"))))
}

async fn find(app: &App, caller: &Caller, id: String) -> Result<Ring, ApiError> {
    let (about, now) = ((caller.team_id(), id), app.clock.now());
    let found = ring::read(&app.long_reads, &app.kept, app.key_hasher, about, now).await?;
    found.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))
}

/// A value of the ring to ban.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BannedKeyBody {
    #[serde(rename = "type")]
    #[schema(example = "DEVICE")]
    list_type: String,
    #[schema(max_length = 320)]
    value: String,
}

impl BannedKeyBody {
    fn check(&self, place: usize) -> Result<(ListType, String), ApiError> {
        let field = |name: &str| format!("keys[{place}].{name}");
        let known = ListType::parse(&self.list_type).filter(|known| ring::ban_list(*known).is_some());
        let names: Vec<_> = BAN_LISTS.iter().map(|list| list.list_type.name()).collect();
        let message = format!("must be one of {}", names.join(", "));
        let list_type = known.ok_or_else(|| ApiError::field(&field("type"), message))?;
        let message = || format!("must be {}", list_type.expected());
        let value = list_type.value(&self.value);
        value.map(|value| (list_type, value)).ok_or_else(|| ApiError::field(&field("value"), message()))
    }
}

/// What of a ring to ban.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RingBanBody {
    #[schema(min_items = 1, max_items = 300)]
    keys: Vec<BannedKeyBody>,
    /// Why; it stands beside each value on the lists.
    #[schema(max_length = 500)]
    comment: Option<String>,
    /// When the ban ends.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
}

/// What was banned.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RingBannedBody {
    /// The entry of the audit log by which it can be undone.
    audit_id: i64,
    lists: Vec<BannedListBody>,
}

/// What was put on one list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BannedListBody {
    id: i64,
    #[schema(example = "banned-devices")]
    slug: String,
    name: String,
    added: usize,
    /// That were there with an earlier end.
    changed: usize,
    /// That were there for as long.
    unchanged: usize,
    /// The names of rules that are on and ask for the list. Without one, the ban changes nothing.
    rules: Vec<String>,
}

/// Ban what a ring has
///
/// Puts values of its keys on the team's lists of banned ones, which are made where there are none, all at once. Rules ask
/// for the lists by `IN_LIST`. Identities that show a value are rescored in the background.
#[utoipa::path(post, operation_id = "banRing", path = "/identities/{id}/actions/ban-ring", tag = "identities",
    params(("id" = String, Path)), request_body = RingBanBody,
    responses((status = 200, body = RingBannedBody),
        (status = 409, body = ErrorBody,
            description = "The team has a list with the slug of banned values that is of another type, or trusted.")))]
pub async fn ban(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<RingBanBody>>,
) -> Result<Answer<RingBannedBody>, ApiError> {
    let now = app.clock.now();
    let (keys, comment, ends_at) = body.check(|body| {
        must_have("keys", body.keys.len(), 1..=KEYS_MAX, "keys")?;
        let keys = every(body.keys.iter().enumerate().map(|(place, key)| key.check(place)));
        let comment = text("comment", body.comment, COMMENT_MAX_CHARS);
        let ends_at = time_ahead("endsAt", body.ends_at.as_deref(), now);
        let ((keys, comment), ends_at) = both(both(keys, comment), ends_at)?;
        Ok((keys, comment, ends_at))
    })?;
    let ring = find(&app, &caller, id.clone()).await?;
    every(keys.iter().enumerate().map(|(place, key)| check_of_ring(&ring, place, key)))?;
    let mut values: BTreeMap<ListType, Vec<String>> = BTreeMap::new();
    for (list_type, value) in keys {
        let of_type = values.entry(list_type).or_default();
        if !of_type.contains(&value) {
            of_type.push(value);
        }
    }
    let new = Ban { identity: id, members: ring.members.len(), values, comment, ends_at };
    let done = ring_bans::ban(&app.store, &app.kept, actor, new, now).await?;
    let Banned { audit_id, lists } = done.map_err(|Refusal::OtherList(slug)| {
        let message = format!("The team's list `{slug}` is trusted, or of another type: remove it first.");
        ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
    })?;
    let rules = app.kept.rules.current();
    let told = |put: Put| BannedListBody {
        id: put.list.id,
        added: put.added.len(),
        changed: put.changed.len(),
        unchanged: put.unchanged,
        rules: ring::asked_by(rules.of(put.list.team_id), &put.list.slug),
        slug: put.list.slug,
        name: put.list.name,
    };
    Ok(Answer(RingBannedBody { audit_id, lists: lists.into_iter().map(told).collect() }))
}
