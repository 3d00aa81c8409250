//! Statements whose conditions depend on what is asked for.

use std::collections::HashMap;

use dregs_core::score::Scores;
use dregs_core::shard;

use super::{Result, Row, Value};

/// A statement that is being written, and the values of its parameters.
#[derive(Default)]
pub struct Sql<'a> {
    pub text: String,
    pub values: Vec<Value<'a>>,
}

impl<'a> Sql<'a> {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text as it stands.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds text with a parameter at its end.
    pub fn bind(&mut self, text: &str, value: impl Into<Value<'a>>) -> &mut Self {
        self.values.push(value.into());
        self.text.push_str(text);
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Adds text with a parameter at its end, if there is a value.
    pub fn bind_some(&mut self, text: &str, value: Option<impl Into<Value<'a>>>) -> &mut Self {
        match value {
            Some(value) => self.bind(text, value),
            None => self,
        }
    }

    /// Adds text and a list of numbers, which need no parameters to be safe; one that nothing is in
    /// where there are none.
    pub fn numbers(&mut self, text: &str, numbers: &[i64]) -> &mut Self {
        let list: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        let list = if list.is_empty() { "null".to_owned() } else { list.join(", ") };
        self.push(text).push("(").push(&list).push(")")
    }
}

/// Ids as rows of `(shard, id)`.
pub fn with_shards(ids: &[i64]) -> Vec<[Value<'static>; 2]> {
    ids.iter().map(|id| [shard::of(*id).into(), (*id).into()]).collect()
}

/// Puts rows into the order of their ids, of which there may be many.
pub fn in_order_of<T>(rows: &mut [T], ids: &[i64], id: impl Fn(&T) -> i64) {
    let places: HashMap<_, _> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    rows.sort_by_key(|row| places.get(&id(row)).copied());
}

/// `desc` or `asc`.
pub fn direction(ascending: bool) -> &'static str {
    if ascending { "asc" } else { "desc" }
}

/// Four score columns from `first` on.
pub fn scores(row: &Row, first: usize) -> Result<Scores> {
    Ok(Scores {
        humanity: row.small(first)?,
        authenticity: row.small(first + 1)?,
        uniqueness: row.small(first + 2)?,
        behavior: row.small(first + 3)?,
    })
}
