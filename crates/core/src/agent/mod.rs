//! What is behind a user agent: a browser, an app, or a program; and what is odd about it.
//!
//! A user agent is read as what it is, products with versions and comments, and a name counts where names stand.
//! What people's browsers name besides, such as devices, apps, extensions and addresses, has words of any kind.

mod browser;
mod introduction;
mod known;
mod names;
mod oddity;
mod parse;
mod signed;
mod words;

use browser::Shape;
pub use known::{
    AGENTS_SOURCE, KnownAgent, Purpose, agents, called as agent_called, is_known_as, named_in as known_agent,
};
pub use oddity::{age_years, contradiction};
use parse::{Part, comment, fields, is_address, name_of, product};
pub use signed::{AgentSignature, SIGNERS_SOURCE, signed_agent, signers};
use words::{Words, is_computer, is_device, is_visitor};

/// What is behind a user agent, the most suspicious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A browser driven by automation software.
    Automation,
    /// A crawler, a monitor, a previewer: a program that visits by itself.
    Crawler,
    /// An HTTP client of a programming language or of the command line.
    HttpLibrary,
    /// A part of a browser's user agent, which no browser sends.
    Fragment,
    /// A networking library or an engine of apps, which scripts can use as well.
    AppLibrary,
    /// An agent that acts for a person, by its own word.
    Agent,
    /// A program of its own name that is not known: most often an app, or the customer's own.
    Unknown,
    /// An app, or a browser of few, that says on what it runs.
    App,
    Browser,
}

impl Kind {
    /// Whether it is none that a person uses, by what it says of itself.
    pub fn is_automated(self) -> bool {
        self <= Self::Fragment
    }
}

/// Crawlers that name themselves, follow the rules, and say from which networks they come; their operators'
/// autonomous systems by the regional registries, 2026-11.
const GOOD_CRAWLERS: [(&str, &str, &[u32]); 9] = [
    ("googlebot", "Googlebot", &[15_169, 396_982]),
    ("bingbot", "Bingbot", &[8_075]),
    ("applebot", "Applebot", &[714, 6_185]),
    ("yandexbot", "YandexBot", &[13_238, 208_722]),
    ("facebookexternalhit", "Facebook's previewer", &[32_934]),
    ("linkedinbot", "LinkedInBot", &[14_413]),
    ("twitterbot", "Twitterbot", &[13_414]),
    ("petalbot", "PetalBot", &[136_907]),
    ("amazonbot", "Amazonbot", &[14_618, 16_509]),
];

/// Whether a user agent may be that of a customer's own program: browsers accuse nobody, and what drives a browser or
/// visits by itself is nobody's backend.
pub fn may_be_a_backends(agent: &str) -> bool {
    !matches!(kind(agent).0, Kind::Browser | Kind::Automation | Kind::Crawler | Kind::Agent)
}

/// What is behind a user agent, and the name by which it was known.
pub fn kind(agent: &str) -> (Kind, Option<&str>) {
    let parts: Vec<_> = parse::parts(agent).collect();
    if let Some(known) = known::telling(agent) {
        let kind = if known.purpose.is_for_a_person() { Kind::Agent } else { Kind::Crawler };
        return (kind, Some(&known.name));
    }
    match browser::shape(&parts) {
        Shape::Whole => of_browser(agent, &parts),
        Shape::Fragment => (Kind::Fragment, None),
        Shape::Guise => of_guise(agent, &parts),
        Shape::Other => of_program(agent, &parts),
    }
}

/// A whole browser is one, unless it names what drives it, or what it is in truth.
fn of_browser<'a>(agent: &'a str, parts: &[Part<'a>]) -> (Kind, Option<&'a str>) {
    let is_phone = || parts.get(1).and_then(comment).is_some_and(is_device);
    let of_computers = || product_of(parts, &words::AUTOMATION_OF_COMPUTERS).filter(|_| !is_phone());
    if let Some(name) = product_of(parts, &words::AUTOMATION).or_else(of_computers) {
        return (Kind::Automation, Some(name));
    }
    if let Some((kind, name)) = names::inside_browser(agent).or_else(|| before_browser(parts)) {
        return (kind, Some(name));
    }
    let is_crawler = introduction::may_be_in(agent) && introduction::is_in(parts);
    (if is_crawler { Kind::Crawler } else { Kind::Browser }, None)
}

/// What stands before a browser's user agent: `FooBot Mozilla/5.0 …`.
fn before_browser<'a>(parts: &[Part<'a>]) -> Option<(Kind, &'a str)> {
    let lead = parts.first().and_then(product)?;
    let (before, _) = lead.rsplit_once(browser::is_before_lead)?;
    names::of_program(before).or_else(|| is_visitor(before).then_some((Kind::Crawler, before)))
}

/// A program that begins like a browser and goes on under its own name.
fn of_guise<'a>(agent: &'a str, parts: &[Part<'a>]) -> (Kind, Option<&'a str>) {
    if let Some(name) = automation(parts) {
        return (Kind::Automation, Some(name));
    }
    if let Some(name) = product_of(parts, &words::CLIENTS) {
        return (Kind::HttpLibrary, Some(name));
    }
    if let Some((kind, name)) = names::of_program(agent) {
        return (kind, Some(name));
    }
    let fields = || parts.iter().filter_map(comment).flat_map(fields);
    let visits =
        introduction::is_in(parts) || fields().any(|field| is_address(field) || field == "compatible");
    let is_crawler = visits || parts.iter().filter_map(product).chain(fields()).any(is_visitor);
    (if is_crawler { Kind::Crawler } else { Kind::Unknown }, None)
}

/// A program that names itself. Who says on which phone it runs is an app, whatever its name.
fn of_program<'a>(agent: &'a str, parts: &[Part<'a>]) -> (Kind, Option<&'a str>) {
    let products = || parts.iter().filter_map(product);
    let fields = || parts.iter().filter_map(comment).flat_map(fields);
    let in_fields = || fields().map(name_of).find(|name| words::APP_LIBRARIES.has(name));
    if let Some(name) =
        product_of(parts, &words::APP_LIBRARIES).or_else(in_fields).or_else(|| of_system(parts))
    {
        return (Kind::AppLibrary, Some(name));
    }
    if fields().any(is_device) || parts.iter().any(is_for_device) {
        return (Kind::App, None);
    }
    if let Some(name) = automation(parts) {
        return (Kind::Automation, Some(name));
    }
    if let Some(name) = library(parts) {
        return (Kind::HttpLibrary, Some(name));
    }
    if products().chain(fields()).any(|name| words::INTEGRATIONS.are_in(name)) {
        return (Kind::Unknown, None);
    }
    if let Some((kind, name)) = names::of_program(agent) {
        return (kind, Some(name));
    }
    let has_address = parts.iter().any(|part| matches!(part, Part::Address(_))) || fields().any(is_address);
    if has_address || products().chain(fields()).any(is_visitor) {
        return (Kind::Crawler, None);
    }
    (if fields().any(is_computer) { Kind::App } else { Kind::Unknown }, None)
}

/// Clients that come with a system: Android's, which does not know its version, and consoles', which name
/// their development kit.
fn of_system<'a>(parts: &[Part<'a>]) -> Option<&'a str> {
    match parts {
        [Part::Product { name: name @ "Apache-HttpClient", version: "UNAVAILABLE" }, ..] => Some(name),
        [Part::Product { name: name @ "libcurl", .. }, Part::Comment(comment)]
            if words::KIT.are_in(comment) =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// Whether a product, or its version, has a phone or the like in it: `Acme-iOS/3.1`, `Acme/Android`.
fn is_for_device(part: &Part) -> bool {
    matches!(part, Part::Product { name, version } if is_device(name) || is_device(version))
}

/// The product that is, or has for a word of its name, one that drives browsers.
fn automation<'a>(parts: &[Part<'a>]) -> Option<&'a str> {
    let drives = |name: &&str| name.split(' ').any(|word| words::AUTOMATION.has(word));
    parts.iter().filter_map(product).find(drives)
}

/// The first product whose name, or the last word of it, is one of these.
fn product_of<'a>(parts: &[Part<'a>], names: &Words) -> Option<&'a str> {
    let last = |name: &'a str| name.rsplit_once(' ').map(|(_, last)| last);
    let find = |name: &'a str| {
        Some(name).filter(|name| names.has(name)).or(last(name).filter(|name| names.has(name)))
    };
    parts.iter().filter_map(product).find_map(find)
}

/// The library that a program is, or says that it uses.
fn library<'a>(parts: &[Part<'a>]) -> Option<&'a str> {
    let lead = parts.first().and_then(product)?;
    let begins = lead.split_once(['-', '_']).map_or("", |(begins, _)| begins);
    let is_client = words::LANGUAGES.has(lead) || words::CLIENTS_AS_WRITTEN.contains(&lead);
    if is_client || words::LANGUAGES_OF_CLIENTS.has(begins) {
        return Some(lead);
    }
    let in_comment = || parts.iter().filter_map(comment).flat_map(fields).map(name_of);
    product_of(parts, &words::CLIENTS).or_else(|| in_comment().find(|name| words::CLIENTS.has(name)))
}

/// A crawler of good repute by this user agent, by name; and whether it came from a network of its
/// operator's, if the network is known.
pub fn good_crawler(agent: &str, asn: Option<u32>) -> Option<(&'static str, Option<bool>)> {
    let lower = agent.to_ascii_lowercase();
    let (_, name, networks) = GOOD_CRAWLERS.iter().find(|(word, ..)| lower.contains(word))?;
    Some((name, asn.map(|asn| networks.contains(&asn))))
}

#[cfg(test)]
mod tests;
