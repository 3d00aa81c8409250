//! `dregs listen`: webhooks on the machine somebody works on.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use clap::Args;
use dregs_core::notify::message::EventType;
use dregs_core::notify::signature::Secret;
use serde_json::json;
use tokio::net::TcpListener;

use super::api::{Api, CallError, ServerArgs};
use super::misuse::whole;
use super::output::{Paint, Tone, line, note};
use super::receiver::{Content, Delivered, Score, receive};
use super::serve::StopSignals;
use super::trigger::event_type;
use super::{Failure, runtime};
use crate::channels::egress::EGRESS_ALLOW;
use crate::clock::{Clock as _, SystemClock, monotonic};
use crate::config;

/// The server gives up on an attempt after at most this long.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(30);
/// Headers that belong to one connection, not to what it carries.
const HOP_HEADERS: [header::HeaderName; 4] =
    [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING];
/// As wide as the longest name of an event type.
const EVENT_WIDTH: usize = 23;
/// Where continuation lines start: below the event type.
const INDENT: &str = "               ";

#[derive(Args)]
#[command(after_help = "\
Without --secret it asks the server for a channel of its own, named listen-…, and removes it at the
end. The server refuses to send to this machine unless it was started with
--egress-allow 127.0.0.0/8. What is not genuine is answered with 401 and not forwarded; what is
forwarded gets your application's answer, so that the server tries again when that fails.

Examples:
  dregs listen
  dregs listen --events identity.scored --forward http://127.0.0.1:3000/webhooks
  dregs listen --secret whsec_… --port 4001     For a channel that exists already")]
pub struct Listen {
    /// Port to listen on, up to 65535; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4000, value_parser = port)]
    port: u16,
    /// Pass genuine webhooks on to this address, body and headers unchanged
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// Signing secret of the channel that sends here, whsec_… [default: $DREGS_WEBHOOK_SECRET]
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Event types of the temporary channel, by commas [default: all]
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = event_type)]
    events: Vec<EventType>,
    /// Address at which the server reaches this machine [default: http://127.0.0.1:PORT]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

fn port(text: &str) -> Result<u16, String> {
    whole(text, 0, u16::MAX.into()).and_then(|port| u16::try_from(port).map_err(|error| error.to_string()))
}

impl Listen {
    pub fn run(self) -> Result<(), Failure> {
        runtime()?.block_on(self.listen())
    }

    async fn listen(self) -> Result<(), Failure> {
        let forward = self.forward.as_deref().map(Forward::to).transpose()?;
        let secret = self.secret.clone().or_else(config::client_webhook_secret);
        if let Some(secret) = &secret {
            let why = |error| {
                Failure::Misused(format!("--secret (or DREGS_WEBHOOK_SECRET) is no signing secret: {error}"))
            };
            Secret::parse(secret).map_err(why)?;
        }
        let api = if secret.is_none() { Some(self.server.connect()?) } else { None };
        let listener = self.bind().await?;
        let address = listener.local_addr().map_err(|error| Failure::Failed(error.to_string()))?;
        let mut stop = StopSignals::new().map_err(|error| Failure::Failed(format!("no signals: {error}")))?;

        let channel = match &api {
            Some(api) => Some(self.register(api, address)?),
            None => None,
        };
        line(format_args!("Listening on http://{address}"));
        if let (Some(channel), Some(api)) = (&channel, &api) {
            line(format_args!("Channel {} ({}) at {}, until Ctrl-C", channel.name, channel.id, api.server()));
        }
        line("");
        let printer = Printer {
            secret: secret.or_else(|| Some(channel.as_ref()?.secret.clone())).unwrap_or_default(),
            forward,
            paint: Paint::for_stdout(),
        };
        let printer = Arc::new(printer);
        let answer = move |delivered| {
            let printer = Arc::clone(&printer);
            async move { printer.answer(delivered).await }
        };
        let stopped = async move { stop.next().await };
        let received = receive(listener, answer, stopped).await;
        if let (Some(channel), Some(api)) = (&channel, &api) {
            channel.remove(api);
        }
        received.map_err(|error| Failure::Failed(format!("listening on {address} failed: {error}")))
    }

    async fn bind(&self) -> Result<TcpListener, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        TcpListener::bind(address).await.map_err(|error| {
            let told = format!("cannot listen on {address}: {error}. Choose another port with --port");
            match error.kind() {
                ErrorKind::PermissionDenied => Failure::Misused(told),
                _ => Failure::Failed(told),
            }
        })
    }

    fn register(&self, api: &Api, address: SocketAddr) -> Result<TemporaryChannel, Failure> {
        let all = EventType::ALL.to_vec();
        let events = if self.events.is_empty() { &all } else { &self.events };
        let name = format!("listen-{:06x}", rand::random::<u32>() & 0xff_ffff);
        let body = json!({
            "type": "WEBHOOK",
            "name": name,
            "events": events.iter().map(|event| event.name()).collect::<Vec<_>>(),
            "config": {"url": self.url.clone().unwrap_or_else(|| format!("http://{address}/"))},
        });
        let made = api.post("/channels", &body).map_err(|error| match error {
            CallError::Refused { message, .. } if message.contains(EGRESS_ALLOW) => {
                Failure::Failed(not_allowed(api.server(), &message))
            }
            error => error.into(),
        })?;
        match (made["id"].as_i64(), made["signingSecret"].as_str()) {
            (Some(id), Some(secret)) => Ok(TemporaryChannel { id, name, secret: secret.to_owned() }),
            _ => Err(Failure::Failed("the server made a channel but no signing secret".to_owned())),
        }
    }
}

/// What to start a server with that refused to send to this machine: its refusal names the network.
fn not_allowed(server: &str, refusal: &str) -> String {
    let named = refusal.split_once(&format!("{EGRESS_ALLOW}=")).map_or("", |(_, after)| after);
    let network = named.split_whitespace().next().unwrap_or("127.0.0.0/8");
    format!(
        "the server at {server} does not send to this machine: start it with --egress-allow {network} \
         (or {EGRESS_ALLOW}={network})"
    )
}

/// A channel that ends with this process.
struct TemporaryChannel {
    id: i64,
    name: String,
    secret: String,
}

impl TemporaryChannel {
    fn remove(&self, api: &Api) {
        match api.delete(&format!("/channels/{}", self.id)) {
            Ok(_) => note(format_args!("removed channel {}", self.name)),
            Err(error) => note(format_args!(
                "dregs: channel {} ({}) is still there: {}",
                self.name,
                self.id,
                Failure::from(error)
            )),
        }
    }
}

/// Checks, prints and passes on.
struct Printer {
    secret: String,
    forward: Option<Forward>,
    paint: Paint,
}

impl Printer {
    async fn answer(&self, delivered: Delivered) -> StatusCode {
        let now = SystemClock.now();
        let verdict = delivered.check(&self.secret, now);
        let (tone, word) =
            if verdict.is_genuine() { (Tone::Good, "verified") } else { (Tone::Bad, "NOT VERIFIED") };
        let time = now.to_string();
        let time = self.paint.paint(Tone::Quiet, time.get(11..).unwrap_or(&time));
        line(format_args!(
            "{time}  {}  {}",
            summary(&delivered.content(), self.paint),
            self.paint.paint(tone, word)
        ));
        if !verdict.is_genuine() {
            verdict.problems().for_each(|problem| line(format_args!("{INDENT}{problem}")));
            return StatusCode::UNAUTHORIZED;
        }
        match &self.forward {
            Some(forward) => forward.pass(delivered, self.paint).await,
            None => StatusCode::OK,
        }
    }
}

/// Such as `IDENTITY_SCORED  user_1  #17  humanity 12 (-52)`.
fn summary(content: &Content, paint: Paint) -> String {
    let identity = content.identity.as_deref().unwrap_or("-");
    let sequence = content.sequence.map(|sequence| format!("  #{sequence}")).unwrap_or_default();
    // The scores of the moment were told by themselves.
    let parts: Vec<_> = match content.badges.as_slice() {
        [] if content.scores.is_empty() && content.event == "IDENTITY_SCORED" => {
            vec!["no scores yet".to_owned()]
        }
        [] => content.scores.iter().map(|score| shown(score, paint)).collect(),
        badges => badges.to_vec(),
    };
    let parts: String = parts.iter().map(|part| format!("  {part}")).collect();
    let event = paint.paint(Tone::Strong, format_args!("{:EVENT_WIDTH$}", content.event));
    format!("{event}  {identity}{sequence}{parts}")
}

fn shown(score: &Score, paint: Paint) -> String {
    let change = match score.before {
        Some(before) if before != score.now => format!(" ({:+})", score.now - before),
        _ => String::new(),
    };
    let text = format!("{} {}{change}", score.category, score.now);
    if score.before.is_some_and(|before| before > score.now) { paint.paint(Tone::Bad, text) } else { text }
}

/// The application somebody works on.
struct Forward {
    agent: ureq::Agent,
    url: String,
}

impl Forward {
    fn to(url: &str) -> Result<Self, Failure> {
        match url::Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {
                let config = ureq::Agent::config_builder()
                    .http_status_as_error(false)
                    .max_redirects(0)
                    .proxy(None)
                    .timeout_global(Some(FORWARD_TIMEOUT));
                Ok(Self { agent: config.build().into(), url: url.to_owned() })
            }
            _ => Err(Failure::Misused(format!(
                "--forward: {url:?} is not an address such as http://127.0.0.1:3000/webhooks"
            ))),
        }
    }

    /// The status that the application answers, or 502.
    async fn pass(&self, delivered: Delivered, paint: Paint) -> StatusCode {
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let started = monotonic();
        let passed = tokio::task::spawn_blocking(move || send(&agent, &url, &delivered)).await;
        let millis = started.elapsed().as_millis();
        let problem = match passed {
            Ok(Ok(status)) => {
                let tone = if status.is_success() { Tone::Good } else { Tone::Bad };
                let shown = paint.paint(tone, status.as_u16());
                line(format_args!("{INDENT}-> {} {shown}  {millis} ms", self.url));
                return status;
            }
            Ok(Err(ureq::Error::Io(error))) if error.kind() == ErrorKind::ConnectionRefused => {
                "nothing listens there: start your application (answered 502)".to_owned()
            }
            Ok(Err(error)) => format!("{error} (answered 502)"),
            Err(error) => format!("{error} (answered 502)"),
        };
        line(format_args!("{INDENT}-> {} {}", self.url, paint.paint(Tone::Bad, problem)));
        StatusCode::BAD_GATEWAY
    }
}

fn send(agent: &ureq::Agent, url: &str, delivered: &Delivered) -> Result<StatusCode, ureq::Error> {
    let mut request = agent.post(url);
    for (name, value) in delivered.headers.iter().filter(|(name, _)| !HOP_HEADERS.contains(name)) {
        request = request.header(name, value);
    }
    Ok(request.send(delivered.body.as_ref())?.status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_one_line_with_what_changed() {
        let score = |category: &str, now, before| Score { category: category.into(), now, before };
        let content = Content {
            event: "IDENTITY_SCORED".into(),
            identity: Some("user_1".into()),
            sequence: Some(17),
            scores: vec![
                score("humanity", 12, Some(64)),
                score("uniqueness", 91, Some(91)),
                score("behavior", 40, None),
            ],
            badges: Vec::new(),
        };
        assert_eq!(
            summary(&content, Paint::plain()),
            "IDENTITY_SCORED          user_1  #17  humanity 12 (-52)  uniqueness 91  behavior 40"
        );
        let badges = Content {
            event: "IDENTITY_BADGES_CHANGED".into(),
            badges: vec!["+bot".into()],
            ..content.clone()
        };
        let nothing = Content { scores: Vec::new(), ..content.clone() };
        assert_eq!(summary(&nothing, Paint::plain()), "IDENTITY_SCORED          user_1  #17  no scores yet");
        assert_eq!(summary(&badges, Paint::plain()), "IDENTITY_BADGES_CHANGED  user_1  #17  +bot");
        let test = Content { event: "CHANNEL_TEST".into(), ..Content::default() };
        assert_eq!(summary(&test, Paint::plain()), "CHANNEL_TEST             -");
    }
}
