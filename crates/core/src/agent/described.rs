//! A user agent in a few words: "Firefox 145 on Linux".

use super::parse::{Part, comment, fields, parts, product};
use super::{Kind, kind};

/// What browsers call themselves, and what people call them. Most name those that they descend from as well: the first of
/// this list that is named is meant.
const BROWSERS: [(&str, &str); 16] = [
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edge", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex Browser"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Chromium", "Chromium"),
    // Safari has its version there.
    ("Version", "Safari"),
    ("Safari", "Safari"),
];

/// How the systems are told that a browser names first, and what people call them; in this order.
const SYSTEMS: [(&str, &str); 9] = [
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("cros", "ChromeOS"),
    ("macintosh", "macOS"),
    ("mac os x", "macOS"),
    ("linux", "Linux"),
    ("x11", "Unix"),
];

/// Of a name that a program gives itself this much is told.
const NAME_MAX_CHARS: usize = 60;

/// What it is, and on what it runs; `None` where it says nothing.
pub fn described(agent: &str) -> Option<String> {
    let parts: Vec<_> = parts(agent).collect();
    let named = || parts.iter().find_map(product).map(str::to_owned);
    let program = match kind(agent) {
        (Kind::Browser, _) => browser(&parts).or_else(named),
        (_, Some(name)) => Some(name.to_owned()),
        (_, None) => named(),
    }?;
    let program: String = program.chars().take(NAME_MAX_CHARS).collect();
    Some(match system(&parts) {
        Some(system) => format!("{program} on {system}"),
        None => program,
    })
}

fn browser(parts: &[Part]) -> Option<String> {
    BROWSERS.iter().find_map(|(token, name)| {
        let version = parts.iter().find_map(|part| match part {
            Part::Product { name, version } if name == token => Some(*version),
            _ => None,
        })?;
        let major: String = version.chars().take_while(char::is_ascii_digit).collect();
        let is_version = !major.is_empty() && *token != "Safari";
        Some(if is_version { format!("{name} {major}") } else { (*name).to_owned() })
    })
}

fn system(parts: &[Part]) -> Option<&'static str> {
    let said = fields(parts.iter().find_map(comment)?).collect::<Vec<_>>().join(";").to_ascii_lowercase();
    SYSTEMS.iter().find(|(token, _)| said.contains(token)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_told_in_the_words_of_whoever_uses_it() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(), "Firefox 145 on Linux"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0.0.0 Safari/537.36"), "Chrome 142 on Windows"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"), "Edge 142 on Windows"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/142.0.0.0 Mobile Safari/537.36"), "Chrome 142 on Android"),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {webkit} Chrome/142.0.0.0 Safari/537.36"), "Chrome 142 on ChromeOS"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1".to_owned(), "Safari 26 on iPhone"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15".to_owned(), "Safari 26 on macOS"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} HeadlessChrome/142.0.0.0 Safari/537.36"), "HeadlessChrome on Linux"),
            ("curl/8.14.1".to_owned(), "curl"),
            ("python-requests/2.32.5".to_owned(), "python-requests"),
        ];
        for (agent, expected) in cases {
            assert_eq!(described(&agent).as_deref(), Some(expected), "{agent}");
        }
        assert_eq!(described(" "), None);
        assert_eq!(described(&"a".repeat(500)).map(|told| told.len()), Some(NAME_MAX_CHARS));
    }
}
