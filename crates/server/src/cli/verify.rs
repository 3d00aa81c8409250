//! `dregs verify`: is this webhook genuine, step by step.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use dregs_core::json::unmarked;
use dregs_core::notify::verify::{Finding, Received, Step, TOLERANCE_SECONDS, accepted};
use dregs_core::time::Timestamp;

use super::Failure;
use super::misuse::whole;
use super::output::{Paint, Tone, line};
use crate::clock::{Clock as _, SystemClock};
use crate::config;

/// A body of a webhook is far below this; more is a mistake in the file's name.
const BODY_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// As wide as the longest name of a step.
const STEP_WIDTH: usize = 17;
/// Stands for standard input in the place of a file.
const STDIN: &str = "-";

#[derive(Args)]
#[command(after_help = "\
Checks both signature families, X-Dregs-Signature and the webhook- headers of Standard Webhooks, as
far as their headers are given. The body must be the bytes received: a body that was parsed and
written again does not verify, and this command says so. Exits with 0 when the webhook is genuine
and with 1 when it is not.

Examples:
  dregs verify --secret whsec_… --body body.json --headers headers.txt
  dregs verify --secret whsec_… --header 'X-Dregs-Signature: 5f3a…' < body.json
  dregs verify --secret whsec_… --headers headers.txt --now 2026-11-23T09:31:00Z < body.json")]
pub struct Verify {
    /// The channel's signing secret, whsec_… [default: $DREGS_WEBHOOK_SECRET]
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// File with the body as it was received; - is standard input
    #[arg(long, value_name = "FILE", default_value = STDIN)]
    body: PathBuf,
    /// A header of the request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// File with the headers of the request, one a line
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
    /// Check as if it were this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,
    /// How old the webhook may be, 0 or more
    #[arg(long, value_name = "SECONDS", default_value_t = TOLERANCE_SECONDS, value_parser = tolerance)]
    tolerance: i64,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "is not a time such as 2026-11-23T09:31:00Z".to_owned())
}

fn tolerance(text: &str) -> Result<i64, String> {
    whole(text, 0, i64::MAX)
}

impl Verify {
    pub fn run(self) -> Result<(), Failure> {
        let secret = self.secret.clone().or_else(config::client_webhook_secret).ok_or_else(|| {
            Failure::Misused(
                "no signing secret: give --secret whsec_… or set DREGS_WEBHOOK_SECRET".to_owned(),
            )
        })?;
        let headers = self.read_headers()?;
        let body = read_file(&self.body, "--body")?;
        if body.is_empty() {
            return Err(Failure::Misused(
                "the body is empty: name its file with --body, or pipe it in".to_owned(),
            ));
        }
        let received = Received {
            secret: &secret,
            body: &body,
            now: self.now.unwrap_or_else(|| SystemClock.now()),
            tolerance_seconds: self.tolerance,
        };
        let steps = received.check(|name| headers.get(name).map(String::as_str));
        let paint = Paint::for_stdout();
        steps.iter().for_each(|step| line(shown(step, paint)));
        line("");
        if accepted(&steps) {
            line(paint.paint(Tone::Good, "genuine"));
            return Ok(());
        }
        line(paint.paint(Tone::Bad, "not to be trusted: the first ✗ says why"));
        Err(Failure::Silent)
    }

    /// The headers of file and flags by their names in lower case; flags win.
    fn read_headers(&self) -> Result<HashMap<String, String>, Failure> {
        let mut headers = HashMap::new();
        if let Some(path) = &self.headers {
            let text = read_file(path, "--headers")?;
            let text = String::from_utf8_lossy(unmarked(&text));
            // A request line, as in what a browser or a proxy shows, has no colon before its first space.
            headers.extend(text.lines().filter_map(header));
        }
        for text in &self.header {
            let parsed = header(text);
            headers.extend([parsed.ok_or_else(|| {
                Failure::Misused(format!("--header: {text:?} is not of the form 'Name: value'"))
            })?]);
        }
        Ok(headers)
    }
}

/// The name in lower case, and the value.
fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
    is_name.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
}

fn read_file(path: &Path, flag: &str) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::Misused(format!("{flag}: {} cannot be read: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        std::io::stdin().lock().take(BODY_MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(BODY_MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    Ok(bytes)
}

/// Such as `✓ x-dregs-signature  matches the body`.
fn shown(step: &Step, paint: Paint) -> String {
    let (mark, why) = match &step.finding {
        Finding::Passed(why) => (paint.paint(Tone::Good, "✓"), why),
        Finding::Failed(why) => (paint.paint(Tone::Bad, "✗"), why),
        Finding::Skipped(why) => (paint.paint(Tone::Quiet, "-"), why),
    };
    format!("{mark} {:STEP_WIDTH$}  {why}", step.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_a_header_or_left_out() {
        let cases = [
            ("X-Dregs-Signature: ab12", Some(("x-dregs-signature", "ab12"))),
            ("webhook-id:evt_1", Some(("webhook-id", "evt_1"))),
            ("X-Time: 09:30:00", Some(("x-time", "09:30:00"))),
            ("POST http://127.0.0.1/hook HTTP/1.1", None),
            ("HTTP/1.1 200 OK", None),
            (": value", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(header(text), expected, "{text:?}");
        }
    }
}
