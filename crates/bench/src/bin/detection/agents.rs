//! User agents of crawlers, of real browsers and of odd devices, as published packages have them.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use dregs_core::agent::{Kind, contradiction, kind, known_agent};
use serde_json::Value;

use crate::figures::{Error, Report, Target};
use crate::packages::{find, read};

const NAME: &str = "user agents";
/// The names that ship.
const CRAWLERS: &str = include_str!("../../../../core/data/crawlers.tsv");
/// User agents by what they are, in the package device_detector.
const FIXTURES: &str = "device_detector/tests/fixtures/upstream";

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
    let never_seen = of_yaml(&read(packages, "device_detector", &format!("{FIXTURES}/bots.yml"))?);
    let people = people(packages)?;
    let profiles: Vec<Value> =
        serde_json::from_str(&read(packages, "user-agents", "dist/user-agents.json")?)?;
    let browsers: Vec<_> =
        profiles.iter().filter_map(|profile| profile["userAgent"].as_str().map(str::to_owned)).collect();

    report.source(NAME, "crawler-user-agents (npm, MIT), the source of the names of crawlers");
    crawlers_of(report, &crawlers, 0.985);
    report.source(NAME, "crawlerdetect (PyPI, MIT), the other source of names");
    crawlers_of(report, &listed, 0.98);
    automated(report, "odd devices", &devices, 0.01);
    report.source(NAME, "device_detector (PyPI, MIT; its fixtures LGPL-3.0), from which nothing was taken");
    crawlers_of(report, &never_seen, 0.97);
    automated(report, "people's devices and programs", &people, 0.01);
    report.source(NAME, "user-agents (npm, BSD-2-Clause), 10,000 real browser profiles");
    automated(report, "browsers", &browsers, 0.0);
    odd_words(report);

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

/// The part of a list of crawlers that is told from people's browsers and apps, and the part of it that is called
/// automated. Between them are names that nobody knows, which a customer's own app may have.
fn crawlers_of(report: &mut Report, agents: &[String], told: f64) {
    let is_told = |agent: &str| is_automated(agent) || matches!(kind(agent).0, Kind::Unknown | Kind::Agent);
    let what = format!("crawlers told from browsers and apps, of {}", agents.len());
    report.figure(NAME, &what, part(agents, is_told), Some(Target::AtLeast(told)));
    let what = format!("crawlers called automated, of {}", agents.len());
    report.figure(NAME, &what, part(agents, is_automated), None);
}

fn automated(report: &mut Report, who: &str, agents: &[String], target: f64) {
    let what = format!("{who} called automated, of {}", agents.len());
    report.figure(NAME, &what, part(agents, is_automated), Some(Target::AtMost(target)));
}

fn part(agents: &[String], is_one: impl Fn(&str) -> bool) -> f64 {
    agents.iter().filter(|agent| is_one(agent)).count() as f64 / agents.len() as f64
}

fn is_automated(agent: &str) -> bool {
    kind(agent).0.is_automated() || contradiction(agent).is_some()
}

/// Whole browsers with a place for a name of a device, an app, an extension, an address.
const BROWSERS: [&str; 8] = [
    "Mozilla/5.0 (Linux; Android 14; {} Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/148.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; 22101316G Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/148.0.0.0 Mobile Safari/537.36 Instagram 365.0.0.38.92 Android (34/14; 440dpi; 1080x2176; Xiaomi/Redmi; 22101316G; {}; mt6877; pt_BR; 684405555)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 {}/3.1.0",
    "Mozilla/5.0 (Linux; Android 14; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/148.0.0.0 Mobile Safari/537.36 {}/3.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) {}/3.1.0 Chrome/142.0.0.0 Electron/39.2.7 Safari/537.36",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; {}; .NET CLR 2.0.50727)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; http://www.{-}.example)",
];

/// Each of [`BROWSERS`] with each name of a crawler: called automated they may be where crawlers are known to have
/// that name in a whole browser, or an AI service's agent is known to have it, and nowhere else.
fn odd_words(report: &mut Report) {
    let rows = || CRAWLERS.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let is_known = |row: &Vec<&str>| {
        row.last().is_some_and(|places| !places.is_empty()) || known_agent(row[0]).is_some()
    };
    let known_names: HashSet<_> = rows().filter(is_known).map(|row| row[0]).collect();
    let (known, others): (Vec<_>, Vec<_>) =
        rows().partition(|row| is_known(row) || row[0].split(' ').any(|word| known_names.contains(word)));
    report.source(NAME, "whole browsers whose device, app, extension or address has the name of a crawler");
    for (what, rows, target) in [
        ("names that crawlers are not known to have there", others, Some(Target::AtMost(0.0))),
        ("names that crawlers are known to have there", known, None),
    ] {
        let with = |row: &Vec<&str>| {
            BROWSERS.map(|browser| browser.replace("{}", row[0]).replace("{-}", &row[0].replace(' ', "-")))
        };
        let agents: Vec<_> = rows.iter().flat_map(with).collect();
        report.figure(
            NAME,
            &format!("called automated, of {} with {what}", agents.len()),
            part(&agents, is_automated),
            target,
        );
        let left = rows.iter().filter(|row| part(&with(row), is_automated) > 0.0).map(|row| row[0]);
        println!("{NAME}: called automated: {}", left.collect::<Vec<_>>().join(", "));
    }
}

/// User agents of devices, apps and programs of people, from the fixtures that are not of bots.
fn people(packages: &Path) -> Result<Vec<String>, Error> {
    let folder = find(packages, "device_detector")?.join(FIXTURES);
    let mut agents = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_of_people = path.extension().is_some_and(|end| end == "yml") && !path.ends_with("bots.yml");
        if is_of_people {
            agents.extend(of_yaml(&String::from_utf8_lossy(&std::fs::read(path)?)));
        }
    }
    Ok(agents)
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
