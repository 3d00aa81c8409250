//! What Prometheus and Grafana are given: metrics that there are, alerts that the manual has words for.

use std::collections::BTreeSet;

use dregs_server::telemetry::described::METRICS;
use serde_json::Value;

use super::links::sources;
use super::root;

/// Names of metrics in a text, without what a histogram adds to its own.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    let names = words.filter(|word| word.starts_with("dregs_") && word.len() > "dregs_".len());
    names
        .map(|name| ["_bucket", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name))
        .collect()
}

fn described() -> BTreeSet<&'static str> {
    METRICS.iter().map(|(name, ..)| *name).collect()
}

#[test]
fn every_metric_is_described_and_no_other() {
    let mut code = String::new();
    sources(&root("crates/server/src"), &mut code);
    let counted = ["counter!(\"", "gauge!(\"", "histogram!(\""].iter().flat_map(|call| {
        code.split(call).skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
    });
    assert_eq!(described(), counted.collect());
    assert_eq!(described().len(), METRICS.len(), "each once");
}

#[test]
fn every_alert_is_of_metrics_that_there_are_and_has_its_words() {
    let alerts = std::fs::read_to_string(root("packaging/monitoring/alerts.yml")).unwrap();
    let tests = std::fs::read_to_string(root("packaging/monitoring/alerts.test.yml")).unwrap();
    let chapter = std::fs::read_to_string(root("docs/manual/operations.md")).unwrap();
    let named: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(named.len() > 5);
    for name in &named {
        assert!(chapter.contains(&format!("| `{name}` |")), "{name} has no line in the manual");
        // Once silent, once fired.
        assert_eq!(tests.matches(&format!("alertname: {name}")).count(), 2, "{name}");
    }
    assert_eq!(chapter.matches("| `Dregs").count(), named.len(), "of alerts that there are not");
    let unknown: Vec<_> = metrics_in(&alerts).difference(&described()).copied().collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn every_panel_shows_metrics_that_there_are() {
    let text = std::fs::read_to_string(root("packaging/monitoring/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    let mut count = 0;
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let of = metrics_in(target["expr"].as_str().unwrap());
            assert!(!of.is_empty() && of.is_subset(&described()), "{}: {target}", panel["title"]);
            count += 1;
        }
    }
    assert!(count > 15, "{count}");
}
