//! Channels: how a message leaves the house. One send interface, one egress guard.
