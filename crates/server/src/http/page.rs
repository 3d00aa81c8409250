//! Pages of lists.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;

pub const PAGE_SIZE_DEFAULT: u32 = 25;
pub const PAGE_SIZE_MAX: u32 = 100;

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageParams {
    /// From 0.
    pub page_number: u32,
    pub page_size: u32,
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
