//! The dregs server: ingest, store, score, deliver; its HTTP API and its command line.

pub mod app;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod config;
pub mod failpoint;
pub mod geo;
pub mod http;
pub mod limit;
pub mod ops;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod text_file;
pub mod tls;
pub mod trace;
pub mod vault;
pub mod workers;

mod runtime;
mod serve;

pub use app::{App, Opened, StartError};
pub use serve::{ServeError, serve};
