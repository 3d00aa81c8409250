//! What is behind a user agent: a browser, an app, or a program; and what is odd about it.
//!
//! A user agent is read as what it is, products with versions and comments, and a name counts where names stand.
//! What people's browsers name besides, such as devices, apps, extensions and addresses, has words of any kind.

mod browser;
mod described;
mod introduction;
mod known;
mod names;
mod oddity;
mod parse;
mod signed;
mod words;

use browser::{Shape, is_compatible, is_of_browsers};
pub use described::described;
pub use known::{
    AGENTS_SOURCE, KnownAgent, Purpose, agents, called as agent_called, is_known_as, named_in as known_agent,
};
use names::Known;
pub use oddity::{age_years, contradiction};
use parse::{Part, comment, fields, is_address, name_of, product};
pub use signed::{AgentSignature, SIGNERS_SOURCE, signed_agent, signers};
use words::{Words, is_computer, is_device, is_visitor, names_a_crawler};

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

/// Of a program's name this much is kept.
const NAME_KEPT_MAX_BYTES: usize = 64;

/// Whether a user agent may be that of a customer's own program: browsers accuse nobody, and what drives a browser is
/// nobody's backend. A backend may introduce itself as crawlers do, `AcmeBackend/2.1 (+https://acme.example)`.
pub fn may_be_a_backends(agent: &str) -> bool {
    !matches!(kind(agent).0, Kind::Browser | Kind::Automation | Kind::Agent)
}

/// Whether a user agent alone says that a person is there: that of a browser, or of an app that names the device it runs
/// on. Backends call themselves whatever their library is called, and those of apps are used on servers, too.
pub fn is_of_person(agent: &str) -> bool {
    match kind(agent).0 {
        Kind::Browser => true,
        Kind::App | Kind::AppLibrary => parse::parts(agent).any(|part| {
            is_for_device(&part) || comment(&part).is_some_and(|comment| fields(comment).any(is_device))
        }),
        _ => false,
    }
}

/// The name of a customer's own program without its version, in lower case: a backend is updated. Behind the beginning
/// of a browser, `Mozilla/5.0 (compatible; Acme/2.1)`, all that tells it from others.
pub fn program_name(agent: &str) -> String {
    let agent = agent.trim();
    let name = agent.split(['/', '(', ' ', ';']).next().unwrap_or_default();
    let is_more = name.eq_ignore_ascii_case("mozilla") && kind(agent).0 != Kind::Fragment;
    let name = if is_more {
        agent.replace(|char: char| char.is_ascii_digit() || char == '.', "")
    } else {
        name.to_owned()
    };
    name[..name.floor_char_boundary(NAME_KEPT_MAX_BYTES)].to_lowercase()
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
    let known = names::of_program(before).map(|known| (known.kind, known.text));
    known.or_else(|| is_visitor(before).then_some((Kind::Crawler, before)))
}

/// A program that begins like a browser and goes on under its own name.
fn of_guise<'a>(agent: &'a str, parts: &[Part<'a>]) -> (Kind, Option<&'a str>) {
    if let Some(name) = automation(parts) {
        return (Kind::Automation, Some(name));
    }
    if let Some(name) = product_of(parts, &words::CLIENTS) {
        return (Kind::HttpLibrary, Some(name));
    }
    let fields = || parts.iter().filter_map(comment).flat_map(fields);
    let visits = introduction::is_in(parts)
        || fields().any(|field| is_address(field) || is_compatible(field))
        || parts.iter().filter_map(product).chain(fields()).any(is_visitor);
    let of_its_own = || {
        let is_name = browser::has_name_with_version(parts);
        (if is_name { Kind::Unknown } else { Kind::Fragment }, None)
    };
    by_name(parts, names::of_program(agent), visits).unwrap_or_else(of_its_own)
}

/// A program by the name that it has, where that says enough. A name that an app may have, such as a word, a brand or one
/// that ends as those of crawlers do, says so together with an address or another sign that it visits.
fn by_name<'a>(parts: &[Part<'a>], known: Option<Known>, visits: bool) -> Option<(Kind, Option<&'a str>)> {
    let products = || parts.iter().filter_map(product);
    let is_telling = |known: &Known| {
        visits
            || known.is_telling && stands_for_itself(parts, known)
            || !known.is_noun && products().any(is_visitor)
    };
    if let Some(known) = known.filter(is_telling) {
        return Some((known.kind, Some(known.text)));
    }
    let is_crawler = || products().any(names_a_crawler);
    (visits || is_crawler()).then_some((Kind::Crawler, None))
}

/// Whether a known name stands where names stand: that of a crawler anywhere; what drives browsers and libraries have
/// words for names, which may be a part of another, `Puppeteer Theatre`.
fn stands_for_itself(parts: &[Part], known: &Known) -> bool {
    let is_it = |name: &str| {
        let begins = name.len().checked_sub(known.text.len()).filter(|at| name.is_char_boundary(*at));
        begins.is_some_and(|at| name[at..].eq_ignore_ascii_case(known.text))
    };
    let in_comments = || parts.iter().filter_map(comment).flat_map(fields).map(name_of);
    known.kind == Kind::Crawler || parts.iter().filter_map(product).chain(in_comments()).any(is_it)
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
    let reports = |name: &str| words::INTEGRATIONS.are_in(name) && !is_visitor(name);
    if products().chain(fields()).any(reports) {
        return (Kind::Unknown, None);
    }
    let has_address = parts.iter().any(|part| matches!(part, Part::Address(_))) || fields().any(is_address);
    let visits = has_address || fields().any(is_compatible);
    let known = names::of_program(agent);
    let is_app = || known.is_none() && fields().any(is_computer);
    by_name(parts, known, visits).unwrap_or_else(|| (if is_app() { Kind::App } else { Kind::Unknown }, None))
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

/// The product that drives browsers, by its name, or by a word of it beside a browser's: `Headless Chrome`, and not
/// `Headless Horseman`.
fn automation<'a>(parts: &[Part<'a>]) -> Option<&'a str> {
    let of_browsers =
        |name: &str| name.split(' ').all(|word| words::AUTOMATION.has(word) || is_of_browsers(word));
    let drives = |name: &&str| {
        words::AUTOMATION.has(name)
            || name.split(' ').take(2).any(|word| words::AUTOMATION.has(word)) && of_browsers(name)
    };
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
    let is_platform = |lead: &&str| words::PLATFORMS.has(lead);
    let named = product_of(parts, &words::CLIENTS).or_else(|| Some(lead).filter(is_platform));
    named.or_else(|| in_comment().find(|name| words::CLIENTS.has(name)))
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
