//! A list of identities as a table for spreadsheets. It is written some lines at a time, so that its length costs no
//! memory.

use std::sync::Arc;
use std::vec::IntoIter;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dregs_core::rules::Standing;
use dregs_core::time::Timestamp;
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::Caller;
use super::error::ApiError;
use super::identity_lists::{ListParams, SORTS, filter};
use super::page::{Order, sort};
use super::params::Params;
use crate::app::App;
use crate::ops::lists::roster::Slice;
use crate::store::identities::{self, Identity};
use crate::store::rosters::Kind;
use crate::store::{Result, StoreError, log_failure};

/// What spreadsheets can show, about.
pub const LINES_MAX: usize = 1_000_000;
/// Lines read and written in one go.
const CHUNK_LINES: usize = 200;
const COLUMNS: [&str; 13] = [
    "id",
    "displayName",
    "displayEmail",
    "displayUsername",
    "humanityScore",
    "authenticityScore",
    "uniquenessScore",
    "behaviorScore",
    "badges",
    "createdAt",
    "lastTrackedAt",
    "lastScoredAt",
    "disregarded",
];

/// In which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderParams {
    /// DESC by default.
    #[param(inline)]
    order: Option<Order>,
}

/// List the identities as CSV
///
/// All that match, up to 1,000,000, with their scores, badges (slugs) and times. A cell that a spreadsheet would take
/// for a formula begins with an apostrophe.
#[utoipa::path(get, operation_id = "listIdentitiesAsCsv", path = "/identities.csv", tag = "identities",
    params(OrderParams, ListParams), responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<OrderParams>,
    Params(params): Params<ListParams>,
) -> std::result::Result<Response, ApiError> {
    let sort = sort(params.sort(), &SORTS)?;
    let team_id = caller.team_id();
    let filter = filter(&app, team_id, params).await?;
    let ascending = query.order == Some(Order::Ascending);
    let slice = Slice { sort, ascending, offset: 0, limit: LINES_MAX };
    let (_, ids) =
        app.rosters.ask(team_id, Kind::Identities, move |table| table.find(&filter, slice)).await?;
    let heading = line(&COLUMNS.map(str::to_owned))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"identities.csv\""),
    ];
    Ok((headers, Body::from_stream(lines(app, heading, ids.into_iter()))).into_response())
}

/// The heading and then the line of each identity, in pieces.
fn lines(
    app: Arc<App>,
    heading: Vec<u8>,
    ids: IntoIter<i64>,
) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(Some((heading, ids)), move |rest| {
        let app = Arc::clone(&app);
        async move {
            let (head, mut ids) = rest?;
            if !head.is_empty() {
                return Some((Ok(head.into()), Some((Vec::new(), ids))));
            }
            let chunk: Vec<_> = ids.by_ref().take(CHUNK_LINES).collect();
            if chunk.is_empty() {
                return None;
            }
            let read = app.long_reads.read(move |tx| identities::load(tx, &chunk)).await;
            match read
                .and_then(|identities| Ok(identities.iter().map(row).collect::<Result<Vec<_>>>()?.concat()))
            {
                Ok(lines) => Some((Ok(lines.into()), Some((Vec::new(), ids)))),
                // The table ends in the middle, which its reader sees.
                Err(error) => {
                    log_failure!(error, "a table of identities broke off");
                    Some((Err(std::io::Error::other("the table broke off")), None))
                }
            }
        }
    })
}

fn row(identity: &Identity) -> Result<Vec<u8>> {
    let standing = Standing::decode(identity.standing.as_deref());
    let badges = standing.map_err(|error| StoreError::Broken(error.to_string()))?.badges;
    let badges: Vec<_> = badges.into_iter().map(|badge| badge.slug).collect();
    let text = |text: &Option<String>| text.as_deref().map(inert).unwrap_or_default();
    let score = |score: Option<u8>| score.map(|score| score.to_string()).unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    line(&[
        inert(&identity.id),
        text(&identity.display_name),
        text(&identity.display_email),
        text(&identity.display_username),
        score(identity.scores.humanity),
        score(identity.scores.authenticity),
        score(identity.scores.uniqueness),
        score(identity.scores.behavior),
        badges.join(" "),
        time(Some(identity.created_at)),
        time(Some(identity.last_tracked_at)),
        time(identity.last_scored_at),
        identity.disregarded.to_string(),
    ])
}

/// Text as a spreadsheet shows it and does not compute it: what such programs take for the beginning of a formula, by
/// OWASP's page on CSV injection, is led by an apostrophe.
pub fn inert(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// A cell as [`inert`] was given it.
pub fn cell_read(cell: &str) -> &str {
    let formula = cell.strip_prefix('\'').filter(|rest| inert(rest) != **rest);
    formula.unwrap_or(cell)
}

/// A line by RFC 4180.
pub fn line(cells: &[String]) -> Result<Vec<u8>> {
    let broken = |error: String| StoreError::Broken(format!("a line of CSV cannot be written: {error}"));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).map_err(|error| broken(error.to_string()))?;
    writer.into_inner().map_err(|error| broken(error.to_string()))
}
