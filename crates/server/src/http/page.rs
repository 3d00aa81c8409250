//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;
use super::params::{whole_number, word};

pub const PAGE_SIZE_DEFAULT: u32 = 25;
pub const PAGE_SIZE_MAX: u32 = 100;
/// Elements counted beyond the page at hand, in lists that may be too large to count.
pub const COUNTED_MAX: i64 = 10_000;

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
pub enum Order {
    #[serde(rename = "ASC")]
    Ascending,
    #[serde(rename = "DESC")]
    Descending,
}

impl TryFrom<String> for Order {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match word(&text).as_str() {
            "ASC" => Ok(Self::Ascending),
            "DESC" => Ok(Self::Descending),
            _ => Err("must be ASC or DESC"),
        }
    }
}

/// Finds the value for `sort` among those a list allows; the first is the default.
///
/// # Errors
/// Names the allowed ones.
pub fn sort<T: Copy>(sort: Option<&str>, allowed: &[(&str, T)]) -> Result<T, ApiError> {
    let wanted = sort.unwrap_or(allowed[0].0);
    let found = allowed.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = allowed.iter().map(|(name, _)| *name).collect();
        let is_alone = wanted.chars().all(char::is_alphanumeric);
        let hint = if is_alone { "" } else { "; its direction is `order`, ASC or DESC" };
        ApiError::field("sort", format!("must be one of {}{hint}", names.join(", ")))
    })
}

/// Which page of a list, as it is asked for.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 0.
    #[serde(default, deserialize_with = "whole_number::<0, { u32::MAX }, _>")]
    #[param(default = 0)]
    page_number: u32,
    #[serde(default = "page_size_default", deserialize_with = "whole_number::<1, PAGE_SIZE_MAX, _>")]
    #[param(minimum = 1, maximum = 100, default = 25)]
    page_size: u32,
    /// DESC by default.
    #[param(inline)]
    order: Option<Order>,
}

fn page_size_default() -> u32 {
    PAGE_SIZE_DEFAULT
}

impl PageQuery {
    pub fn page(&self) -> PageParams {
        PageParams { page_number: self.page_number, page_size: self.page_size }
    }

    /// Whether descending order was asked for; a list whose own order is ascending wants to know.
    pub fn is_descending(&self) -> bool {
        self.order == Some(Order::Descending)
    }

    pub fn ascending(&self) -> bool {
        self.order == Some(Order::Ascending)
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageParams {
    /// From 0.
    pub page_number: u32,
    pub page_size: u32,
}

impl PageParams {
    pub fn limit(self) -> i64 {
        self.page_size.into()
    }

    /// The length of the page, and how many stand before it, for what is kept in memory.
    pub fn length(self) -> usize {
        self.page_size as usize
    }

    pub fn start(self) -> usize {
        self.page_number as usize * self.page_size as usize
    }

    pub fn offset(self) -> i64 {
        i64::from(self.page_number) * i64::from(self.page_size)
    }

    /// Whether it takes a walk over all that stands before.
    pub fn is_deep(self) -> bool {
        self.offset() > COUNTED_MAX
    }

    /// The page that holds `content`, of a list with `at_least` elements, which is as far as they
    /// were counted if that is beyond [`COUNTED_MAX`] after the page.
    pub fn counted<T>(self, content: Vec<T>, at_least: i64) -> Page<T> {
        let is_exact = at_least < self.count_limit();
        Page { total_is_exact: is_exact, ..self.page(content, at_least) }
    }

    /// Where counting the elements of a list stops.
    pub fn count_limit(self) -> i64 {
        self.offset() + self.limit() + COUNTED_MAX
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
            total_is_exact: true,
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
    /// False where counting stopped: there are this many elements or more.
    total_is_exact: bool,
    first: bool,
    last: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_exact_as_far_as_one_counts() {
        let page = PageParams { page_number: 3, page_size: 50 };
        assert_eq!(page.count_limit(), 3 * 50 + 50 + COUNTED_MAX);
        for (counted, is_exact) in [(page.count_limit() - 1, true), (page.count_limit(), false)] {
            let shown = page.counted(vec![0; 50], counted);
            assert_eq!((shown.total_is_exact, shown.total_elements), (is_exact, counted.unsigned_abs()));
        }
        let at = |page_number| PageParams { page_number, page_size: 100 }.is_deep();
        assert_eq!((at(100), at(101)), (false, true));
    }
}
