//! Fetches the key directories of agents through the egress guard, one after the other.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use tokio::time::sleep;

use crate::app::App;
use crate::channels::egress::Target;
use crate::channels::http::GetRequest;
use crate::ops::agent_keys::{
    Answer, DIRECTORY_MAX_KIB, DIRECTORY_MAX_SECONDS, DIRECTORY_PATH, Keys, authority_of, lifetime_ms,
};
use crate::shutdown::Shutdown;

/// How often there is a look for directories whose time has come.
const POLL: Duration = Duration::from_secs(10);
/// The media types of the draft on directories, and of key sets.
const ACCEPTED: &str =
    "application/http-message-signatures-directory+json, application/jwk-set+json, application/json";
const USER_AGENT_VALUE: &str = concat!("Dregs/", env!("CARGO_PKG_VERSION"));

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    loop {
        let work = async {
            while let Some(signer) = app.agent_keys.next_due(app.clock.now()) {
                take(&app, &signer).await;
            }
            tokio::select! {
                () = sleep(POLL) => {}
                () = app.agent_keys.wanted.notified() => {}
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}

async fn take(app: &App, signer: &str) {
    let fetched = fetch(app, signer).await;
    let outcome = if fetched.is_ok() { "fetched" } else { "failed" };
    metrics::counter!("dregs_agent_directories_total", "outcome" => outcome).increment(1);
    match fetched {
        Ok(fetched) => _ = app.agent_keys.learn(signer, Some(fetched), app.clock.now()),
        Err(reason) => {
            if app.agent_keys.learn(signer, None, app.clock.now()) {
                tracing::warn!(signer, reason, "the keys of an agent could not be fetched; trying again");
            }
        }
    }
}

/// The keys of a signer, and for how long they are good.
async fn fetch(app: &App, signer: &str) -> Result<(Keys, i64), String> {
    let target = Target::parse(&format!("{signer}{DIRECTORY_PATH}")).map_err(|error| error.to_string())?;
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static(ACCEPTED)),
        (USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE)),
    ]);
    let deadline = Duration::from_secs(DIRECTORY_MAX_SECONDS);
    let outcome = app.clients.http.get(GetRequest { target, headers, deadline }).await;
    if let Some(error) = outcome.error {
        return Err(error.message);
    }
    let answer = outcome.response.ok_or("it did not answer")?;
    if answer.status != 200 {
        return Err(format!("it answered {} and not 200", answer.status));
    }
    // Of many headers the last are left out, and with them proofs, but no keys.
    if answer.is_truncated && answer.body.len() >= DIRECTORY_MAX_KIB * 1024 {
        return Err("its answer is too long".to_owned());
    }
    let authority = authority_of(signer).unwrap_or_default();
    let read = Answer { authority: &authority, headers: &answer.headers, body: &answer.body };
    Ok((Keys::read(&read, app.clock.now())?, lifetime_ms(&answer.headers)))
}
