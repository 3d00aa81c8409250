//! What tests stand on: whole servers on either engine, an endpoint that does as it is told, name
//! servers and certificates.

pub mod agent;
pub mod cluster;
pub mod collector;
pub mod dns;
pub mod engine;
pub mod mailbox;
pub mod network;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod server;
pub mod shim;
pub mod tls;
