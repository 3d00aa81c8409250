//! Who is let in, and how much may be asked.

pub mod limits;
pub mod oidc;
pub mod refused_origins;
pub mod sign_in;
pub mod usage;
