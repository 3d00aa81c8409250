//! What people do with identities, devices and groups, and what is made for them: links and reviews.

pub mod devices;
pub mod edit;
pub mod erasure;
pub mod groups;
pub mod holders;
pub mod links;
pub mod listed;
pub mod preview;
pub mod reviews;
pub mod ring;
mod traces;

use dregs_core::link::KeyHasher;

use crate::ops::directories::Directories;
use crate::ops::handoff::Evaluations;
use crate::store::Store;

/// What changes identities and devices, and has those scored again whom that concerns.
pub struct Editor<'a> {
    pub store: &'a Store,
    pub kept: &'a Directories,
    pub hasher: KeyHasher,
    pub evaluations: &'a Evaluations,
}
