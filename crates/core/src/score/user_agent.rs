//! Humanity: whether its user agents are those of browsers.

use woothee::parser::{Parser, WootheeResult};

use super::{Analyzer, Category, Finding, counted};
use crate::snapshot::Snapshot;

/// Telling when it says "script", and easily faked when it says "browser": the confidences below
/// make the difference.
const WEIGHT: f64 = 1.5;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "humanity.user-agent",
    label: "User agent",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

/// What a user agent says about who is behind it, the most suspicious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Automation,
    Crawler,
    HttpLibrary,
    /// Networking libraries of apps on phones, which scripts use as well.
    AppLibrary,
    Unknown,
    Browser,
}

/// Tools that drive a browser without a person, by the word they leave in its user agent.
const AUTOMATION: &[&str] = &[
    "headless",
    "phantomjs",
    "slimerjs",
    "selenium",
    "webdriver",
    "puppeteer",
    "playwright",
    "cypress",
    "nightmare",
    "zombie.js",
];
/// HTTP clients of programming languages and of the command line, as they name themselves.
const HTTP_LIBRARIES: &[&str] = &[
    "python-requests",
    "python-urllib",
    "python-httpx",
    "aiohttp",
    "httpx/",
    "scrapy",
    "curl/",
    "wget/",
    "libwww-perl",
    "lwp::",
    "go-http-client",
    "axios/",
    "node-fetch",
    "undici",
    "got (",
    "superagent",
    "java/",
    "apache-httpclient",
    "jakarta",
    "guzzlehttp",
    "php/",
    "ruby",
    "faraday",
    "httpie",
    "postmanruntime",
    "insomnia/",
    "reqwest",
    "hyper/",
    "ureq",
    "restsharp",
    "powershell",
    "libcurl",
    "k6/",
    "jmeter",
    "mechanize",
    "winhttp",
    "deno/",
    "bun/",
];
const APP_LIBRARIES: &[&str] = &["okhttp", "cfnetwork", "dalvik/", "dart/", "alamofire", "volley"];

impl Kind {
    fn of(agent: &str) -> Self {
        let lower = agent.to_ascii_lowercase();
        let contains = |markers: &[&str]| markers.iter().any(|marker| lower.contains(marker));
        if contains(AUTOMATION) {
            return Self::Automation;
        }
        if contains(HTTP_LIBRARIES) {
            return Self::HttpLibrary;
        }
        if contains(APP_LIBRARIES) {
            return Self::AppLibrary;
        }
        match Parser::new().parse(agent) {
            Some(WootheeResult { category: "crawler", .. }) => Self::Crawler,
            Some(WootheeResult { category: "pc" | "smartphone" | "mobilephone" | "appliance", .. }) => {
                Self::Browser
            }
            _ => Self::Unknown,
        }
    }

    /// Value, confidence and words.
    fn meaning(self) -> (f64, f64, &'static str) {
        match self {
            Self::Automation => (0.02, 0.95, "a browser driven by automation software"),
            Self::Crawler => (0.03, 0.9, "a crawler"),
            Self::HttpLibrary => (0.05, 0.9, "a programming library, not a browser"),
            Self::AppLibrary => (0.4, 0.4, "a networking library that both apps and scripts use"),
            Self::Unknown => (0.4, 0.3, "no browser, app or crawler that is known"),
            Self::Browser => (0.8, 0.5, "an ordinary browser, which is easily imitated"),
        }
    }
}

/// Hardly any browser hides its user agent; a script with a bare HTTP client often sends none.
const MISSING: (f64, f64) = (0.1, 0.8);

/// Suspicious agents that are a smaller part of all lose at most this much of their confidence:
/// one visit of a script is still one.
const SHARE_MIN: f64 = 0.5;

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let agents = snapshot.state.user_agents();
    let missing = snapshot.state.agentless_browser_event_count();
    let worst = agents.iter().map(|seen| (Kind::of(&seen.value), seen)).min_by_key(|(kind, _)| *kind);
    match worst {
        Some((kind, seen)) if missing == 0 || kind < Kind::AppLibrary => {
            let (value, confidence, words) = kind.meaning();
            let all: u64 = agents.iter().map(|seen| u64::from(seen.count)).sum();
            let share = (f64::from(seen.count) / all as f64).max(SHARE_MIN);
            let confidence = if kind == Kind::Browser { confidence } else { confidence * share };
            let explanation = format!(
                "{} of {} with a user agent came from {words}: \"{}\".",
                seen.count,
                counted(all, "event"),
                shown(&seen.value)
            );
            Some(Finding::new(value, confidence, explanation).with("userAgent", seen.value.as_str()))
        }
        _ if missing > 0 => {
            let (value, confidence) = MISSING;
            let all = snapshot.state.browser_event_count();
            let explanation = format!(
                "{missing} of {} from a browser came without a user agent, which browsers always send.",
                counted(all, "event")
            );
            Some(Finding::new(value, confidence, explanation).with("eventsWithout", missing))
        }
        // Events of a backend say nothing of what the person uses.
        _ => None,
    }
}

fn shown(agent: &str) -> &str {
    const SHOWN_MAX_BYTES: usize = 120;
    &agent[..agent.floor_char_boundary(SHOWN_MAX_BYTES)]
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::score::fixture::{Identity, said};

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

    #[test]
    fn knows_what_is_behind_a_user_agent() {
        let cases = [
            (CHROME, Kind::Browser),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                Kind::Browser,
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                Kind::Browser,
            ),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Kind::Browser),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36",
                Kind::Automation,
            ),
            (
                "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
                Kind::Automation,
            ),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Kind::Crawler),
            ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", Kind::Crawler),
            ("SomethingBot/1.0 (+https://example.com)", Kind::Crawler),
            ("python-requests/2.32.3", Kind::HttpLibrary),
            ("curl/8.5.0", Kind::HttpLibrary),
            ("Go-http-client/2.0", Kind::HttpLibrary),
            ("axios/1.7.2", Kind::HttpLibrary),
            ("Scrapy/2.11.2 (+https://scrapy.org)", Kind::HttpLibrary),
            ("okhttp/4.12.0", Kind::AppLibrary),
            ("MyApp/3 CFNetwork/1496.0.7 Darwin/23.5.0", Kind::AppLibrary),
            ("something else", Kind::Unknown),
        ];
        for (agent, kind) in cases {
            assert_eq!(Kind::of(agent), kind, "{agent}");
        }
    }

    fn with_agents(agents: &[&str]) -> Identity {
        agents.iter().fold(Identity::default(), |identity, agent| {
            identity.event("a", 0, |event| event.user_agent = Some((*agent).to_owned()))
        })
    }

    #[test]
    fn a_backend_that_names_no_user_agent_is_not_suspected() {
        assert_eq!(Identity::default().events("a", [0]).observe(ANALYZER), None);
    }

    #[test]
    fn a_browser_without_a_user_agent_is() {
        let identity = Identity::default().event("a", 0, |event| event.components = Some(Map::new()));
        let words = "1 of 1 event from a browser came without a user agent, which browsers always send.";
        assert_eq!(said(identity.observe(ANALYZER)), Some((0.1, words.to_owned())));
    }

    #[test]
    fn the_worst_user_agent_counts() {
        let finding = with_agents(&[CHROME, "curl/8.5.0", CHROME]).observe(ANALYZER);
        let words =
            "1 of 3 events with a user agent came from a programming library, not a browser: \"curl/8.5.0\".";
        assert_eq!(finding, Some(Finding::new(0.05, 0.45, words).with("userAgent", "curl/8.5.0")));
    }

    #[test]
    fn a_browser_counts_a_little() {
        let finding = with_agents(&[CHROME]).observe(ANALYZER).unwrap();
        assert_eq!((finding.value, finding.confidence), (0.8, 0.5));
    }
}
