//! `dregs-bench`: measures a dregs server from outside, as a child process on the same machine. See
//! README.md next to Cargo.toml.

mod cli;
mod clock;
mod error;
mod events;
mod http;
mod latency;
mod ledger;
mod load;
mod machine;
mod population;
mod report;
mod responder;
mod rig;
mod scenario;
mod scratch;
mod server;
mod sink;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser as _, ValueEnum as _};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Amounts, Arguments, Scenario};
use crate::error::{Error, Result};
use crate::events::Generator;
use crate::machine::Machine;
use crate::report::{Report, complain, progress};
use crate::rig::{Setting, Store};
use crate::scenario::ceilings::{self, Ceilings};
use crate::scenario::scale::Measured;
use crate::scenario::steady::Stream;
use crate::scenario::{
    ack, dashboard, decisions, disk, e2e, hot, idle, isolation, lists, memory, mix, nodes, scale, shards,
    size, steady,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let is_responder = arguments.next().is_some_and(|first| first == responder::ARGUMENT);
    // The loader and the sink share one thread, to leave the machine to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) if is_responder => runtime.block_on(responder::serve()).map(|()| true),
        Ok(runtime) => runtime.block_on(run(Arguments::parse())),
        Err(error) => Err(Error::io("starting the runtime")(error)),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports until done or interrupted. Answers whether every scenario gave its figures.
async fn run(arguments: Arguments) -> Result<bool> {
    let setting = setting(&arguments)?;
    let machine = Machine::read(&setting.folder);
    let mut report = Report::default();
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::io("listening for SIGTERM"))?;
    // Dropping the scenario that runs ends its server.
    let interrupted = tokio::select! {
        () = measure(&arguments, &setting, &mut report) => false,
        _ = terminate.recv() => true,
        _ = tokio::signal::ctrl_c() => true,
    };
    if interrupted {
        report.fail("all", "interrupted");
    }
    report.print(&machine);
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, report.markdown(&machine))
            .map_err(Error::io(format!("writing {}", path.display())))?;
    }
    Ok(report.is_complete())
}

fn setting(arguments: &Arguments) -> Result<Setting> {
    std::fs::create_dir_all(&arguments.folder)
        .map_err(Error::io(format!("making {}", arguments.folder.display())))?;
    let binary = match &arguments.server {
        Some(path) => path.clone(),
        None => std::env::current_exe().map_err(Error::io("finding this program"))?.with_file_name("dregs"),
    };
    let exists = |path: PathBuf| path.canonicalize().map_err(|_| Error::NoServer(path));
    let needs_server = arguments
        .scenarios()
        .iter()
        .any(|scenario| !matches!(scenario, Scenario::Ceilings | Scenario::Shards));
    Ok(Setting {
        binary: if needs_server { exists(binary)? } else { binary },
        folder: arguments.folder.clone(),
        generator: Generator::new(arguments.seed),
        connections: arguments.connections.max(1),
        outstanding_max: arguments.outstanding.max(1),
    })
}

/// Measures the ceilings and then each scenario; one that fails or takes too long does not keep the others
/// from running.
async fn measure(arguments: &Arguments, setting: &Setting, report: &mut Report) {
    let amounts = arguments.amounts();
    progress("ceilings");
    let ceilings = match ceilings::run(setting, Duration::from_secs(amounts.ceiling_seconds), report).await {
        Ok(ceilings) => ceilings,
        Err(error) => return report.fail("ceilings", &error.to_string()),
    };
    let limit = Duration::from_secs(amounts.scenario_seconds_max);
    for scenario in arguments.scenarios() {
        let name = scenario.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        progress(&name);
        let measured = one(scenario, arguments, setting, amounts, &ceilings, report);
        let ended = tokio::time::timeout(limit, measured).await;
        if let Err(error) = ended.unwrap_or(Err(Error::TooSlow(amounts.scenario_seconds_max))) {
            report.fail(&name, &error.to_string());
        }
    }
}

async fn one(
    scenario: Scenario,
    arguments: &Arguments,
    setting: &Setting,
    amounts: Amounts,
    ceilings: &Ceilings,
    report: &mut Report,
) -> Result<()> {
    let stream = Stream { rate: amounts.steady_rate, seconds: amounts.steady_seconds };
    let postgres = || {
        let url = arguments.postgres.as_deref();
        url.map(Store::Postgres).ok_or_else(|| Error::Protocol("name a server with --postgres URL".into()))
    };
    match scenario {
        // The ceilings are measured already, and `all` is expanded.
        Scenario::All | Scenario::Ceilings => Ok(()),
        Scenario::Ack => ack::run(setting, ceilings, Duration::from_secs(amounts.ack_seconds), report).await,
        Scenario::E2e => e2e::run(setting, ceilings, Store::Sqlite, amounts.e2e_events, report).await,
        Scenario::Mix => mix::run(setting, ceilings, Store::Sqlite, amounts.e2e_events, report).await,
        Scenario::MixPostgres => mix::run(setting, ceilings, postgres()?, amounts.e2e_events, report).await,
        Scenario::Steady => steady::run(setting, ceilings, Store::Sqlite, stream, report).await,
        Scenario::E2ePostgres => e2e::run(setting, ceilings, postgres()?, amounts.e2e_events, report).await,
        Scenario::SteadyPostgres => steady::run(setting, ceilings, postgres()?, stream, report).await,
        Scenario::Decisions => decisions::run(setting, ceilings, Store::Sqlite, stream, report).await,
        Scenario::DecisionsPostgres => decisions::run(setting, ceilings, postgres()?, stream, report).await,
        Scenario::Isolation => {
            let stream = Stream { rate: amounts.isolation_rate, seconds: amounts.isolation_seconds };
            isolation::run(setting, stream, report).await
        }
        Scenario::Hot => hot::run(setting, Store::Sqlite, stream, report).await,
        Scenario::HotPostgres => hot::run(setting, postgres()?, stream, report).await,
        Scenario::Nodes => {
            let url = arguments.postgres.as_deref().unwrap_or_default();
            postgres()?;
            nodes::run(setting, url, Stream { rate: amounts.nodes_rate, ..stream }, report).await
        }
        Scenario::Disk => disk::run(setting, amounts.disk_events, report).await,
        Scenario::Idle => idle::run(setting, Duration::from_secs(amounts.idle_seconds), report).await,
        Scenario::Shards => {
            shards::run(amounts.shards_identities, report);
            Ok(())
        }
        Scenario::Memory => memory::run(setting, amounts.memory_identities, report).await,
        Scenario::Lists => lists::run(setting, Store::Sqlite, amounts.lists, report).await,
        Scenario::ListsPostgres => lists::run(setting, postgres()?, amounts.lists, report).await,
        Scenario::Dashboard => dashboard::run(setting, amounts.dashboard, report).await,
        Scenario::Size => size::run(setting, amounts.size_events, report).await,
        Scenario::Scale => {
            // Half as long as elsewhere: it is done twice.
            let stream = Stream { seconds: stream.seconds.div_ceil(2), ..stream };
            let measured = Measured { e2e_events: amounts.e2e_events.div_ceil(2), stream };
            scale::run(setting, amounts.scale_identities, measured, report).await
        }
    }
}
