//! Lists as tables: taken in whole or not at all, and given out a page at a time.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dregs_core::list::ListType;
use dregs_core::time::Timestamp;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::elsewhere::elsewhere;
use super::error::{ApiError, must_have};
use super::identity_csv::{cell_read, inert, line};
use super::lists::{COMMENT_MAX_CHARS, PreviewedListBody, find, find_to_change, not_found, previewed};
use super::params::{Params, Path};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::team::lists::{self as ops, Added, IMPORT_LINES_MAX, NewEntry};
use crate::store::lists::{self, Entry};
use crate::store::{Result, log_failure};

const COLUMNS: [&str; 3] = ["value", "comment", "endsAt"];
/// Lines with an error that are told.
const ERRORS_MAX: usize = 100;
/// Values that are shown of those that would change.
const SHOWN_MAX: usize = 20;
/// Of a cell that is wrong, this much is told.
const CELL_SHOWN_CHARS: usize = 60;
const PAGE_ENTRIES: i64 = 1_000;

/// A table.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListImportBody {
    /// Columns: value, comment, endsAt. The last two may be left out; so may the heading, where they are in this order.
    #[schema(example = "value,comment,endsAt\n203.0.113.0/24,Berlin,2027-01-01T00:00:00.000Z\n")]
    csv: String,
}

/// Whether it is only tried.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// Whether nothing is written.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineErrorBody {
    /// From 1, the heading among them.
    line: u64,
    message: String,
}

/// What importing a table did, or would do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListImportedBody {
    /// Whether it was written: not where it was only tried, nor where there are errors.
    written: bool,
    added: usize,
    /// That were there with another comment or another end.
    changed: usize,
    unchanged: usize,
    /// Lines whose value comes again later: the last counts.
    repeated: usize,
    /// Of those added or changed, such whose end has passed: they do not count.
    ended: usize,
    /// The first of the values that are added.
    first_added: Vec<String>,
    /// The first of those that are changed.
    first_changed: Vec<String>,
    /// The first of the lines that are wrong.
    errors: Vec<LineErrorBody>,
    error_count: usize,
    /// Whom it would concern; null where it was written.
    preview: Option<PreviewedListBody>,
    /// The entry of the audit log by which what was added can be undone; null where nothing was.
    audit_id: Option<i64>,
}

/// Import a table into a list
///
/// All of it or, where a line is wrong, nothing. At most 10,000 lines at a time: import a longer table in parts.
#[utoipa::path(post, operation_id = "importList", path = "/lists/{id}/import", tag = "lists",
    params(("id" = i64, Path), ImportParams), request_body = ListImportBody,
    responses((status = 200, body = ListImportedBody)))]
pub async fn import(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Params(params): Params<ImportParams>,
    Json(body): Json<Unchecked<ListImportBody>>,
) -> std::result::Result<Answer<ListImportedBody>, ApiError> {
    let list = find_to_change(&app, &caller, &id).await?;
    let csv = body.check(|body| Ok(body.csv))?;
    let list_type = list.list_type;
    let (entries, mut errors) = elsewhere(move || read(&csv, list_type)).await?;
    must_have("csv", entries.len() + errors.len(), 0..=IMPORT_LINES_MAX, "lines")?;
    let error_count = errors.len();
    errors.truncate(ERRORS_MAX);
    let now = app.clock.now();
    let (id, written) = (list.id, !params.dry_run && errors.is_empty());
    let done = if written {
        ops::add(&app.store, &app.kept, actor, (ops::IMPORTED, id, entries), now).await?
    } else {
        let read = move |tx: &mut crate::store::Tx| {
            let list = lists::get(tx, list.team_id, list.id)?;
            list.map(|list| ops::plan(tx, list, &entries, now)).transpose()
        };
        app.long_reads.read(read).await?.map(|put| Added { put, audit_id: None })
    };
    let Added { put, audit_id } = done.ok_or_else(not_found)?;
    let preview = if written {
        None
    } else {
        Some(previewed(&app, &put.list, Some(put.values(now)), put.changed.len()).await?)
    };
    let shown = |entries: &[NewEntry]| -> Vec<_> {
        entries.iter().take(SHOWN_MAX).map(|entry| entry.value.clone()).collect()
    };
    Ok(Answer(ListImportedBody {
        written,
        added: put.added.len(),
        changed: put.changed.len(),
        unchanged: put.unchanged,
        repeated: put.repeated,
        ended: put.ended,
        first_added: shown(&put.added),
        first_changed: shown(&put.changed),
        errors,
        error_count,
        preview,
        audit_id,
    }))
}

/// The entries of a table, and what is wrong with its lines.
fn read(csv: &str, list_type: ListType) -> (Vec<NewEntry>, Vec<LineErrorBody>) {
    let csv = csv.strip_prefix('\u{feff}').unwrap_or(csv);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(csv))
        .from_reader(csv.as_bytes());
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    let (mut places, mut width) = ([Some(0), Some(1), Some(2)], COLUMNS.len());
    let mut lines = Lines { text: csv.as_bytes(), at: 0, line: 1 };
    for (number, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = lines.of(error.position());
                errors.push(LineErrorBody { line, message: "is no line of a table".to_owned() });
                continue;
            }
        };
        let line = lines.of(record.position());
        let is_heading = number == 0 && record.iter().any(|cell| cell.trim().eq_ignore_ascii_case("value"));
        if is_heading {
            let named = |name: &str| record.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
            (places, width) = (COLUMNS.map(named), record.len());
            continue;
        }
        let filled = record.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
        let cells = filled.last().map_or(0, |(last, _)| last + 1);
        if cells > width {
            errors.push(LineErrorBody {
                line,
                message: format!("has {cells} cells, where a line has {width}"),
            });
            continue;
        }
        let cell = |place: usize| {
            let cell = places[place].and_then(|place| record.get(place)).unwrap_or_default();
            Some(cell_read(cell.trim())).filter(|cell| !cell.is_empty())
        };
        match entry(list_type, (cell(0), cell(1), cell(2))) {
            Ok(entry) => entries.push(entry),
            Err(message) if number == 0 => {
                let message =
                    format!("{message}; a line of headings has the columns value, comment and endsAt");
                errors.push(LineErrorBody { line, message });
            }
            Err(message) => errors.push(LineErrorBody { line, message }),
        }
    }
    (entries, errors)
}

/// What stands between the cells of a table: spreadsheets of many countries write semicolons, where a heading shows it.
fn separator(csv: &str) -> u8 {
    let heading = csv.lines().next().unwrap_or_default();
    let is_value = |cell: &str| cell.trim().trim_matches('"').eq_ignore_ascii_case("value");
    [b';', b'\t'].into_iter().find(|mark| heading.split(char::from(*mark)).any(is_value)).unwrap_or(b',')
}

/// The lines of a text, which its reader counts otherwise where they end with two characters.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line in which the record at a position begins; positions only grow.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let until =
            byte + self.text[byte.min(self.text.len())..].iter().take_while(|byte| is_end(byte)).count();
        let passed = self.text.get(self.at..until).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = until.max(self.at);
        self.line
    }
}

/// Of a cell, as much as is told.
fn shown(cell: &str) -> String {
    let mut shown: String = cell.chars().take(CELL_SHOWN_CHARS).collect();
    if shown.len() < cell.len() {
        shown.push('…');
    }
    shown
}

fn entry(
    list_type: ListType,
    (value, comment, ends_at): (Option<&str>, Option<&str>, Option<&str>),
) -> std::result::Result<NewEntry, String> {
    let read = value.and_then(|value| list_type.value(value));
    let value = read.ok_or_else(|| {
        let given = value.map_or("value".to_owned(), |value| format!("\"{}\"", shown(value)));
        format!("{given} must be {}", list_type.expected())
    })?;
    if comment.is_some_and(|comment| comment.chars().count() > COMMENT_MAX_CHARS || comment.contains('\0')) {
        return Err(format!("comment must have at most {COMMENT_MAX_CHARS} characters"));
    }
    let ends_at = ends_at.map(|text| {
        Timestamp::parse(text).ok_or("endsAt must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`")
    });
    Ok(NewEntry { value, comment: comment.map(str::to_owned), ends_at: ends_at.transpose()? })
}

/// Export a list as CSV
///
/// With the heading `value,comment,endsAt`, as an import takes it. A cell that a spreadsheet would take for a formula
/// begins with an apostrophe, which an import leaves out again.
#[utoipa::path(get, operation_id = "exportList", path = "/lists/{id}/export", tag = "lists",
    params(("id" = i64, Path)), responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> std::result::Result<Response, ApiError> {
    let list = find(&app, &caller, &id).await?;
    let heading = line(&COLUMNS.map(str::to_owned))?;
    let name = format!("attachment; filename=\"{}.csv\"", list.slug);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    let lines = lines(app, heading, (list.team_id, list.id));
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The heading and then the line of each entry, in pieces.
fn lines(
    app: Arc<App>,
    heading: Vec<u8>,
    key: (i64, i64),
) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(Some((heading, String::new())), move |rest| {
        let app = Arc::clone(&app);
        async move {
            let (head, after) = rest?;
            if !head.is_empty() {
                return Some((Ok(head.into()), Some((Vec::new(), after))));
            }
            let read = app.long_reads.read(move |tx| lists::page(tx, key, None, &after, PAGE_ENTRIES)).await;
            let written = read.and_then(|entries| {
                let lines = entries.iter().map(row).collect::<Result<Vec<_>>>()?.concat();
                Ok((lines, entries.last().map(|last| last.value.clone())))
            });
            match written {
                Ok((lines, Some(last))) => Some((Ok(lines.into()), Some((Vec::new(), last)))),
                Ok((_, None)) => None,
                // The table ends in the middle, which its reader sees.
                Err(error) => {
                    log_failure!(error, "a table of a list broke off");
                    Some((Err(std::io::Error::other("the table broke off")), None))
                }
            }
        }
    })
}

fn row(entry: &Entry) -> Result<Vec<u8>> {
    let comment = entry.comment.as_deref().map(inert).unwrap_or_default();
    line(&[inert(&entry.value), comment, entry.ends_at.map(|at| at.to_string()).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(csv: &str, entries: &[(&str, Option<&str>, bool)], errors: &[(u64, &str)]) {
        let (found, wrong) = read(csv, ListType::Network);
        let found: Vec<_> = found
            .iter()
            .map(|entry| (entry.value.as_str(), entry.comment.as_deref(), entry.ends_at.is_some()))
            .collect();
        let wrong: Vec<_> = wrong.iter().map(|error| (error.line, error.message.as_str())).collect();
        assert_eq!((&found[..], &wrong[..]), (entries, errors), "{csv:?}");
    }

    #[test]
    fn a_table_is_read_with_and_without_its_heading() {
        check("203.0.113.7/24\r\n", &[("203.0.113.0/24", None, false)], &[]);
        check("203.0.113.7/24,Berlin", &[("203.0.113.0/24", Some("Berlin"), false)], &[]);
        let reordered = "endsAt,Value\n2027-01-01T00:00:00Z,203.0.113.0/24\n,2001:db8::/32\n";
        check(reordered, &[("203.0.113.0/24", None, true), ("2001:db8::/32", None, false)], &[]);
        check(
            "\u{feff}value,comment\n203.0.113.0/24,\"a \"\"b\"\",\nc\"\n",
            &[("203.0.113.0/24", Some("a \"b\",\nc"), false)],
            &[],
        );
        check("203.0.113.0/24,'=1+1", &[("203.0.113.0/24", Some("=1+1"), false)], &[]);
        check("", &[], &[]);
        let berlin = [("203.0.113.0/24", Some("Büro; Berlin"), false)];
        check("\u{feff}Value;Comment\r\n203.0.113.0/24;\"Büro; Berlin\"\r\n", &berlin, &[]);
        check("\"value\"\t\"comment\"\n203.0.113.0/24\tBüro; Berlin\n", &berlin, &[]);
    }

    #[test]
    fn what_is_wrong_is_told_by_line() {
        let expected = |given: &str| {
            format!(
                "{given} must be a network such as 198.51.100.0/24, no wider than /8, or than /12 of IPv6"
            )
        };
        let headings = format!(
            "{}; a line of headings has the columns value, comment and endsAt",
            expected("\"comment\"")
        );
        let time = "endsAt must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`";
        for end in ["\n", "\r\n", "\r\n\r\n"] {
            let lines = [
                "value,comment",
                "203.0.113.0/24,\"two\nlines\"",
                "nonsense,x",
                "192.0.2.0/24,old,2020-01-01T00:00:00Z",
            ];
            let ends = end.matches('\n').count() as u64;
            let (third, fourth) = (2 * ends + 2, 3 * ends + 2);
            check(
                &lines.join(end),
                &[("203.0.113.0/24", Some("two\nlines"), false)],
                &[(third, &expected("\"nonsense\"")), (fourth, "has 3 cells, where a line has 2")],
            );
        }
        check(
            "value,comment,endsAt\nnonsense\n\n203.0.113.0/24\n,c\n203.0.113.1,,tomorrow\n",
            &[("203.0.113.0/24", None, false)],
            &[(2, &expected("\"nonsense\"")), (5, &expected("value")), (6, time)],
        );
        check("comment\nx\n", &[], &[(1, &headings), (2, &expected("\"x\""))]);
    }
}
