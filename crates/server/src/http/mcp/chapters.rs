//! Chapters of the documentation: the manual, the other files of `docs/`, and the README, as `build.rs` finds them.

use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::http::answer::Answer;
use crate::http::error::ApiError;
use crate::http::params::did_you_mean;

/// A chapter: its name, such as `AI_AGENTS` of `docs/manual/ai-agents.md`, and its text in Markdown.
type Chapter = (&'static str, &'static str);

const CHAPTERS: &[Chapter] = include!(concat!(env!("OUT_DIR"), "/chapters.rs"));

pub const ARGUMENT: &str = "chapter";

/// The schema of the one argument.
pub fn schema() -> Value {
    let names: Vec<_> = CHAPTERS.iter().map(|(name, _)| name).collect();
    json!({ "type": "string", "enum": names, "description": "Without it, the chapters are listed." })
}

/// The chapter that is asked for, or what there is.
pub fn answer(arguments: &Map<String, Value>) -> Response {
    let title =
        |text: &str| text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned();
    let Some(wanted) = arguments.get(ARGUMENT).filter(|value| !value.is_null()) else {
        let list: Vec<_> =
            CHAPTERS.iter().map(|(name, text)| json!({ ARGUMENT: name, "title": title(text) })).collect();
        return Answer(list).into_response();
    };
    let wanted = wanted.as_str().unwrap_or_default();
    match CHAPTERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) {
        Some((name, text)) => {
            Answer(json!({ ARGUMENT: name, "title": title(text), "text": text })).into_response()
        }
        None => {
            let names: Vec<_> = CHAPTERS.iter().map(|(name, _)| *name).collect();
            let hint = did_you_mean(wanted, names.iter().copied())
                .unwrap_or_else(|| format!("; there are {}", names.join(", ")));
            ApiError::field(ARGUMENT, format!("is no chapter{hint}")).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CHAPTERS;
    use crate::http::mcp::RESULT_MAX_KIB;

    #[test]
    fn every_chapter_has_a_title_and_fits_in_a_result() {
        for (name, text) in CHAPTERS {
            assert!(text.starts_with("# "), "{name}");
            assert!(text.len() < RESULT_MAX_KIB * 1024 / 2, "{name}");
        }
        let names: Vec<_> = CHAPTERS.iter().map(|(name, _)| *name).collect();
        for expected in ["README", "SECURITY", "AI_AGENTS", "MCP", "WEBHOOKS", "DETECTION"] {
            assert!(names.contains(&expected), "{names:?}");
        }
    }
}
