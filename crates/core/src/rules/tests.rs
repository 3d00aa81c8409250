use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agent::{KnownAgent, Purpose};
use crate::label::{Outcome, Source, Verdict};
use crate::score::{ANALYZERS, Observation, logit};

const BEGIN: Timestamp = Timestamp::from_millis(1_795_426_200_000);

fn at(seconds: i64) -> Timestamp {
    BEGIN.plus_millis(seconds * 1_000)
}

fn below(threshold: u8) -> Condition {
    Condition::ScoreLt { category: Which::Humanity, threshold }
}

fn badge_rule(conditions: Vec<Condition>, apply: u64, remove: u64) -> BadgeRule {
    BadgeRule {
        id: 1,
        revision: 1,
        name: "Suspicious".to_owned(),
        slug: "suspicious".to_owned(),
        badge_type: BadgeType::Bad,
        priority: 0,
        conditions,
        apply_delay_seconds: apply,
        remove_delay_seconds: remove,
        adds_to_lists: Vec::new(),
    }
}

fn escalation_rule(conditions: Vec<Condition>, open: u64, close: u64) -> EscalationRule {
    EscalationRule {
        id: 7,
        revision: 1,
        name: "Likely a bot".to_owned(),
        severity: Severity::Critical,
        channels: Vec::new(),
        conditions,
        open_after_seconds: open,
        close_after_seconds: close,
        effective_at: None,
        adds_to_lists: Vec::new(),
    }
}

/// An identity first seen at [`BEGIN`], decided on again and again.
#[derive(Default)]
struct Story {
    rules: Rules,
    standing: Standing,
    humanity: Option<u8>,
    disregarded: bool,
    agent: Option<KnownAgent>,
}

impl Story {
    fn with(badges: Vec<BadgeRule>, escalations: Vec<EscalationRule>) -> Self {
        Self { rules: Rules { badges, escalations }, ..Self::default() }
    }

    fn decide(&mut self, seconds: i64) -> Decision {
        let scores = Scores { humanity: self.humanity, ..Scores::default() };
        let facts = Facts {
            scores: &scores,
            first_seen_at: BEGIN,
            disregarded: self.disregarded,
            badges: Vec::new(),
            agent: self.agent.as_ref(),
            events: None,
            lists: None,
            anew: &[],
            asked_before: false,
        };
        let decision = decide(&self.standing, &facts, &self.rules, at(seconds));
        self.standing = decision.after.clone();
        decision
    }

    /// What changes at this time with this score: `+badge`, `-badge`, `open`, `close`; and when it is to be
    /// asked again, in seconds.
    fn told(&mut self, seconds: i64, humanity: u8) -> (Vec<&'static str>, Option<i64>) {
        self.humanity = Some(humanity);
        let decision = self.decide(seconds);
        let mut told = Vec::new();
        told.extend(decision.added.iter().map(|_| "+badge"));
        told.extend(decision.removed.iter().map(|_| "-badge"));
        told.extend(decision.opened.iter().map(|_| "open"));
        told.extend(decision.closed.iter().map(|_| "close"));
        (told, decision.next_at.map(|next_at| next_at.millis_since(BEGIN) / 1_000))
    }
}

#[test]
fn a_badge_comes_and_goes_after_its_delays() {
    let mut story = Story::with(vec![badge_rule(vec![below(30)], 60, 10)], vec![]);
    assert_eq!(story.told(0, 50), (vec![], None));
    assert_eq!(story.told(5, 20), (vec![], Some(65)));
    assert_eq!(story.told(40, 25), (vec![], Some(65)), "another score, the same condition");
    assert_eq!(story.told(50, 35), (vec![], None), "too early");
    assert_eq!(story.told(51, 10), (vec![], Some(111)), "from the beginning again");
    assert_eq!(story.told(111, 10), (vec!["+badge"], None));
    assert_eq!(story.standing.badges[0].explanation, "Humanity is 10, below 30.");
    assert_eq!(story.told(120, 90), (vec![], Some(130)));
    assert_eq!(story.told(125, 20), (vec![], None), "it holds again");
    assert_eq!(story.told(140, 90), (vec![], Some(150)));
    assert_eq!(story.told(151, 90), (vec!["-badge"], None));
    assert_eq!(story.standing, Standing::default());
}

/// The reason of the badge after each score, a minute after the one before.
fn reasons(story: &mut Story, scores: &[u8]) -> Vec<String> {
    let reason = |(minute, score): (usize, &u8)| {
        story.told(60 * minute as i64, *score);
        story.standing.badges.first().map_or_else(String::new, |badge| badge.explanation.clone())
    };
    scores.iter().enumerate().map(reason).collect()
}

#[test]
fn the_reason_of_a_badge_is_true_at_each_cycle() {
    let mut story = Story::with(vec![badge_rule(vec![below(40)], 0, 600)], vec![]);
    let until = "Held until 2026-11-23 09:32 UTC: “Humanity is 9, below 40.”";
    let expected =
        ["Humanity is 32, below 40.", "Humanity is 9, below 40.", until, until, "Humanity is 12, below 40."];
    assert_eq!(reasons(&mut story, &[32, 9, 51, 70, 12]), expected);
    story.told(300, 90);
    story.humanity = Some(95);
    let gone = story.decide(900).removed;
    assert_eq!(gone[0].explanation, "Held until 2026-11-23 09:35 UTC: “Humanity is 12, below 40.”");
    // Another threshold, another reason.
    story.told(960, 30);
    story.rules.badges[0].conditions = vec![below(50)];
    story.rules.badges[0].revision = 2;
    assert_eq!(reasons(&mut story, &[30]), ["Humanity is 30, below 50."]);
}

fn lowers(id: &str, category: Category, value: f64) -> Observation {
    let (label, explanation, metadata) = Default::default();
    Observation {
        category,
        id: id.to_owned(),
        label,
        explanation,
        value,
        confidence: 0.8,
        weight: 1.0,
        metadata,
    }
}

#[test]
fn a_dismissed_badge_stays_off_until_something_new_speaks_for_it() {
    let mut story = Story::with(vec![badge_rule(vec![below(40)], 0, 0)], vec![]);
    assert_eq!(story.told(0, 20).0, ["+badge"]);
    let evidence =
        [lowers("humanity.pace", Category::Humanity, 0.2), lowers("behavior.x", Category::Behavior, 0.4)];
    let by = (at(1), "eve@example.com", Some("A shared till.".to_owned()));
    let dismissal = Dismissal::new("suspicious", "Suspicious", by, &evidence, &story.rules);
    story.standing.dismissed.push(dismissal.clone());
    assert_eq!(story.told(1, 20).0, ["-badge"]);
    assert_eq!(story.told(2, 10).0, [""; 0], "another score by the same evidence");
    assert_eq!(story.standing.dismissed, std::slice::from_ref(&dismissal));
    let text = story.standing.encode().unwrap();
    assert_eq!(Standing::decode(text.as_deref()).unwrap(), story.standing);

    let (pace, behavior) = (evidence[0].clone(), evidence[1].clone());
    let stands = |observations: &[Observation]| dismissal.holds(Some(observations), &story.rules);
    assert!(dismissal.holds(None, &story.rules) && stands(&evidence) && stands(&[]));
    assert!(stands(&[Observation { value: 0.19, ..pace.clone() }]), "hardly more");
    assert!(!stands(&[Observation { value: 0.1, ..pace.clone() }]), "stronger");
    assert!(!stands(&[pace.clone(), lowers("humanity.hands", Category::Humanity, 0.3)]), "something else");
    assert!(
        stands(&[pace.clone(), lowers("humanity.hands", Category::Humanity, 0.7)]),
        "it speaks against the badge"
    );
    assert!(stands(&[Observation { value: 0.05, ..behavior }]), "the rule does not go by it");
    story.rules.badges[0].revision = 2;
    assert!(!dismissal.holds(None, &story.rules), "another rule");

    story.standing.dismissed.clear();
    assert_eq!(story.told(3, 10).0, ["+badge"]);
}

#[test]
fn a_snoozed_rule_opens_nothing_until_its_time_and_then_again_if_it_still_holds() {
    let mut story = Story::with(vec![], vec![escalation_rule(vec![below(40)], 60, 0)]);
    assert_eq!(story.told(0, 20), (vec![], Some(60)));
    assert_eq!(story.told(60, 20), (vec!["open"], None));
    let (name, by) = ("Likely a bot".to_owned(), "ada@example.com".to_owned());
    let snooze = Snooze { rule: 7, name, until: at(600), at: at(100), by, reason: None };
    story.standing.snoozed.push(snooze.clone());
    assert_eq!(story.told(100, 20), (vec!["close"], Some(600)));
    assert_eq!(story.told(599, 10), (vec![], Some(600)));
    let text = story.standing.encode().unwrap();
    assert_eq!(Standing::decode(text.as_deref()).unwrap(), story.standing);
    assert_eq!(story.told(600, 20), (vec![], Some(660)), "its delay begins anew");
    assert!(story.standing.snoozed.is_empty());
    assert_eq!(story.told(660, 20), (vec!["open"], None));
    // Of another rule.
    story.standing.snoozed.push(Snooze { rule: 8, until: at(900), ..snooze });
    assert_eq!(story.told(700, 20), (vec![], None));
    assert_eq!(story.told(800, 90), (vec!["close"], None));
}

#[test]
fn a_dismissed_badge_of_an_analyzer_goes_by_its_analyzer_alone() {
    let burst = lowers("behavior.sign-up-burst", Category::Behavior, 0.05);
    let by = (BEGIN, "eve@example.com", None);
    let dismissal = Dismissal::new(
        "registration-bombing",
        "Registration bombing",
        by,
        std::slice::from_ref(&burst),
        &Rules::default(),
    );
    let holds = |observations: &[Observation]| dismissal.holds(Some(observations), &Rules::default());
    assert!(holds(&[burst.clone(), lowers("behavior.pace", Category::Behavior, 0.02)]));
    assert!(!holds(&[Observation { value: 0.02, ..burst }]));
}

#[test]
fn other_weights_are_nothing_new_about_a_person() {
    let known = lowers("humanity.pace", Category::Humanity, 0.2);
    let in_shadow = Observation { weight: 0.0, ..lowers("humanity.hands", Category::Humanity, 0.3) };
    let evidence = Evidence::of([&known, &in_shadow].into_iter());
    let promoted = |one: &Observation| Observation { weight: 2.5, ..one.clone() };
    let covers = |observations: &[Observation]| evidence.covers(observations.iter());
    assert!(covers(&[promoted(&known), promoted(&in_shadow)]));
    assert!(!covers(&[Observation { value: 0.17, ..promoted(&known) }]), "it moves the score by more now");
    assert!(covers(&[Observation { value: 0.17, ..known.clone() }]));
    let new = lowers("humanity.new", Category::Humanity, 0.3);
    assert!(!covers(std::slice::from_ref(&new)));
    assert!(covers(&[Observation { weight: 0.0, ..new }]), "in shadow it lowers nothing");
}

#[test]
fn evidence_that_was_written_with_its_weights_is_read() {
    let analyzer = ANALYZERS.iter().find(|analyzer| analyzer.weight > 1.0).unwrap();
    let shown = Observation { weight: analyzer.weight, ..lowers(analyzer.id, analyzer.category, 0.2) };
    let push = shown.weight * shown.confidence * logit(shown.value);
    let before: Evidence = serde_json::from_value(json!([[shown.id, push], ["no.more", -1.0]])).unwrap();
    assert!(before.covers(std::iter::once(&shown)));
    let now = Evidence::of(std::iter::once(&shown));
    assert_eq!(serde_json::from_value::<Evidence>(serde_json::to_value(&now).unwrap()).unwrap(), now);
}

#[test]
fn an_escalation_opens_once_and_a_late_look_does_not_prolong_a_delay() {
    let mut story = Story::with(vec![], vec![escalation_rule(vec![below(30)], 0, 3_600)]);
    assert_eq!(story.told(0, 20), (vec!["open"], None));
    assert_eq!(story.told(1, 10), (vec![], None));
    assert_eq!(story.told(100, 90), (vec![], Some(3_700)));
    assert_eq!(story.told(9_000, 90), (vec!["close"], None));
    assert_eq!(story.told(9_001, 5), (vec!["open"], None));
}

#[test]
fn ages_elapse_by_themselves() {
    let age = |seconds| Condition::IdentityAgeGt { seconds };
    let mut story = Story::with(vec![], vec![escalation_rule(vec![below(30), age(3_600)], 60, 0)]);
    assert_eq!(story.told(10, 20), (vec![], Some(3_660)));
    assert_eq!(story.told(3_660, 20), (vec![], Some(3_660)), "one millisecond is missing");
    assert_eq!(story.told(3_661, 20), (vec!["open"], None));

    let young = Condition::IdentityAgeLt { seconds: 100 };
    let mut story = Story::with(vec![], vec![escalation_rule(vec![below(30), young.clone()], 0, 50)]);
    assert_eq!(story.told(10, 20), (vec!["open"], Some(150)));
    assert_eq!(story.told(150, 20), (vec!["close"], None));
    assert_eq!(story.told(151, 20), (vec![], None), "young no more");
    let mut story = Story::with(vec![], vec![escalation_rule(vec![below(30), young], 95, 0)]);
    assert_eq!(story.told(10, 20), (vec![], None), "it ends before its time has come");
}

#[test]
fn nothing_opens_before_it_is_effective() {
    let rule = EscalationRule { effective_at: Some(at(500)), ..escalation_rule(vec![below(30)], 60, 0) };
    let mut story = Story::with(vec![], vec![rule]);
    assert_eq!(story.told(0, 20), (vec![], Some(500)));
    assert_eq!(story.told(499, 20), (vec![], Some(500)));
    assert_eq!(story.told(500, 20), (vec!["open"], None));
}

#[test]
fn escalations_see_the_badges_of_the_same_moment() {
    let exists = Condition::BadgeExists { badge: "suspicious".to_owned() };
    let absent = Condition::BadgeNotExists { badge: "trusted".to_owned() };
    let mut story = Story::with(
        vec![badge_rule(vec![below(30)], 60, 0)],
        vec![escalation_rule(vec![exists, absent], 0, 0)],
    );
    assert_eq!(story.told(0, 20), (vec![], Some(60)));
    assert_eq!(story.told(60, 20), (vec!["+badge", "open"], None));
    assert_eq!(story.told(70, 80), (vec!["-badge", "close"], None));
}

#[test]
fn who_is_disregarded_or_whose_rule_is_gone_has_nothing() {
    let rules = || (vec![badge_rule(vec![below(30)], 0, 99)], vec![escalation_rule(vec![below(30)], 0, 99)]);
    let (badges, escalations) = rules();
    let mut story = Story::with(badges, escalations);
    assert_eq!(story.told(0, 20), (vec!["+badge", "open"], None));
    story.disregarded = true;
    assert_eq!(story.told(1, 20), (vec!["-badge", "close"], None));
    let (badges, escalations) = rules();
    let mut story = Story::with(badges, escalations);
    story.told(0, 20);
    story.rules = Rules::default();
    assert_eq!(story.told(1, 20), (vec!["-badge", "close"], None));
}

#[test]
fn a_changed_rule_counts_anew() {
    let mut story = Story::with(vec![badge_rule(vec![below(30)], 60, 0)], vec![]);
    assert_eq!(story.told(0, 20), (vec![], Some(60)));
    story.rules.badges[0].revision = 2;
    assert_eq!(story.told(50, 20), (vec![], Some(110)));
    assert_eq!(story.told(110, 20), (vec!["+badge"], None));
    story.rules.badges[0].revision = 3;
    story.rules.badges[0].conditions = vec![below(10)];
    assert_eq!(story.told(120, 20), (vec!["-badge"], None));
}

#[test]
fn any_category_is_one_that_has_a_score() {
    let any = Condition::ScoreLt { category: Which::Any, threshold: 25 };
    let scores = |humanity, behavior| Scores { humanity, behavior, ..Scores::default() };
    let asked = |scores: &Scores| {
        let ground = Ground { scores, carried: &Slugs::new(), agent: None, event: None, lists: None };
        (
            hold(std::slice::from_ref(&any), &ground, BEGIN, BEGIN),
            explain(std::slice::from_ref(&any), &ground),
        )
    };
    assert!(!asked(&scores(None, None)).0);
    assert!(!asked(&scores(Some(80), Some(25))).0);
    assert_eq!(asked(&scores(Some(80), Some(24))), (true, "Behavior is 24, below 25.".to_owned()));
}

#[test]
fn conditions_are_written_as_the_contract_says() {
    let text = r#"[{"type":"SCORE_LT","category":"ANY","threshold":20},{"type":"IDENTITY_AGE_GT","seconds":3600},{"type":"BADGE_NOT_EXISTS","badge":"trusted"}]"#;
    let read: Vec<Condition> = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    for wrong in [
        r#"{"type":"SCORE_LT","category":"NONE","threshold":20}"#,
        r#"{"type":"SCORE_LT","category":"ANY","threshold":20,"seconds":1}"#,
        r#"{"type":"SCORE_EQ","category":"ANY","threshold":20}"#,
    ] {
        assert!(serde_json::from_str::<Condition>(wrong).is_err(), "{wrong}");
    }
    assert!(below(101).flaw().is_some() && below(100).flaw().is_none());
}

/// Scores at times, in seconds, that grow.
fn history() -> impl Strategy<Value = Vec<(i64, u8)>> {
    proptest::collection::vec((0_i64..400, 0_u8..=100), 1..40).prop_map(|mut steps| {
        steps.sort_by_key(|step| step.0);
        steps
    })
}

/// A model that looks at every second: the condition must have held in each second of the delay.
fn model(history: &[(i64, u8)], threshold: u8, on: i64, off: i64, until: i64) -> Vec<bool> {
    let score = |second: i64| history.iter().rev().find(|step| step.0 <= second).map(|step| step.1);
    let (mut in_force, mut since, mut held) = (false, 0, false);
    (0..until)
        .map(|second| {
            let holds = score(second).is_some_and(|score| score < threshold);
            if holds != held {
                (held, since) = (holds, second);
            }
            let delay = if held { on } else { off };
            if held != in_force && second - since >= delay {
                in_force = held;
            }
            in_force
        })
        .collect()
}

proptest! {
    /// Asked only when scores change and when it said it wants to be asked, it is at every second as the
    /// model that looks every second.
    #[test]
    fn delays_are_exact(history in history(), threshold in 0_u8..=100, on in 0_u64..120, off in 0_u64..120) {
        let mut story = Story::with(
            vec![badge_rule(vec![below(threshold)], on, off)],
            vec![escalation_rule(vec![below(threshold)], on, off)],
        );
        let expected = model(&history, threshold, on as i64, off as i64, 700);
        let (mut next_at, mut open) = (None, 0);
        for second in 0..700 {
            let score = history.iter().rev().find(|step| step.0 == second).map(|step| step.1);
            if score.is_some() || next_at == Some(at(second)) {
                story.humanity = score.or(story.humanity);
                let decision = story.decide(second);
                open += decision.opened.len();
                open -= decision.closed.len();
                next_at = decision.next_at;
                prop_assert!(next_at.is_none_or(|next_at| next_at > at(second)));
                let again = story.decide(second);
                prop_assert!(again.added.is_empty() && again.removed.is_empty());
                prop_assert!(again.opened.is_empty() && again.closed.is_empty());
                prop_assert_eq!(again.next_at, decision.next_at);
            }
            prop_assert_eq!(story.standing.badges.len() == 1, expected[second as usize], "at {}", second);
            prop_assert_eq!(open, usize::from(expected[second as usize]), "open at {}", second);
        }
        let kept = Standing::decode(story.standing.encode().unwrap().as_deref()).unwrap();
        prop_assert_eq!(kept, story.standing);
    }

    #[test]
    fn whatever_happens_the_disregarded_have_none(
        history in history(), threshold in 0_u8..=100, on in 0_u64..60, off in 0_u64..60, from in 0_i64..400,
    ) {
        let mut story = Story::with(
            vec![badge_rule(vec![below(threshold)], on, off)],
            vec![escalation_rule(vec![below(threshold)], on, off)],
        );
        let mut open = 0;
        for (second, score) in history {
            (story.humanity, story.disregarded) = (Some(score), second >= from);
            let decision = story.decide(second);
            open += decision.opened.len();
            open -= decision.closed.len();
            prop_assert!(open <= 1);
            prop_assert!(!story.disregarded || (open == 0 && story.standing == Standing::default()));
        }
    }
}

#[test]
fn ages_are_told_in_the_largest_unit_of_which_they_are_whole() {
    let told = [0, 59, 60, 90, 900, 3_600, 86_400, 2_592_000].map(super::reason::age);
    let expected =
        ["0 seconds", "59 seconds", "1 minute", "90 seconds", "15 minutes", "1 hour", "1 day", "30 days"];
    assert_eq!(told, expected);
}

fn observed(id: &str, value: f64) -> Observation {
    let category = crate::score::ANALYZERS.iter().find(|analyzer| analyzer.id == id).unwrap().category;
    Observation {
        category,
        id: id.to_owned(),
        label: String::new(),
        explanation: String::new(),
        value,
        confidence: 1.0,
        weight: 1.0,
        metadata: serde_json::Map::new(),
    }
}

fn label(outcome: Outcome, observations: &[Observation]) -> Label {
    Label {
        id: 5,
        verdict: Verdict { outcome, kind: None },
        source: Source::Analyst,
        at: BEGIN,
        by: "ada@example.com".to_owned(),
        reason: None,
        settled: Vec::new(),
        evidence: Evidence::default(),
    }
    .settling(observations)
}

#[test]
fn who_is_labelled_good_is_left_alone_until_something_new_is_found() {
    let mut story =
        Story::with(vec![badge_rule(vec![below(30)], 0, 60)], vec![escalation_rule(vec![below(30)], 0, 60)]);
    assert_eq!(story.told(0, 20), (vec!["+badge", "open"], None));
    let seen = [observed("humanity.timing", 0.1)];
    story.standing.label = Some(label(Outcome::Good, &seen));
    assert_eq!(story.told(1, 20), (vec!["-badge", "close"], None), "at once, whatever the delays");
    let again = |story: &mut Story, observations: &[Observation]| {
        story.standing.label.as_mut().unwrap().look_at(observations);
        story.told(2, 20).0
    };
    assert_eq!(again(&mut story, &seen), Vec::<&str>::new());
    assert_eq!(again(&mut story, &[]), Vec::<&str>::new(), "what is gone opens nothing");
    assert_eq!(again(&mut story, &[observed("humanity.timing", 0.11)]), Vec::<&str>::new());
    let elsewhere = [observed("humanity.timing", 0.1), observed("behavior.pace", 0.1)];
    assert_eq!(again(&mut story, &elsewhere), Vec::<&str>::new(), "new, and nothing that the rule asks for");
    assert_eq!(again(&mut story, &[observed("humanity.timing", 0.02)]), ["+badge", "open"], "stronger");
    assert_eq!(again(&mut story, &seen), Vec::<&str>::new(), "and it stays so");
}

#[test]
fn a_label_settles_only_what_was_looked_at() {
    let good = label(Outcome::Good, &[]);
    let any = |threshold| Condition::ScoreLt { category: Which::Any, threshold };
    let cases: [(&[Condition], bool); 4] = [
        (&[below(30)], true),
        (&[any(30)], true),
        (&[Condition::IdentityAgeGt { seconds: 1 }], false),
        (&[], false),
    ];
    for (conditions, settled) in cases {
        assert_eq!(good.settles(conditions), settled, "{conditions:?}");
        assert!(!label(Outcome::Bad, &[]).settles(conditions), "{conditions:?}");
    }
    let mut good = good;
    good.look_at(&[observed("behavior.pace", 0.1)]);
    assert!(good.settles(&[below(30)]) && !good.settles(&[any(30)]));
}

#[test]
fn who_is_labelled_bad_has_a_badge_that_says_why() {
    let mut story = Story::with(vec![badge_rule(vec![below(30)], 0, 0)], vec![]);
    story.standing.label = Some(Label { reason: Some("Stolen card".to_owned()), ..label(Outcome::Bad, &[]) });
    story.humanity = Some(20);
    let badges = story.decide(0).after.badges;
    let slugs: Vec<_> = badges.iter().map(|badge| badge.slug.as_str()).collect();
    assert_eq!(slugs, ["confirmed-bad", "suspicious"], "that of a person comes first");
    let words = "Confirmed as bad by a person who looked at it, 2026-11-23 09:30 UTC: “Stolen card”.";
    assert_eq!(badges[0].explanation, words);
    story.disregarded = true;
    assert_eq!(story.decide(1).after.badges, []);
}

#[test]
fn a_label_is_read_as_it_was_written() {
    let seen = [observed("humanity.timing", 0.1)];
    let standing = Standing { label: Some(label(Outcome::Good, &seen)), ..Standing::default() };
    let text = standing.encode().unwrap();
    assert_eq!(Standing::decode(text.as_deref()).unwrap(), standing);
}

#[test]
fn a_rule_asks_for_an_agent_by_its_name_its_operator_or_any() {
    let agent = |verified| KnownAgent {
        name: "ChatGPT-User".into(),
        operator: "OpenAI".into(),
        verified,
        purpose: Purpose::Answer,
    };
    let holds = |asked: &str, wanted: Option<bool>, agent: Option<KnownAgent>| {
        let condition = Condition::AgentIs { agent: asked.to_owned(), verified: wanted };
        assert_eq!(condition.flaw(), None, "{asked}");
        let mut story = Story::with(vec![], vec![escalation_rule(vec![condition], 0, 0)]);
        story.agent = agent;
        story.told(0, 90).0 == ["open"]
    };
    for asked in ["ANY", "any", "ChatGPT-User", "chatgpt-user", "OpenAI"] {
        assert!(holds(asked, None, Some(agent(None))), "{asked}");
        assert!(!holds(asked, None, None), "{asked}");
    }
    assert!(!holds("Claude-User", None, Some(agent(None))));
    for (verified, wanted, held) in [
        (Some(true), Some(true), true),
        (None, Some(true), false),
        (Some(false), Some(true), false),
        (None, Some(false), true),
        (Some(false), Some(false), true),
        (Some(true), Some(false), false),
    ] {
        assert_eq!(holds("ANY", wanted, Some(agent(verified))), held, "{verified:?} {wanted:?}");
    }
    let unknown = Condition::AgentIs { agent: "Chrome".to_owned(), verified: None };
    assert_eq!(unknown.flaw().map(|(field, _)| field), Some("agent"));
}
