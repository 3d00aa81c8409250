//! Reading what stands in the address of a request, with errors in our form.

use axum::extract::{FromRequestParts, Path as AxumPath, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use dregs_core::time::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use url::form_urlencoded;

use super::error::{ApiError, both, must};
use crate::limit::{self, Limit};

const NUL_MESSAGE: &str = "contains a NUL character, which nothing stored does";

/// Parameters in the path, percent-decoded.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.uri.path().contains("%00") {
            return Err(ApiError::field("path", NUL_MESSAGE));
        }
        let AxumPath(params) = AxumPath::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::field("path", "is not UTF-8 text, percent-encoded"))?;
        Ok(Self(params))
    }
}

/// Query parameters, those without a value as if they were not there; what becomes of unknown ones is said in
/// [`super::query_names`].
pub struct Params<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let with_nul = form_urlencoded::parse(query.as_bytes()).find(|(_, value)| value.contains('\0'));
        if let Some((name, _)) = with_nul {
            return Err(ApiError::field(&name, NUL_MESSAGE));
        }
        Query::try_from_uri(&with_values(query)).map(|Query(params)| Self(params)).map_err(|error| {
            let text = error.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (field, message) = text.split_once(": ").unwrap_or(("", text));
            ApiError::field(field, message)
        })
    }
}

/// An address with those parameters of a query that have a value.
fn with_values(query: &str) -> Uri {
    let has_value = |part: &&str| part.split_once('=').is_some_and(|(_, value)| !value.is_empty());
    let kept: Vec<_> = query.split('&').filter(has_value).collect();
    // Parts of a query make a query.
    format!("/?{}", kept.join("&")).parse().unwrap_or_default()
}

/// Reads an RFC 3339 time, if there is one.
///
/// # Errors
/// Names `field` when the text is no time.
pub fn time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let parse = |text| {
        Timestamp::parse(text).ok_or_else(|| {
            ApiError::field(field, "must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`")
        })
    };
    text.map(parse).transpose()
}

/// Reads a time that is to come.
///
/// # Errors
/// Names the field.
pub fn time_ahead(field: &str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let at = time(field, text)?;
    must(at.is_none_or(|at| at > now), field, "must be in the future").map(|()| at)
}

/// Reads the ends of a range of time, as far as there are any.
///
/// # Errors
/// Names what is no time, and `to` where it is not after `from`.
pub fn times(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let (from, to) = both(time("from", from), time("to", to))?;
    must(from.zip(to).is_none_or(|(from, to)| from < to), "to", "must be after from")?;
    Ok((from, to))
}

/// Reads a score, if there is one.
///
/// # Errors
/// When the text is not a number from 0 to 100.
pub fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let score = text.parse().ok().filter(|score| *score <= 100);
    score.map(Some).ok_or_else(|| D::Error::custom("must be a whole number from 0 to 100"))
}

/// Reads a whole number within bounds; whatever is wrong with it, both are named.
///
/// # Errors
/// When the text is not a number from `LEAST` to `MOST`.
pub fn whole_number<'de, const LEAST: u32, const MOST: u32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.parse().ok();
    if number.is_some_and(|number| number > MOST) {
        limit::reached(Limit::Number);
    }
    let number = number.filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| D::Error::custom(format!("must be a whole number from {LEAST} to {MOST}")))
}

/// A word such as `CRITICAL`, in whichever case it was written: people type `critical`.
pub fn word(text: &str) -> String {
    text.to_ascii_uppercase()
}

/// Whose: what is built in, or the team's own.
///
/// # Errors
/// Names the two.
pub fn scope(text: Option<&str>) -> Result<Option<String>, ApiError> {
    let scope = text.map(word);
    if scope.as_deref().is_some_and(|scope| !["GLOBAL", "CUSTOMER"].contains(&scope)) {
        return Err(ApiError::field("scope", "must be GLOBAL or CUSTOMER"));
    }
    Ok(scope)
}

/// How many letters may differ for a name to be taken for a mistyped other one.
const TYPING_ERRORS_MAX: usize = 3;

/// The name that another is mistyped from, if it is from any.
pub fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (written, chars) = (written.to_ascii_lowercase(), written.chars().count());
    let distance = |known: &str| strsim::osa_distance(&written, &known.to_ascii_lowercase());
    // So many letters more or fewer are as many errors: what is long need not be compared.
    let near = known.filter(|known| known.chars().count().abs_diff(chars) <= TYPING_ERRORS_MAX);
    let (distance, nearest) = near.map(|known| (distance(known), known)).min()?;
    let letters = written.chars().count().min(nearest.chars().count());
    (distance <= TYPING_ERRORS_MAX && distance * 2 < letters).then_some(nearest)
}

/// The same, as the end of a sentence.
pub fn did_you_mean<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|nearest| format!("; did you mean {nearest}?"))
}
