//! A clock that is an hour ahead, then an hour behind, then right again, under a server that works.

use std::time::Duration;

use dregs_core::time::HOUR_MS;

use super::{Scene, show, started_with};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::server::eventually;
use crate::support::shim::Shim;

on_both_engines!(though_the_clock_jumps_nothing_is_stuck_and_scores_are_as_ever);

/// The clock is wrong by so much, for so long each.
const STEPS: [(i64, Duration); 4] = [
    (0, Duration::from_secs(1)),
    (HOUR_MS, Duration::from_secs(2)),
    (-HOUR_MS, Duration::from_secs(3)),
    (0, Duration::from_secs(1)),
];

async fn though_the_clock_jumps_nothing_is_stuck_and_scores_are_as_ever(engine: Engine) {
    let mut scene = Scene::new().await;
    let shim = Shim::new();
    let site = Site::new(engine);
    let node = started_with(&site, &shim).await;
    scene.furnish(site.address).await;
    scene.send_to(site.address);
    let mut acknowledged = 0;
    for (step, time) in STEPS {
        shim.shift_clock(step);
        tokio::time::sleep(time).await;
        let taken = || scene.traffic.ledger().acknowledged().len();
        eventually("events to be taken", async || (taken() > acknowledged).then_some(())).await;
        acknowledged = taken();
        if step < 0 {
            // Nobody waits until the clock shows again what it has shown before.
            scene.pause();
            super::done(&site.open_store()).await;
            scene.send_to(site.address);
        }
    }
    show(&format!("a clock an hour ahead and behind: {acknowledged} events"));
    scene.end(&site).await;
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
