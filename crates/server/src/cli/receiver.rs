//! A webhook as a receiver on this machine sees it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use dregs_core::notify::verify::{Finding, Received, Step, TOLERANCE_SECONDS, accepted};
use dregs_core::time::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;

/// A request to a receiver.
pub struct Delivered {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Delivered {
    /// Every step of the check of both signature families.
    pub fn check(&self, secret: &str, now: Timestamp) -> Verdict {
        let received = Received { secret, body: &self.body, now, tolerance_seconds: TOLERANCE_SECONDS };
        Verdict(received.check(|name| self.headers.get(name)?.to_str().ok()))
    }

    /// What it says; empty where it says nothing.
    pub fn content(&self) -> Content {
        Content::read(&serde_json::from_slice(&self.body).unwrap_or_default())
    }
}

/// What a check came to.
pub struct Verdict(Vec<Step>);

impl Verdict {
    pub fn is_genuine(&self) -> bool {
        accepted(&self.0)
    }

    /// What is wrong, one sentence each.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|step| match &step.finding {
            Finding::Failed(why) => Some(format!("{}: {why}", step.name)),
            Finding::Passed(_) | Finding::Skipped(_) => None,
        })
    }
}

/// What a webhook says, as far as a line of text can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub event: String,
    pub identity: Option<String>,
    pub sequence: Option<u64>,
    /// The category in lower case, its score, and the score of the cycle before.
    pub scores: Vec<Score>,
    /// Badges that it says were given, such as `+bot`, and taken.
    pub badges: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    pub category: String,
    /// From 0 to 100.
    pub now: i64,
    pub before: Option<i64>,
}

impl Content {
    fn read(body: &Value) -> Self {
        let data = &body["data"];
        let score = |(category, value): (&String, &Value)| {
            let before = data["previousScores"][category].as_i64();
            Some(Score { category: category.clone(), now: value.as_i64()?, before })
        };
        Self {
            event: body["event"].as_str().unwrap_or("-").to_owned(),
            identity: body["identityId"].as_str().or(data["identityId"].as_str()).map(str::to_owned),
            sequence: body["sequence"].as_u64(),
            scores: data["scores"].as_object().into_iter().flatten().filter_map(score).collect(),
            badges: badges("+", &data["added"]).chain(badges("-", &data["removed"])).collect(),
        }
    }
}

fn badges<'b>(sign: &'b str, all: &'b Value) -> impl Iterator<Item = String> + 'b {
    let slugs = all.as_array().into_iter().flatten().filter_map(|badge| badge["slug"].as_str());
    slugs.map(move |slug| format!("{sign}{slug}"))
}

/// Answers every request to `listener` with what `answer` says, until `stop` resolves.
pub async fn receive<A, F>(
    listener: TcpListener,
    answer: A,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()>
where
    A: Fn(Delivered) -> F + Send + Sync + 'static,
    F: Future<Output = StatusCode> + Send + 'static,
{
    let answer = Arc::new(answer);
    let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        let answer = Arc::clone(&answer);
        async move { answer(Delivered { headers, body }).await }
    });
    tokio::select! {
        served = axum::serve(listener, router) => served,
        () = stop => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_score_is_read_with_the_one_before() {
        let body = json!({
            "event": "IDENTITY_SCORED", "identityId": "user_1", "sequence": 2,
            "data": {"scores": {"humanity": 12, "behavior": 40}, "previousScores": {"humanity": 64}}
        });
        let score = |category: &str, now, before| Score { category: category.into(), now, before };
        let expected = Content {
            event: "IDENTITY_SCORED".into(),
            identity: Some("user_1".into()),
            sequence: Some(2),
            scores: vec![score("humanity", 12, Some(64)), score("behavior", 40, None)],
            badges: Vec::new(),
        };
        assert_eq!(Content::read(&body), expected);
        let body = json!({"event": "IDENTITY_BADGES_CHANGED",
            "data": {"added": [{"slug": "bot"}, {}], "removed": [{"slug": "trusted"}]}});
        assert_eq!(Content::read(&body).badges, ["+bot", "-trusted"]);
    }

    #[test]
    fn a_body_that_says_nothing_is_read_all_the_same() {
        let nothing = Content { event: "-".into(), ..Content::default() };
        for body in
            [json!(null), json!([]), json!({"data": 1}), json!({"data": {"scores": {"humanity": "x"}}})]
        {
            assert_eq!(Content::read(&body), nothing, "{body}");
        }
    }
}
