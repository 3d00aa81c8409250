//! Spans as OpenTelemetry's protocol has them.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan, Status};
use prost::Message;

use super::{Context, Kind, Span, Value};

/// The protocol's flag that says that it is known whether the parent is elsewhere.
const KNOWS_PARENT: u32 = 0x100;
/// And the one that says that it is.
const PARENT_IS_REMOTE: u32 = 0x200;

/// The body of a request.
pub fn encode(spans: &[Span], instance_id: &str) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let resource =
        [("service.name", "dregs"), ("service.version", version), ("service.instance.id", instance_id)];
    let resource = Resource {
        attributes: resource.map(|(name, value)| text(name, value)).to_vec(),
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "dregs".to_owned(),
        version: version.to_owned(),
        ..InstrumentationScope::default()
    };
    let of_scope =
        ScopeSpans { scope: Some(scope), spans: spans.iter().map(span).collect(), ..ScopeSpans::default() };
    let of_resource =
        ResourceSpans { resource: Some(resource), scope_spans: vec![of_scope], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }.encode_to_vec()
}

/// How many spans the collector has refused of those that it was sent, and why.
pub fn refused(answer: &[u8]) -> Option<(u64, String)> {
    let partial = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
    let count = u64::try_from(partial.rejected_spans).unwrap_or_default();
    (count > 0).then_some((count, partial.error_message))
}

fn span(span: &Span) -> OtlpSpan {
    let kind = match span.kind {
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Internal => SpanKind::Internal,
    };
    let remote = if span.kind == Kind::Server && span.parent.is_some() { PARENT_IS_REMOTE } else { 0 };
    let status = span
        .error
        .as_ref()
        .map(|message| Status { message: message.clone().into_owned(), code: StatusCode::Error.into() });
    OtlpSpan {
        trace_id: span.context.trace_id().to_vec(),
        span_id: span.context.span_id().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.span_id().to_vec()).unwrap_or_default(),
        flags: u32::from(span.context.flags()) | KNOWS_PARENT | remote,
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: span.began_at,
        end_time_unix_nano: span.ended_at,
        attributes: span.attributes.iter().map(attribute).collect(),
        links: span.links.iter().map(link).collect(),
        status,
        ..OtlpSpan::default()
    }
}

fn link(to: &Context) -> Link {
    Link {
        trace_id: to.trace_id().to_vec(),
        span_id: to.span_id().to_vec(),
        flags: u32::from(to.flags()),
        ..Link::default()
    }
}

fn attribute((name, value): &(&'static str, Value)) -> KeyValue {
    match value {
        Value::Int(number) => key_value(name, any_value::Value::IntValue(*number)),
        Value::Text(words) => text(name, words),
    }
}

fn text(name: &str, value: &str) -> KeyValue {
    key_value(name, any_value::Value::StringValue(value.to_owned()))
}

fn key_value(name: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
