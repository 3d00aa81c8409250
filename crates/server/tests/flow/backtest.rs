//! The past under another configuration, beside a running server.

use std::process::Command;

use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, eventually};

on_both_engines!(a_backtest_says_whose_scores_would_change_and_touches_none);

/// 2026-11-01T08:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_793_520_000_000);

fn backtest(server: &TestServer, args: &[&str]) -> (Option<i32>, String, String) {
    let config = &server.app.config;
    let mut command = Command::new(env!("CARGO_BIN_EXE_dregs"));
    command.arg("backtest").args(args).args(["--data-dir", config.data_dir.to_str().unwrap()]);
    if let Some(url) = &config.database_url {
        command.args(["--database-url", url]);
    }
    let done = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

async fn scores(server: &TestServer, id: &str) -> Value {
    let identity = server.get(&format!("/api/identities/{id}")).await;
    let fields = ["humanityScore", "authenticityScore", "uniquenessScore", "behaviorScore", "updatedAt"];
    Value::from(fields.map(|field| identity[field].clone()).to_vec())
}

async fn a_backtest_says_whose_scores_would_change_and_touches_none(engine: Engine) {
    let server = TestServer::start(engine).await;
    // A robot with a clockwork, somebody who buys a second after sign-up, and a person.
    let people = [3_000, 61_000, 70_000, 155_000, 180_000, 300_000, 340_000];
    let at = |millis: i64| START.plus_millis(millis).to_string();
    let mut stories: Vec<(&str, &str, i64)> = (0..30).map(|n| ("robot", "viewed", n * 10_000)).collect();
    stories.extend([("buyer", "signup", 0), ("buyer", "cart.paid", 2_000)]);
    stories.extend(people.map(|millis| ("ada", "viewed", millis)));
    let count = stories.len();
    for (n, (id, name, millis)) in stories.into_iter().enumerate() {
        // In a session of their own: without anything of a person their times would be those of a backend.
        let event = json!({
            "id": format!("e{n}"), "type": name, "timestamp": at(millis), "identity": {"id": id}, "session": id,
        });
        server.post("/api/events", event).await;
    }
    eventually("the robot to be seen through", async || {
        scores(&server, "robot").await[0].as_u64().filter(|humanity| *humanity < 20)
    })
    .await;
    for (id, count) in [("robot", 30), ("buyer", 2), ("ada", people.len())] {
        eventually("every event to be scored", async || {
            let analysis = server.analysis(id).await;
            (analysis["eventCount"] == count).then_some(())
        })
        .await;
    }
    let live = [scores(&server, "robot").await, scores(&server, "buyer").await, scores(&server, "ada").await];

    let (code, told, noted) = backtest(
        &server,
        &["--weights", "humanity.timing=0,behavior.repetition=0", "--map", "cart.paid=PURCHASE"],
    );
    assert_eq!(code, Some(0), "{noted}");
    assert!(noted.contains(&format!("replayed {count} events of 3 identities")), "{noted}");
    let behavior = live[1][3].to_string();
    for part in [
        "caught, now below 50:        1\n".to_owned(),
        "let go, no longer below 50:  1\n".to_owned(),
        "cost: of 2 identities at 60 or above in every category today, 1 would be caught\n".to_owned(),
        format!("caught  buyer  H - A - U - B {behavior} -> H - A - U - B 3"),
        format!("let go  robot  H {} ", live[0][0]),
    ] {
        assert!(told.contains(&part), "{part:?} is not in\n{told}");
    }

    let mut innocents = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut innocents, b"ada\nuser_99\n").unwrap();
    let (code, told, noted) = backtest(&server, &["--innocent", innocents.path().to_str().unwrap()]);
    assert_eq!(
        (code, told.contains("cost: of 1 identity known to be innocent, 0 would be caught\n")),
        (Some(0), true)
    );
    assert!(told.contains("caught, now below 50:        0\nlet go, no longer below 50:  0\n"), "{told}");
    assert!(
        noted.contains("--innocent names 1 identity not among those tried, such as \"user_99\"\n"),
        "{noted}"
    );
    // A past that is compared with itself says nothing: somebody has forgotten what to change.
    for args in [&[][..], &["--threshold", "40"]] {
        let (code, told, said) = backtest(&server, args);
        let expected = "dregs: nothing would be different from what is in force: say what to change by --weights or \
                        --map, such as `dregs backtest --weights humanity.timing=0`\n";
        assert_eq!((code, told.as_str(), said.as_str()), (Some(2), "", expected));
    }
    let now = [scores(&server, "robot").await, scores(&server, "buyer").await, scores(&server, "ada").await];
    assert_eq!(now, live, "live scores are as they were");

    let (code, _, said) = backtest(&server, &["--map", "cart.paid=PAID"]);
    assert_eq!(code, Some(2));
    let start = "dregs: --map: there is no event type \"PAID\"; there are REGISTRATION, LOGIN, ";
    assert!(said.starts_with(start), "{said}");
    // A mistyped name would else look like a mapping that harms nobody.
    let (code, _, said) = backtest(&server, &["--map", "cart.payd=PURCHASE", "--map", "Cart Paid=PURCHASE"]);
    let notes: Vec<_> = said.lines().filter(|line| line.contains("changes nothing")).collect();
    assert_eq!(
        (code, notes),
        (Some(0), vec!["no event is called \"cart.payd\": its mapping changes nothing"])
    );
}
