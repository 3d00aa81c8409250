//! What a browser script's report of its device gives away: signs of software that drives a browser, or
//! that pretends to be another one.

use serde_json::{Map, Value};

/// One thing that is odd about a device. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Sign {
    /// `navigator.webdriver` is true: the W3C's WebDriver standard asks for it under automation.
    Webdriver = 0,
    /// Objects that Selenium, Puppeteer, Playwright and the like leave in the page.
    AutomationObjects = 1,
    /// The script sees another user agent than the server.
    OtherAgent = 2,
    /// `navigator.platform` is not one of the user agent's system.
    OtherPlatform = 3,
    /// `navigator.languages` is empty.
    NoLanguages = 4,
    /// A screen or a window without size.
    NoScreen = 5,
    /// Graphics are computed without a graphics card, as on servers.
    SoftwareGraphics = 6,
    /// A desktop Chrome without any plugin: since version 88 it lists five of its own.
    NoPlugins = 7,
    /// A phone without a touch screen.
    NoTouch = 8,
}

impl Sign {
    pub const ALL: [Self; 9] = [
        Self::Webdriver,
        Self::AutomationObjects,
        Self::OtherAgent,
        Self::OtherPlatform,
        Self::NoLanguages,
        Self::NoScreen,
        Self::SoftwareGraphics,
        Self::NoPlugins,
        Self::NoTouch,
    ];

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// A set of [`Sign`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs(u16);

impl Signs {
    /// The set with these bits; bits of no sign are left out.
    pub fn from_bits(bits: u16) -> Self {
        Sign::ALL.into_iter().filter(|sign| bits & sign.bit() != 0).collect()
    }

    pub const fn bits(self) -> u16 {
        self.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL.into_iter().filter(move |sign| self.0 & sign.bit() != 0)
    }
}

impl FromIterator<Sign> for Signs {
    fn from_iter<T: IntoIterator<Item = Sign>>(signs: T) -> Self {
        Self(signs.into_iter().fold(0, |bits, sign| bits | sign.bit()))
    }
}

/// Names of renderers that are software: Chrome's, Mesa's, and those of virtual machines.
const SOFTWARE_RENDERERS: [&str; 6] =
    ["swiftshader", "llvmpipe", "softpipe", "mesa offscreen", "virtualbox", "vmware"];

/// The signs in a report. `agent` is the user agent that the server was sent. What a report does not
/// mention gives nothing away.
pub fn signs(components: &Map<String, Value>, agent: Option<&str>) -> Signs {
    let text = |key: &str| components.get(key).and_then(Value::as_str);
    let number = |key: &str| components.get(key).and_then(Value::as_f64);
    let is_empty = |key: &str| components.get(key).and_then(Value::as_array).map(Vec::is_empty);
    let agent = agent.unwrap_or_default();
    let is_phone = agent.contains("iPhone") || agent.contains("Android");
    let found = |sign: Sign| match sign {
        Sign::Webdriver => components.get("webdriver") == Some(&Value::Bool(true)),
        Sign::AutomationObjects => is_empty("automation") == Some(false),
        Sign::OtherAgent => !agent.is_empty() && text("userAgent").is_some_and(|own| own != agent),
        Sign::OtherPlatform => text("platform").is_some_and(|platform| !goes_with(platform, agent)),
        Sign::NoLanguages => is_empty("languages") == Some(true),
        Sign::NoScreen => ["screenWidth", "screenHeight", "outerWidth", "outerHeight"]
            .iter()
            .any(|key| number(key).is_some_and(|size| size <= 0.0)),
        Sign::SoftwareGraphics => text("webglRenderer").is_some_and(|renderer| {
            let renderer = renderer.to_lowercase();
            SOFTWARE_RENDERERS.iter().any(|software| renderer.contains(software))
        }),
        Sign::NoPlugins => {
            !is_phone && agent.contains(" Chrome/") && number("plugins").is_some_and(|count| count <= 0.0)
        }
        Sign::NoTouch => is_phone && number("maxTouchPoints").is_some_and(|points| points <= 0.0),
    };
    Sign::ALL.into_iter().filter(|sign| found(*sign)).collect()
}

/// Whether a platform is one that browsers report on the user agent's system.
fn goes_with(platform: &str, agent: &str) -> bool {
    let expected: &[&str] = if agent.contains("Windows") {
        &["Win"]
    } else if agent.contains("Android") {
        &["Linux", "Android", "arm"]
    } else if agent.contains("iPhone") || agent.contains("iPad") {
        &["iPhone", "iPad", "iPod", "Mac"]
    } else if agent.contains("Macintosh") {
        // An iPad that asks for the desktop's pages says so, too.
        &["Mac", "iPad", "iPhone"]
    } else if agent.contains("Linux") || agent.contains("CrOS") {
        &["Linux", "X11"]
    } else {
        return true;
    };
    platform.is_empty() || expected.iter().any(|start| platform.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                           Chrome/149.0.0.0 Safari/537.36";
    const ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                           Chrome/149.0.0.0 Mobile Safari/537.36";

    fn of(components: Value, agent: &str) -> Vec<Sign> {
        let Value::Object(components) = components else { panic!("no object") };
        signs(&components, Some(agent)).iter().collect()
    }

    #[test]
    fn an_ordinary_device_gives_nothing_away() {
        let ordinary = json!({
            "webdriver": false, "automation": [], "userAgent": WINDOWS, "platform": "Win32", "languages": ["de-DE"],
            "screenWidth": 1920, "screenHeight": 1080, "webglRenderer": "ANGLE (Intel, Intel(R) UHD Graphics)",
            "plugins": 5, "maxTouchPoints": 0,
        });
        assert_eq!(of(ordinary, WINDOWS), []);
        assert_eq!(of(json!({"canvas": "x"}), WINDOWS), []);
        assert_eq!(of(json!({"platform": "Linux armv81", "plugins": 0, "maxTouchPoints": 5}), ANDROID), []);
    }

    #[test]
    fn each_sign_is_seen() {
        let cases = [
            (json!({"webdriver": true}), WINDOWS, Sign::Webdriver),
            (json!({"automation": ["cdc_adoQ"]}), WINDOWS, Sign::AutomationObjects),
            (json!({"userAgent": ANDROID}), WINDOWS, Sign::OtherAgent),
            (json!({"platform": "Linux x86_64"}), WINDOWS, Sign::OtherPlatform),
            (json!({"languages": []}), WINDOWS, Sign::NoLanguages),
            (json!({"outerHeight": 0}), WINDOWS, Sign::NoScreen),
            (json!({"webglRenderer": "Google SwiftShader"}), WINDOWS, Sign::SoftwareGraphics),
            (json!({"plugins": 0}), WINDOWS, Sign::NoPlugins),
            (json!({"maxTouchPoints": 0}), ANDROID, Sign::NoTouch),
        ];
        let seen: Vec<_> = cases.iter().map(|(_, _, sign)| *sign).collect();
        assert_eq!(seen, Sign::ALL);
        for (components, agent, sign) in cases {
            assert_eq!(of(components, agent), [sign]);
        }
    }

    #[test]
    fn sets_come_back_from_their_bits() {
        let all: Signs = Sign::ALL.into_iter().collect();
        assert_eq!(Signs::from_bits(all.bits()), all);
        assert_eq!(Signs::from_bits(u16::MAX), all);
        assert_eq!(
            Signs::from_bits(0b11).iter().collect::<Vec<_>>(),
            [Sign::Webdriver, Sign::AutomationObjects]
        );
    }
}
