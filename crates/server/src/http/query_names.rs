//! Names of query parameters that an operation does not take.
//!
//! They are ignored, so that programs may send what a newer server knows. One that was meant for a filter, a sort or a
//! page is refused: without it a list would be answered that nobody asked for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dregs_core::event::FieldError;
use url::form_urlencoded;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};

use super::error::{ApiError, WRONG_MAX};
use super::params::nearest;

/// What other APIs call it, and what it is called here.
const SYNONYMS: [(&str, &[&str]); 6] = [
    ("term", &["q", "query", "search", "email", "name", "text", "filter"]),
    ("identity", &["user", "userid", "account"]),
    ("from", &["since", "after", "start", "startdate", "begin"]),
    ("to", &["until", "before", "end", "enddate"]),
    ("pageNumber", &["page", "offset", "cursor", "skip"]),
    ("pageSize", &["limit", "size", "count", "perpage"]),
];

/// How the parameters begin by which links from mail and advertisements are counted (`utm_source`): mail programs add them.
pub const OF_LINKS: &str = "utm_";

/// No event is lost for what else its address says.
const STORES: &str = "sendEvent";

/// The parameters of every operation that takes any.
#[derive(Clone)]
pub struct QueryNames(Arc<Names>);

struct Names {
    of_operations: BTreeMap<(String, Method), BTreeSet<String>>,
    /// That any name consists of, such as `min` and `humanity`.
    words: BTreeSet<String>,
}

impl QueryNames {
    /// Those of `document`, whose paths are below `base`.
    pub fn of(document: &utoipa::openapi::OpenApi, base: &str) -> Self {
        let of_operations: BTreeMap<_, _> = document
            .paths
            .paths
            .iter()
            .flat_map(|(path, item)| {
                operations(item)
                    .map(move |(method, operation)| ((format!("{base}{path}"), method), operation))
            })
            .filter(|(_, operation)| operation.operation_id.as_deref() != Some(STORES))
            .map(|(key, operation)| (key, names(operation)))
            .filter(|(_, names)| !names.is_empty())
            .collect();
        let words = of_operations.values().flatten().flat_map(|name| words(name)).collect();
        Self(Arc::new(Names { of_operations, words }))
    }

    fn check(&self, path: &str, method: &Method, query: &str) -> Result<(), ApiError> {
        let Some(known) = self.0.of_operations.get(&(path.to_owned(), method.clone())) else {
            return Ok(());
        };
        let written: BTreeSet<_> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name).collect();
        // As many wrong ones as are told of anything; a query of nothing else is not looked through.
        let is_unknown = |name: &&Cow<str>| !known.contains(name.as_ref()) && !name.starts_with(OF_LINKS);
        let unknown = written.iter().filter(is_unknown).take(WRONG_MAX);
        let refused: Vec<_> = unknown.filter_map(|name| self.refusal(name, known)).collect();
        if refused.is_empty() { Ok(()) } else { Err(ApiError::fields(refused)) }
    }

    /// Why a name is refused; `None` where it is nothing of ours.
    fn refusal(&self, written: &str, known: &BTreeSet<String>) -> Option<FieldError> {
        let bare = written.to_ascii_lowercase().replace(['_', '-'], "");
        let synonym = SYNONYMS.iter().find(|(_, theirs)| theirs.contains(&bare.as_str()));
        let meant = nearest(written, known.iter().map(String::as_str))
            .or_else(|| synonym.map(|(ours, _)| *ours).filter(|ours| known.contains(*ours)));
        let hint = match meant {
            Some(meant) => format!("; did you mean {meant}?"),
            None if words(written).any(|word| self.0.words.contains(&word)) => {
                let all = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                format!("; there are {all}")
            }
            None => return None,
        };
        Some(FieldError {
            field: written.into(),
            message: format!("is no parameter of this operation{hint}"),
        })
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let all = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn names(operation: &Operation) -> BTreeSet<String> {
    let of_query = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(own) if own.parameter_in == ParameterIn::Query => Some(own.name.clone()),
        _ => None,
    });
    of_query.collect()
}

/// The words of a name in any style: `humanityMin`, `humanity_min`, `min-humanity`. Those of one or two letters say
/// nothing.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for letter in name.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            spaced.push(' ');
        }
        spaced.extend(letter.to_lowercase());
        before = letter;
    }
    let words: Vec<_> = spaced.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter().filter(|word| word.chars().count() > 2)
}

/// Refuses a request whose query has a name that was meant for a parameter and is none.
pub async fn middleware(State(names): State<QueryNames>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let checked = match (request.uri().query(), path) {
        (Some(query), Some(path)) if !query.is_empty() => names.check(path.as_str(), request.method(), query),
        _ => Ok(()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
