//! What the server says about itself: log lines and metrics.

pub mod described;

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

use crate::config::{Config, LogFormat};

/// Writes log lines to standard error from now on, as `log` and `log_format` say. Only the first
/// call has an effect.
///
/// # Errors
/// One line when `log` is not a filter.
pub fn start_log(config: &Config) -> Result<(), String> {
    let filter = filter(&config.log).map_err(|error| format!("log: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log that was started before, by a test for example, goes on.
    let _ = match config.log_format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// The filter that `log` says. The library of MCP has a line for each request, which is told only to who asks for it.
fn filter(log: &str) -> Result<EnvFilter, ParseError> {
    let filter = EnvFilter::try_new(log)?;
    let is_told = filter.max_level_hint().is_none_or(|level| level >= LevelFilter::INFO);
    if is_told { EnvFilter::try_new(format!("rmcp=warn,{log}")) } else { Ok(filter) }
}

/// Upper bounds of the histograms: from half a millisecond, which is a good delivery, to the
/// longest deadline of one.
const BUCKETS_SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 30.0];

/// What `/metrics` shows. There is one recorder in a process, whoever asks first makes it.
pub fn metrics_handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            // Fails on an empty list only; then summaries take the place of histograms.
            let builder = PrometheusBuilder::set_buckets(builder, &BUCKETS_SECONDS).unwrap_or_default();
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            let _ = metrics::set_global_recorder(recorder);
            described::describe();
            handle
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_library_that_has_a_line_for_each_request_is_told_when_it_is_asked_for() {
        let told = |log: &str| {
            let subscriber =
                tracing_subscriber::fmt().with_env_filter(filter(log).expect("a filter")).finish();
            tracing::subscriber::with_default(subscriber, || {
                (
                    tracing::enabled!(target: "rmcp::service", Level::INFO),
                    tracing::enabled!(target: "rmcp::service", Level::WARN),
                    tracing::enabled!(target: "dregs_server::serve", Level::INFO),
                )
            })
        };
        assert_eq!(told("info"), (false, true, true));
        assert_eq!(told("debug"), (false, true, true));
        assert_eq!(told("info,rmcp=info"), (true, true, true));
        assert_eq!(told("warn"), (false, true, false));
        assert_eq!(told("off"), (false, false, false));
    }
}
