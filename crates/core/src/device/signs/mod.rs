//! What a browser script's report of its device gives away: signs of software that drives a browser, or
//! that pretends to be another one.

use serde_json::{Map, Value};

use super::interaction::LATEST_MAX;

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
    /// Two accounts of one screen.
    OtherScreen = 9,
    /// Two accounts of one touch screen.
    OtherTouch = 10,
    /// `navigator.vendor` is not that of the user agent's engine.
    OtherVendor = 11,
    /// A graphics card, or a way to drive one, that the user agent's system does not have.
    OtherGraphics = 12,
    /// Memory, or processors, in a number that no browser tells.
    OddNumbers = 13,
    /// What tells which browser it is has been replaced.
    Disguise = 14,
    /// What tells of the device has been replaced, or draws otherwise each time.
    Veil = 15,
    /// Another device than before, in the same tab. Seen by the state, which knows what was before.
    OtherDevice = 16,
}

impl Sign {
    pub const ALL: [Self; 17] = [
        Self::Webdriver,
        Self::AutomationObjects,
        Self::OtherAgent,
        Self::OtherPlatform,
        Self::NoLanguages,
        Self::NoScreen,
        Self::SoftwareGraphics,
        Self::NoPlugins,
        Self::NoTouch,
        Self::OtherScreen,
        Self::OtherTouch,
        Self::OtherVendor,
        Self::OtherGraphics,
        Self::OddNumbers,
        Self::Disguise,
        Self::Veil,
        Self::OtherDevice,
    ];

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A set of [`Sign`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs(u32);

impl Signs {
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

/// In how many reports of late each sign was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignCounts {
    /// Reports of late.
    pub reports: u32,
    /// By the number of the sign.
    pub counts: [u32; Sign::ALL.len()],
}

impl SignCounts {
    /// Takes in one more report. Beyond [`LATEST_MAX`] what was counted is halved, so that a sign of one report
    /// is gone after as many without it.
    pub fn add(&mut self, found: Signs) {
        self.reports += 1;
        found.iter().for_each(|sign| self.counts[sign as usize] += 1);
        if self.reports > LATEST_MAX {
            self.reports /= 2;
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
    }

    /// The signs that were seen, each with the part of the reports it was seen in.
    pub fn parts(&self) -> impl Iterator<Item = (Sign, f64)> {
        let part = |count: u32| f64::from(count) / f64::from(self.reports.max(1));
        let seen = Sign::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        seen.map(move |(sign, count)| (sign, part(count)))
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
        Sign::OtherScreen => has_other_screen(components),
        Sign::OtherTouch => has_other_touch(components),
        Sign::OtherVendor => {
            text("vendor").zip(vendor_of(agent)).is_some_and(|(vendor, expected)| vendor != expected)
        }
        Sign::OtherGraphics => text("webglRenderer").is_some_and(|renderer| !draws_on(renderer, agent)),
        Sign::OddNumbers => {
            number("deviceMemory").is_some_and(|gib| !MEMORIES_GIB.contains(&gib))
                || number("hardwareConcurrency").is_some_and(|count| !is_number_of_processors(count))
        }
        Sign::Disguise => tampered(components).any(|name| DISGUISING.contains(&name)),
        Sign::Veil => {
            tampered(components).any(|name| !DISGUISING.contains(&name))
                || text("canvas").is_some_and(|drawn| drawn.contains(UNSTABLE_CANVAS))
        }
        Sign::OtherDevice => false,
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

/// Values of `navigator.deviceMemory`: the W3C's Device Memory has powers of two between limits of the
/// browser's choice, which were 0.25 and 8 and are 2 and 32 in newer ones.
const MEMORIES_GIB: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// Logical processors: the largest servers with two sockets have 768.
const PROCESSORS_MAX: f64 = 1_024.0;

/// The HTML Standard has `navigator.hardwareConcurrency` be a whole number from 1 up.
fn is_number_of_processors(count: f64) -> bool {
    (1.0..=PROCESSORS_MAX).contains(&count) && count.fract() == 0.0
}

/// What a disguise begins with; hardware and drawing are falsified by tools for privacy, too.
const DISGUISING: [&str; 5] = [
    "navigator.platform",
    "navigator.plugins",
    "navigator.userAgent",
    "navigator.vendor",
    "navigator.webdriver",
];

fn tampered(components: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let names = components.get("tampered").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// What FingerprintJS reports of a canvas that is not the same when it is read again.
const UNSTABLE_CANVAS: &str = r#""unstable""#;

/// Whether `screenResolution`, in any order and whole numbers, is not the screen's width and height.
fn has_other_screen(components: &Map<String, Value>) -> bool {
    let side = |key: &str| components.get(key).and_then(Value::as_f64);
    let stated = components.get("screenResolution").and_then(Value::as_str);
    let stated = stated.and_then(|text| serde_json::from_str::<[f64; 2]>(text).ok());
    let sides = side("screenWidth").zip(side("screenHeight"));
    stated.zip(sides).is_some_and(|([one, other], (width, height))| {
        let differ = |a: f64, b: f64| a.trunc() != b.trunc();
        differ(one.min(other), width.min(height)) || differ(one.max(other), width.max(height))
    })
}

/// Whether `touchSupport` counts other touch points than `maxTouchPoints`.
fn has_other_touch(components: &Map<String, Value>) -> bool {
    let stated = components.get("touchSupport").and_then(Value::as_str);
    let stated = stated.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let stated = stated.and_then(|support| support.get("maxTouchPoints")?.as_f64());
    let points = components.get("maxTouchPoints").and_then(Value::as_f64);
    stated.zip(points).is_some_and(|(stated, points)| stated != points)
}

/// `navigator.vendor` of the user agent's engine: the HTML Standard has one of three.
fn vendor_of(agent: &str) -> Option<&'static str> {
    let is_apple = ["Macintosh", "iPhone", "iPad"].iter().any(|system| agent.contains(system));
    // The Edge of before 2020 calls itself Chrome and is none.
    if agent.contains("Edge/") {
        None
    } else if agent.contains("Chrome/") {
        Some("Google Inc.")
    } else if agent.contains("Firefox/") {
        Some("")
    } else {
        (is_apple && agent.contains("Safari/")).then_some("Apple Computer, Inc.")
    }
}

/// Whether the user agent's system can have the graphics: Direct3D is Windows', and Apple's are neither in
/// Windows nor in Android. In Linux they are, on Apple's computers.
fn draws_on(renderer: &str, agent: &str) -> bool {
    let is_any = |systems: &[&str]| systems.iter().any(|system| agent.contains(system));
    let is_windows = is_any(&["Windows"]);
    let is_known = is_windows || is_any(&["Macintosh", "Linux", "CrOS", "iPhone", "iPad"]);
    let is_direct3d_elsewhere = renderer.contains("Direct3D") && is_known && !is_windows;
    let is_apple_elsewhere = renderer.contains("Apple") && is_any(&["Windows", "Android"]);
    !is_direct3d_elsewhere && !is_apple_elsewhere
}

#[cfg(test)]
mod tests;
