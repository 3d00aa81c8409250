//! Humanity: what its browser gives away about itself.

use super::{Analyzer, Category, Finding, counted};
use crate::device::{Sign, Signs};
use crate::snapshot::Snapshot;

/// Telling when it says "driven by software", and silent about software that hides well.
const WEIGHT: f64 = 1.5;

/// The value of a sign that stands for itself, or `None` for one that occurs on odd devices of people.
const fn alone(sign: Sign) -> Option<f64> {
    match sign {
        Sign::Webdriver | Sign::AutomationObjects => Some(0.02),
        Sign::OtherAgent | Sign::OtherDevice => Some(0.1),
        Sign::Disguise => Some(0.15),
        Sign::OtherPlatform
        | Sign::OtherScreen
        | Sign::OtherTouch
        | Sign::OtherVendor
        | Sign::OtherGraphics => Some(0.2),
        // Numbers that browsers tell change with their versions, and tools for privacy make up some.
        Sign::OddNumbers | Sign::Veil => None,
        Sign::NoLanguages | Sign::NoScreen | Sign::SoftwareGraphics | Sign::NoPlugins | Sign::NoTouch => None,
    }
}

const fn words(sign: Sign) -> &'static str {
    match sign {
        Sign::Webdriver => "it says itself that software drives it",
        Sign::AutomationObjects => "software for automation has left its objects in the page",
        Sign::OtherAgent => "the page sees another user agent than the server",
        Sign::OtherPlatform => "its platform is not one of its user agent's system",
        Sign::NoLanguages => "it has no language",
        Sign::NoScreen => "its window has no size",
        Sign::SoftwareGraphics => "it draws without a graphics card, as servers do",
        Sign::NoPlugins => "it lacks the plugins that its browser brings along",
        Sign::NoTouch => "it is a phone without a touch screen",
        Sign::OtherScreen => "it gives two sizes of its screen",
        Sign::OtherTouch => "it gives two accounts of its touch screen",
        Sign::OtherVendor => "its vendor is not that of its user agent's engine",
        Sign::OtherGraphics => "its graphics are not to be had on its user agent's system",
        Sign::OddNumbers => "it has memory or processors in a number that no browser tells",
        Sign::Disguise => "what tells which browser it is has been replaced",
        Sign::Veil => "it falsifies what it draws or tells of its hardware",
        Sign::OtherDevice => "within one tab it became another device",
    }
}

/// What each further sign that stands for itself leaves of the value: who contradicts himself twice has not
/// slipped.
const FURTHER: f64 = 0.5;
const VALUE_MIN: f64 = 0.02;

/// By the number of the weaker signs: one has its reasons, as remote desktops and privacy settings.
const VALUE_BY_WEAK_SIGNS: [f64; 4] = [0.62, 0.4, 0.18, 0.06];
const CONFIDENCE: f64 = 0.9;
/// Nothing is given away: what hides well does not, either.
const NOTHING_CONFIDENCE: f64 = 0.3;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "humanity.device",
    label: "Browser's own account",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let browser_events = snapshot.state.browser_event_count();
    let (signs, count) = snapshot.state.device_signs();
    if browser_events == 0 {
        return None;
    }
    if signs.is_empty() {
        let explanation = "Nothing that its browser says of itself points to software.";
        return Some(Finding::new(VALUE_BY_WEAK_SIGNS[0], NOTHING_CONFIDENCE, explanation));
    }
    let weak = signs.iter().filter(|sign| alone(*sign).is_none()).count();
    let by_weak = VALUE_BY_WEAK_SIGNS[weak.min(VALUE_BY_WEAK_SIGNS.len() - 1)];
    let strong = signs.iter().filter_map(alone).reduce(|one, other| one.min(other) * FURTHER);
    let value = strong.map_or(by_weak, |value| value.max(VALUE_MIN).min(by_weak));
    let explanation = format!(
        "In {count} of {} its browser gave itself away: {}.",
        counted(browser_events, "report"),
        told(signs)
    );
    Some(Finding::new(value, CONFIDENCE, explanation).with("signs", signs.iter().count()))
}

fn told(signs: Signs) -> String {
    signs.iter().map(words).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};
    use serde_json::{Value, json};

    fn reporting(components: Value) -> Option<(f64, String)> {
        let identity = Identity::default().event("dregs_init", 0, |event| {
            event.components = components.as_object().cloned();
            event.user_agent =
                Some("Mozilla/5.0 (X11; Linux x86_64) Chrome/149.0.0.0 Safari/537.36".to_owned());
        });
        said(identity.observe(ANALYZER))
    }

    #[test]
    fn a_driven_browser_gives_itself_away() {
        assert_eq!(said(Identity::default().events("a", [0]).observe(ANALYZER)), None, "no report");
        let words = "Nothing that its browser says of itself points to software.";
        assert_eq!(
            reporting(json!({"webdriver": false, "platform": "Linux x86_64"})),
            Some((0.62, words.to_owned()))
        );
        let words = "In 1 of 1 report its browser gave itself away: it says itself that software drives it, it has no \
                     language.";
        assert_eq!(reporting(json!({"webdriver": true, "languages": []})), Some((0.02, words.to_owned())));
    }

    #[test]
    fn contradictions_add_up() {
        let value = |components| reporting(components).map(|(value, _)| value);
        assert_eq!(value(json!({"platform": "Win32"})), Some(0.2));
        assert_eq!(value(json!({"platform": "Win32", "vendor": ""})), Some(0.1));
        let disguised = json!({"platform": "Win32", "vendor": "", "tampered": ["navigator.vendor"]});
        let words = "In 1 of 1 report its browser gave itself away: its platform is not one of its user agent's system, \
                     its vendor is not that of its user agent's engine, what tells which browser it is has been replaced.";
        assert_eq!(reporting(disguised), Some((0.05, words.to_owned())));
    }

    #[test]
    fn one_weak_sign_has_its_reasons_and_three_do_not() {
        let value = |components| reporting(components).map(|(value, _)| value);
        assert_eq!(value(json!({"webglRenderer": "llvmpipe (LLVM 15.0)"})), Some(0.4));
        let three = json!({"webglRenderer": "llvmpipe (LLVM 15.0)", "plugins": 0, "languages": []});
        assert_eq!(value(three), Some(0.06));
    }
}
