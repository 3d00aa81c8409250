//! What is odd about a browser.

use crate::time::{DAY_MS, Timestamp};

/// What no browser says of itself, in words.
pub fn contradiction(agent: &str) -> Option<&'static str> {
    let (system, products) = agent.split_once(')').unwrap_or((agent, ""));
    let systems = ["Windows NT", "Macintosh;", "Android", "iPhone;"];
    let is_of_two = systems.iter().filter(|name| system.contains(**name)).count() > 1;
    if is_of_two && !system.contains("Windows Phone") {
        return Some("names two operating systems at once");
    }
    let has = |name: &str| products.contains(name);
    if has(" Chrome/") && (has(" Firefox/") || system.contains("Trident/")) {
        return Some("names two browsers at once");
    }
    // A number goes on behind it in an app of Windows' store that shows pages as Safari does.
    let is_windows = system.contains("Windows NT 10.0;") || system.ends_with("Windows NT 10.0");
    if is_windows && has(" Version/") && has("Safari/") && !has("Chrome/") && !has("Edge/") {
        return Some("names Safari on Windows 10, where it does not exist");
    }
    None
}

/// A version of a browser and the day it came out: the one before and those after come about every so
/// many days.
struct Releases {
    word: &'static str,
    version: f64,
    day: i64,
    every_days: f64,
}

/// From the browsers' public release calendars: Chrome 100 on 2022-03-29 and 140 on 2025-09-02, Firefox 100 on
/// 2022-05-03 and 140 on 2025-06-24; days since the Unix epoch.
const RELEASES: [Releases; 2] = [
    Releases { word: " Chrome/", version: 100.0, day: 19_080, every_days: 31.3 },
    Releases { word: " Firefox/", version: 100.0, day: 19_115, every_days: 28.7 },
];

/// How old a browser was at a moment, in years, negative for one that was not out yet; `None` for what has no
/// version that tells.
pub fn age_years(agent: &str, at: Timestamp) -> Option<f64> {
    const DAYS_A_YEAR: f64 = 365.25;
    let release = RELEASES.iter().find(|release| agent.contains(release.word))?;
    let version: f64 = agent.split(release.word).nth(1)?.split('.').next()?.parse().ok()?;
    let out_on = release.day as f64 + (version - release.version) * release.every_days;
    Some((at.as_millis() as f64 / DAY_MS as f64 - out_on) / DAYS_A_YEAR)
}
