//! How often rules, badges and analyzers were right.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::badge::{self, BadgeType};
use dregs_core::score::ANALYZERS;
use dregs_core::wilson::wilson;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use crate::app::App;
use crate::ops::decide::accuracy::{self, Tally};
use crate::store::rules;

/// How often something took hold, and was right.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TallyBody {
    /// Identities.
    took_hold: u64,
    /// Those of them who are labeled BAD; of a GOOD badge, those labeled GOOD.
    right: u64,
    /// Those of them who are labeled otherwise.
    wrong: u64,
    unlabelled: u64,
    /// Between which the part that is right is with 95 % (Wilson's interval), from 0 to 1; null where nobody is labeled.
    low: Option<f64>,
    high: Option<f64>,
}

impl From<Tally> for TallyBody {
    fn from(tally: Tally) -> Self {
        let Tally { right, wrong, unlabelled } = tally;
        let judged = right + wrong;
        let (low, high) = (judged > 0).then(|| wilson(right, judged)).unzip();
        Self { took_hold: judged + unlabelled, right, wrong, unlabelled, low, high }
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
}

/// Read how often rules, badges and analyzers were right
///
/// Each is right about who is labeled BAD and wrong about who is labeled GOOD, as far as it had taken hold at the cycle
/// that was looked at. A GOOD badge speaks for an identity: it is the other way round.
#[utoipa::path(get, operation_id = "readAccuracy", path = "/labels/accuracy", tag = "labels",
    responses((status = 200, body = AccuracyBody)))]
pub async fn read(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<AccuracyBody>, ApiError> {
    let team_id = caller.team_id();
    let (found, rules, badge_rules) = app
        .long_reads
        .read(move |tx| {
            Ok((accuracy::read(tx, team_id)?, rules::all_escalations(tx)?, rules::all_badges(tx)?))
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
    }))
}
