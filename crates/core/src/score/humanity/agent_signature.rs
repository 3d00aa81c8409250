//! Humanity: whether it claims to be somebody's agent by a signature that is not theirs.
//!
//! Limits: one judgment only, that a signature is false; it is silent about whoever does not sign, and fades in
//! 90 days.

use crate::curve::interpolate;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
use crate::snapshot::Snapshot;
use crate::time::DAY_MS;

/// As telling as a user agent: nobody signs by mistake, and what a proxy or a clock may have spoilt is left out.
const WEIGHT: f64 = 1.5;
/// A program that pretends to be another.
const VALUE: f64 = 0.05;
/// What is left of the confidence by the days since: a judgment, as with user agents.
const CONFIDENCE_BY_AGE_DAYS: [(f64, f64); 2] = [(0.0, 0.9), (90.0, 0.0)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "humanity.agent-signature",
    label: "Signature of an agent",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

/// The latest false signature. One that is right says who came and leaves the score alone; one that could not be
/// verified says nothing.
fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let signed = snapshot.state.signed();
    let is_false = |verified: Option<bool>| verified == Some(false);
    let false_ones = || signed.iter().filter(|seen| is_false(seen.value.signature.verified));
    let latest = false_ones().max_by_key(|seen| seen.last_at)?;
    let days = snapshot.now.millis_since(latest.last_at) as f64 / DAY_MS as f64;
    let confidence = interpolate(&CONFIDENCE_BY_AGE_DAYS, days);
    if confidence <= 0.0 {
        return None;
    }
    let count: u64 = false_ones().map(|seen| u64::from(seen.count)).sum();
    let all: u64 = signed.iter().map(|seen| u64::from(seen.count)).sum();
    let agent = latest.value.agent();
    let is_past = days >= 1.0;
    let when = if is_past { format!(", {days:.0} days before its latest event") } else { String::new() };
    let explanation = format!(
        "{count} of {} came under the name of {} with a signature that is false by the key of {}{when}.",
        counted(all, "signed event"),
        agent.name,
        agent.operator
    );
    let finding = Finding::new(VALUE, confidence, explanation)
        .with("agent", agent.name.as_ref())
        .with("operator", agent.operator.as_ref())
        .with("events", count)
        .with("signedEvents", all);
    Some(if is_past { finding.with("daysBefore", days.round()) } else { finding })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::AgentSignature;
    use crate::event::Event;
    use crate::score::fixture::{Identity, said};
    use crate::score::humanity::user_agent;

    const CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";

    fn signed(verified: Option<bool>) -> impl FnOnce(&mut Event) {
        move |event| {
            event.user_agent = Some(CHROME.to_owned());
            event.ip = "203.0.113.7".parse().ok();
            event.signature = Some(AgentSignature { signer: "https://chatgpt.com".to_owned(), verified });
        }
    }

    #[test]
    fn a_false_signature_is_told_and_fades() {
        let identity =
            Identity::default().event("a", 0, signed(Some(true))).event("a", 0, signed(Some(false)));
        let words = "1 of 2 signed events came under the name of ChatGPT Agent with a signature that is false by the key \
                     of OpenAI.";
        assert_eq!(said(identity.observe(ANALYZER)), Some((0.05, words.to_owned())));
        let later = identity.event("a", 30 * DAY_MS, |_| ());
        let words = "1 of 2 signed events came under the name of ChatGPT Agent with a signature that is false by the key \
                     of OpenAI, 30 days before its latest event.";
        assert_eq!(said(later.observe(ANALYZER)), Some((0.05, words.to_owned())));
        assert_eq!(said(later.event("a", 90 * DAY_MS, |_| ()).observe(ANALYZER)), None);
    }

    #[test]
    fn what_could_not_be_verified_accuses_nobody() {
        for verified in [None, Some(true)] {
            let identity = Identity::default().event("a", 0, signed(verified));
            assert_eq!(said(identity.observe(ANALYZER)), None, "{verified:?}");
        }
    }

    #[test]
    fn a_verified_agent_leaves_its_person_without_address_and_user_agent() {
        let of = |verified| Identity::default().event("a", 0, signed(verified));
        let seen = |identity: &Identity| {
            (identity.state.addresses().len(), identity.observe(user_agent::ANALYZER).is_some())
        };
        assert_eq!(seen(&of(Some(true))), (0, false));
        for verified in [None, Some(false)] {
            assert_eq!(seen(&of(verified)), (1, true), "{verified:?}");
        }
    }

    #[test]
    fn a_verified_crawler_is_a_crawler() {
        let identity = Identity::default().event("a", 0, |event| {
            signed(Some(true))(event);
            event.user_agent = Some("GPTBot/1.2; +https://openai.com/gptbot".to_owned());
        });
        let value = said(identity.observe(user_agent::ANALYZER)).map(|(value, _)| value);
        assert_eq!(value, Some(0.03));
    }
}
