//! From an event to a webhook, through a running server and real sockets.

mod agents;
mod backtest;
mod badges;
mod channels;
mod common;
mod credentials;
mod delivery;
mod erasure;
mod evaluation;
mod kept;
mod kill;
mod labels;
mod lease;
mod letters;
mod links;
mod lost_key;
mod meaning;
mod outage;
mod people;
mod places;
mod remedies;
mod replay;
mod retention;
mod reviews;
mod rules;
mod sick;
