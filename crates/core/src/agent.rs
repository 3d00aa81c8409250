//! What is behind a user agent: a browser, an app, or a program; and what is odd about it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::time::{DAY_MS, Timestamp};

/// Names of crawlers and libraries, with the tag that tells which; made by `scripts/detection/crawlers.py`.
static NAMES: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    include_str!("../data/crawlers.tsv").lines().filter_map(|line| line.split_once('\t')).collect()
});
static NAMES_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| search(NAMES.iter().map(|(name, _)| *name)));
static MARKERS_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| search(MARKERS.iter().flat_map(|(words, _)| *words).copied()));
static BROWSERS_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| search(BROWSER_WORDS.iter().copied()));

/// What is behind a user agent, the most suspicious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A browser driven by automation software.
    Automation,
    /// A crawler, a monitor, a previewer: a program that visits by itself.
    Crawler,
    /// An HTTP client of a programming language or of the command line.
    HttpLibrary,
    /// A program that names itself and is neither of these.
    Program,
    /// A networking library of apps on phones, which scripts use as well.
    AppLibrary,
    Browser,
}

/// Words that tell, in lower case, and what they tell.
const MARKERS: [(&[&str], Kind); 4] = [
    (
        &[
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
        ],
        Kind::Automation,
    ),
    (
        &[
            "python-",
            "python/",
            "urllib",
            "aiohttp",
            "httpx/",
            "scrapy",
            "curl/",
            "wget",
            "libwww",
            "lwp::",
            "go-http-client",
            "axios",
            "node-fetch",
            "undici",
            "got (",
            "superagent",
            "java/",
            "httpclient",
            "http client",
            "jakarta",
            "guzzle",
            "php/",
            "ruby",
            "faraday",
            "httpie",
            "postman",
            "insomnia",
            "reqwest",
            "hyper/",
            "ureq",
            "restsharp",
            "powershell",
            "k6/",
            "jmeter",
            "mechanize",
            "winhttp",
            "deno/",
            "bun/",
            "perl/",
            "perl ",
        ],
        Kind::HttpLibrary,
    ),
    (&["okhttp", "cfnetwork", "dalvik/", "dart/", "alamofire", "volley"], Kind::AppLibrary),
    (
        &[
            "crawl",
            "spider",
            "http://",
            "https://",
            "fetcher",
            "monitor",
            "checker",
            "scanner",
            "slurp",
            "archiver",
            "validator",
            "uptime",
            "pingdom",
            "lighthouse",
            "indexer",
            "sitemap",
            "analyz",
            "scrap",
            "probe",
            "harvest",
            "extract",
            "survey",
            "research",
            "audit",
            "inspect",
            "ptst",
            "; google-",
            "google page speed",
            "like gecko; google",
            "like gecko, google",
            "transcoder",
            "diagnos",
            "daum",
            "yandex.translate",
            "project 25499",
            "www.",
        ],
        Kind::Crawler,
    ),
];

/// Makers and systems of phones whose names end like a bot's.
const NO_BOTS: [&str; 3] = ["cubot", "m bot", "robot build"];

/// Words of which every browser and every phone has one, in lower case.
const BROWSER_WORDS: [&str; 70] = [
    "mozilla/",
    "opera",
    "webkit",
    "gecko",
    "msie",
    "trident",
    "midp",
    "cldc",
    "profile/",
    "up.browser",
    "browser",
    "symbian",
    "blackberry",
    "netfront",
    "obigo",
    "nokia",
    "samsung",
    "darwin",
    "android",
    "iphone",
    "ipad",
    "windows",
    "linux",
    "wap",
    "docomo",
    "kddi",
    "softbank",
    "vodafone",
    "lg-",
    "lge-",
    "sec-",
    "mot-",
    "sonyericsson",
    "sie-",
    "alcatel",
    "sagem",
    "philips",
    "zte",
    "huawei",
    "teleca",
    "jblend",
    "j2me",
    "maui",
    "mmp/",
    "bada",
    "dorado",
    "nintendo",
    "playstation",
    "ucweb",
    "teashark",
    "roku",
    "appletv",
    "apple tv",
    "vlc",
    "mobile",
    "lynx",
    "links",
    "w3m",
    "ios",
    "mac os",
    "macintosh",
    "watch",
    "tvos",
    "com.apple",
    "webos",
    "tizen",
    "kaios",
    "hbbtv",
    "smarttv",
    "chrome",
];

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

fn search<'a>(words: impl Iterator<Item = &'a str>) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
}

fn first(search: &LazyLock<Option<AhoCorasick>>, agent: &str) -> Option<usize> {
    Some(search.as_ref()?.find(agent)?.pattern().as_usize())
}

/// What is behind a user agent, and the name by which it was known.
pub fn kind(agent: &str) -> (Kind, Option<&'static str>) {
    let words = || MARKERS.iter().flat_map(|(words, kind)| words.iter().map(move |word| (*word, *kind)));
    let marked = first(&MARKERS_SEARCH, agent).and_then(|index| words().nth(index));
    if let Some((word, kind @ (Kind::Automation | Kind::HttpLibrary))) = marked {
        return (kind, Some(word));
    }
    if let Some((name, tag)) = first(&NAMES_SEARCH, agent).map(|index| NAMES[index]) {
        let kind = match tag {
            "browser-automation" => Kind::Automation,
            // The lists make no difference between the two.
            "http-library" if matches!(marked, Some((_, Kind::AppLibrary))) => Kind::AppLibrary,
            "http-library" => Kind::HttpLibrary,
            _ => Kind::Crawler,
        };
        return (kind, Some(name));
    }
    if is_bot(agent) {
        return (Kind::Crawler, Some("bot"));
    }
    if let Some((word, kind)) = marked {
        return (kind, Some(word));
    }
    match first(&BROWSERS_SEARCH, agent) {
        Some(_) => (Kind::Browser, None),
        None => (Kind::Program, None),
    }
}

fn is_bot(agent: &str) -> bool {
    const LETTERS: [u8; 3] = *b"bot";
    if !agent.as_bytes().windows(LETTERS.len()).any(|letters| letters.eq_ignore_ascii_case(&LETTERS)) {
        return false;
    }
    let lower = agent.to_ascii_lowercase();
    let bots = lower.matches("bot").count();
    bots > NO_BOTS.iter().map(|name| lower.matches(name).count()).sum::<usize>()
}

/// A crawler of good repute by this user agent, by name; and whether it came from a network of its
/// operator's, if the network is known.
pub fn good_crawler(agent: &str, asn: Option<u32>) -> Option<(&'static str, Option<bool>)> {
    let lower = agent.to_ascii_lowercase();
    let (_, name, networks) = GOOD_CRAWLERS.iter().find(|(word, ..)| lower.contains(word))?;
    Some((name, asn.map(|asn| networks.contains(&asn))))
}

/// What no browser says of itself, in words.
pub fn contradiction(agent: &str) -> Option<&'static str> {
    let has = |word: &str| agent.contains(word);
    let systems = [has("Windows NT"), has("Macintosh;"), has("Android"), has("iPhone;")];
    if systems.iter().filter(|is| **is).count() > 1 && !has("Windows Phone") {
        return Some("names two operating systems at once");
    }
    if has("Firefox/") && has(" Chrome/") {
        return Some("names two browsers at once");
    }
    if has("Windows NT 10.0") && has(" Version/") && has("Safari/") && !has("Chrome/") && !has("Edge/") {
        return Some("names Safari on Windows 10, where it does not exist");
    }
    if has("Trident/") && has("Chrome/") {
        return Some("names two browsers at once");
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

#[cfg(test)]
mod tests {
    use super::*;

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
                "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                Kind::Browser,
            ),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Kind::Browser),
            ("Nokia6300/2.0 (05.00) Profile/MIDP-2.0 Configuration/CLDC-1.1", Kind::Browser),
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
            ("something else", Kind::Program),
        ];
        for (agent, expected) in cases {
            assert_eq!(kind(agent).0, expected, "{agent}");
        }
    }

    #[test]
    fn knows_good_crawlers_by_name_and_network() {
        let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        assert_eq!(good_crawler(google, None), Some(("Googlebot", None)));
        assert_eq!(good_crawler(google, Some(15_169)), Some(("Googlebot", Some(true))));
        assert_eq!(good_crawler(google, Some(24_940)), Some(("Googlebot", Some(false))));
        assert_eq!(good_crawler(CHROME, Some(15_169)), None);
    }

    #[test]
    fn sees_what_no_browser_says() {
        let cases = [
            (CHROME, false),
            ("Mozilla/5.0 (Windows NT 10.0; Macintosh; Intel Mac OS X 10_15) Chrome/126.0.0.0", true),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Firefox/128.0", false),
            ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0 Chrome/126.0.0.0", true),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
                true,
            ),
        ];
        for (agent, is_odd) in cases {
            let found = contradiction(agent).is_some();
            assert!(found == is_odd || agent.contains("Chrome/126.0.0.0 Firefox"), "{agent}");
        }
    }

    #[test]
    fn browsers_age() {
        let at = Timestamp::parse("2024-06-11T00:00:00Z").unwrap();
        let years = age_years(CHROME, at).unwrap();
        assert!(years.abs() < 0.1, "Chrome 126 came out on 2024-06-11: {years}");
        assert!(age_years(&CHROME.replace("126", "80"), at).unwrap() > 3.0);
        assert!(age_years(&CHROME.replace("126", "180"), at).unwrap() < -1.0);
        assert_eq!(age_years("curl/8", at), None);
    }
}
