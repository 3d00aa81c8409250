//! The teams of the installation, for those who own it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Owner;
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, check_name};
use super::params::{Params, Path};
use super::team::{LAST_OWNER, NAME_MAX_CHARS};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::team::teams::{self as ops, Made, Refusal};
use crate::store::teams::{self, Summary};

/// A team of the installation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TeamSummaryBody {
    id: i64,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// How many people are in it.
    members: i64,
}

impl From<Summary> for TeamSummaryBody {
    fn from(Summary { id, name, created_at, members }: Summary) -> Self {
        Self { id, name, created_at, members }
    }
}

/// A new team, and the keys of its first credential.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewTeamBody {
    #[serde(flatten)]
    team: TeamSummaryBody,
    public_key: String,
    /// Store it: it is not shown again.
    secret_key: String,
}

/// List the teams of the installation, by name
#[utoipa::path(get, operation_id = "listTeams", path = "/teams", tag = "teams",
    responses((status = 200, body = Vec<TeamSummaryBody>)))]
pub async fn list(State(app): State<Arc<App>>, _: Owner) -> Result<Answer<Vec<TeamSummaryBody>>, ApiError> {
    let found = app.store.read(teams::all).await?;
    Ok(Answer(found.into_iter().map(TeamSummaryBody::from).collect()))
}

/// The name of a team.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamNameBody {
    #[schema(min_length = 1, max_length = 100, example = "Staging")]
    name: String,
}

impl TeamNameBody {
    fn check(self) -> Result<String, ApiError> {
        let name = self.name.trim();
        check_name(name, NAME_MAX_CHARS).map(|()| name.to_owned())
    }
}

/// Create a team
///
/// It has everything of its own: people, keys, channels, rules, and whatever its events bring. It begins with a credential,
/// with the rules that ship, and with whoever creates it as its admin.
#[utoipa::path(post, operation_id = "createTeam", path = "/teams", tag = "teams", request_body = TeamNameBody,
    responses((status = 201, body = NewTeamBody),
        (status = 409, body = ErrorBody, description = "Another team has this name.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Owner(user): Owner,
    actor: Actor,
    Json(new): Json<Unchecked<TeamNameBody>>,
) -> Result<(StatusCode, Answer<NewTeamBody>), ApiError> {
    let name = new.check(TeamNameBody::check)?;
    let made = ops::create(&app.store, actor, Some(user.id), name, app.clock.now()).await;
    let Made { team, public_key, secret_key } = made.map_err(|error| ApiError::name_taken(error, "team"))?;
    app.kept.reload_changed(app.clock.now()).await?;
    Ok((StatusCode::CREATED, Answer(NewTeamBody { team: team.into(), public_key, secret_key })))
}

/// Rename a team
#[utoipa::path(patch, operation_id = "renameTeam", path = "/teams/{id}", tag = "teams",
    params(("id" = i64, Path)), request_body = TeamNameBody,
    responses((status = 200, body = TeamSummaryBody),
        (status = 409, body = ErrorBody, description = "Another team has this name.")))]
pub async fn update(
    State(app): State<Arc<App>>,
    _: Owner,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<TeamNameBody>>,
) -> Result<Answer<TeamSummaryBody>, ApiError> {
    let name = patch.check(TeamNameBody::check)?;
    let renamed = ops::rename(&app.store, actor, parse_id(&id)?, name, app.clock.now()).await;
    let renamed = renamed.map_err(|error| ApiError::name_taken(error, "team"))?;
    renamed.map(|team| Answer(team.into())).map_err(refused)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeletionParams {
    /// The name of the team, typed by whoever deletes it.
    #[param(example = "Staging")]
    name: String,
}

/// Delete a team, with everything that it has
///
/// Its keys and sessions end at once, on other nodes within two seconds; its rows go in the background. Whoever is in no
/// other team has no account any more. The team that is chosen in the session is not deleted, nor the last one.
#[utoipa::path(delete, operation_id = "deleteTeam", path = "/teams/{id}", tag = "teams",
    params(("id" = i64, Path), DeletionParams),
    responses((status = 204),
        (status = 409, body = ErrorBody,
            description = "It is the last team, or the chosen one, or nobody would be left who owns the installation.")))]
pub async fn delete(
    State(app): State<Arc<App>>,
    _: Owner,
    actor: Actor,
    Path(id): Path<String>,
    Params(DeletionParams { name }): Params<DeletionParams>,
) -> Result<StatusCode, ApiError> {
    let (id, now) = (parse_id(&id)?, app.clock.now());
    ops::delete(&app.store, actor, id, name, now).await?.map_err(refused)?;
    app.kept.reload_changed(now).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_id(id: &str) -> Result<i64, ApiError> {
    id.parse().map_err(|_| refused(Refusal::NotFound))
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NotFound => ApiError::not_found(Code::TeamNotFound, "team"),
        Refusal::OtherName => ApiError::field("name", "must be the name of the team"),
        Refusal::LastTeam => {
            let message = "It is the only team. Create another one first.";
            ApiError::new(StatusCode::CONFLICT, Code::LastTeam, message)
        }
        Refusal::Chosen => {
            let message = "It is the team you are in. Switch to another one first.";
            ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
        }
        Refusal::LastOwner => ApiError::new(StatusCode::CONFLICT, Code::LastOwner, LAST_OWNER),
    }
}
