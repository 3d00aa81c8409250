//! The server as the commands see it: its HTTP API, with errors that say what to do.

use std::io::ErrorKind;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use ureq::http::{Method, Request};

use super::Failure;
use crate::config;

/// Where a server on this machine listens by default.
const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
/// What the published clients end the address of a server with.
const API_PATH: &str = "/api";
/// Where a server says whether it takes writes.
const READY_PATH: &str = "/readyz";
/// A test waits for one delivery attempt, which takes 30 seconds at most.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Which server to talk to, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Address of the server [default: $DREGS_BASE_URL, or http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Secret key of a credential, sk_… [default: $DREGS_SECRET_KEY]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl ServerArgs {
    /// The server these arguments or the environment name.
    pub fn connect(&self) -> Result<Api, Failure> {
        let base = address(self.server.clone())?;
        let key = self.key.clone().or_else(config::client_secret_key).ok_or_else(|| {
            Failure::Misused(
                "no secret key: give --key sk_… or set DREGS_SECRET_KEY (the server prints one at its first \
                 start; `dregs keys create` makes another)"
                    .to_owned(),
            )
        })?;
        // Such as the ellipsis of an example: no header can carry it.
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Misused(
                "--key or DREGS_SECRET_KEY: it holds what no key does, such as a space or …: copy the whole key"
                    .to_owned(),
            ));
        }
        Ok(Api::new(&base, &key))
    }
}

/// The address of the server that an argument, the environment or the default names.
pub fn address(server: Option<String>) -> Result<String, Failure> {
    let base = server.or_else(config::client_base_url).unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    if !(base.starts_with("http://") || base.starts_with("https://")) {
        return Err(Failure::Misused(format!(
            "--server: {base:?} is not an address such as {DEFAULT_SERVER}"
        )));
    }
    Ok(base)
}

/// A server and a key to it.
#[derive(Clone)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server said no.
    #[error("{message}")]
    Refused { status: u16, message: String },
    /// There was no answer, or none that this server would give.
    #[error("{0}")]
    Broken(String),
}

impl Api {
    /// `base` is the server's address, with or without `/api`.
    pub fn new(base: &str, key: &str) -> Self {
        let base = base.trim_end_matches('/');
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .user_agent(concat!("dregs/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: agent.into(),
            base: base.strip_suffix(API_PATH).unwrap_or(base).to_owned(),
            authorization: format!("Bearer {key}"),
        }
    }

    /// The server's address, without `/api`.
    pub fn server(&self) -> &str {
        &self.base
    }

    pub fn get(&self, path: &str) -> Result<Value, CallError> {
        self.call(Method::GET, path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        self.call(Method::POST, path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Result<Value, CallError> {
        self.call(Method::DELETE, path, None)
    }

    /// Whether the server takes writes, and what it says about it.
    pub fn ready(&self) -> Result<(bool, String), CallError> {
        let (status, text) = self.send(Method::GET, READY_PATH, None)?;
        // Whoever else listens there says something else, such as a page.
        if !text.starts_with("ready") && !text.starts_with("not ready") {
            return Err(self.refused(status, &text));
        }
        Ok(((200..300).contains(&status), text))
    }

    fn refused(&self, status: u16, text: &str) -> CallError {
        let value = serde_json::from_str::<Value>(text).unwrap_or_default();
        match value["message"].as_str() {
            Some(message) => CallError::Refused { status, message: message.to_owned() },
            None => CallError::Broken(format!("{} answered {status}: is it a dregs server?", self.base)),
        }
    }

    /// Calls `path` under `/api`; an answer without a body is `null`.
    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CallError> {
        let (status, text) = self.send(method, &format!("{API_PATH}{path}"), body)?;
        if (200..300).contains(&status) {
            return Ok(serde_json::from_str(&text).unwrap_or_default());
        }
        Err(self.refused(status, &text))
    }

    /// The status and the body of an answer.
    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, String), CallError> {
        let broken = |error: ureq::Error| CallError::Broken(format!("{}: {error}", self.base));
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .body(text)
            .map_err(|error| CallError::Broken(format!("{}: {error}", self.base)))?;
        let mut response = self.agent.run(request).map_err(|error| match error {
            ureq::Error::Io(ref why) if why.kind() == ErrorKind::InvalidData && self.base.starts_with("https:") => {
                CallError::Broken(format!("{} does not speak TLS ({error}): try http://", self.base))
            }
            ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => {
                CallError::Broken(format!(
                    "there is no server at {} ({error}): start it with `dregs serve`, or name another with --server",
                    self.base
                ))
            }
            error => broken(error),
        })?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().map_err(broken)?;
        Ok((status, text))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Failed(match error {
            CallError::Refused { status: 401, message } => format!(
                "the server refused the key: {message} Give another with --key or DREGS_SECRET_KEY; \
                 `dregs keys create` makes one"
            ),
            CallError::Refused { status: 403, message } => {
                format!("{message} Give a secret key (sk_…) with --key or DREGS_SECRET_KEY")
            }
            CallError::Refused { status, message } => format!("the server refused ({status}): {message}"),
            CallError::Broken(problem) => problem,
        })
    }
}
