//! What a channel sends of what it is subscribed to: read and shown.

use dregs_core::badge;
use dregs_core::notify::filter::{ChannelFilter, Scored};
use dregs_core::notify::message::EventType;
use dregs_core::rules::{Condition, Which};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::error::{ApiError, both, must};
use super::params::word;
use super::rules::{self, Flaw};
use crate::app::App;
use crate::store::channels::Subscriptions;
use crate::store::rules as stored;

/// Which `IDENTITY_SCORED` a channel sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoredBody {
    /// ALWAYS; CHANGED where a score has moved by `by` points or more since the last one sent to this channel; or
    /// CROSSED where it is below `threshold` and was not in the cycle before, or was and is not.
    #[schema(example = "CROSSED")]
    when: String,
    /// With CHANGED: from 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    by: Option<i64>,
    /// With CHANGED and CROSSED: HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR, or ANY, the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ANY")]
    category: Option<String>,
    /// With CROSSED: from 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 50, minimum = 1, maximum = 100)]
    threshold: Option<i64>,
}

impl From<Scored> for ScoredBody {
    fn from(scored: Scored) -> Self {
        let category = |category: Which| Some(category.name().to_owned());
        match scored {
            Scored::Always => Self { when: "ALWAYS".into(), ..Self::default() },
            Scored::Changed { category: which, by } => Self {
                when: "CHANGED".into(),
                by: Some(by.into()),
                category: category(which),
                ..Self::default()
            },
            Scored::Crossed { category: which, threshold } => Self {
                when: "CROSSED".into(),
                threshold: Some(threshold.into()),
                category: category(which),
                ..Self::default()
            },
        }
    }
}

impl ScoredBody {
    fn read(self) -> Result<Scored, ApiError> {
        let Self { when, by, category, threshold } = self;
        let when = word(&when);
        let goes_with = |is_given: bool, name: &str, with: &str, is_right: bool| {
            must(!is_given || is_right, &format!("scored.{name}"), format!("goes with {with}"))
        };
        let is_known = must(
            ["ALWAYS", "CHANGED", "CROSSED"].contains(&when.as_str()),
            "scored.when",
            "must be ALWAYS, CHANGED or CROSSED",
        );
        let fits = both(
            both(
                goes_with(by.is_some(), "by", "`when` CHANGED", when == "CHANGED"),
                goes_with(threshold.is_some(), "threshold", "`when` CROSSED", when == "CROSSED"),
            ),
            goes_with(category.is_some(), "category", "`when` CHANGED or CROSSED", when != "ALWAYS"),
        );
        both(is_known, fits)?;
        let category = category.map_or(Ok(Which::Any), |name| {
            Which::parse(&word(&name)).ok_or_else(|| {
                let message = "must be HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR or ANY";
                ApiError::field("scored.category", message)
            })
        });
        let points = |name: &str, points: Option<i64>| {
            let points = points.and_then(|points| u8::try_from(points).ok());
            let points = points.filter(|points| (1..=100).contains(points));
            points.ok_or_else(|| ApiError::field(&format!("scored.{name}"), "must be from 1 to 100"))
        };
        Ok(match when.as_str() {
            "CHANGED" => {
                let (by, category) = both(points("by", by), category)?;
                Scored::Changed { category, by }
            }
            "CROSSED" => {
                let (threshold, category) = both(points("threshold", threshold), category)?;
                Scored::Crossed { category, threshold }
            }
            _ => Scored::Always,
        })
    }
}

/// The badges, lists and counters that conditions may name.
pub struct Names {
    badges: Vec<String>,
    others: rules::Known,
}

impl Names {
    /// Those of a team, beside the badges of the analyzers.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of_team(app: &App, team_id: i64) -> Result<Self, ApiError> {
        let all = app.store.read(stored::all_badges).await?;
        let own = all.into_iter().filter(|kept| kept.team_id == team_id);
        let badges = own.map(|kept| kept.rule.slug).collect();
        Ok(Self { badges, others: rules::Known::of_team(app, team_id) })
    }

    /// Whoever names a badge, a list or a counter expects that there is one; what is gone since may stay.
    fn flaw(&self, condition: &Condition, before: &[Condition]) -> Flaw {
        let flaw = self.others.flaw(condition, before);
        if flaw.is_some() {
            return flaw;
        }
        let badge = condition
            .badge()
            .filter(|_| !before.iter().flat_map(Condition::walk).any(|known| known == condition))?;
        let is_known = badge::is_reserved(badge) || self.badges.iter().any(|slug| slug == badge);
        (!is_known).then(|| ("badge", format!("there is no badge `{badge}`")))
    }
}

/// The filter of a channel: `before`, with what is given of it.
///
/// # Errors
/// What is wrong, by field.
pub fn read(
    conditions: Option<Value>,
    scored: Option<ScoredBody>,
    names: &Names,
    before: &ChannelFilter,
) -> Result<ChannelFilter, ApiError> {
    let conditions = match conditions {
        None => Ok(before.conditions.clone()),
        Some(Value::Array(none)) if none.is_empty() => Ok(Vec::new()),
        Some(given) => rules::conditions(given, |condition| names.flaw(condition, &before.conditions)),
    };
    let scored = scored.map_or(Ok(before.scored), ScoredBody::read);
    let (conditions, scored) = both(conditions, scored)?;
    Ok(ChannelFilter { conditions, scored })
}

/// Whether a channel hears of scores, of which it wants some.
///
/// # Errors
/// Names the field where it does not.
pub fn check(filter: &ChannelFilter, events: Subscriptions) -> Result<(), ApiError> {
    let is_right = filter.scored == Scored::Always || events.contains(EventType::IdentityScored);
    must(is_right, "scored.when", "must be ALWAYS where `events` has no IDENTITY_SCORED")
}
