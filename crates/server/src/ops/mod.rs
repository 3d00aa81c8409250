//! Operations of several steps that more than one caller uses.
//!
//! The way of an event is [`ingest`], [`evaluate`], [`decide`], [`deliver`]; [`handoff`] leads from one to the next.
//! Beside it are [`counters`], what a [`team`] manages, who gets [`access`], which agents people connect by [`oauth`], what people do
//! with [`identities`], the [`lists`] and [`live`] news that they look at, and the [`retention`] of all that.
//!
//! A function takes what it uses, so that its signature says what it depends on. What always goes together is a struct.

pub mod access;
pub mod agent_keys;
pub mod apart;
pub mod audit;
pub mod bounds;
pub mod counters;
pub mod decide;
pub mod deliver;
pub mod directories;
pub mod evaluate;
pub mod handoff;
pub mod identities;
pub mod ingest;
pub mod installation;
pub mod lists;
pub mod live;
pub mod long_reads;
pub mod oauth;
pub mod retention;
pub mod team;
