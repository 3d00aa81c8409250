//! What filters of lists name: a thing that is none would find nothing, which reads as if there were nothing to find.
//!
//! Asked only where nothing was found. Who and what events told of, such as identities and devices, may be unknown yet.

use std::fmt::Display;

use dregs_core::badge;

use super::error::ApiError;
use super::params::did_you_mean;
use crate::app::App;
use crate::store::escalations::{self, Filter};
use crate::store::{Tx, deliveries, rules};

/// That a team has a rule for the badge with this slug, or that it needs none.
///
/// # Errors
/// Names the one that may be meant, else all there are.
pub async fn badge(app: &App, team_id: i64, slug: &str) -> Result<(), ApiError> {
    let all = app.store.read(rules::all_badges).await?;
    let own = all.into_iter().filter(|kept| kept.team_id == team_id).map(|kept| kept.rule.slug);
    let slugs: Vec<_> = own.chain(badge::reserved().map(str::to_owned)).collect();
    if slugs.iter().any(|known| known == slug) {
        return Ok(());
    }
    let hint = did_you_mean(slug, slugs.iter().map(String::as_str)).unwrap_or_else(|| there_are(&slugs));
    Err(ApiError::field("badge", format!("is the slug of no badge{hint}")))
}

/// The id of a team's escalation rule, which may be gone if escalations of it are left.
///
/// # Errors
/// Names the one that may be meant, else all there are.
pub async fn escalation_rule(app: &App, team_id: i64, text: &str) -> Result<i64, ApiError> {
    let id = text.parse().ok();
    let (left, all) = app
        .store
        .read(move |tx: &mut Tx| {
            let filter = Filter { rule_id: id, ..Filter::default() };
            let left = if id.is_some() { escalations::count(tx, team_id, &filter, 1)? } else { 0 };
            Ok((left, if left == 0 { rules::all_escalations(tx)? } else { Vec::new() }))
        })
        .await?;
    let own: Vec<_> = all.into_iter().filter(|kept| kept.team_id == team_id).map(|kept| kept.rule).collect();
    match id {
        Some(id) if left > 0 || own.iter().any(|rule| rule.id == id) => return Ok(id),
        _ => {}
    }
    let names: Vec<_> = own.iter().map(|rule| format!("{} ({})", rule.id, rule.name)).collect();
    let meant = own.iter().find(|rule| did_you_mean(text, std::iter::once(rule.name.as_str())).is_some());
    let hint = match meant {
        Some(rule) => format!("; did you mean {} ({})?", rule.id, rule.name),
        None => there_are(&names),
    };
    Err(ApiError::field("rule", format!("is the number of no escalation rule{hint}")))
}

/// How deliveries fail: in an attempt, or without one.
///
/// # Errors
/// Names the one that may be meant, else all there are.
pub fn error_class(text: &str) -> Result<String, ApiError> {
    let class = text.to_ascii_lowercase();
    let known = deliveries::ERROR_CLASSES;
    if known.contains(&class.as_str()) {
        return Ok(class);
    }
    let hint = did_you_mean(&class, known.into_iter()).unwrap_or_else(|| there_are(&known));
    Err(ApiError::field("errorClass", format!("is no class of errors{hint}")))
}

/// How many names an error tells.
const TOLD_MAX: usize = 20;

fn there_are(names: &[impl Display]) -> String {
    let told: Vec<_> = names.iter().take(TOLD_MAX).map(ToString::to_string).collect();
    match (told.len(), names.len()) {
        (0, _) => "; there is none".to_owned(),
        (told_len, len) if told_len < len => {
            format!("; there are {} and {} more", told.join(", "), len - told_len)
        }
        _ => format!("; there are {}", told.join(", ")),
    }
}
