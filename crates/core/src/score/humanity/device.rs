//! Humanity: what its browser gives away about itself.
//!
//! Limits: sees only what `dregs.js` reports; silent without the script, and about browsers whose automation
//! hides itself.

use crate::curve::interpolate;
use crate::device::Sign;
use crate::score::aggregate::thousandths;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
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
const VALUE_BY_WEAK_SIGNS: [(f64, f64); 4] = [(0.0, NOTHING), (1.0, 0.4), (2.0, 0.18), (3.0, 0.06)];
const CONFIDENCE: f64 = 0.9;
/// Nothing is given away: what hides well does not, either.
const NOTHING: f64 = 0.62;
const NOTHING_CONFIDENCE: f64 = 0.3;

/// How much a sign counts, by the part of the latest reports that it is in. People try an extension for a day,
/// sit at a remote desktop once, look at a page as a phone would: what drives a browser is in most of its
/// reports, and a half of them leaves no doubt.
const STRENGTH_BY_PART: [(f64, f64); 2] = [(0.05, 0.0), (0.5, 1.0)];
/// Nobody's browser says by chance that software drives it, or becomes another device within one tab. Once in a hundred
/// reports, somebody tried a script or took the laptop to its dock.
const CERTAIN_STRENGTH_BY_PART: [(f64, f64); 2] = [(0.02, 0.0), (0.25, 1.0)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "humanity.device",
    label: "Browser's own account",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let browser_events = snapshot.state.browser_event_count();
    let counts = snapshot.state.device_signs();
    if browser_events == 0 {
        return None;
    }
    let all: Vec<_> = counts.parts().map(|(sign, part)| (sign, strength(sign, part))).collect();
    let told: Vec<_> = all.iter().copied().filter(|(_, strength)| *strength > 0.0).collect();
    let strongest = told.iter().map(|(_, strength)| *strength).fold(0.0, f64::max);
    let confidence = NOTHING_CONFIDENCE + (CONFIDENCE - NOTHING_CONFIDENCE) * strongest;
    let most = told.iter().map(|(sign, _)| counts.counts[*sign as usize]).max().unwrap_or_default();
    let part = f64::from(most) / f64::from(counts.reports.max(1));
    let explanation = if all.is_empty() {
        "Nothing that its browser says of itself points to software.".to_owned()
    } else if told.is_empty() {
        format!("In too few of its reports to count, its browser gave itself away: {}.", words_of(&all))
    } else {
        let among = if browser_events > counts.reports.into() {
            format!("{:.0}% of its latest reports", 100.0 * part)
        } else {
            format!("{most} of {}", counted(browser_events, "report"))
        };
        format!("In {among} its browser gave itself away: {}.", words_of(&told))
    };
    let finding = Finding::new(value(&told), confidence, explanation);
    let finding = finding.with("reports", browser_events);
    Some(match told.len() {
        0 => finding,
        signs => finding.with("signs", signs).with("reportsWithSigns", most).with("part", thousandths(part)),
    })
}

/// From 0.0 to 1.0.
fn strength(sign: Sign, part: f64) -> f64 {
    let is_certain = matches!(sign, Sign::Webdriver | Sign::AutomationObjects | Sign::OtherDevice);
    interpolate(if is_certain { &CERTAIN_STRENGTH_BY_PART } else { &STRENGTH_BY_PART }, part)
}

fn value(told: &[(Sign, f64)]) -> f64 {
    let weak = told.iter().filter(|(sign, _)| alone(*sign).is_none()).map(|(_, strength)| strength).sum();
    let by_weak = interpolate(&VALUE_BY_WEAK_SIGNS, weak);
    let strong = told
        .iter()
        .filter_map(|(sign, strength)| Some((NOTHING + (alone(*sign)? - NOTHING) * strength, *strength)));
    let both = strong.reduce(|(one, strength), (other, others)| {
        (one.min(other) * (1.0 - FURTHER * strength.min(others)), strength.max(others))
    });
    both.map_or(by_weak, |(value, _)| value.max(VALUE_MIN).min(by_weak))
}

fn words_of(signs: &[(Sign, f64)]) -> String {
    signs.iter().map(|(sign, _)| words(*sign)).collect::<Vec<_>>().join(", ")
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

    /// What is said after so many reports of each kind, one after the other.
    fn after(reports: &[(usize, Value)]) -> Option<(f64, String)> {
        let reports = reports.iter().flat_map(|(count, components)| std::iter::repeat_n(components, *count));
        let identity = reports.fold(Identity::default(), |identity, components| {
            identity.event("page_view", 0, |event| {
                event.components = components.as_object().cloned();
                event.user_agent =
                    Some("Mozilla/5.0 (X11; Linux x86_64) Chrome/149.0.0.0 Safari/537.36".to_owned());
            })
        });
        said(identity.observe(ANALYZER))
    }

    #[test]
    fn what_a_browser_gave_away_for_a_day_fades_and_what_it_always_does_stays() {
        let clean = json!({"platform": "Linux x86_64"});
        let driven = json!({"webdriver": true});
        let disguised = json!({"platform": "Win32"});
        let remote = json!({"webglRenderer": "llvmpipe (LLVM 15.0)"});
        let value = |reports: &[(usize, Value)]| after(reports).map(|(value, _)| value);
        let cases = [
            ("disguised at first", value(&[(1, disguised.clone()), (1, clean.clone())]), Some(0.2)),
            ("disguised once of four", value(&[(1, disguised.clone()), (3, clean.clone())]), Some(0.433)),
            ("disguised for a day", value(&[(8, disguised.clone()), (216, clean.clone())]), Some(0.62)),
            ("disguised on the last day", value(&[(216, clean.clone()), (2, disguised.clone())]), Some(0.62)),
            (
                "at a remote desktop for a day",
                value(&[(8, remote.clone()), (216, clean.clone())]),
                Some(0.62),
            ),
            ("always at a remote desktop", value(&[(217, remote.clone())]), Some(0.4)),
            (
                "always at a remote desktop, disguised once",
                value(&[(1, disguised.clone()), (100, remote)]),
                Some(0.4),
            ),
            ("a script tried once", value(&[(1, driven.clone()), (216, clean.clone())]), Some(0.62)),
            ("driven by half", value(&[(8, driven.clone()), (8, clean.clone())]), Some(0.02)),
            ("driven in every fourth", value(&[(8, driven.clone()), (24, clean.clone())]), Some(0.02)),
            ("always driven", value(&[(217, driven.clone())]), Some(0.02)),
            ("driven from now on", value(&[(216, clean.clone()), (20, driven.clone())]), Some(0.02)),
        ];
        for (what, found, expected) in cases {
            assert_eq!(found, expected, "{what}");
        }
        let words = |reports: &[(usize, Value)]| after(reports).map(|(_, words)| words);
        let expected = [
            (
                words(&[(1, disguised.clone()), (30, clean.clone())]),
                "In too few of its reports to count, its browser gave itself away: its platform is not one of its user \
                 agent's system.",
            ),
            (
                words(&[(100, driven), (4, clean)]),
                "In 89% of its latest reports its browser gave itself away: it says itself that software drives it.",
            ),
        ];
        for (found, expected) in expected {
            assert_eq!(found.as_deref(), Some(expected));
        }
    }
}
