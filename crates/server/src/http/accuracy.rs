//! How often rules, badges and analyzers were right.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use dregs_core::badge::{self, BadgeType};
use dregs_core::rules::EscalationRule;
use dregs_core::score::ANALYZERS;
use dregs_core::time::Timestamp;
use dregs_core::wilson::wilson;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::{ApiError, Code};
use super::params::Path;
use super::rules::find;
use crate::app::App;
use crate::ops::decide::accuracy::{self, Subject, Tally};
use crate::ops::decide::draws::{self, Estimate};
use crate::store::rule_rates::Told;
use crate::store::{Tx, rules};

/// How often something matched, and was right.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TallyBody {
    /// Identities.
    took_hold: u64,
    /// Those of them who are labeled BAD; of a GOOD badge, those labeled GOOD.
    right: u64,
    /// Those of them who are labeled otherwise.
    wrong: u64,
    unlabeled: u64,
    /// Between which the part that is right is with 95 % (Wilson's interval), from 0 to 1; null where nobody is labeled.
    low: Option<f64>,
    high: Option<f64>,
}

impl From<Tally> for TallyBody {
    fn from(tally: Tally) -> Self {
        let (took_hold, Tally { right, wrong, unlabelled }) = (tally.took_hold(), tally);
        let judged = right + wrong;
        let (low, high) = (judged > 0).then(|| wilson(right, judged)).unzip();
        Self { took_hold, right, wrong, unlabeled: unlabelled, low, high }
    }
}

/// An escalation rule.
#[derive(Serialize, ToSchema)]
pub struct RuleAccuracyBody {
    id: i64,
    name: String,
    #[serde(flatten)]
    tally: TallyBody,
}

/// A badge.
#[derive(Serialize, ToSchema)]
pub struct BadgeAccuracyBody {
    #[schema(example = "suspected-bot")]
    slug: String,
    #[serde(flatten)]
    tally: TallyBody,
}

/// An analyzer, where it spoke against somebody who is labeled.
#[derive(Serialize, ToSchema)]
pub struct AnalyzerAccuracyBody {
    #[schema(example = "behavior.pace")]
    id: String,
    /// What its observations are shown as.
    label: &'static str,
    #[serde(flatten)]
    tally: TallyBody,
}

/// How often rules, badges and analyzers were right, by the labels of now.
#[derive(Serialize, ToSchema)]
pub struct AccuracyBody {
    /// Identities labeled GOOD, among the newest 20,000 labels.
    good: u64,
    /// And BAD.
    bad: u64,
    /// Escalation rules, by id.
    rules: Vec<RuleAccuracyBody>,
    /// BAD and GOOD badges of rules and analyzers, by slug: a NEUTRAL one is never right or wrong.
    badges: Vec<BadgeAccuracyBody>,
    /// Analyzers, in the order of the manual.
    analyzers: Vec<AnalyzerAccuracyBody>,
    drawn: DrawnBody,
}

/// What those say who were drawn at random in the last year.
#[derive(Serialize, ToSchema)]
pub struct DrawnBody {
    drawn: u64,
    labeled: u64,
    bad: u64,
    /// Of the bad, those for whom no escalation rule had opened anything.
    missed: u64,
    /// The part that is bad of those from whom they were drawn, which were active and not labeled, from 0 to 1; null
    /// where none of the drawn is labeled.
    share: Option<f64>,
    /// Between which it is with 95% confidence.
    low: Option<f64>,
    high: Option<f64>,
}

impl From<Estimate> for DrawnBody {
    fn from(estimate: Estimate) -> Self {
        let Estimate { drawn, labelled: labeled, bad, missed, share } = estimate;
        let of = |part: fn((f64, f64, f64)) -> f64| share.map(part);
        Self { drawn, labeled, bad, missed, share: of(|it| it.0), low: of(|it| it.1), high: of(|it| it.2) }
    }
}

/// The record of an escalation rule, a badge or an analyzer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordBody {
    /// Null for a NEUTRAL badge, which is never right or wrong.
    tally: Option<TallyBody>,
    /// The last 26, in order, this one among them.
    weeks: Vec<WeekBody>,
    /// What else matched the same identities, the widest first. Of an analyzer, other analyzers, among those
    /// labeled.
    overlaps: Vec<OverlapBody>,
    /// Identities among whom others were looked for: the newest 10,000 at most.
    looked_at: usize,
    /// Whether these are all whom it concerned.
    is_whole: bool,
    /// Of a rule that matched, within a day of the last week, far more often than before; null otherwise.
    jumped: Option<JumpBody>,
}

/// A rule matched far more often than its past would suggest.
#[derive(Serialize, ToSchema)]
pub struct JumpBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// In the day before that.
    count: i64,
    expected: f64,
}

impl From<Told> for JumpBody {
    fn from(told: Told) -> Self {
        Self { at: told.at, count: told.count, expected: told.expected_tenths as f64 / 10.0 }
    }
}

/// A week of a record.
#[derive(Serialize, ToSchema)]
pub struct WeekBody {
    /// A Monday, in UTC.
    #[schema(format = Date)]
    begin: String,
    /// Escalations that the rule opened; null for badges and analyzers.
    opened: Option<u64>,
    /// Of those labeled in this week.
    right: u64,
    wrong: u64,
}

/// What else matched the same identities.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverlapBody {
    /// RULE, BADGE or ANALYZER.
    #[serde(rename = "type")]
    #[schema(example = "RULE")]
    subject_type: &'static str,
    /// Of the rule or the analyzer; of a badge, its slug.
    id: String,
    /// What people call it.
    label: String,
    /// Of those looked at, how many both matched.
    both: u64,
    /// How many identities the other matched in all.
    took_hold: u64,
}

/// Read how often rules, badges and analyzers were right
///
/// Each is right about who is labeled BAD and wrong about who is labeled GOOD, as far as it had matched at the cycle
/// that was looked at. A GOOD badge speaks for an identity: it is the other way round.
#[utoipa::path(get, operation_id = "readAccuracy", path = "/labels/accuracy", tag = "labels",
    responses((status = 200, body = AccuracyBody)))]
pub async fn read(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<AccuracyBody>, ApiError> {
    let team_id = caller.team_id();
    let now = app.clock.now();
    let (found, drawn, (rules, badge_rules)) = app
        .long_reads
        .read(move |tx| {
            let rules = (rules::all_escalations(tx)?, rules::all_badges(tx)?);
            Ok((accuracy::read(tx, team_id)?, draws::estimate(tx, team_id, now)?, rules))
        })
        .await?;
    let rules = rules.into_iter().filter(|kept| kept.team_id == team_id).map(|kept| RuleAccuracyBody {
        id: kept.rule.id,
        tally: found.rules.get(&kept.rule.id).copied().unwrap_or_default().into(),
        name: kept.rule.name,
    });
    let type_of = |slug: &str| {
        let own = badge_rules.iter().find(|kept| kept.team_id == team_id && kept.rule.slug == slug);
        let of_analyzers = || badge::is_of_analyzers(slug).then_some(BadgeType::Bad);
        own.map(|kept| kept.rule.badge_type).or_else(of_analyzers)
    };
    let badges = found.badges.iter().filter_map(|(slug, tally)| {
        let tally = match type_of(slug)? {
            BadgeType::Bad => *tally,
            BadgeType::Good => tally.of_a_good_badge(),
            BadgeType::Neutral => return None,
        };
        Some(BadgeAccuracyBody { slug: slug.clone(), tally: tally.into() })
    });
    let analyzers = ANALYZERS.iter().filter_map(|analyzer| {
        let tally = found.analyzers.get(analyzer.id).copied()?;
        Some(AnalyzerAccuracyBody { id: analyzer.id.to_owned(), label: analyzer.label, tally: tally.into() })
    });
    Ok(Answer(AccuracyBody {
        good: found.good,
        bad: found.bad,
        badges: badges.collect(),
        analyzers: analyzers.collect(),
        rules: rules.collect(),
        drawn: drawn.into(),
    }))
}

/// Read the record of an escalation rule
///
/// Week by week, and which others concern the same identities.
#[utoipa::path(get, operation_id = "readEscalationRuleRecord", path = "/labels/accuracy/rules/{id}", tag = "labels",
    params(("id" = i64, Path)), responses((status = 200, body = RecordBody)))]
pub async fn of_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<RecordBody>, ApiError> {
    let rule = find::<EscalationRule>(&app, &caller, &id).await?.rule.id;
    record_of(&app, &caller, Subject::Rule(rule)).await
}

/// Read the record of a badge
///
/// Week by week, and which others concern the same identities.
#[utoipa::path(get, operation_id = "readBadgeRecord", path = "/labels/accuracy/badges/{slug}", tag = "labels",
    params(("slug" = String, Path)), responses((status = 200, body = RecordBody)))]
pub async fn of_badge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(slug): Path<String>,
) -> Result<Answer<RecordBody>, ApiError> {
    record_of(&app, &caller, Subject::Badge(slug)).await
}

/// Read the record of an analyzer
///
/// Week by week, and which others concern the same identities: of those labeled alone.
#[utoipa::path(get, operation_id = "readAnalyzerRecord", path = "/labels/accuracy/analyzers/{id}", tag = "labels",
    params(("id" = String, Path)), responses((status = 200, body = RecordBody)))]
pub async fn of_analyzer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<RecordBody>, ApiError> {
    if !ANALYZERS.iter().any(|analyzer| analyzer.id == id) {
        return Err(ApiError::not_found(Code::NotFound, "analyzer"));
    }
    record_of(&app, &caller, Subject::Analyzer(id)).await
}

async fn record_of(app: &App, caller: &Caller, subject: Subject) -> Result<Answer<RecordBody>, ApiError> {
    let (team_id, now) = (caller.team_id(), app.clock.now());
    let asked = subject.clone();
    let (found, names) = app
        .long_reads
        .read(move |tx| Ok((accuracy::record(tx, team_id, &asked, now)?, Names::of_team(tx, team_id)?)))
        .await?;
    // A GOOD badge is right about the good.
    let badge_type = match &subject {
        Subject::Badge(slug) => names.badges.get(slug).map_or(BadgeType::Bad, |(_, badge_type)| *badge_type),
        _ => BadgeType::Bad,
    };
    let turned = |tally: Tally| if badge_type == BadgeType::Good { tally.of_a_good_badge() } else { tally };
    let weeks = found.weeks.into_iter().map(|week| {
        let Tally { right, wrong, .. } = turned(week.tally);
        WeekBody {
            begin: week.begin.to_string().chars().take(10).collect(),
            opened: week.opened,
            right,
            wrong,
        }
    });
    let overlaps = found.overlaps.into_iter().filter_map(|overlap| {
        let (subject_type, id, label) = names.of(overlap.other)?;
        Some(OverlapBody { subject_type, id, label, both: overlap.both, took_hold: overlap.took_hold })
    });
    Ok(Answer(RecordBody {
        tally: (badge_type != BadgeType::Neutral).then(|| turned(found.tally).into()),
        weeks: weeks.collect(),
        overlaps: overlaps.collect(),
        looked_at: found.looked_at,
        is_whole: found.is_whole,
        jumped: found.jumped.map(JumpBody::from),
    }))
}

/// What people call a team's rules and badges.
struct Names {
    rules: HashMap<i64, String>,
    badges: HashMap<String, (String, BadgeType)>,
}

impl Names {
    fn of_team(tx: &mut Tx, team_id: i64) -> crate::store::Result<Self> {
        let rules = rules::all_escalations(tx)?.into_iter().filter(|kept| kept.team_id == team_id);
        let badges = rules::all_badges(tx)?.into_iter().filter(|kept| kept.team_id == team_id);
        Ok(Self {
            rules: rules.map(|kept| (kept.rule.id, kept.rule.name)).collect(),
            badges: badges.map(|kept| (kept.rule.slug, (kept.rule.name, kept.rule.badge_type))).collect(),
        })
    }

    /// Type, id and label; `None` of a rule that is gone.
    fn of(&self, subject: Subject) -> Option<(&'static str, String, String)> {
        match subject {
            Subject::Rule(id) => Some(("RULE", id.to_string(), self.rules.get(&id)?.clone())),
            Subject::Badge(slug) => {
                let label = self.badges.get(&slug).map_or_else(|| slug.clone(), |(name, _)| name.clone());
                Some(("BADGE", slug, label))
            }
            Subject::Analyzer(id) => {
                let label = ANALYZERS.iter().find(|analyzer| analyzer.id == id)?.label.to_owned();
                Some(("ANALYZER", id, label))
            }
        }
    }
}
