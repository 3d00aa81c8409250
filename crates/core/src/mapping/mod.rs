//! Mappings: what a team's own names of events and of identity fields mean.
//!
//! A shipped table knows the usual spellings; a team's own entries come first. What is stored keeps
//! the team's names, and what they mean is asked at every look at it, so that a changed mapping holds
//! for the past as well.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::words::snake;

mod automatic;
mod fields;
mod types;

pub use automatic::is_automatic;
pub use fields::{FIELDS, IdentityField};
pub use types::{CanonicalType, TYPES, global_type};

/// What is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MappingKind {
    EventType,
    IdentityField,
}

impl MappingKind {
    pub const ALL: [Self; 2] = [Self::EventType, Self::IdentityField];

    pub const fn name(self) -> &'static str {
        match self {
            Self::EventType => "EVENT_TYPE",
            Self::IdentityField => "IDENTITY_FIELD",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A team's own entries over the shipped table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// By name in lower_snake_case; `None` takes a shipped meaning away.
    events: HashMap<String, Option<CanonicalType>>,
    fields: HashMap<String, Option<IdentityField>>,
}

impl Mapping {
    /// Adds an entry: `source` in any case and style, `target` the name of a canonical type or
    /// `None`. `false` when there is no such target.
    #[must_use]
    pub fn insert(&mut self, kind: MappingKind, source: &str, target: Option<&str>) -> bool {
        let source = snake(source);
        match kind {
            MappingKind::EventType => {
                let found = target.map(CanonicalType::parse);
                found.is_none_or(|found| found.is_some()) && {
                    self.events.insert(source, found.flatten());
                    true
                }
            }
            MappingKind::IdentityField => {
                let found = target.map(IdentityField::parse);
                found.is_none_or(|found| found.is_some()) && {
                    self.fields.insert(source, found.flatten());
                    true
                }
            }
        }
    }

    /// What an event of this name is.
    pub fn event_type(&self, name: &str) -> Option<CanonicalType> {
        if !self.events.is_empty()
            && let Some(own) = self.events.get(&snake(name))
        {
            return *own;
        }
        global_type(name)
    }

    /// What the field with this key, in lower_snake_case, holds, and its rank among the keys of the
    /// same meaning: the lowest counts. A team's own entries come first.
    pub fn field(&self, key_in_snake: &str) -> Option<(IdentityField, usize)> {
        match self.fields.get(key_in_snake) {
            Some(own) => own.map(|field| (field, 0)),
            None => fields::global_field(key_in_snake).map(|(field, rank)| (field, rank + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teams_own_entry_comes_first() {
        let mut mapping = Mapping::default();
        assert_eq!(mapping.event_type("user.signup"), Some(CanonicalType::Registration));
        assert!(mapping.insert(MappingKind::EventType, "Knock Knock", Some("LOGIN")));
        assert!(mapping.insert(MappingKind::EventType, "user.signup", None));
        assert!(mapping.insert(MappingKind::IdentityField, "postAddress", Some("EMAIL")));
        assert!(!mapping.insert(MappingKind::EventType, "x", Some("EMAIL")));
        assert!(!mapping.insert(MappingKind::IdentityField, "x", Some("LOGIN")));
        assert_eq!(mapping.event_type("knock-knock"), Some(CanonicalType::Login));
        assert_eq!(mapping.event_type("userSignup"), None);
        assert_eq!(mapping.event_type("logout"), Some(CanonicalType::Logout));
        assert_eq!(mapping.field("post_address"), Some((IdentityField::Email, 0)));
        assert_eq!(mapping.field("email"), Some((IdentityField::Email, 1)));
        assert_eq!(mapping.field("x"), None);
    }
}
