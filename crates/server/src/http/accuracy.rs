//! How often rules, badges and analyzers were right.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::badge;
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
    /// Those of them who are labelled BAD.
    right: u64,
    /// Those who are labelled GOOD.
    wrong: u64,
    unlabelled: u64,
    /// Between which the part that is right is with 95 % (Wilson's interval), from 0 to 1; null where nobody is labelled.
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

/// An analyzer, where it spoke against somebody who is labelled.
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
    /// Identities labelled GOOD, among the newest 20,000 labels.
    good: u64,
    /// And BAD.
    bad: u64,
    /// Escalation rules, by id.
    rules: Vec<RuleAccuracyBody>,
    /// Badges, by slug.
    badges: Vec<BadgeAccuracyBody>,
    /// Analyzers, in the order of the manual.
    analyzers: Vec<AnalyzerAccuracyBody>,
}

/// Read how often rules, badges and analyzers were right
///
/// Each is right about who is labelled BAD and wrong about who is labelled GOOD, as far as it had taken hold at the cycle
/// that was looked at.
#[utoipa::path(get, operation_id = "readAccuracy", path = "/labels/accuracy", tag = "labels",
    responses((status = 200, body = AccuracyBody)))]
pub async fn read(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<AccuracyBody>, ApiError> {
    let team_id = caller.team_id();
    let (found, rules) = app
        .long_reads
        .read(move |tx| Ok((accuracy::read(tx, team_id)?, rules::all_escalations(tx)?)))
        .await?;
    let rules = rules.into_iter().filter(|kept| kept.team_id == team_id).map(|kept| RuleAccuracyBody {
        id: kept.rule.id,
        tally: found.rules.get(&kept.rule.id).copied().unwrap_or_default().into(),
        name: kept.rule.name,
    });
    let is_of_somebody = |slug: &String| slug != badge::CONFIRMED_BAD;
    let badges = found.badges.iter().filter(|(slug, _)| is_of_somebody(slug));
    let analyzers = ANALYZERS.iter().filter_map(|analyzer| {
        let tally = found.analyzers.get(analyzer.id).copied()?;
        Some(AnalyzerAccuracyBody { id: analyzer.id.to_owned(), label: analyzer.label, tally: tally.into() })
    });
    Ok(Answer(AccuracyBody {
        good: found.good,
        bad: found.bad,
        badges: badges
            .map(|(slug, tally)| BadgeAccuracyBody { slug: slug.clone(), tally: (*tally).into() })
            .collect(),
        analyzers: analyzers.collect(),
        rules: rules.collect(),
    }))
}
