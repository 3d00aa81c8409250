//! What people do with identities, devices and groups, and what is made for them: links and reviews.

pub mod devices;
pub mod disregard;
pub mod edit;
pub mod erasure;
pub mod groups;
pub mod links;
pub mod reviews;
mod traces;
