//! Teams as whoever works on the store makes and deletes them, beside a server and without one.

use std::time::Duration;

use dregs_server::clock::monotonic;

use super::serve::serve;
use super::{Done, Ground};

/// Until when a running server follows.
const FOLLOWED: Duration = Duration::from_secs(2);

fn line<'d>(done: &'d Done, begin: &str) -> &'d str {
    let line = done.stdout.lines().find_map(|line| line.strip_prefix(begin));
    line.unwrap_or_else(|| panic!("{done:?} has no {begin}")).trim()
}

#[tokio::test]
async fn teams_are_managed_beside_a_server_and_without_one() {
    let ground = Ground::new();
    let (mut running, address) = serve(&ground, &[]);
    let run = |args: &[&str]| ground.run(args, &[]);
    let done = |args: &[&str]| {
        let done = run(args);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{args:?}");
        done
    };
    let refused = |args: &[&str]| {
        let done = run(args);
        (done.code, done.stderr)
    };
    let status = async |key: &str| {
        let ask = reqwest::Client::new().get(format!("{address}/api/team")).bearer_auth(key);
        ask.send().await.unwrap().status().as_u16()
    };
    let alone = run(&["users", "list"]).stdout;
    assert_eq!(alone.lines().next(), Some("EMAIL            ROLE   NAME"));
    let key = line(&done(&["teams", "add", " Staging "]), "secret key").to_owned();
    assert_eq!(status(&key).await, 200, "the server follows at once");
    assert_eq!(
        refused(&["teams", "add", "staging"]),
        (Some(1), "dregs: there is a team called staging: take another name\n".into())
    );
    assert_eq!(done(&["teams", "rename", "2", "Test"]).stdout, "Staging is called Test now\n");

    // Of several one has to be named, wherever it matters.
    let which = "dregs: there are several teams: name one of \"Default\", \"Test\" with --team\n";
    for args in [&["keys", "create", "Shop"][..], &["backtest", "--map", "a=LOGIN"]] {
        assert_eq!(refused(args), (Some(2), which.into()), "{args:?}");
    }
    let unknown = "dregs: there is no team \"Staging\"; there are \"Default\", \"Test\"\n";
    assert_eq!(refused(&["keys", "create", "Shop", "--team", "Staging"]), (Some(1), unknown.into()));
    done(&["keys", "create", "Shop", "--team", "test"]);
    let names = |args: &[&str]| {
        let listed = done(args).stdout;
        let rows = listed
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().skip(1).take(2).collect::<Vec<_>>().join(" "));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(names(&["keys", "list"]), ["Default Default", "Test Default", "Test Shop"]);
    assert_eq!(names(&["keys", "list", "--team", "Test"]), ["Test Default", "Test Shop"]);

    let known = done(&["teams", "add-member", "Test", "Admin@localhost", "--role", "admin"]).stdout;
    assert_eq!(known, "Admin@localhost is in Test now\n");
    let new = done(&["teams", "add-member", "Test", "ada@example.com", "--role", "VIEWER"]);
    let body = serde_json::json!({"email": "ada@example.com", "password": line(&new, "password")});
    let login = reqwest::Client::new().post(format!("{address}/api/auth/login")).json(&body);
    assert_eq!(login.send().await.unwrap().status(), 200);
    let again = refused(&["teams", "add-member", "Test", "ada@example.com", "--role", "user"]);
    assert_eq!(again, (Some(1), "dregs: ada@example.com is in the team already\n".into()));
    let listed = done(&["users", "list", "--team", "Test"]).stdout;
    let rows: Vec<Vec<_>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["ada@example.com", "Test", "VIEWER"]);
    assert_eq!(rows[2], ["admin@localhost", "Test", "ADMIN", "owner"]);
    done(&["teams", "remove-member", "Test", "ada@example.com"]);
    let gone = refused(&["teams", "remove-member", "Test", "ada@example.com"]);
    let said = "dregs: ada@example.com is not in the team: `dregs users list` shows who is in which\n";
    assert_eq!(gone, (Some(1), said.into()));
    let admin = refused(&["teams", "remove-member", "Test", "admin@localhost"]);
    let said = "dregs: admin@localhost is the only admin of the team: make somebody else one first\n";
    assert_eq!(admin, (Some(1), said.into()));

    let last = refused(&["users", "remove-owner", "admin@localhost"]);
    let said = "dregs: nobody but admin@localhost owns the installation: make somebody else an owner first, with `dregs users \
                add-owner`\n";
    assert_eq!(last, (Some(1), said.into()));
    done(&["teams", "add-member", "Default", "ada@example.com", "--role", "analyst"]);
    done(&["users", "add-owner", "ada@example.com"]);
    done(&["users", "remove-owner", "admin@localhost"]);

    let short = refused(&["teams", "delete", "2"]);
    let said = "dregs: say the whole name of the team, as `dregs teams list` shows it\n";
    assert_eq!(short, (Some(1), said.into()));
    let deleted = done(&["teams", "delete", "Test"]);
    assert!(deleted.stdout.starts_with("Test, with 1 member, is deleted: its keys no longer work.\n"));
    let begun = monotonic();
    while status(&key).await != 401 {
        assert!(begun.elapsed() < FOLLOWED, "the server still takes the key");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.stop_with("TERM");

    let listed = done(&["teams", "list"]).stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let last = refused(&["teams", "delete", "Default"]);
    assert_eq!(last, (Some(1), "dregs: it is the only team: make another one first\n".into()));
    done(&["teams", "add", "Other"]);
    done(&["teams", "delete", "Other"]);
}
