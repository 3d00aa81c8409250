//! A collector that takes OpenTelemetry's traces over HTTP, and what it was told.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::receiver::Receiver;

/// A span as it was told, ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct Told {
    pub name: String,
    pub kind: i32,
    pub trace_id: String,
    pub span_id: String,
    /// Empty where there is none.
    pub parent_id: String,
    pub flags: u32,
    pub links: Vec<String>,
    pub began_at: u64,
    pub ended_at: u64,
    pub attributes: BTreeMap<String, String>,
    pub error: Option<String>,
    /// Whose it is, of the nodes.
    pub node: String,
}

pub struct Collector(pub Receiver);

impl Collector {
    pub async fn start() -> Self {
        Self(Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await)
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// All spans, in the order in which they came.
    pub fn spans(&self) -> Vec<Told> {
        let mut told = Vec::new();
        for request in self.0.requests() {
            assert!(request.request_line.starts_with("POST /v1/traces "), "{}", request.request_line);
            assert_eq!(request.headers["content-type"], "application/x-protobuf");
            let export = ExportTraceServiceRequest::decode(&*request.body).unwrap();
            for resource in export.resource_spans {
                let about = read(resource.resource.unwrap().attributes);
                assert_eq!(about["service.name"], "dregs");
                let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                told.extend(spans.map(|span| told_of(span, &about["service.instance.id"])));
            }
        }
        told
    }

    /// Those of a trace.
    pub fn of(&self, trace_id: &str) -> Vec<Told> {
        self.spans().into_iter().filter(|span| span.trace_id == trace_id).collect()
    }
}

fn told_of(span: Span, node: &str) -> Told {
    Told {
        name: span.name,
        kind: span.kind,
        trace_id: hex::encode(span.trace_id),
        span_id: hex::encode(span.span_id),
        parent_id: hex::encode(span.parent_span_id),
        flags: span.flags,
        links: span.links.into_iter().map(|link| hex::encode(link.span_id)).collect(),
        began_at: span.start_time_unix_nano,
        ended_at: span.end_time_unix_nano,
        attributes: read(span.attributes),
        error: span.status.filter(|status| status.code == 2).map(|status| status.message),
        node: node.to_owned(),
    }
}

fn read(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |attribute: KeyValue| match attribute.value.unwrap().value.unwrap() {
        Value::StringValue(text) => (attribute.key, text),
        Value::IntValue(number) => (attribute.key, number.to_string()),
        other => panic!("{other:?}"),
    };
    attributes.into_iter().map(text).collect()
}
