//! The dregs server: ingest, store, score, deliver; its HTTP API and its command line.

pub mod channels;
