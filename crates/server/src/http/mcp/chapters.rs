//! Chapters of the documentation, for agents.

use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::http::answer::Answer;
use crate::http::error::ApiError;
use crate::http::manual::chapters::{CHAPTERS, Chapter};
use crate::http::params::did_you_mean;

pub const ARGUMENT: &str = "chapter";

/// The schema of the one argument.
pub fn schema() -> Value {
    let names: Vec<_> = CHAPTERS.iter().map(|chapter| chapter.name).collect();
    json!({ "type": "string", "enum": names, "description": "Without it, the chapters are listed." })
}

/// The chapter that is asked for, or what there is.
pub fn answer(arguments: &Map<String, Value>) -> Response {
    let Some(wanted) = arguments.get(ARGUMENT).filter(|value| !value.is_null()) else {
        let row = |chapter: &Chapter| json!({ ARGUMENT: chapter.name, "title": chapter.title() });
        return Answer(CHAPTERS.iter().map(row).collect::<Vec<_>>()).into_response();
    };
    let wanted = wanted.as_str().unwrap_or_default();
    match Chapter::find(wanted) {
        Some(chapter) => {
            let (name, title) = (chapter.name, chapter.title());
            Answer(json!({ ARGUMENT: name, "title": title, "text": chapter.text })).into_response()
        }
        None => {
            let names: Vec<_> = CHAPTERS.iter().map(|chapter| chapter.name).collect();
            let hint = did_you_mean(wanted, names.iter().copied())
                .unwrap_or_else(|| format!("; there are {}", names.join(", ")));
            ApiError::field(ARGUMENT, format!("is no chapter{hint}")).into_response()
        }
    }
}
