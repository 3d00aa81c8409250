//! Errors as callers see them. The codes are a contract: this is the whole list.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dregs_core::event::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::request_id;
use crate::limit::{self, Limit};
use crate::ops::access::limits::Wait;
use crate::store::StoreError;

/// As many wrong fields of a request are told.
pub const WRONG_MAX: usize = 20;

/// What went wrong, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Something in the request is wrong; `details` names each field.
    BadRequest,
    /// There is no key or session, or it is not valid (any more).
    Unauthenticated,
    /// The caller's role, or the kind of caller, may not do this.
    Forbidden,
    /// A public key may only send events.
    PublicKeyNotAllowed,
    /// A page of this origin may not send events with this key.
    OriginNotAllowed,
    /// There is no such path.
    NotFound,
    /// No identity has this id.
    IdentityNotFound,
    /// The identity was not scored yet, or has no such cycle.
    AnalysisNotFound,
    /// No event has this id.
    EventNotFound,
    /// No group has this type and id.
    GroupNotFound,
    /// No device has this fingerprint.
    DeviceNotFound,
    /// No escalation has this id.
    EscalationNotFound,
    /// The team has no bulk change with this id, or not any more.
    BulkChangeNotFound,
    /// The escalation has no note with this id.
    NoteNotFound,
    /// No label has this id.
    LabelNotFound,
    /// The team has no version of the weights with this id.
    WeightsNotFound,
    /// No channel has this id.
    ChannelNotFound,
    /// No delivery has this id.
    DeliveryNotFound,
    /// No credential has this id.
    CredentialNotFound,
    /// No team has this id, or the caller is not in it.
    TeamNotFound,
    /// Nobody in the team has this id.
    MemberNotFound,
    /// The caller has no session with this id.
    SessionNotFound,
    /// The caller has no passkey with this id.
    PasskeyNotFound,
    /// No open invitation has this id.
    InvitationNotFound,
    /// The team has no mapping with this id.
    MappingNotFound,
    /// The team has no counter with this id.
    CounterNotFound,
    /// No rule of this kind has this id.
    RuleNotFound,
    /// The rule has no draft, or no version of this revision.
    VersionNotFound,
    /// No dataset has this slug.
    DatasetNotFound,
    /// The team has no list with this id.
    ListNotFound,
    /// The team has no entry with this id in the dataset, on the list, or in the audit log.
    EntryNotFound,
    /// The caller has no MCP token with this id.
    TokenNotFound,
    /// No client with this id acts for the caller.
    ConnectionNotFound,
    /// No saved view has this id.
    ViewNotFound,
    /// Another channel has this slug.
    SlugTaken,
    /// Another one of the same kind has this name.
    NameTaken,
    /// Somebody in the team has this e-mail address.
    EmailTaken,
    /// The team has a mapping of this name.
    MappingExists,
    /// Another rule of the same kind has this name or slug.
    RuleExists,
    /// Escalation rules ask for the badge; `force` removes it all the same.
    BadgeInUse,
    /// The team has a counter of this name or slug.
    CounterExists,
    /// Rules or channels use the counter.
    CounterInUse,
    /// The team has this entry in the dataset.
    EntryExists,
    /// A view of this page has this name.
    ViewExists,
    /// Another member works on the escalation; `force` reassigns it all the same.
    EscalationAssigned,
    /// It is not in the state in which this can be done.
    WrongState,
    /// The team would be left without an admin.
    LastAdmin,
    /// There would be no team left.
    LastTeam,
    /// Nobody would be left who owns the installation.
    LastOwner,
    /// An attempt of this delivery is under way.
    AttemptUnderWay,
    /// The current password is another one.
    WrongPassword,
    /// The password is right; a code of the second factor is needed as well.
    SecondFactorRequired,
    /// The team requires a second factor of everybody: set one up, before anything else.
    SecondFactorMissing,
    /// The code is not right, or was used before.
    SecondFactorRefused,
    /// What a passkey says is not right, too old, or of nobody.
    PasskeyRefused,
    /// Nobody is signed in by the OpenID provider; the message says why, and what to do.
    OidcRefused,
    /// People sign in at the OpenID provider alone, and not by password or passkey.
    LocalSignInOff,
    /// A browser sent this from a page of another site.
    CsrfRefused,
    /// Too many requests; `Retry-After` says when to try again.
    RateLimited,
    /// The team has sent as many events as it may in a month.
    QuotaExceeded,
    /// The body is larger than its limit.
    BodyTooLarge,
    /// The body is not JSON by its type, or in an encoding that is not read.
    UnsupportedMediaType,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The path has no such method.
    MethodNotAllowed,
    /// The server cannot do this right now; try again.
    Unavailable,
    /// The server failed; its log has the reason, under the request id.
    Internal,
}

/// An error answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: Code,
    message: String,
    details: Vec<FieldError>,
    /// Seconds after which it may go well.
    retry_after: Option<u64>,
    /// What clients of events look for in the body instead of the number.
    word: Option<&'static str>,
    /// Encodings in which the body would be taken.
    accepted: Option<&'static str>,
    /// How a caller who is not known can come by a token.
    challenge: Option<Box<HeaderValue>>,
}

/// The body of an error answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    status: ErrorStatus,
    code: Code,
    message: String,
    request_id: String,
    /// What is wrong, field by field.
    #[schema(value_type = Vec<ErrorDetail>)]
    details: Vec<FieldError>,
}

/// The HTTP status; or, of a refused event, `rate_limited` or `quota_exceeded`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ErrorStatus {
    Number(u16),
    Word(&'static str),
}

/// One field of a request, and what is wrong with it.
#[derive(Serialize, ToSchema)]
pub struct ErrorDetail {
    pub field: String,
    pub message: String,
}

impl ApiError {
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            word: None,
            accepted: None,
            challenge: None,
        }
    }

    /// A request that is wrong in the ways listed, of which there is at least one.
    pub fn fields(details: Vec<FieldError>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadRequest, summary("The body", &details))
            .with_details(details)
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn is_unauthenticated(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Whether the caller is nobody, or not of the kind that may ask.
    pub fn is_about_caller(&self) -> bool {
        self.is_unauthenticated() || self.status == StatusCode::FORBIDDEN
    }

    /// The same in other words.
    pub fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// With the encodings in which the body would be taken, as RFC 9110, 15.5.16, has it.
    pub fn accepting(self, encodings: &'static str) -> Self {
        Self { accepted: Some(encodings), ..self }
    }

    /// With the words in which `WWW-Authenticate` says how to come by a token.
    pub fn challenging(self, challenge: &str) -> Self {
        Self { challenge: HeaderValue::from_str(challenge).ok().map(Box::new), ..self }
    }

    fn with_details(self, details: Vec<FieldError>) -> Self {
        Self { details, ..self }
    }

    /// Too much was asked in too little time.
    pub fn rate_limited(wait: Wait) -> Self {
        let seconds =
            if wait.seconds == 1 { "1 second".to_owned() } else { format!("{} seconds", wait.seconds) };
        let message = format!("Too many requests. Try again in {seconds}.");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
        Self { retry_after: Some(wait.seconds), ..error }
    }

    /// The team has sent all that it may in a month.
    pub fn quota_exceeded() -> Self {
        let message = "The team has sent as many events as it may in a month.";
        Self::new(StatusCode::PAYMENT_REQUIRED, Code::QuotaExceeded, message)
    }

    /// The same, in the words that clients of events look for.
    pub fn of_event(self) -> Self {
        let word = match self.code {
            Code::RateLimited => Some("rate_limited"),
            Code::QuotaExceeded => Some("quota_exceeded"),
            _ => None,
        };
        Self { word, ..self }
    }

    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// This and what is wrong elsewhere with the same request; what concerns no field goes first, and alone.
    fn and(self, other: Self) -> Self {
        if self.details.is_empty() {
            return self;
        }
        if other.details.is_empty() {
            return other;
        }
        let mut details = self.details;
        for error in other.details {
            if details.len() < WRONG_MAX && details.iter().all(|known| known.field != error.field) {
                details.push(error);
            }
        }
        Self::fields(details)
    }

    /// This, which is about the form of a request, and what is wrong with the values of other fields.
    pub fn and_elsewhere(self, mut other: Self) -> Self {
        other.details.retain(|error| !self.details.iter().any(|known| is_about(known, error)));
        if other.details.is_empty() { self } else { self.and(other) }
    }

    /// A request that cannot be done, whatever its fields.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadRequest, message)
    }

    /// Another `what` is called like this; whatever else the store says stays what it is.
    pub fn name_taken(error: StoreError, what: &str) -> Self {
        match error {
            StoreError::Conflict => {
                let message = format!("There is a {what} with this name. Take another one.");
                Self::new(StatusCode::CONFLICT, Code::NameTaken, message)
            }
            error => error.into(),
        }
    }

    pub fn not_found(code: Code, what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, format!("There is no such {what}."))
    }
}

/// That `field` is as it must be.
///
/// # Errors
/// `message` about the field, unless it `is_right`.
pub fn must(is_right: bool, field: &str, message: impl Into<String>) -> Result<(), ApiError> {
    if is_right { Ok(()) } else { Err(ApiError::field(field, message)) }
}

/// Both parts of a request, or all that is wrong with either.
///
/// # Errors
/// Those of both, told at once.
pub fn both<A, B>(one: Result<A, ApiError>, other: Result<B, ApiError>) -> Result<(A, B), ApiError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// All of them, or all that is wrong with any.
///
/// # Errors
/// Those of each, told at once.
pub fn every<T>(parts: impl Iterator<Item = Result<T, ApiError>>) -> Result<Vec<T>, ApiError> {
    let mut all = Ok(Vec::new());
    for part in parts {
        all = both(all, part).map(|(mut all, part)| {
            all.push(part);
            all
        });
    }
    all
}

/// Whether two errors are about one field, or one is about what is around that of the other.
pub fn is_about(one: &FieldError, other: &FieldError) -> bool {
    let holds = |around: &str, field: &str| {
        field
            .strip_prefix(around)
            .is_some_and(|rest| around.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
    };
    holds(&one.field, &other.field) || holds(&other.field, &one.field)
}

/// That what `field` has of `what`, such as characters, is neither too little nor too much.
///
/// # Errors
/// Names what it may have.
pub fn must_have(
    field: &str,
    count: usize,
    range: RangeInclusive<usize>,
    what: &str,
) -> Result<(), ApiError> {
    let (least, most) = (range.start(), range.end());
    let message = match least {
        0 => format!("must have at most {most} {what}"),
        _ => format!("must have from {least} to {most} {what}"),
    };
    if count > *most {
        limit::reached(if matches!(what, "characters" | "bytes") { Limit::Text } else { Limit::Items });
    }
    must(range.contains(&count), field, message)
}

/// That `name` has something to see, and at most `max_chars` characters.
///
/// # Errors
/// Names how many it may have.
pub fn check_name(name: &str, max_chars: usize) -> Result<(), ApiError> {
    let chars = if name.trim().is_empty() { 0 } else { name.chars().count() };
    must_have("name", chars, 1..=max_chars, "characters")
}

/// A text that may be left out, without what is blank around it; nothing where all of it is blank.
///
/// # Errors
/// Names how many characters it may have.
pub fn text(field: &str, text: Option<String>, max_chars: usize) -> Result<Option<String>, ApiError> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let chars = text.as_ref().map_or(0, |text| text.chars().count());
    must_have(field, chars, 0..=max_chars, "characters").map(|()| text)
}

/// All that is wrong with `whole`, such as "The body", in one line.
pub fn summary(whole: &str, details: &[FieldError]) -> String {
    let describe = |FieldError { field, message }: &FieldError| {
        if field.is_empty() { format!("{whole} {message}") } else { format!("{field}: {message}") }
    };
    details.iter().map(describe).collect::<Vec<_>>().join("; ")
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_)
            | StoreError::InDoubt(_)
            | StoreError::Unsynced(_)
            | StoreError::Retry => {
                // The store tells of an outage once for everybody.
                tracing::debug!(%error, "the store is not available");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Code::Unavailable,
                    "The server cannot do this right now. Try again.",
                )
            }
            error @ StoreError::KeyReplaced => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, error.to_string())
            }
            error @ StoreError::TooMany { limit, .. } => {
                limit::reached(limit);
                Self::refused(error.to_string())
            }
            error => {
                tracing::error!(%error, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    Code::Internal,
                    "The server failed to do this. Its log has the reason, under the request id.",
                )
            }
        }
    }
}

impl From<Arc<StoreError>> for ApiError {
    fn from(error: Arc<StoreError>) -> Self {
        match error.as_ref() {
            error if error.is_outage() => StoreError::Unavailable(error.to_string()).into(),
            other => StoreError::Broken(other.to_string()).into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            status: self.word.map_or(ErrorStatus::Number(self.status.as_u16()), ErrorStatus::Word),
            code: self.code,
            message: self.message,
            request_id: request_id::current(),
            details: self.details,
        };
        let mut response = (self.status, Answer(body)).into_response();
        let is_unavailable = self.status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(is_unavailable.then_some(1)) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(encodings) = self.accepted {
            response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = self.challenge.map_or(HeaderValue::from_static("Bearer"), |given| *given);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
