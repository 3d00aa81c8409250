//! From an event to a webhook, through a running server and real sockets.

mod backtest;
mod badges;
mod channels;
mod common;
mod delivery;
mod erasure;
mod evaluation;
mod kept;
mod kill;
mod lease;
mod links;
mod lost_key;
mod meaning;
mod outage;
mod people;
mod places;
mod replay;
mod reviews;
mod rules;
mod sick;
