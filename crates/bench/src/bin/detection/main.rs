//! How well the analyzers tell people from bots, real from made up, one account from many, ordinary use
//! from abuse: measured on published data, and on attacks that are simulated.
//!
//! Each scenario reads what it needs below `--data`, says what it is and under which license, and prints
//! figures beside targets. Nothing here is part of the product.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod accused;
mod agents;
mod bars;
mod calibration;
mod cost;
mod curves;
mod duplicates;
mod ecommerce;
mod emails;
mod figures;
mod innocents;
mod names;
mod packages;
mod samples;
mod simulator;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::figures::Report;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// People who do nothing wrong, and attacks among them.
    Innocents,
    /// Labeled accounts of a shop.
    Ecommerce,
    /// Weights fitted to labels.
    Calibration,
    /// User agents of crawlers, browsers and odd devices.
    Agents,
    /// Names and gibberish.
    Names,
    /// Domains of e-mail addresses.
    Emails,
    /// Records of one person among those of many.
    Duplicates,
    /// Processor time.
    Cost,
    /// Attacks and innocents of a simulated application.
    Simulator,
}

/// Measures detection.
#[derive(Parser)]
struct Arguments {
    /// What to measure; everything if nothing is named.
    scenarios: Vec<Scenario>,
    /// Where labeled data lies that does not ship with the product.
    #[arg(long, default_value = "../shared/data")]
    labelled: PathBuf,
    /// Where published packages are unpacked, by scripts/detection/packages.sh.
    #[arg(long, default_value = "target/detection")]
    packages: PathBuf,
    /// Of the innocents, only the rows that contain this, and what is said of everybody accused.
    #[arg(long)]
    row: Option<String>,
    /// The folder to write the table of figures and the curves to.
    #[arg(long)]
    docs: Option<PathBuf>,
    /// Measure nothing, and write what the store's dictionaries are trained on to this folder.
    #[arg(long)]
    samples: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.samples {
        return match samples::write(&arguments.packages, folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                println!("no samples: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let mut report = Report::default();
    let mut scenarios = arguments.scenarios.clone();
    if scenarios.is_empty() {
        scenarios = Scenario::value_variants().to_vec();
    }
    let mut failed = false;
    for scenario in scenarios {
        let measured = match scenario {
            Scenario::Innocents => {
                innocents::measure(&arguments.packages, arguments.row.as_deref(), &mut report)
            }
            Scenario::Ecommerce => ecommerce::measure(&arguments.labelled, &mut report),
            Scenario::Calibration => {
                calibration::measure(&arguments.labelled, &arguments.packages, &mut report)
            }
            Scenario::Names => names::measure(&arguments.packages, &mut report),
            Scenario::Emails => emails::measure(&arguments.packages, &mut report),
            Scenario::Duplicates => duplicates::measure(&arguments.packages, &mut report),
            Scenario::Cost => cost::measure(&mut report),
            Scenario::Simulator => simulator::measure(&arguments.packages, &mut report),
            Scenario::Agents => agents::measure(&arguments.packages, &mut report),
        };
        if let Err(error) = measured {
            println!("{scenario:?}: not measured: {error}");
            failed = true;
        }
    }
    if let Some(path) = &arguments.docs
        && let Err(error) = report.write(path)
    {
        println!("{}: {error}", path.display());
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
