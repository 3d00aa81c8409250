//! Traces: what one request brings about, told as spans of one trace, over nodes and restarts.
//!
//! What is traced is decided once, when a request has been let in, and travels in rows from there: an identity that waits
//! for its cycle, and a delivery, know the span that they follow from. Who is in no trace has nulls there. Spans are made
//! only where somebody takes them; the header of webhooks is sent either way.

pub mod context;
mod export;
mod otlp;

use std::borrow::Cow;

use hyper::HeaderMap;
use tokio::sync::mpsc;

use crate::limit::{self, Limit};

pub use context::Context;
pub use export::{BATCH_MAX_SPANS, Collector, Exporter, QUEUE_MAX_SPANS, parse_headers};

/// What a span is to those who look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request that was answered.
    Server,
    /// A request that was sent.
    Client,
    Internal,
}

/// What is told beside the name of a span. Nothing that tells of a person.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Int(i64),
    Text(Cow<'static, str>),
}

/// A step that is over.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: &'static str,
    pub kind: Kind,
    pub context: Context,
    /// The span that it is a part of, or follows from.
    pub parent: Option<Context>,
    /// Others that it follows from.
    pub links: Vec<Context>,
    /// In nanoseconds since 1970.
    pub began_at: u64,
    pub ended_at: u64,
    pub attributes: Vec<(&'static str, Value)>,
    pub error: Option<Cow<'static, str>>,
}

/// A traced request, and who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub context: Context,
    pub parent: Option<Context>,
}

/// What decides who is traced, and takes the spans.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    queue: Option<mpsc::Sender<Span>>,
    sample_ratio: f64,
}

impl Traces {
    /// What goes to `collector`, of so large a part of the requests that are in no trace yet; and what sends it there.
    pub fn to(collector: Collector, sample_ratio: f64) -> (Self, Exporter) {
        let (queue, spans) = mpsc::channel(QUEUE_MAX_SPANS);
        (Self { queue: Some(queue), sample_ratio }, Exporter::new(collector, spans))
    }

    /// Whether a request with these headers is traced. It is where its caller says so by a valid `traceparent`; without
    /// one, chance decides, as long as there is somebody to tell.
    pub fn begin(&self, headers: &HeaderMap) -> Option<Begun> {
        if let Some(caller) = Context::of_headers(headers) {
            return caller.is_sampled().then(|| Begun { context: caller.child(), parent: Some(caller) });
        }
        let is_drawn = self.queue.is_some() && rand::random::<f64>() < self.sample_ratio;
        is_drawn.then(|| Begun { context: Context::root(), parent: None })
    }

    /// Hands a span on to whoever takes it. It is made only then, and lost where too many wait.
    pub fn record(&self, make: impl FnOnce() -> Span) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send(make()).is_err() {
            limit::reached(Limit::SpanQueue);
            export::lost("queue_full", 1);
        }
    }
}

impl Span {
    /// A step of its own that began then and ends now.
    pub fn new(
        name: &'static str,
        kind: Kind,
        context: Context,
        parent: Option<Context>,
        began_at: u64,
    ) -> Self {
        Self {
            name,
            kind,
            context,
            parent,
            links: Vec::new(),
            began_at,
            ended_at: crate::clock::unix_nanos().max(began_at),
            attributes: Vec::new(),
            error: None,
        }
    }

    #[must_use]
    pub fn int(mut self, name: &'static str, value: impl TryInto<i64>) -> Self {
        self.attributes.push((name, Value::Int(value.try_into().unwrap_or(i64::MAX))));
        self
    }

    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.attributes.push((name, Value::Text(value.into())));
        self
    }

    #[must_use]
    pub fn linked(self, links: Vec<Context>) -> Self {
        Self { links, ..self }
    }

    #[must_use]
    pub fn ended(self, ended_at: u64) -> Self {
        Self { ended_at: ended_at.max(self.began_at), ..self }
    }

    #[must_use]
    pub fn failed(self, error: Option<impl Into<Cow<'static, str>>>) -> Self {
        Self { error: error.map(Into::into), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(traceparent: &str) -> HeaderMap {
        HeaderMap::from_iter([(context::HEADER, traceparent.parse().unwrap())])
    }

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    fn recording(sample_ratio: f64) -> (Traces, mpsc::Receiver<Span>) {
        let (queue, spans) = mpsc::channel(QUEUE_MAX_SPANS);
        (Traces { queue: Some(queue), sample_ratio }, spans)
    }

    #[test]
    fn a_caller_decides_and_without_one_chance_does_where_somebody_takes_spans() {
        let is_traced = |traces: &Traces, headers: &HeaderMap| traces.begin(headers).is_some();
        for traces in [Traces::default(), recording(0.0).0, recording(1.0).0] {
            assert!(is_traced(&traces, &headers(SAMPLED)));
            assert!(!is_traced(&traces, &headers(NOT_SAMPLED)));
        }
        let none = HeaderMap::new();
        let always = Traces { queue: None, sample_ratio: 1.0 };
        assert!(!is_traced(&always, &none), "nobody would see it");
        assert!(!is_traced(&recording(0.0).0, &none));
        assert!(is_traced(&recording(1.0).0, &none));
        let half = recording(0.5).0;
        let drawn = (0..1_000).filter(|_| is_traced(&half, &none)).count();
        assert!((400..600).contains(&drawn), "{drawn}");
    }

    #[test]
    fn spans_beyond_the_queue_are_lost_and_counted() {
        let (traces, mut spans) = recording(1.0);
        let root = Context::root();
        let record = || traces.record(|| Span::new("a", Kind::Internal, root.child(), Some(root), 1));
        let fill = || (0..QUEUE_MAX_SPANS).for_each(|_| record());
        assert_eq!(limit::watched(fill).1, []);
        assert_eq!(limit::watched(record).1, [Limit::SpanQueue]);
        assert_eq!(std::iter::from_fn(|| spans.try_recv().ok()).count(), QUEUE_MAX_SPANS);
        assert_eq!(limit::watched(record).1, []);
        Traces::default().record(|| panic!("made for nobody"));
    }
}
