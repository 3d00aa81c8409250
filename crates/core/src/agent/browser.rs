//! Whether a user agent is that of a whole browser, or of a part of one.

use super::parse::{Part, comment, fields, product};
use super::words::{Words, is_computer, is_device, is_odd_device, is_phone, words};

/// What a user agent has of a browser's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All that a browser says: a system, and what it shows pages with.
    Whole,
    /// Words of browsers and nothing else, without the browser.
    Fragment,
    /// The beginning of a browser, and a name of its own in place of one.
    Guise,
    /// It does not begin as browsers do.
    Other,
}

/// Names that all browsers of an engine have, in lower case; alone they are no browser.
static ENGINES: Words =
    Words::new(&["applewebkit", "gecko", "khtml", "like gecko", "presto", "servo", "trident", "webkit"]);
/// Names that say nothing beside an engine's.
static FILLERS: Words = Words::new(&["compatible", "like", "mobile", "mozilla", "version"]);
/// Names that are a browser's own.
static BROWSERS: Words = Words::new(&[
    "chrome",
    "chromium",
    "crios",
    "edg",
    "edga",
    "edge",
    "edgios",
    "epiphany",
    "firefox",
    "fxios",
    "konqueror",
    "msie",
    "msoffice",
    "mspie",
    "netfront",
    "netscape",
    "opera",
    "opr",
    "safari",
    "seamonkey",
    "trident",
]);
/// Those of them that always stand beside an engine, each with its version.
static BESIDE_ENGINES: Words = Words::new(&[
    "chrome", "chromium", "crios", "edg", "edga", "edge", "edgios", "firefox", "fxios", "opr", "safari",
]);
/// Words with which the fields of a browser's first comment begin where it names a plain system.
static SYSTEMS: Words = Words::new(&[
    "android",
    "arm",
    "build",
    "compatible",
    "cpu",
    "cros",
    "i",
    "i686",
    "intel",
    "ipad",
    "iphone",
    "ipod",
    "k",
    "linux",
    "mac",
    "macintosh",
    "mobile",
    "n",
    "rv",
    "tablet",
    "u",
    "ubuntu",
    "unknown",
    "wv",
    "win32",
    "win64",
    "windows",
    "wow64",
    "x11",
    "x64",
]);

/// What these parts are of a browser.
pub fn shape(parts: &[Part]) -> Shape {
    let Some(Part::Product { name, version }) = parts.first() else { return Shape::Other };
    let lead = name.rsplit(is_before_lead).next().unwrap_or_default();
    let is_opera = lead.eq_ignore_ascii_case("opera");
    if !is_opera && !lead.eq_ignore_ascii_case("mozilla") {
        return if parts.iter().all(is_fragment) { Shape::Fragment } else { Shape::Other };
    }
    let own: Vec<_> = own_names(parts).collect();
    let names_browser = own.iter().any(|name| BROWSERS.are_in(name));
    let Some(system) = parts.iter().find_map(comment) else {
        let has_system = own.iter().any(|name| is_computer(name) || is_device(name));
        return match (names_browser, has_system) {
            (true, true) => Shape::Whole,
            (false, _) if !own.is_empty() => Shape::Guise,
            _ => Shape::Fragment,
        };
    };
    let has_aside = || parts[1..].iter().any(|part| matches!(part, Part::Aside(_)));
    let is_whole = names_browser
        || is_opera
        || !own.is_empty() && goes_by_its_own(parts, system)
        || BROWSERS.are_in(system)
        || is_odd_device(system)
        || is_device(system) && has_aside()
        || is_web_view(parts, system)
        || is_netscape(version, system)
        || fields(system).any(|field| field.starts_with("rv:1."));
    if lacks_engine(parts) && !is_odd_device(system) {
        return Shape::Fragment;
    }
    let names_itself =
        || !own.is_empty() || !is_phone(system) && fields(system).any(|field| !is_of_system(field));
    if is_whole {
        Shape::Whole
    } else if names_itself() {
        Shape::Guise
    } else {
        Shape::Fragment
    }
}

/// Whether a part that browsers have is all there is. A system beside it is none that a browser names so, but
/// how others tell which browser it was.
fn is_fragment(part: &Part) -> bool {
    let is_of_all = |word| BROWSERS.has(word) || ENGINES.has(word) || FILLERS.has(word);
    match part {
        Part::Product { name, .. } => name.split(' ').all(is_of_all),
        Part::Comment(comment) => !is_computer(comment) && !is_device(comment),
        Part::Aside(_) => true,
        Part::Address(_) => false,
    }
}

/// Whether one of the browsers that stand beside an engine is named without one, or without a version. Old phones write
/// theirs in one word, or say which build they are instead.
fn lacks_engine(parts: &[Part]) -> bool {
    let (mut is_named, mut has_engine, mut has_browser) = (false, false, false);
    for part in &parts[1..] {
        let Part::Product { name, version } = part else { continue };
        let last = name.rsplit(' ').next().unwrap_or_default();
        let is_browser = BESIDE_ENGINES.has(last);
        is_named |= is_browser;
        has_browser |= is_browser && !version.is_empty();
        has_engine |= name.split(' ').any(|word| ENGINES.has(word));
    }
    let hints_at_engine = || {
        let begins =
            |name: &str| name.get(..11).is_some_and(|begin| begin.eq_ignore_ascii_case("applewebkit"));
        parts
            .iter()
            .filter_map(comment)
            .any(|comment| comment.contains(" Build/") || fields(comment).any(is_khtml))
            || parts.iter().filter_map(product).any(begins)
    };
    is_named && !(has_browser && (has_engine || hints_at_engine()))
}

fn is_khtml(field: &str) -> bool {
    field.eq_ignore_ascii_case("khtml")
}

/// Whether a program that begins like a browser has, beside what browsers say, a name with a version.
pub fn has_name_with_version(parts: &[Part]) -> bool {
    let is_own = |name: &str| !is_of_browsers(name) && !ENGINES.has(name) && !FILLERS.has(name);
    parts.iter().skip(1).any(|part| match part {
        Part::Product { name, version } => !version.is_empty() && is_own(name),
        Part::Comment(comment) => {
            fields(comment).any(|field| field.contains(|char: char| char.is_ascii_digit()) && is_own(field))
        }
        Part::Aside(_) | Part::Address(_) => false,
    })
}

/// What programs have put before the beginning of a browser: `User-Agent:Mozilla`.
pub fn is_before_lead(char: char) -> bool {
    " :='\"".contains(char)
}

/// With this word a program says that it takes what browsers take, and then its name.
pub fn is_compatible(field: &str) -> bool {
    field.eq_ignore_ascii_case("compatible")
}

/// Whether a name, or a field of a comment, is a browser's.
pub fn is_of_browsers(name: &str) -> bool {
    BROWSERS.are_in(name) || is_of_system(name)
}

/// The names behind the first part that are neither an engine's nor fillers.
fn own_names<'a>(parts: &[Part<'a>]) -> impl Iterator<Item = &'a str> {
    let last = parts.len() - 1;
    parts.iter().enumerate().skip(1).filter_map(move |(index, part)| match part {
        // What a page is shown in within an app of an iPhone.
        Part::Product { name, version } if name.eq_ignore_ascii_case("mobile") && !version.is_empty() => {
            Some(*name)
        }
        Part::Product { name, version } => {
            let is_cut = index == last && version.is_empty() && is_beginning(name);
            Some(*name).filter(|name| !ENGINES.has(name) && !FILLERS.has(name) && !is_cut)
        }
        _ => None,
    })
}

/// Whether a name is the beginning of one of browsers', cut off.
fn is_beginning(name: &str) -> bool {
    let begins = |whole: &str| {
        whole.len() > name.len() && whole.as_bytes()[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    };
    BROWSERS.iter().chain(ENGINES.iter()).chain(FILLERS.iter()).any(begins)
}

/// Whether a browser of this engine and system may go by a name of its own: those of Gecko's, and apps of phones
/// and Macs. Others go by Chrome's or Safari's, too.
fn goes_by_its_own(parts: &[Part], system: &str) -> bool {
    let mut products = parts[1..].iter().filter_map(product);
    let is_of_apps = is_device(system) || fields(system).next() == Some("Macintosh");
    products.any(|name| name.eq_ignore_ascii_case("gecko") || is_of_apps && ENGINES.has(name))
}

/// A page in an app on a Mac: the engine is all that Apple's WKWebView names there. Chrome's engine has a version
/// that never changes.
fn is_web_view(parts: &[Part], system: &str) -> bool {
    const CHROMES: &str = "537.36";
    let is_apples = |part: &Part| matches!(part, Part::Product { name, version } if ENGINES.has(name) && *version != CHROMES);
    let like_gecko = |part: &Part| comment(part).is_some_and(|comment| comment.ends_with("like Gecko"));
    let is_engine = |pair: &[Part]| is_apples(&pair[0]) && like_gecko(&pair[1]);
    fields(system).next() == Some("Macintosh") && parts.windows(2).any(is_engine)
}

/// `Mozilla/4.76`: the version of Netscape itself, where others say 4.0 or 5.0.
fn is_netscape(version: &str, system: &str) -> bool {
    let (major, minor) = version.split_once('.').unwrap_or((version, ""));
    let is_its_own = matches!(major, "0" | "1" | "2" | "3" | "4") && !minor.is_empty() && minor != "0";
    is_its_own && !fields(system).any(is_compatible)
}

/// Whether a field is of those with which every browser describes the machine.
fn is_of_system(field: &str) -> bool {
    words(field).next().is_none_or(|word| SYSTEMS.has(word))
        || is_language(field)
        || field.contains(" Build/")
}

/// `en`, `en-US`.
fn is_language(field: &str) -> bool {
    let (language, region) = field.split_once(['-', '_']).unwrap_or((field, "xx"));
    language.len() == 2
        && region.len() == 2
        && language.bytes().chain(region.bytes()).all(|byte| byte.is_ascii_alphabetic())
}
