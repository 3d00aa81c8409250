//! Sending spans to a collector, in the background: many at a time, and none twice as long as it can be helped. A collector
//! that hangs or is gone costs spans, which are counted, and nothing else.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use url::Url;

use super::{Span, otlp};
use crate::channels::egress::Target;
use crate::channels::http::{EgressConfig, HttpClient, PostRequest};
use crate::channels::outcome::Outcome;
use crate::clock::monotonic;
use crate::shutdown::Shutdown;

/// Spans that wait to be sent; what comes beyond is lost.
pub const QUEUE_MAX_SPANS: usize = 2_048;
/// Spans of one request to the collector.
pub const BATCH_MAX_SPANS: usize = 512;
/// How long a span waits for others to be sent with.
const GATHER: Duration = Duration::from_secs(1);
/// For all of one request.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often the same spans are sent while the collector asks to come again, or is not there.
const TRIES_MAX: u32 = 3;
/// Before the second try, twice as long before the third, unless the collector says otherwise.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that it may ask to wait.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// What is left when the server stops has this long.
const FLUSH_MAX: Duration = Duration::from_secs(3);
/// Between two lines about spans that were lost.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Where below the endpoint traces go.
const PATH: &str = "/v1/traces";

/// Where spans go.
pub struct Collector {
    client: HttpClient,
    target: Target,
    headers: HeaderMap,
}

impl Collector {
    /// The collector at `endpoint`, wherever it is: whoever names it in a setting wants it sent to.
    ///
    /// # Errors
    /// A sentence for the operator, without a word of the headers.
    pub fn new(endpoint: &str, headers: &str, egress: EgressConfig) -> Result<Self, String> {
        let wrong = |error: String| format!("otlp_endpoint: {error}");
        let base = endpoint.trim_end_matches('/');
        let url = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
        let parsed = Url::parse(&url).map_err(|error| wrong(error.to_string()))?;
        let target = Target::parse(&url).map_err(|error| wrong(format!("the URL {error}")))?;
        let policy = egress.policy.and_host_of(&parsed);
        let mut all = parse_headers(headers).map_err(|error| format!("otlp_headers: {error}"))?;
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        all.insert(USER_AGENT, HeaderValue::from_static(concat!("Dregs/", env!("CARGO_PKG_VERSION"))));
        Ok(Self { client: HttpClient::new(EgressConfig { policy, ..egress })?, target, headers: all })
    }
}

/// Reads headers as `OTEL_EXPORTER_OTLP_HEADERS` has them: `name=value`, separated by commas, values percent-encoded.
///
/// # Errors
/// A sentence without the values.
pub fn parse_headers(text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("expected names and values, such as api-key=abc")?;
        let name = name.trim().to_ascii_lowercase();
        let parsed =
            HeaderName::try_from(&name).map_err(|_| format!("{name} is not the name of a header"))?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8_lossy();
        let mut value = HeaderValue::try_from(value.as_ref())
            .map_err(|_| format!("the value of {name} must be printable ASCII"))?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// Counts spans that nobody will see.
pub(super) fn lost(reason: &'static str, count: usize) {
    metrics::counter!("dregs_spans_lost_total", "reason" => reason).increment(count as u64);
}

/// What came of sending spans.
enum Sent {
    /// So many were refused all the same, for this reason.
    Taken(Option<(u64, String)>),
    /// None was taken; whether it may be tried again, and after which pause.
    Failed { error: String, again: Option<Duration> },
}

/// Sends spans to a collector.
pub struct Exporter {
    collector: Collector,
    spans: mpsc::Receiver<Span>,
    /// Tells this process from other nodes.
    instance_id: String,
    told: Told,
}

/// What the log was told.
#[derive(Default)]
struct Told {
    at: Option<std::time::Instant>,
    /// Of which no line has told yet.
    lost: u64,
}

impl Told {
    fn lost(&mut self, count: u64, error: &str) {
        self.lost += count;
        let now = monotonic();
        if self.at.is_none_or(|at| now.duration_since(at) >= TELL_EVERY) {
            self.at = Some(now);
            let spans = std::mem::take(&mut self.lost);
            tracing::warn!(spans, error, "spans are lost: the collector at otlp_endpoint does not take them");
        }
    }
}

impl Exporter {
    pub(super) fn new(collector: Collector, spans: mpsc::Receiver<Span>) -> Self {
        let instance_id = format!("{:032x}", rand::random::<u128>());
        Self { collector, spans, instance_id, told: Told::default() }
    }

    /// Sends what comes until `shutdown`, then what is left, within a bound.
    pub async fn run(mut self, mut shutdown: Shutdown) {
        let mut batch = Vec::new();
        let mut end = None;
        while end.is_none() {
            tokio::select! {
                _ = self.gather(&mut batch) => {}
                () = shutdown.begun() => end = Some(Instant::now() + FLUSH_MAX),
            }
            if end.is_none() {
                let shipped = {
                    let mut shipping = pin!(self.ship(&batch));
                    tokio::select! {
                        shipped = &mut shipping => shipped,
                        () = shutdown.begun() => {
                            let until = Instant::now() + FLUSH_MAX;
                            end = Some(until);
                            timeout_at(until, shipping).await.unwrap_or_else(|_| late(batch.len()))
                        }
                    }
                };
                self.note(&batch, shipped);
                batch.clear();
            }
        }
        self.flush(batch, end.unwrap_or_else(Instant::now)).await;
    }

    /// Waits for a span, and a while for more.
    async fn gather(&mut self, batch: &mut Vec<Span>) {
        if batch.is_empty() && self.spans.recv_many(batch, BATCH_MAX_SPANS).await == 0 {
            // Nobody is left who could record anything.
            return std::future::pending().await;
        }
        let until = Instant::now() + GATHER;
        while batch.len() < BATCH_MAX_SPANS {
            let room = BATCH_MAX_SPANS - batch.len();
            tokio::select! {
                count = self.spans.recv_many(batch, room) => if count == 0 { return },
                () = sleep_until(until) => return,
            }
        }
    }

    /// Sends what is left until then.
    async fn flush(&mut self, mut batch: Vec<Span>, until: Instant) {
        loop {
            while batch.len() < BATCH_MAX_SPANS
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            let shipped = timeout_at(until, self.ship(&batch)).await.unwrap_or_else(|_| late(batch.len()));
            self.note(&batch, shipped);
            batch.clear();
        }
    }

    /// Sends spans, again where that may help; the answer is how many were lost, and why.
    async fn ship(&self, batch: &[Span]) -> Option<(u64, String)> {
        let body = Bytes::from(otlp::encode(batch, &self.instance_id));
        let mut pause = PAUSE;
        for tries in 1.. {
            match self.send(body.clone()).await {
                Sent::Taken(refused) => return refused,
                Sent::Failed { again: Some(wait), .. } if tries < TRIES_MAX => {
                    tokio::time::sleep(wait.max(pause).min(PAUSE_MAX)).await;
                    pause *= 2;
                }
                Sent::Failed { error, .. } => return Some((batch.len() as u64, error)),
            }
        }
        None
    }

    async fn send(&self, body: Bytes) -> Sent {
        let Collector { client, target, headers } = &self.collector;
        let request = |on_new_connection| PostRequest {
            target: target.clone(),
            headers: headers.clone(),
            body: body.clone(),
            deadline: DEADLINE,
            on_new_connection,
        };
        let mut outcome = client.post(request(false)).await;
        if outcome.again_at_once {
            outcome = client.post(request(true)).await;
        }
        let Outcome { response, error, retry_after_seconds, .. } = outcome;
        let Some(error) = error else {
            return Sent::Taken(response.and_then(|response| otlp::refused(&response.body)));
        };
        // What the protocol has sent again; whoever has not answered may have been away.
        let may_help = response.is_none_or(|response| matches!(response.status, 429 | 502..=504));
        let wait = Duration::from_secs(retry_after_seconds.unwrap_or_default());
        Sent::Failed { error: error.message, again: may_help.then_some(wait) }
    }

    fn note(&mut self, batch: &[Span], not_taken: Option<(u64, String)>) {
        let (count, error) = not_taken.unwrap_or_default();
        let taken = (batch.len() as u64).saturating_sub(count);
        metrics::counter!("dregs_spans_exported_total").increment(taken);
        if count > 0 {
            lost("not_taken", usize::try_from(count).unwrap_or(usize::MAX));
            self.told.lost(count, &error);
        }
    }
}

/// What is said of spans for which there was no time left.
fn late(count: usize) -> Option<(u64, String)> {
    Some((count as u64, "the server stops, and the collector has not answered in time".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_trade_writes_them() {
        let read = |text| {
            parse_headers(text).map(|headers| {
                let shown = |(name, value): (&HeaderName, &HeaderValue)| {
                    format!("{name}: {}", value.to_str().unwrap_or("?"))
                };
                headers.iter().map(shown).collect::<Vec<_>>()
            })
        };
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(
            read("Authorization=Basic%20YTpi, api-key = a=b ,"),
            Ok(vec!["authorization: Basic YTpi".to_owned(), "api-key: a=b".to_owned()])
        );
        assert_eq!(read("secret"), Err("expected names and values, such as api-key=abc".to_owned()));
        assert_eq!(read("a b=secret"), Err("a b is not the name of a header".to_owned()));
        assert_eq!(read("a=secret%0A"), Err("the value of a must be printable ASCII".to_owned()));
    }

    #[test]
    fn an_endpoint_has_the_path_of_traces_once() {
        let at = |endpoint: &str| {
            Collector::new(endpoint, "", EgressConfig::default()).map(|it| it.target.url().to_string())
        };
        let path = "http://127.0.0.1:4318/v1/traces";
        assert_eq!(at("http://127.0.0.1:4318"), Ok(path.to_owned()));
        assert_eq!(at("http://127.0.0.1:4318/"), Ok(path.to_owned()));
        assert_eq!(at(path), Ok(path.to_owned()));
        assert_eq!(
            at("https://otlp.example.com/otlp"),
            Ok("https://otlp.example.com/otlp/v1/traces".to_owned())
        );
    }
}
