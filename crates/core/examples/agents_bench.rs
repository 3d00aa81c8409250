#![allow(dead_code)]
#[path = "../../bench/src/bin/detection/agents.rs"] mod agents;
#[path = "../../bench/src/bin/detection/curves.rs"] mod curves;
#[path = "../../bench/src/bin/detection/figures.rs"] mod figures;
#[path = "../../bench/src/bin/detection/packages.rs"] mod packages;
fn main() { agents::measure(std::path::Path::new("target/detection"), &mut figures::Report::default()).unwrap(); }
