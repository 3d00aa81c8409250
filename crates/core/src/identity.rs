//! Identities: what a user's free-form data says about who they are.

use serde_json::{Map, Value};

/// The parts of an identity's data that analyzers and people look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub email: Option<String>,
    /// The full name; first and last name joined where only those are given.
    pub name: Option<String>,
    pub username: Option<String>,
    pub phone: Option<String>,
}
