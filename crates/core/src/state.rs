//! The bounded state of an identity: everything its past tells an analyzer, in a few hundred
//! bytes, built event by event.
