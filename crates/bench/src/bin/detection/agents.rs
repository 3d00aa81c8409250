//! User agents of crawlers, of real browsers and of odd devices, as published packages have them.

use std::path::Path;
use std::time::Instant;

use dregs_core::agent::{Kind, contradiction, kind};
use serde_json::Value;

use crate::figures::{Error, Report, Target};
use crate::packages::read;

const NAME: &str = "user agents";

/// How many of each are called automated, and how long a look takes.
pub fn measure(packages: &Path, report: &mut Report) -> Result<(), Error> {
    let tagged: Value =
        serde_json::from_str(&read(packages, "crawler-user-agents", "crawler-user-agents.json")?)?;
    let crawlers: Vec<_> = tagged
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|entry| entry["instances"].as_array().into_iter().flatten())
        .filter_map(|instance| instance.as_str().map(str::to_owned))
        .collect();
    let listed = lines(&read(packages, "crawlerdetect", "tests/fixtures/user_agent/crawlers.txt")?);
    let devices = lines(&read(packages, "crawlerdetect", "tests/fixtures/user_agent/devices.txt")?);
    let fixtures = "device_detector/tests/fixtures/upstream/bots.yml";
    let never_seen = of_yaml(&read(packages, "device_detector", fixtures)?);
    let profiles: Vec<Value> =
        serde_json::from_str(&read(packages, "user-agents", "dist/user-agents.json")?)?;
    let browsers: Vec<_> =
        profiles.iter().filter_map(|profile| profile["userAgent"].as_str().map(str::to_owned)).collect();

    report.source(NAME, "crawler-user-agents (npm, MIT), the source of the names of crawlers");
    part(report, "crawlers called automated", &crawlers, Some(Target::AtLeast(0.995)));
    report.source(NAME, "crawlerdetect (PyPI, MIT), the other source of names");
    part(report, "crawlers called automated", &listed, Some(Target::AtLeast(0.995)));
    part(report, "odd devices called automated", &devices, Some(Target::AtMost(0.01)));
    report.source(NAME, "device_detector (PyPI, MIT; its fixtures LGPL-3.0), from which nothing was taken");
    part(report, "crawlers called automated", &never_seen, None);
    report.source(NAME, "user-agents (npm, BSD-2-Clause), 10,000 real browser profiles");
    part(report, "browsers called automated", &browsers, Some(Target::AtMost(0.0)));

    let all: Vec<_> = [&crawlers, &listed, &devices, &browsers].into_iter().flatten().collect();
    #[expect(clippy::disallowed_methods, reason = "what is measured here is time")]
    let begun = Instant::now();
    let automated = all.iter().filter(|agent| is_automated(agent)).count();
    let micros = begun.elapsed().as_secs_f64() * 1e6 / all.len() as f64;
    report.figure(
        NAME,
        &format!("µs each, over {} ({automated} automated)", all.len()),
        micros,
        Some(Target::AtMost(2.0)),
    );
    Ok(())
}

fn part(report: &mut Report, what: &str, agents: &[String], target: Option<Target>) {
    let automated = agents.iter().filter(|agent| is_automated(agent)).count();
    let part = automated as f64 / agents.len() as f64;
    report.figure(NAME, &format!("{what}, of {}", agents.len()), part, target);
}

fn is_automated(agent: &str) -> bool {
    kind(agent).0 <= Kind::Program || contradiction(agent).is_some()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// The values of `user_agent` in a list of mappings.
fn of_yaml(text: &str) -> Vec<String> {
    let value = |line: &str| {
        let value = line.trim_start().trim_start_matches("- ").trim_start().strip_prefix("user_agent:")?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    };
    text.lines().filter_map(value).collect()
}
