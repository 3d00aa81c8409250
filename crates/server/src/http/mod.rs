//! The HTTP API: every route on this page.

mod accuracy;
mod address;
mod answer;
mod assignments;
mod audit_log;
mod auth;
mod backtests;
mod badge_rules;
mod body;
mod bulk_changes;
mod channel_actions;
mod channel_activity;
mod channel_filters;
mod channels;
mod compressed;
mod connections;
mod cookie;
mod counter_preview;
mod counters;
mod credentials;
mod dashboard;
mod dashboard_files;
mod datasets;
mod decision_report;
mod decisions;
mod deliveries;
mod devices;
mod docs;
mod drain;
mod elsewhere;
mod error;
mod escalation_history;
mod escalation_rules;
mod escalations;
mod event_lists;
mod event_types;
mod events;
mod export;
mod facts;
mod groups;
mod health;
mod identities;
mod identity_actions;
mod identity_csv;
mod identity_lists;
mod known_names;
mod labels;
pub mod limits;
mod links;
mod list_tables;
mod listed;
mod lists;
mod live;
mod manual;
mod mappings;
mod mcp;
mod mcp_tokens;
mod oauth;
mod oidc;
mod openapi;
mod page;
mod params;
mod passkeys;
mod query_names;
mod reference;
mod request_id;
mod retention;
mod rings;
mod rule_versions;
mod rules;
mod schema;
mod search;
mod second_factor;
mod session_list;
mod sessions;
mod snoozes;
mod system;
mod team;
mod teams;
mod tracker;
mod trends;
mod triage;
mod usage;
mod views;
mod waves;
mod weights;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, options, post};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::monotonic;
use crate::shutdown::Shutdown;
use crate::store::StoreError;
use auth::Anybody;
use error::{ApiError, Code};
use query_names::QueryNames;

pub use connections::Timed;

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(events::send))
        .routes(routes!(events::send_batch))
        .routes(routes!(event_lists::list))
        .routes(routes!(event_lists::get))
        .routes(routes!(identity_lists::list))
        .routes(routes!(identity_csv::list))
        .routes(routes!(search::search))
        .routes(routes!(identities::get, identity_actions::update, identity_actions::delete))
        .routes(routes!(identity_actions::history))
        .routes(routes!(triage::preview_disregard))
        .routes(routes!(triage::preview_label))
        .routes(routes!(labels::label))
        .routes(routes!(labels::of_identity))
        .routes(routes!(labels::list, labels::give))
        .routes(routes!(labels::withdraw))
        .routes(routes!(triage::preview_withdraw))
        .routes(routes!(accuracy::read))
        .routes(routes!(accuracy::of_rule))
        .routes(routes!(accuracy::of_badge))
        .routes(routes!(accuracy::of_analyzer))
        .routes(routes!(weights::read))
        .routes(routes!(weights::calibrate))
        .routes(routes!(weights::shadow))
        .routes(routes!(weights::promote))
        .routes(routes!(weights::roll_back))
        .routes(routes!(triage::dismiss_badge))
        .routes(routes!(triage::restore_badge))
        .routes(routes!(links::list))
        .routes(routes!(links::cluster))
        .routes(routes!(rings::read))
        .routes(routes!(rings::ban))
        .routes(routes!(listed::list))
        .routes(routes!(identity_actions::analyze))
        .routes(routes!(identity_actions::review))
        .routes(routes!(identity_actions::list_reviews))
        .routes(routes!(export::export))
        .routes(routes!(identities::scores))
        .routes(routes!(decisions::get))
        .routes(routes!(decisions::decide))
        .routes(routes!(identities::analysis))
        .routes(routes!(identities::past_analysis))
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::get, groups::update))
        .routes(routes!(groups::add_member, groups::remove_member))
        .routes(routes!(devices::list))
        .routes(routes!(devices::get, devices::update))
        .routes(routes!(devices::components))
        .routes(routes!(devices::preview_disregard))
        .routes(routes!(escalations::list))
        .routes(routes!(escalations::summary))
        .routes(routes!(escalations::get, escalations::update))
        .routes(routes!(assignments::assign))
        .routes(routes!(assignments::take_next))
        .routes(routes!(escalation_history::history))
        .routes(routes!(escalation_history::add_note))
        .routes(routes!(escalation_history::delete_note))
        .routes(routes!(channels::list, channels::create))
        .routes(routes!(channels::get, channels::update, channels::delete))
        .routes(routes!(channel_actions::test))
        .routes(routes!(channel_actions::rotate_secret))
        .routes(routes!(channel_actions::retry))
        .routes(routes!(channel_activity::get))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::of_identity))
        .routes(routes!(deliveries::replay))
        .routes(routes!(deliveries::get))
        .routes(routes!(deliveries::resend))
        .routes(routes!(deliveries::resend_some))
        .routes(routes!(event_types::list))
        .routes(routes!(facts::list))
        .routes(routes!(counters::list, counters::create))
        .routes(routes!(counters::catalogue))
        .routes(routes!(counters::get, counters::update, counters::delete))
        .routes(routes!(counters::value))
        .routes(routes!(counter_preview::preview))
        .routes(routes!(mappings::list, mappings::create))
        .routes(routes!(mappings::update, mappings::delete))
        .routes(routes!(mappings::preview))
        .routes(routes!(mappings::canonical_types))
        .routes(routes!(mappings::seen))
        .routes(routes!(badge_rules::list, badge_rules::create))
        .routes(routes!(badge_rules::get, badge_rules::replace, badge_rules::delete))
        .routes(routes!(rule_versions::badge_versions))
        .routes(routes!(rule_versions::draft_badge, rule_versions::discard_badge))
        .routes(routes!(rule_versions::promote_badge))
        .routes(routes!(rule_versions::restore_badge))
        .routes(routes!(rule_versions::compare_badge))
        .routes(routes!(escalation_rules::list, escalation_rules::create))
        .routes(routes!(backtests::of_escalation_rule))
        .routes(routes!(backtests::of_badge_rule))
        .routes(routes!(escalation_rules::preview))
        .routes(routes!(escalation_rules::get, escalation_rules::replace, escalation_rules::delete))
        .routes(routes!(rule_versions::escalation_versions))
        .routes(routes!(rule_versions::draft_escalation, rule_versions::discard_escalation))
        .routes(routes!(rule_versions::promote_escalation))
        .routes(routes!(rule_versions::restore_escalation))
        .routes(routes!(rule_versions::compare_escalation))
        .routes(routes!(datasets::list))
        .routes(routes!(datasets::entries, datasets::create))
        .routes(routes!(datasets::delete))
        .routes(routes!(datasets::preview))
        .routes(routes!(lists::list, lists::create))
        .routes(routes!(lists::get, lists::update, lists::delete))
        .routes(routes!(lists::entries, lists::add))
        .routes(routes!(lists::remove))
        .routes(routes!(lists::preview))
        .routes(routes!(list_tables::import))
        .routes(routes!(list_tables::export))
        .routes(routes!(credentials::list, credentials::create))
        .routes(routes!(credentials::refused_origins))
        .routes(routes!(credentials::update, credentials::delete))
        .routes(routes!(sessions::login))
        .routes(routes!(sessions::logout))
        .routes(routes!(sessions::me, sessions::update_me))
        .routes(routes!(sessions::signed_in))
        .routes(routes!(sessions::choose_team))
        .routes(routes!(sessions::password))
        .routes(routes!(session_list::list))
        .routes(routes!(session_list::end))
        .routes(routes!(session_list::end_others))
        .routes(routes!(session_list::end_of_member))
        .routes(routes!(sessions::accept))
        .routes(routes!(sessions::check_invitation))
        .routes(routes!(passkeys::list, passkeys::register))
        .routes(routes!(passkeys::begin))
        .routes(routes!(passkeys::delete))
        .routes(routes!(passkeys::begin_sign_in))
        .routes(routes!(passkeys::sign_in))
        .routes(routes!(oidc::methods))
        .routes(routes!(oidc::begin))
        .routes(routes!(oidc::sign_in))
        .routes(routes!(second_factor::get, second_factor::begin))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(second_factor::renew_recovery_codes))
        .routes(routes!(second_factor::disable))
        .routes(routes!(second_factor::reset))
        .routes(routes!(team::get, team::update))
        .routes(routes!(team::members))
        .routes(routes!(team::update_member, team::remove_member))
        .routes(routes!(team::invitations, team::invite))
        .routes(routes!(team::withdraw))
        .routes(routes!(teams::list, teams::create))
        .routes(routes!(teams::update, teams::delete))
        .routes(routes!(retention::get, retention::change))
        .routes(routes!(retention::preview))
        .routes(routes!(mcp_tokens::list, mcp_tokens::create))
        .routes(routes!(mcp_tokens::delete))
        .routes(routes!(oauth::consent::read))
        .routes(routes!(oauth::consent::approve))
        .routes(routes!(oauth::consent::deny))
        .routes(routes!(oauth::connections::list))
        .routes(routes!(oauth::connections::delete))
        .routes(routes!(dashboard::stats))
        .routes(routes!(trends::trends))
        .routes(routes!(dashboard::score_distribution))
        .routes(routes!(dashboard::rule_activity))
        .routes(routes!(decision_report::get))
        .routes(routes!(waves::list))
        .routes(routes!(bulk_changes::preview))
        .routes(routes!(bulk_changes::list, bulk_changes::create))
        .routes(routes!(bulk_changes::get))
        .routes(routes!(bulk_changes::undo))
        .routes(routes!(snoozes::snooze))
        .routes(routes!(snoozes::end))
        .routes(routes!(views::list, views::create))
        .routes(routes!(views::delete))
        .routes(routes!(live::listen))
        .routes(routes!(usage::get))
        .routes(routes!(system::get))
        .routes(routes!(audit_log::list))
        .routes(routes!(audit_log::undo))
}

/// The OpenAPI document of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let routes = OpenApiRouter::<Arc<App>>::with_openapi(openapi::base()).nest("/api", api());
    let mut document = routes.into_openapi();
    openapi::complete(&mut document);
    document
}

/// The router of a server.
pub fn router(app: Arc<App>) -> Router {
    if !app.config.roles.api {
        return around(watched().fallback(no_api)).with_state(app);
    }
    let (api, document) = api().split_for_parts();
    let names = QueryNames::of(&document, "/api");
    let api = api.layer(middleware::from_fn_with_state(names, query_names::middleware));
    let mcp = mcp::Server::new(Arc::clone(&app), Router::new().nest("/api", api.clone()));
    let routes = watched()
        .nest("/api", api)
        .route("/mcp", post(move |request: Request| mcp.clone().answer(request)))
        .route("/.well-known/oauth-protected-resource", get(oauth::metadata::resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(oauth::metadata::resource))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata::server))
        .route("/oauth/register", post(oauth::register::register))
        .route("/oauth/token", post(oauth::token::issue))
        .route("/oauth/revoke", post(oauth::token::revoke))
        .route("/api/events", options(events::preflight))
        .route("/api/events/batch", options(events::preflight))
        .route("/api/openapi.json", get(docs::json))
        .route("/api/docs", get(docs::page))
        .route("/manual", get(manual::contents))
        .route("/manual/{slug}", get(manual::chapter))
        .route("/dregs.js", get(tracker::script))
        .fallback(dashboard_files::answer)
        .method_not_allowed_fallback(method_not_allowed);
    around(routes).with_state(app)
}

/// What every node answers.
fn watched() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
}

async fn no_api(State(app): State<Arc<App>>, _: Anybody) -> ApiError {
    let roles = app.config.roles;
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Code::Unavailable,
        format!(
            "This node does not answer requests: its roles are {roles}. Send them to one with the role api."
        ),
    )
}

/// Serves the API and the dashboard until shutdown begins and what is under way is answered.
pub async fn serve(app: Arc<App>, listener: TcpListener, shutdown: Shutdown) {
    connections::raise_limit();
    let router = router(Arc::clone(&app));
    connections::serve(&app, router, listener, shutdown).await;
}

/// What happens around every request, whatever it asks for.
fn around<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(drain::middleware))
        .layer(middleware::from_fn(observe))
        .layer(middleware::from_fn(request_id::middleware))
}

async fn method_not_allowed(_: Anybody) -> ApiError {
    let message = "This path has no such method; the header Allow names those that it has.";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, message)
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::from(StoreError::Broken("a handler panicked".into())).into_response()
}

/// Counts and times requests by route and status.
async fn observe(request: Request, next: Next) -> Response {
    let begun = monotonic();
    let route = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let labels = [
        ("route", route.unwrap_or_else(|| "other".into())),
        ("status", response.status().as_u16().to_string()),
    ];
    metrics::counter!("dregs_http_requests_total", &labels).increment(1);
    metrics::histogram!("dregs_http_request_seconds").record(begun.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower_service::Service;

    use super::*;

    async fn burst() -> &'static str {
        panic!("the inside of the server")
    }

    #[tokio::test]
    async fn a_panic_is_an_error_with_a_request_id_and_nothing_of_the_inside() {
        let mut router: Router = around(Router::new().route("/", get(burst)));
        let request =
            Request::builder().header("x-request-id", "req-1").body(Body::empty()).expect("a request");
        let response = router.call(request).await.expect("an answer");
        assert_eq!(
            (response.status(), &response.headers()["x-request-id"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &"req-1".parse().expect("a header"))
        );
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let expected = json!({
            "status": 500,
            "code": "internal",
            "message": "The server failed to do this. Its log has the reason, under the request id.",
            "requestId": "req-1",
            "details": [],
        });
        assert_eq!(serde_json::from_slice::<Value>(&body).expect("JSON"), expected);
    }
}
