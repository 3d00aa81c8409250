//! Reading an object so that all that is wrong with it is told at once: its form here, its values by who asked for it.

use std::collections::BTreeMap;

use dregs_core::event::FieldError;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;

use super::words;
use crate::http::error::{ApiError, WRONG_MAX, is_about};

/// What can be read of a body, once it is known to be an object.
pub trait FromBody: Sized {
    /// # Errors
    /// All that is wrong with its form, unless that is told later.
    fn from_body(object: Map<String, Value>) -> Result<Self, Vec<FieldError>>;
}

/// A body whose form says all: what has a wrong one is refused.
impl<T: DeserializeOwned> FromBody for T {
    fn from_body(object: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        match read_value(&mut Value::Object(object)) {
            (Some(read), wrong) if wrong.is_empty() => Ok(read),
            (_, wrong) => Err(wrong),
        }
    }
}

/// A body whose values have to be checked as well. As nobody else can look into it, what is wrong with its form is told
/// together with that.
pub struct Unchecked<T> {
    /// With something of the right type where something was wrong; none where that is not enough.
    read: Option<T>,
    wrong: Vec<FieldError>,
}

impl<T: DeserializeOwned> FromBody for Unchecked<T> {
    fn from_body(object: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let (read, wrong) = read_value(&mut Value::Object(object));
        Ok(Self { read, wrong })
    }
}

impl<T: Default> Default for Unchecked<T> {
    fn default() -> Self {
        Self { read: Some(T::default()), wrong: Vec::new() }
    }
}

impl<T> Unchecked<T> {
    /// What `check` makes of it.
    ///
    /// # Errors
    /// All that is wrong with its form, and what `check` finds in fields of which that says nothing.
    pub fn check<R>(self, check: impl FnOnce(T) -> Result<R, ApiError>) -> Result<R, ApiError> {
        match (self.read.map(check), self.wrong) {
            (Some(checked), wrong) if wrong.is_empty() => checked,
            (Some(Err(error)), wrong) => Err(ApiError::fields(wrong).and_elsewhere(error)),
            (_, wrong) => Err(ApiError::fields(wrong)),
        }
    }
}

impl<T> Unchecked<T> {
    /// The same as something else.
    pub fn map<R>(self, make: impl FnOnce(T) -> R) -> Unchecked<R> {
        Unchecked { read: self.read.map(make), wrong: self.wrong }
    }
}

/// Reads an object that stands in the field `field` of a body.
pub fn read_object<T: DeserializeOwned>(field: &str, value: Map<String, Value>) -> Unchecked<T> {
    let (read, wrong) = read_value(&mut Value::Object(value));
    Unchecked { read, wrong: wrong.into_iter().map(|error| within(field, error)).collect() }
}

/// The same of what may be no object: first as a part of the type, of which errors are told better, and then as what
/// that leaves of it.
pub fn read_twice<Part: DeserializeOwned, T: DeserializeOwned>(
    field: &str,
    mut value: Value,
) -> Unchecked<T> {
    let mut wrong = if value.is_object() { read_value::<Part>(&mut value).1 } else { Vec::new() };
    let (read, mut others) = read_value(&mut value);
    others.retain(|other| !wrong.iter().any(|known| is_about(known, other)));
    wrong.append(&mut others);
    Unchecked { read, wrong: wrong.into_iter().map(|error| within(field, error)).collect() }
}

/// The error of a part, with the whole path.
fn within(field: &str, FieldError { field: inner, message }: FieldError) -> FieldError {
    let field = if inner.is_empty() { field.to_owned() } else { format!("{field}.{inner}") };
    FieldError { field, message }
}

/// What stands in for what is missing, or wrong in a list, while one looks for what else is wrong: one of each type, and
/// words that conditions know as a category and as a fact, and as nothing else.
fn stand_ins() -> [Value; 7] {
    [json!(""), json!(0), json!(false), json!([]), json!({}), json!("HUMANITY"), json!("device")]
}

/// A step from an object or a list to what stands in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name(String),
    Index(usize),
}

/// Reads a value, with all that can be seen to be wrong: what is wrong is taken out for the next look, and for what must
/// be there something stands in, until one looks in vain.
fn read_value<T: DeserializeOwned>(value: &mut Value) -> (Option<T>, Vec<FieldError>) {
    let mut wrong = Vec::new();
    // Where something is wrong, and how much has stood in for it.
    let mut known: BTreeMap<Vec<Step>, usize> = BTreeMap::new();
    let mut last = Vec::new();
    loop {
        let (error, mut place) = match serde_path_to_error::deserialize(&*value) {
            Ok(read) => return (Some(read), wrong),
            Err(error) => explain(&error),
        };
        // What is said of all that is around the last stand-in is said of that: of some types no error names a field.
        if last.len() > place.len() && last.starts_with(&place) {
            place.clone_from(&last);
        }
        if !known.keys().any(|known| place.starts_with(known)) {
            wrong.push(error);
        }
        if wrong.len() == WRONG_MAX {
            return (None, wrong);
        }
        while !mend(value, &place, known.entry(place.clone()).or_default()) {
            if place.pop().is_none() {
                return (None, wrong);
            }
        }
        last = if known.get(&place).is_some_and(|tried| *tried > 0) { place } else { Vec::new() };
    }
}

/// Makes something else of what is in a place; false where there is nothing left to try.
fn mend(value: &mut Value, place: &[Step], tried: &mut usize) -> bool {
    let Some((last, way)) = place.split_last() else { return false };
    let around = way.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(index),
    });
    let stand_in = |tried: &mut usize| {
        *tried += 1;
        stand_ins().into_iter().nth(*tried - 1)
    };
    match (around, last) {
        (Some(Value::Object(fields)), Step::Name(name)) => {
            let is_there = fields.remove(name).is_some();
            // At first, as if it may be left out.
            if is_there && *tried == 0 {
                return true;
            }
            stand_in(tried).map(|value| fields.insert(name.clone(), value)).is_some()
        }
        (Some(Value::Array(items)), Step::Index(index)) => match (items.get_mut(*index), stand_in(tried)) {
            (Some(item), Some(value)) => {
                *item = value;
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Which field is wrong, and why, and where it is. Of fields that are missing or unknown the path leads only to
/// the object around them; serde puts their names in back ticks.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> (FieldError, Vec<Step>) {
    let message = error.inner().to_string();
    let mut place: Vec<_> = error.path().iter().filter_map(step).collect();
    let mut field = error.path().to_string();
    // What ends too early is wrong as a whole.
    if field == "." || error.inner().is_eof() {
        field.clear();
    }
    let named = [words::UNKNOWN, words::MISSING].iter().find_map(|start| message.strip_prefix(start));
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('`')) {
        let step = Step::Name(name.to_owned());
        if place.last() != Some(&step) {
            field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
            place.push(step);
        }
    }
    (FieldError { field, message: words::plain(&message) }, place)
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Name(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "UPPERCASE")]
    enum Word {
        Yes,
        No,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Item {
        count: u8,
        word: Option<Word>,
        note: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        items: Vec<Item>,
        flag: bool,
    }

    fn told(value: Value) -> (bool, Vec<String>) {
        let (read, wrong) = read_value::<Whole>(&mut value.clone());
        (read.is_some(), wrong.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn what_is_wrong_in_one_place_hides_nothing_of_another() {
        let good = json!({"count": 1, "word": "YES"});
        assert_eq!(told(json!({"items": [good], "flag": true})), (true, vec![]));
        let cases = [
            (json!({"items": [{"count": -1, "word": "YES", "note": 5, "x": 1}, good], "y": 1}), true, 5),
            (json!({"items": [good, 5, {"word": "PERHAPS"}], "flag": 0}), true, 4),
            (json!({"items": 5, "flag": "yes"}), true, 2),
            (json!({}), true, 2),
        ];
        for (value, is_read, wrong) in cases {
            let (read, fields) = told(value.clone());
            assert_eq!((read, fields.len()), (is_read, wrong), "{value}: {fields:?}");
        }
    }

    #[test]
    fn no_more_is_told_than_a_number_of_errors() {
        let many: Vec<_> = (0..1_000).map(|_| json!({"count": "x", "word": "PERHAPS"})).collect();
        assert_eq!(told(json!({"items": many, "flag": true})).1.len(), WRONG_MAX);
    }
}
