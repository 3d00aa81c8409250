//! The dashboard's first page over a large store, in a real Chromium.

use std::process::Command;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::population::{self, Amount, Place};
use crate::report::{Report, Row, Target, Unit, progress};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::lists;
use crate::server::{ADMIN_EMAIL, ADMIN_PASSWORD};

/// What the targets are for.
pub const TARGET: Amount = Amount { identities: 1_000_000, events: 2_000_000, deliveries: 1_000_000 };
const INTERACTIVE_TARGET_MS: f64 = 1_000.0;
const SCRIPT_TARGET_BYTES: f64 = 250.0 * 1_024.0;
/// Opens the page and says how long it took.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/tests/first-page.js");

/// Fills a store and opens the page of a server that has just started on it.
pub async fn run(setting: &Setting, amount: Amount, report: &mut Report) -> Result<()> {
    let rig = Rig::start(setting, Store::Sqlite, &[]).await?;
    lists::model(&rig).await?;
    progress("dashboard: filling the store");
    let rig = rig.refilled(setting, async |place: Place| population::fill(place, amount).await).await?;
    progress("dashboard: opening the page");
    let measured = open(format!("http://{}", rig.address())).await?;
    let row = |load: &str, what: &str, name: &str, unit| {
        let value = measured[load][name].as_f64();
        let value = value.ok_or_else(|| Error::Protocol(format!("the page says no {name}: {measured}")))?;
        Ok::<_, Error>(Row::new("dashboard", format!("first page, {what}"), value, unit))
    };
    let at_most = |row: Row, most| if amount == TARGET { row.target(Target::Most(most)) } else { row };
    for (load, when) in [("first", "right after a start"), ("usual", "usually")] {
        let can_be_used =
            row(load, &format!("{when}: can be used"), "interactiveMillis", Unit::Milliseconds)?;
        report.add(at_most(can_be_used, INTERACTIVE_TARGET_MS));
        report.add(row(load, &format!("{when}: shows its figures"), "figuresMillis", Unit::Milliseconds)?);
    }
    report.add(row("usual", "longest task", "longestTaskMillis", Unit::Milliseconds)?);
    report.add(
        row("usual", "scripts, gzipped", "scriptBytes", Unit::Bytes)?
            .target(Target::Most(SCRIPT_TARGET_BYTES)),
    );
    Ok(())
}

/// What the browser measured, on a thread of its own, since this one serves the sink.
async fn open(url: String) -> Result<Value> {
    let (done, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let program = Command::new("node").args([SCRIPT, &url, ADMIN_EMAIL, ADMIN_PASSWORD]).output();
        done.send(program)
    });
    let output = ended.await.map_err(|_| Error::Protocol("the browser's program was lost".into()))?;
    let output = output.map_err(Error::io("running node"))?;
    let failed = || Error::Protocol(format!("the page failed: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_slice(&output.stdout).map_err(|_| failed())
}
