//! Pages of lists.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;

pub const PAGE_SIZE_DEFAULT: u32 = 25;
pub const PAGE_SIZE_MAX: u32 = 100;

/// Query parameters, with errors in our form; unknown ones are ignored.
pub struct Params<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(params)| Self(params))
            .map_err(|error| ApiError::field("", error.body_text()))
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// From 0.
    #[serde(default)]
    pub page_number: u32,
    /// At most 100.
    #[serde(default = "default_size")]
    #[param(minimum = 1, maximum = 100)]
    pub page_size: u32,
}

fn default_size() -> u32 {
    PAGE_SIZE_DEFAULT
}

impl PageParams {
    /// # Errors
    /// When the size is not from 1 to [`PAGE_SIZE_MAX`].
    pub fn check(self) -> Result<Self, ApiError> {
        if (1..=PAGE_SIZE_MAX).contains(&self.page_size) {
            Ok(self)
        } else {
            Err(ApiError::field("pageSize", format!("must be from 1 to {PAGE_SIZE_MAX}")))
        }
    }

    pub fn limit(self) -> i64 {
        self.page_size.into()
    }

    pub fn offset(self) -> i64 {
        i64::from(self.page_number) * i64::from(self.page_size)
    }

    /// The page that holds `content`, of a list of `total` elements.
    pub fn page<T>(self, content: Vec<T>, total: i64) -> Page<T> {
        let total_elements = u64::try_from(total).unwrap_or_default();
        let total_pages = total_elements.div_ceil(self.page_size.into());
        Page {
            content,
            page_number: self.page_number,
            page_size: self.page_size,
            total_pages,
            total_elements,
            first: self.page_number == 0,
            last: u64::from(self.page_number) + 1 >= total_pages,
        }
    }
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    content: Vec<T>,
    page_number: u32,
    page_size: u32,
    total_pages: u64,
    total_elements: u64,
    first: bool,
    last: bool,
}
