//! Saved views of lists, which a team shares.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, check_name, must, must_have};
use super::params::{Params, Path};
use crate::app::App;
use crate::limit::{self, Limit};
use crate::ops::audit::Actor;
use crate::ops::team::views::{self as ops, Refused, VIEWS_MAX};
use crate::store::views::{self, View};

const NAME_MAX_CHARS: usize = 100;
const QUERY_MAX_BYTES: usize = 1_000;
/// The lists that have views.
const PAGES: [&str; 5] = ["identities", "events", "devices", "groups", "escalations"];

/// A list with these filters in this order, under a name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewBody {
    id: i64,
    name: String,
    /// The list: identities, events, devices, groups or escalations.
    #[schema(example = "identities")]
    page: String,
    /// Its filters and order, as in the address of its page.
    #[schema(example = "humanityMax=29&sort=lastTrackedAt&order=DESC")]
    query: String,
    /// Who made it.
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<View> for ViewBody {
    fn from(view: View) -> Self {
        let View { id, page, name, query, created_by, created_at } = view;
        Self { id, name, page, query, created_by, created_at }
    }
}

/// Which views.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ViewParams {
    /// Those of this list.
    #[param(example = "identities")]
    page: Option<String>,
}

/// List the saved views, by name
#[utoipa::path(get, operation_id = "listViews", path = "/views", tag = "views",
    params(ViewParams), responses((status = 200, body = Vec<ViewBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ViewParams>,
) -> Result<Answer<Vec<ViewBody>>, ApiError> {
    if let Some(page) = &params.page {
        known(page)?;
    }
    let team_id = caller.team_id();
    let views = app.store.read(move |tx| views::list(tx, team_id, params.page.as_deref())).await?;
    Ok(Answer(views.into_iter().map(ViewBody::from).collect()))
}

/// A new view.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewViewBody {
    #[schema(example = "Scripts of today", min_length = 1, max_length = 100)]
    name: String,
    /// The list: identities, events, devices, groups or escalations.
    #[schema(example = "identities")]
    page: String,
    /// Its filters and order, as in the address of its page.
    #[schema(example = "humanityMax=29", max_length = 1000)]
    query: String,
}

/// Save a view of a list
///
/// For everybody in the team.
#[utoipa::path(post, operation_id = "createView", path = "/views", tag = "views",
    request_body = NewViewBody,
    responses(
        (status = 201, body = ViewBody),
        (status = 409, description = "The list has a view of this name.", body = ErrorBody)))]
pub async fn create(
    State(app): State<Arc<App>>,
    _: Triager,
    actor: Actor,
    Json(new): Json<Unchecked<NewViewBody>>,
) -> Result<(StatusCode, Answer<ViewBody>), ApiError> {
    let (name, page, query) = new.check(|NewViewBody { name, page, query }| {
        let name = name.trim().to_owned();
        let query_is_right = must_have("query", query.len(), 0..=QUERY_MAX_BYTES, "bytes");
        both(check_name(&name, NAME_MAX_CHARS), both(known(&page), query_is_right))?;
        Ok((name, page, query))
    })?;
    match ops::create(&app.store, actor, page, name, query, app.clock.now()).await {
        Ok(view) => Ok((StatusCode::CREATED, Answer(view.into()))),
        Err(Refused::Exists) => {
            let message = "There is a view of this list with this name. Take another one.";
            Err(ApiError::new(StatusCode::CONFLICT, Code::ViewExists, message))
        }
        Err(Refused::TooMany) => {
            limit::reached(Limit::Views);
            Err(ApiError::field("name", format!("there are {VIEWS_MAX} views already")))
        }
        Err(Refused::Store(error)) => Err(error.into()),
    }
}

fn known(page: &str) -> Result<(), ApiError> {
    must(PAGES.contains(&page), "page", format!("must be one of {}", PAGES.join(", ")))
}

/// Remove a saved view
#[utoipa::path(delete, operation_id = "removeView", path = "/views/{id}", tag = "views",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    _: Triager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found(Code::ViewNotFound, "view");
    let id = id.parse().map_err(|_| not_found())?;
    if ops::delete(&app.store, actor, id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_found())
    }
}
