//! What came of sending: the answer, or a failure in words that a person understands.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;

/// Why an attempt failed: a closed list, stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The name could not be resolved.
    Dns,
    /// The egress guard refused an address.
    EgressBlocked,
    /// No connection could be opened.
    Connect,
    /// The endpoint's certificate or its TLS was refused.
    Tls,
    /// The deadline passed.
    Timeout,
    /// The endpoint answered with a redirect; none is followed.
    Redirect,
    /// The endpoint answered with a status that is neither 2xx nor a redirect.
    HttpStatus,
    /// The connection ended before the answer did.
    ConnectionClosed,
    /// What came back is not HTTP, or more of it than is read.
    Protocol,
    /// The mail server refused the letter.
    SmtpReply,
}

impl ErrorClass {
    pub const ALL: [Self; 10] = [
        Self::Dns,
        Self::EgressBlocked,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Redirect,
        Self::HttpStatus,
        Self::ConnectionClosed,
        Self::Protocol,
        Self::SmtpReply,
    ];

    /// The name that is stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::EgressBlocked => "egress_blocked",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Redirect => "redirect",
            Self::HttpStatus => "http_status",
            Self::ConnectionClosed => "connection_closed",
            Self::Protocol => "protocol",
            Self::SmtpReply => "smtp_reply",
        }
    }

    /// The class stored under `code`.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// A failure: its class, and a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    pub class: ErrorClass,
    pub message: String,
}

impl SendError {
    pub(super) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

/// What is kept of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// In the order received; values that are not UTF-8 with replacement characters; bounded in
    /// number and size.
    pub headers: Vec<(String, String)>,
    /// The first bytes of the body, bounded.
    pub body: Vec<u8>,
    /// Whether there was more of headers or body than is kept here.
    pub is_truncated: bool,
}

/// What a failure says of the next attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It may succeed.
    #[default]
    Retry,
    /// This will never be taken.
    Refused,
    /// Nothing will ever be taken.
    Gone,
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The address connected to, if it came to that.
    pub remote_address: Option<SocketAddr>,
    /// The answer as far as it arrived, for failures too.
    pub response: Option<Response>,
    /// `None` is success: a complete answer with a status of 2xx.
    pub error: Option<SendError>,
    /// What a failing answer asks to wait before the next attempt.
    pub retry_after_seconds: Option<u64>,
    /// Of a failure.
    pub verdict: Verdict,
    /// Of a failure: a kept connection broke under the request. Whether that arrived is not known, nothing is
    /// wrong with the endpoint, and on a new connection it should be made again at once.
    pub again_at_once: bool,
    /// Of a success, what is worth knowing all the same: a recipient whom the mail server refused.
    pub note: Option<String>,
    /// Of a failure, the recipients who are done with, since they have it or never will: the next attempt is for the
    /// others.
    pub settled: Vec<String>,
}

impl Outcome {
    pub(super) fn succeeded() -> Self {
        let (remote_address, response, error, retry_after_seconds) = (None, None, None, None);
        let verdict = Verdict::Retry;
        let (again_at_once, note, settled) = (false, None, Vec::new());
        Self { remote_address, response, error, retry_after_seconds, verdict, again_at_once, note, settled }
    }

    /// A failure before anything was sent.
    pub fn failed(error: SendError) -> Self {
        Self { error: Some(error), ..Self::succeeded() }
    }

    /// Whether the endpoint has taken what was sent.
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }
}

/// How far a request got: what a timeout is explained with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Resolving,
    Connecting(SocketAddr),
    Securing(SocketAddr),
    AwaitingHeaders(SocketAddr),
    ReadingBody(SocketAddr),
}

impl Phase {
    fn remote_address(self) -> Option<SocketAddr> {
        match self {
            Self::Resolving | Self::Connecting(_) => None,
            Self::Securing(address) | Self::AwaitingHeaders(address) | Self::ReadingBody(address) => {
                Some(address)
            }
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolving => write!(f, "looking up the name"),
            Self::Connecting(address) => write!(f, "connecting to {address}"),
            Self::Securing(address) => write!(f, "connected to {address}, agreeing on TLS"),
            Self::AwaitingHeaders(address) => {
                write!(f, "connected to {address}, waiting for response headers")
            }
            Self::ReadingBody(address) => {
                write!(f, "connected to {address}, waiting for the rest of the response body")
            }
        }
    }
}

/// What is known of a request while it is on its way. It outlives the work that the deadline cuts
/// off, so that what arrived until then is kept.
#[derive(Debug)]
pub(super) struct Progress {
    /// So much is kept of a body.
    pub body_kept_max_bytes: usize,
    pub phase: Phase,
    pub response: Option<Response>,
    pub location: Option<String>,
    pub retry_after_seconds: Option<u64>,
    pub again_at_once: bool,
}

impl Progress {
    pub(super) fn new(body_kept_max_bytes: usize) -> Self {
        Self {
            body_kept_max_bytes,
            phase: Phase::default(),
            response: None,
            location: None,
            retry_after_seconds: None,
            again_at_once: false,
        }
    }

    /// The outcome, given how the work ended: `None` when the deadline cut it off. A status other
    /// than 2xx decides, whatever became of its body.
    pub(super) fn finish(self, result: Option<Result<(), SendError>>, deadline: Duration) -> Outcome {
        let status = self.response.as_ref().and_then(|response| StatusCode::from_u16(response.status).ok());
        let refused = status.and_then(|status| refused_by_status(status, self.location.as_deref()));
        let failed = match result {
            Some(result) => result.err(),
            None => Some(timed_out(deadline, self.phase)),
        };
        let error = refused.or(failed);
        // RFC 9110, section 15.5.11: likely to be so for good.
        let verdict = if status == Some(StatusCode::GONE) { Verdict::Gone } else { Verdict::Retry };
        Outcome {
            verdict,
            remote_address: self.phase.remote_address(),
            retry_after_seconds: self.retry_after_seconds.filter(|_| error.is_some()),
            response: self.response,
            error,
            again_at_once: self.again_at_once,
            ..Outcome::succeeded()
        }
    }
}

fn timed_out(deadline: Duration, phase: Phase) -> SendError {
    let millis = deadline.as_millis();
    let deadline =
        if millis.is_multiple_of(1_000) { format!("{} s", millis / 1_000) } else { format!("{millis} ms") };
    SendError::new(ErrorClass::Timeout, format!("no complete answer within {deadline}: {phase}"))
}

/// The failure that a status is, if it is one. `location` is the host a redirect points to.
fn refused_by_status(status: StatusCode, location: Option<&str>) -> Option<SendError> {
    if status.is_success() {
        return None;
    }
    let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    if !is_redirect {
        return Some(SendError::new(
            ErrorClass::HttpStatus,
            format!("the endpoint answered {}", named(status)),
        ));
    }
    let place = location.unwrap_or("nowhere");
    let message = format!(
        "the endpoint answered {} to {place}; redirects are not followed, give the channel the final URL",
        named(status)
    );
    Some(SendError::new(ErrorClass::Redirect, message))
}

/// The number and, where there is one, the name of a status.
fn named(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_a_contract() {
        let codes = ErrorClass::ALL.map(ErrorClass::code).join(" ");
        let expected = "dns egress_blocked connect tls timeout redirect http_status connection_closed protocol smtp_reply";
        assert_eq!(codes, expected);
        assert_eq!(
            ErrorClass::ALL.map(|class| ErrorClass::from_code(class.code())),
            ErrorClass::ALL.map(Some)
        );
        assert_eq!(ErrorClass::from_code("Dns"), None);
    }

    #[test]
    fn a_status_is_success_or_a_failure_in_words() {
        let message = |code| {
            let status = StatusCode::from_u16(code).unwrap();
            refused_by_status(status, Some("other.test")).map(|error| (error.class, error.message))
        };
        for code in [200, 202, 204, 299] {
            assert_eq!(message(code), None, "{code}");
        }
        let http = |text: &str| Some((ErrorClass::HttpStatus, format!("the endpoint answered {text}")));
        assert_eq!(message(503), http("503 Service Unavailable"));
        assert_eq!(message(304), http("304 Not Modified"));
        assert_eq!(message(599), http("599"));
        assert_eq!(
            message(302),
            Some((
                ErrorClass::Redirect,
                "the endpoint answered 302 Found to other.test; redirects are not followed, give the channel \
                 the final URL"
                    .to_owned()
            ))
        );
    }

    #[test]
    fn a_timeout_says_how_far_it_came() {
        let address: SocketAddr = "1.2.3.4:443".parse().unwrap();
        let message = |millis, phase| timed_out(Duration::from_millis(millis), phase).message;
        assert_eq!(message(10_000, Phase::Resolving), "no complete answer within 10 s: looking up the name");
        assert_eq!(
            message(400, Phase::AwaitingHeaders(address)),
            "no complete answer within 400 ms: connected to 1.2.3.4:443, waiting for response headers"
        );
    }
}
