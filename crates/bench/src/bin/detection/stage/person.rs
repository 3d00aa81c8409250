//! Who is on the stage.

use std::net::IpAddr;

use dregs_core::device::Interaction;
use dregs_core::place::Place;
use serde_json::{Map, Value, json};

use super::sources::Name;

/// How much effort an attacker takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One machine, one address, a script as it comes.
    Naive,
    /// Behind the addresses of a VPN, with a real browser.
    Hidden,
    /// Knows what is looked at and behaves accordingly.
    Targeted,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Naive, Self::Hidden, Self::Targeted];
}

/// What an identity really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    Innocent(&'static str),
    Attacker(&'static str, Level),
}

impl Truth {
    pub const fn is_innocent(self) -> bool {
        matches!(self, Self::Innocent(_))
    }
}

/// From where a backend reaches the server, as far as the server sees that, and what it calls itself there.
#[derive(Clone, Debug)]
pub struct Connection {
    pub ip: Option<IpAddr>,
    pub agent: Option<&'static str>,
}

/// Somebody who acts, as the application sees them at the moment.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub data: Map<String, Value>,
    pub device: Option<String>,
    pub ip: Option<IpAddr>,
    pub place: Option<Place>,
    pub agent: Option<String>,
    /// The connection on which a backend tells of them, if one does.
    pub backend: Option<Connection>,
    pub session: Option<u64>,
    /// The promotion code it redeems: one for everybody, unless somebody refers themself.
    pub code: String,
    /// How the page is operated before each event, where its script sees that.
    pub hand: Option<Interaction>,
    pub name: Name,
}

impl Person {
    /// Gives them another name and address.
    pub fn rename(&mut self, name: Name, email: impl Into<String>) {
        self.data.insert("name".to_owned(), json!(name.full));
        self.data.insert("email".to_owned(), json!(email.into()));
        self.name = name;
    }

    /// The same device, place and address as somebody else.
    pub fn sit_beside(&mut self, other: &Self) {
        (self.device, self.agent) = (other.device.clone(), other.agent.clone());
        (self.ip, self.place) = (other.ip, other.place);
    }
}
