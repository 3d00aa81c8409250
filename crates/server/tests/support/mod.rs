//! What tests stand on: an endpoint that does as it is told, name servers and certificates.

pub mod dns;
pub mod receiver;
pub mod tls;
