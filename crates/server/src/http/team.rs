//! The team: its people, and those invited.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::label::Reasons;
use dregs_core::rules::{DUE_MINUTES_MAX, DueMinutes};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Admin, Caller, Person};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, check_name, every, must, must_have, text};
use super::params::{Path, word};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::team::members::{self as ops, Refusal, TeamChange};
use crate::store::teams::{self, Invitation, Team};
use crate::store::users::{self, Method, Role, User};

/// Of teams and people.
pub const NAME_MAX_CHARS: usize = 100;
/// Reasons of an outcome: as many as are read at a glance.
pub const LABEL_REASONS_MAX: usize = 20;
const LABEL_REASON_MAX_CHARS: usize = 200;
/// RFC 5321, 4.5.3.1.3.
const EMAIL_MAX_BYTES: usize = 254;
pub const LAST_OWNER: &str =
    "Nobody else owns the installation. Make somebody an owner first, with `dregs users add-owner`.";

/// A team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TeamBody {
    id: i64,
    name: String,
    /// What the dashboard offers when somebody labels an identity.
    label_reasons: LabelReasonsBody,
    /// Whether everybody in it has to have a second factor.
    second_factor_required: bool,
    /// How many minutes after it has opened an escalation is due.
    due_minutes: DueMinutesBody,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Team> for TeamBody {
    fn from(team: Team) -> Self {
        let Reasons { good, bad } = team.label_reasons;
        let label_reasons = LabelReasonsBody { good, bad };
        let DueMinutes { critical, warning, info } = team.due_minutes;
        Self {
            id: team.id,
            name: team.name,
            label_reasons,
            second_factor_required: team.second_factor_required,
            due_minutes: DueMinutesBody { critical, warning, info },
            created_at: team.created_at,
        }
    }
}

/// Minutes by severity, up to a year; null where nothing is due, which is the default.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DueMinutesBody {
    #[serde(deserialize_with = "given")]
    #[schema(required, minimum = 1, maximum = 527_040, example = 60)]
    critical: Option<u32>,
    #[serde(deserialize_with = "given")]
    #[schema(required, minimum = 1, maximum = 527_040, example = 1440)]
    warning: Option<u32>,
    #[serde(deserialize_with = "given")]
    #[schema(required, minimum = 1, maximum = 527_040)]
    info: Option<u32>,
}

/// A field that has to be there, though it may be null: what was left out is not switched off by mistake.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<u32>, D::Error> {
    Option::deserialize(field)
}

impl DueMinutesBody {
    fn check(self) -> Result<DueMinutes, ApiError> {
        let Self { critical, warning, info } = self;
        let minutes = |of: &str, minutes: Option<u32>| {
            let is_right = minutes.is_none_or(|minutes| (1..=DUE_MINUTES_MAX).contains(&minutes));
            let message = format!("must be from 1 to {DUE_MINUTES_MAX} minutes, or null");
            must(is_right, &format!("dueMinutes.{of}"), &message)
        };
        both(minutes("critical", critical), both(minutes("warning", warning), minutes("info", info)))?;
        Ok(DueMinutes { critical, warning, info })
    }
}

/// Reasons of labels, in the order in which they are offered.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelReasonsBody {
    /// Of GOOD labels.
    #[schema(max_items = 20, example = json!(["A family or a household"]))]
    good: Vec<String>,
    /// Of BAD ones.
    #[schema(max_items = 20, example = json!(["Stolen card"]))]
    bad: Vec<String>,
}

impl LabelReasonsBody {
    fn check(self) -> Result<Reasons, ApiError> {
        let (good, bad) = both(reasons("good", self.good), reasons("bad", self.bad))?;
        Ok(Reasons { good, bad })
    }
}

fn reasons(of: &str, reasons: Vec<String>) -> Result<Vec<String>, ApiError> {
    let field = format!("labelReasons.{of}");
    must_have(&field, reasons.len(), 0..=LABEL_REASONS_MAX, "reasons")?;
    let reason = |(place, reason): (usize, String)| {
        let field = format!("{field}[{place}]");
        let reason = text(&field, Some(reason), LABEL_REASON_MAX_CHARS)?;
        reason.ok_or_else(|| ApiError::field(&field, "must not be blank"))
    };
    every(reasons.into_iter().enumerate().map(reason))
}

/// A person of the team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserBody {
    id: i64,
    email: String,
    name: Option<String>,
    /// ADMIN, USER or VIEWER.
    #[schema(example = "ADMIN")]
    role: &'static str,
    /// When they joined the team.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Whether they have a password here: whoever joined by signing in at an OpenID provider has none.
    has_password: bool,
    /// Whether they have signed in at an OpenID provider.
    from_provider: bool,
    /// Whether they have a second factor beside their password.
    second_factor: bool,
    /// Whether the team requires one, and they have none: they can do nothing else before they have set one up.
    second_factor_missing: bool,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            has_password: user.has_password(),
            from_provider: user.is_bound,
            second_factor_missing: user.lacks_second_factor(),
            second_factor: user.has_second_factor,
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role.as_text(),
            created_at: user.joined_at,
        }
    }
}

/// Read the team
#[utoipa::path(get, operation_id = "readTeam", path = "/team", tag = "team",
    responses((status = 200, body = TeamBody)))]
pub async fn get(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<TeamBody>, ApiError> {
    let team = app.store.read(move |tx| teams::get(tx, caller.team_id())).await?;
    Ok(Answer(team.into()))
}

/// What to change about the team.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamPatchBody {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// In place of those that were offered before.
    label_reasons: Option<LabelReasonsBody>,
    /// Whether everybody has to have a second factor. Whoever has none is led to set one up, and can do nothing else before.
    second_factor_required: Option<bool>,
    /// When escalations are due, those that are open as well.
    due_minutes: Option<DueMinutesBody>,
}

/// Rename the team, change the reasons that it offers for labels, when its escalations are due, or what it requires
#[utoipa::path(patch, operation_id = "changeTeam", path = "/team", tag = "team",
    request_body = TeamPatchBody, responses((status = 200, body = TeamBody),
        (status = 409, body = ErrorBody, description = "Whoever requires a second factor has to have one.")))]
pub async fn update(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    actor: Actor,
    Json(patch): Json<Unchecked<TeamPatchBody>>,
) -> Result<Answer<TeamBody>, ApiError> {
    let change =
        patch.check(|TeamPatchBody { name, label_reasons, second_factor_required, due_minutes }| {
            let is_change = name.is_some()
                || label_reasons.is_some()
                || second_factor_required.is_some()
                || due_minutes.is_some();
            must(is_change, "", "must have name, labelReasons, secondFactorRequired or dueMinutes")?;
            let name = name.map(|name| name.trim().to_owned());
            let checked = name.as_deref().map_or(Ok(()), |name| check_name(name, NAME_MAX_CHARS));
            let label_reasons = label_reasons.map(LabelReasonsBody::check).transpose();
            let due_minutes = due_minutes.map(DueMinutesBody::check).transpose();
            let ((), (label_reasons, due_minutes)) = both(checked, both(label_reasons, due_minutes))?;
            Ok(TeamChange { name, label_reasons, second_factor_required, due_minutes })
        })?;
    let required = User { needs_second_factor: true, ..user };
    if change.second_factor_required == Some(true) && required.lacks_second_factor() {
        let message = match required.signed_in_by {
            Method::Oidc { .. } => {
                "The provider does not say that you signed in with a second factor. Set one up there first, and sign in \
                 again with it."
            }
            _ => "Set up a second factor of your own first, in Settings, Account.",
        };
        return Err(ApiError::new(StatusCode::CONFLICT, Code::WrongState, message));
    }
    Ok(Answer(ops::change_team(&app.store, actor, change, app.clock.now()).await?.into()))
}

/// List the people of the team, in the order in which they joined
#[utoipa::path(get, operation_id = "listMembers", path = "/team/members", tag = "team",
    responses((status = 200, body = Vec<UserBody>)))]
pub async fn members(
    State(app): State<Arc<App>>,
    Person(user): Person,
) -> Result<Answer<Vec<UserBody>>, ApiError> {
    let found = app.store.read(move |tx| users::of_team(tx, user.team_id)).await?;
    Ok(Answer(found.into_iter().map(UserBody::from).collect()))
}

/// What to change about a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatchBody {
    /// ADMIN, USER or VIEWER.
    #[schema(example = "USER")]
    role: String,
}

/// Change the role of a person
#[utoipa::path(patch, operation_id = "changeMember", path = "/team/members/{id}", tag = "team",
    params(("id" = i64, Path)), request_body = MemberPatchBody,
    responses((status = 200, body = UserBody),
        (status = 409, body = ErrorBody, description = "The last admin stays one.")))]
pub async fn update_member(
    State(app): State<Arc<App>>,
    _: Admin,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<MemberPatchBody>>,
) -> Result<Answer<UserBody>, ApiError> {
    let role = patch.check(|patch| parse_role(&patch.role))?;
    let changed = ops::set_role(&app.store, actor, parse_id(&id, "member")?, role, app.clock.now()).await?;
    changed.map(|user| Answer(user.into())).map_err(|refusal| refused(refusal, "member"))
}

/// Remove a person, or leave
///
/// An admin removes anybody, everybody else only themselves. Their sessions and MCP tokens in this team end at once; their
/// other teams they keep.
#[utoipa::path(delete, operation_id = "removeMember", path = "/team/members/{id}", tag = "team",
    params(("id" = i64, Path)),
    responses((status = 204), (status = 409, body = ErrorBody, description = "The last admin cannot leave, nor the last owner of the installation their last team.")))]
pub async fn remove_member(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = parse_id(&id, "member");
    if user.role != Role::Admin && !id.as_ref().is_ok_and(|id| *id == user.id) {
        let message = "Only an admin may remove others.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, message));
    }
    let removed = ops::remove(&app.store, actor, id?, app.clock.now()).await?;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|refusal| refused(refusal, "member"))
}

/// An invitation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationBody {
    id: i64,
    email: String,
    #[schema(example = "USER")]
    role: &'static str,
    invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Only in the answer to the invitation's creation: hand it to the person, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl InvitationBody {
    fn new(invitation: Invitation, token: Option<String>) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role.as_text(),
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            token,
        }
    }
}

/// List the invitations that nobody has accepted yet
#[utoipa::path(get, operation_id = "listInvitations", path = "/team/invitations", tag = "team",
    responses((status = 200, body = Vec<InvitationBody>)))]
pub async fn invitations(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
) -> Result<Answer<Vec<InvitationBody>>, ApiError> {
    let now = app.clock.now();
    let found = app.store.read(move |tx| teams::invitations(tx, user.team_id, now)).await?;
    Ok(Answer(found.into_iter().map(|invitation| InvitationBody::new(invitation, None)).collect()))
}

/// A new invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitationBody {
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// ADMIN, USER or VIEWER.
    #[schema(example = "USER")]
    role: String,
}

/// Invite somebody
///
/// The answer has a token that holds for 7 days, for `POST /api/auth/accept-invitation`. Whoever has an account already joins with its password. An earlier invitation of the same person no longer works.
#[utoipa::path(post, operation_id = "createInvitation", path = "/team/invitations", tag = "team",
    request_body = NewInvitationBody,
    responses((status = 201, body = InvitationBody),
        (status = 409, body = ErrorBody, description = "Somebody in the team has this e-mail address.")))]
pub async fn invite(
    State(app): State<Arc<App>>,
    _: Admin,
    actor: Actor,
    Json(new): Json<Unchecked<NewInvitationBody>>,
) -> Result<(StatusCode, Answer<InvitationBody>), ApiError> {
    let (role, email) =
        new.check(|new| both(parse_role(&new.role), check_email(&new.email).map(|()| new.email)))?;
    let invited = ops::invite(&app.store, actor, &email, role, app.clock.now()).await?;
    let (invitation, token) = invited.map_err(|refusal| refused(refusal, "invitation"))?;
    Ok((StatusCode::CREATED, Answer(InvitationBody::new(invitation, Some(token)))))
}

/// Revoke an invitation
#[utoipa::path(delete, operation_id = "removeInvitation", path = "/team/invitations/{id}", tag = "team",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn withdraw(
    State(app): State<Arc<App>>,
    _: Admin,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let withdrawn = ops::withdraw(&app.store, actor, parse_id(&id, "invitation")?, app.clock.now()).await?;
    withdrawn.map(|()| StatusCode::NO_CONTENT).map_err(|refusal| refused(refusal, "invitation"))
}

/// Why something was not done to a `what`, member or invitation.
pub fn refused(refusal: Refusal, what: &'static str) -> ApiError {
    match refusal {
        Refusal::NotFound if what == "member" => ApiError::not_found(Code::MemberNotFound, what),
        Refusal::NotFound => ApiError::not_found(Code::InvitationNotFound, what),
        Refusal::LastAdmin => {
            let message = "A team needs an admin. Make somebody else one first.";
            ApiError::new(StatusCode::CONFLICT, Code::LastAdmin, message)
        }
        Refusal::EmailTaken => {
            let message = "Somebody in the team has this e-mail address already.";
            ApiError::new(StatusCode::CONFLICT, Code::EmailTaken, message)
        }
        Refusal::LastOwner => ApiError::new(StatusCode::CONFLICT, Code::LastOwner, LAST_OWNER),
    }
}

fn check_email(text: &str) -> Result<(), ApiError> {
    let text = text.trim();
    let parts = text.rsplit_once('@');
    let is_address = text.len() <= EMAIL_MAX_BYTES
        && !text.contains(|char: char| char.is_whitespace() || char.is_control())
        && parts.is_some_and(|(mailbox, domain)| !mailbox.is_empty() && !domain.is_empty());
    must(is_address, "email", "must be an e-mail address")
}

fn parse_role(text: &str) -> Result<Role, ApiError> {
    Role::parse(&word(text)).ok_or_else(|| ApiError::field("role", "must be ADMIN, USER or VIEWER"))
}

/// The id of a `what`, member or invitation.
///
/// # Errors
/// That there is none, where it is no number.
pub fn parse_id(id: &str, what: &'static str) -> Result<i64, ApiError> {
    id.parse().map_err(|_| refused(Refusal::NotFound, what))
}
