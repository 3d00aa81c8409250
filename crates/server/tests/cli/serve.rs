use serde_json::json;

use super::{Ground, Running};

const KEY: &str = "sk_test";

/// Starts a server on a free port; gives back its address.
pub(super) fn serve(ground: &Ground, args: &[&str]) -> (Running, String) {
    let args = [&["serve", "--listen", "127.0.0.1:0"][..], args].concat();
    let running = ground.start(&args, &[("DREGS_SECRET_KEY", KEY), ("DREGS_LOG", "error")]);
    let line = running.line_with(" listens on http://");
    let address = line.split(" listens on ").nth(1).unwrap().to_owned();
    (running, address)
}

#[test]
fn the_first_start_shows_what_it_made_once_and_a_signal_ends_it() {
    let ground = Ground::new();
    let start = || ground.start(&["serve", "--listen", "127.0.0.1:0"], &[("DREGS_LOG", "error")]);
    let mut first = start();
    let secret_key = first.line_with("secret key  sk_").trim().trim_start_matches("secret key  ").to_owned();
    first.line_with(&format!("-H \"Authorization: Bearer {secret_key}\""));
    first.line_with(" listens on http://127.0.0.1:");
    assert_eq!(first.stop_with("TERM"), (Some(0), String::new()));

    let mut second = start();
    let line = second.lines.recv_timeout(super::PATIENCE).unwrap();
    assert!(line.contains(" listens on http://127.0.0.1:"), "{line}");
    assert_eq!(second.stop_with("INT"), (Some(0), String::new()));
}

#[test]
fn the_command_that_the_first_start_shows_sends_an_event() {
    for configured in [&[("DREGS_SECRET_KEY", KEY)][..], &[]] {
        let ground = Ground::new();
        let listen = format!("127.0.0.1:{}", super::free_port());
        let mut server = ground.start(&["serve", "--listen", &listen], configured);
        let mut command = server.line_with("curl http://").trim().to_owned();
        while let Some(part) = server.lines.recv_timeout(super::PATIENCE).ok().filter(|line| !line.is_empty())
        {
            command.push('\n');
            command.push_str(&part);
        }
        server.line_with(" listens on ");
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", &command]).envs(configured.iter().copied()).output().unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(answer.starts_with(r#"{"status":"success""#), "{command}: {answer}");
        server.stop_with("TERM");
    }
}

#[test]
fn another_master_key_is_refused_and_the_first_one_goes_on() {
    let ground = Ground::new();
    serve(&ground, &[]).0.stop_with("TERM");
    let file = ground.0.path().join("data/master.key");
    let first = std::fs::read(&file).unwrap();
    let none = "dregs: there is no master key at ./data/master.key, and the database was filled with one; give this \
                server the key";
    let wrong = "dregs: the database was filled with another master key than the one in ./data/master.key";
    for (other, start) in [(None, none), (Some("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"), wrong)] {
        match other {
            Some(other) => std::fs::write(&file, other).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let refused = ground.run(&["serve", "--listen", "127.0.0.1:0"], &[]);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(refused.stderr.starts_with(start), "{}", refused.stderr);
        assert_eq!(file.exists(), other.is_some(), "a key that nothing was sealed with");
    }
    std::fs::write(&file, first).unwrap();
    serve(&ground, &[]).0.stop_with("TERM");
}

#[cfg(unix)]
#[test]
fn what_the_server_makes_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::new();
    let (mut running, _) = serve(&ground, &[]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = ground.0.path().join("data");
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
    // What an older version left open to all is closed; a group may have been let in on purpose.
    running.stop_with("TERM");
    let database = data.join("dregs.db");
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (_running, _) = serve(&ground, &[]);
    assert_eq!(mode(&database), 0o640);
}

#[cfg(unix)]
#[test]
fn what_the_server_makes_is_its_users_alone_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    for umask in ["000", "002", "022", "027", "077", "177", "777"] {
        for command in ["serve --listen 127.0.0.1:0", "migrate"] {
            let ground = Ground::new();
            let script = format!("umask {umask} && exec \"$0\" {command}");
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", &script, env!("CARGO_BIN_EXE_dregs")]).current_dir(ground.0.path());
            shell
                .envs([("DREGS_SECRET_KEY", KEY), ("DREGS_LOG", "error")])
                .stdout(std::process::Stdio::piped());
            let mut child = shell.spawn().unwrap();
            let lines = super::lines(child.stdout.take().unwrap());
            let running = Running { child, lines };
            let done = if command == "migrate" { "applied  0001_initial" } else { " listens on http://" };
            running.line_with(done);
            let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let data = ground.0.path().join("data");
            assert_eq!(mode(&data), 0o700, "{umask} {command}");
            for file in std::fs::read_dir(&data).unwrap() {
                let file = file.unwrap().path();
                assert_eq!(mode(&file), 0o600, "{umask} {command}: {file:?}");
            }
        }
    }
}

#[test]
fn the_root_says_where_to_go() {
    let (_running, url) = serve(&Ground::new(), &[]);
    let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(text.contains("/api/docs") && text.contains("dashboard"), "{text}");
    // Whoever writes a path by hand comes to what there is; nobody is led to another host.
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let asked = |path: &str| {
        let mut answer = agent.get(format!("{url}{path}")).call().unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_else(|| answer.body_mut().read_to_string().unwrap()))
    };
    for (path, to) in [
        ("/api", "/api/docs"),
        ("/api/", "/api/docs"),
        ("/docs", "/api/docs"),
        ("/api/docs/", "/api/docs"),
        ("/manual/", "/manual"),
        ("/manual/webhooks/", "/manual/webhooks"),
        ("//api/identities//", "/api/identities"),
    ] {
        assert_eq!(asked(path), (307, to.to_owned()), "{path}");
    }
    for path in ["/login", "/api/nothing", "//evil.test/"] {
        let (status, said) = asked(path);
        assert!(status == 404 && said.contains("/api/docs"), "{path}: {said}");
    }
}

#[test]
fn an_address_in_use_is_1_and_says_where_else() {
    let ground = Ground::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let done = ground.run(&["serve", "--listen", &address.to_string()], &[]);
    let expected = format!(
        "dregs: another process listens on {address}: stop it, or choose another address with --listen or DREGS_LISTEN, \
         such as 127.0.0.1:{}\n",
        address.port().saturating_add(1)
    );
    assert_eq!((done.code, done.stderr), (Some(1), expected));
    assert!(!ground.0.path().join("data").exists(), "keys were made that nobody saw");
}

#[test]
fn a_data_directory_in_use_is_1_as_an_address_in_use_is() {
    let ground = Ground::new();
    let (_running, _) = serve(&ground, &[]);
    let done = ground.run(&["serve", "--listen", "127.0.0.1:0"], &[]);
    let expected = "dregs: data_dir ./data is in use by another dregs server: stop that one first\n";
    assert_eq!((done.code, done.stderr.as_str()), (Some(1), expected));
}

#[test]
fn an_address_that_this_machine_does_not_have_is_2() {
    let done = Ground::new().run(&["serve", "--listen", "192.0.2.1:8080"], &[]);
    let said = "dregs: 192.0.2.1:8080 is not an address of this machine: choose one with --listen, ";
    assert_eq!((done.code, done.stderr.starts_with(said)), (Some(2), true), "{}", done.stderr);
}

#[test]
fn a_database_that_is_not_there_is_1_without_its_password() {
    let url = "postgres://ann:hunter2@127.0.0.1:1/dregs";
    let done = Ground::new().run(&["serve", "--listen", "127.0.0.1:0", "--database-url", url], &[]);
    assert_eq!((done.code, done.stderr.lines().count()), (Some(1), 1), "{}", done.stderr);
    let start = "dregs: database_url postgres://ann:********@127.0.0.1:1/dregs cannot be used: ";
    assert!(done.stderr.starts_with(start), "{}", done.stderr);
}

#[test]
fn listen_has_a_channel_while_it_runs_and_trigger_reaches_it() {
    let ground = Ground::new();
    let (_server, url) = serve(&ground, &["--egress-allow", "127.0.0.0/8"]);
    let server = ["--server", &url, "--key", KEY];
    let trigger = |event| ground.run(&[&["trigger", event][..], &server].concat(), &[]);
    let nobody = trigger("alert.opened");
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.starts_with("dregs: no channel is subscribed to ESCALATION_OPENED: "));

    let args = [&["listen", "--port", "0", "--events", "alert.opened,channel.test"][..], &server].concat();
    let mut listening = ground.start(&args, &[]);
    let name = listening.line_with("Channel listen-").split(' ').nth(1).unwrap().to_owned();
    let sent = trigger("alert.opened");
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    assert!(sent.stdout.starts_with(&format!("1  {name}  DELIVERED  200  ")), "{}", sent.stdout);
    assert!(listening.line_with("ESCALATION_OPENED").ends_with("  verified"));
    assert_eq!(trigger("identity.scored").code, Some(1));
    // By its slug or number, whatever it is subscribed to.
    for channel in [name.as_str(), "1"] {
        let args = [&["trigger", "identity.scored", "--channel", channel][..], &server].concat();
        assert_eq!(ground.run(&args, &[]).code, Some(0), "{channel}");
    }
    let unknown =
        ground.run(&[&["trigger", "channel.test", "--channel", "my-app"][..], &server].concat(), &[]);
    assert_eq!(unknown.stderr, format!("dregs: there is no channel my-app; there are {name}\n"));

    assert_eq!(listening.stop_with("INT"), (Some(0), format!("removed channel {name}\n")));
    assert_eq!(trigger("alert.opened"), nobody);
}

#[test]
fn listen_says_how_to_start_a_server_that_does_not_send_to_this_machine() {
    let ground = Ground::new();
    let (_server, url) = serve(&ground, &[]);
    let done = ground.run(&["listen", "--port", "0", "--server", &url, "--key", KEY], &[]);
    assert_eq!(done.code, Some(1));
    let advice = format!(
        "dregs: the server at {url} does not send to this machine: start it with --egress-allow 127.0.0.0/8 \
         (or DREGS_EGRESS_ALLOW=127.0.0.0/8)\n"
    );
    assert_eq!(done.stderr, advice);
    let elsewhere = ["listen", "--port", "0", "--server", &url, "--key", KEY, "--url", "http://10.1.2.3/"];
    let done = ground.run(&elsewhere, &[]);
    assert!(
        done.stderr.ends_with("--egress-allow 10.0.0.0/8 (or DREGS_EGRESS_ALLOW=10.0.0.0/8)\n"),
        "{}",
        done.stderr
    );
    let wrong = ground.run(&["listen", "--port", "0", "--server", &url, "--key", "sk_wrong"], &[]);
    assert!(
        wrong.stderr.starts_with("dregs: the server refused the key: The key is unknown"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn keys_are_made_listed_revoked_and_enabled() {
    let ground = Ground::new();
    let advice = "dregs: the database in data_dir typo is not there: start the server once, which makes it, or choose \
                  another with --data-dir\n";
    for args in [
        &["keys", "create", "Shop", "--data-dir", "typo"] as &[_],
        &["backtest", "--map", "a=LOGIN", "--data-dir", "typo"],
    ] {
        let empty = ground.run(args, &[]);
        assert_eq!((empty.code, empty.stderr.as_str()), (Some(1), advice));
        assert!(!ground.0.path().join("typo").exists(), "a question makes nothing");
    }
    serve(&ground, &[]).0.stop_with("TERM");

    let made = ground.run(&["keys", "create", "Shop", "--origin", "https://shop.example.com"], &[]);
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    assert!(made.stdout.starts_with("id          2\npublic key  pk_"), "{}", made.stdout);
    let states = || {
        let listed = ground.run(&["keys", "list"], &[]).stdout;
        let word = |line: &str, index| line.split_whitespace().nth(index).unwrap().to_owned();
        listed.lines().skip(1).map(|line| (word(line, 1), word(line, 2))).collect::<Vec<_>>()
    };
    let pair = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    assert_eq!(states(), [pair("Default", "enabled"), pair("Shop", "enabled")]);
    assert!(ground.run(&["keys", "list"], &[]).stdout.contains("  https://shop.example.com\n"));
    assert_eq!(ground.run(&["keys", "revoke", "2"], &[]).code, Some(0));
    assert_eq!(states(), [pair("Default", "enabled"), pair("Shop", "revoked")]);
    assert_eq!(ground.run(&["keys", "enable", "2"], &[]).code, Some(0));
    assert_eq!(states(), [pair("Default", "enabled"), pair("Shop", "enabled")]);
    let twice = ground.run(&["keys", "create", "Shop"], &[]);
    let advice = "dregs: there is a credential called Shop, which may be revoked: take another name; `dregs keys list` \
                  shows them\n";
    assert_eq!((twice.code, twice.stderr.as_str()), (Some(1), advice));
    let word = ground.run(&["keys", "revoke", "Shop"], &[]);
    assert!(
        word.stderr.contains("is not the number of a credential, as `dregs keys list` shows it"),
        "{}",
        word.stderr
    );
    let database = rusqlite::Connection::open(ground.0.path().join("data/dregs.db")).unwrap();
    let told = "select count(*) from audit_log where action = 'credential.change' and actor = 'command line'";
    assert_eq!(database.query_row(told, [], |row| row.get::<_, i64>(0)).unwrap(), 2, "revoked, and enabled");
    let unknown = ground.run(&["keys", "revoke", "9"], &[]);
    let advice = "dregs: there is no credential 9: `dregs keys list` shows those there are\n";
    assert_eq!((unknown.code, unknown.stderr.as_str()), (Some(1), advice));
}

#[tokio::test]
async fn a_lost_password_is_reset_where_the_store_is() {
    let ground = Ground::new();
    serve(&ground, &[]).0.stop_with("TERM");
    let listed = ground.run(&["users", "list"], &[]);
    assert_eq!(
        (listed.code, listed.stdout.contains("admin@localhost  ADMIN")),
        (Some(0), true),
        "{}",
        listed.stdout
    );
    let unknown = ground.run(&["users", "reset-password", "nobody@example.com"], &[]);
    let said = "dregs: nobody signs in as nobody@example.com: `dregs users list` shows those who do\n";
    assert_eq!((unknown.code, unknown.stderr.as_str()), (Some(1), said));
    let reset = ground.run(&["users", "reset-password", "Admin@localhost"], &[]);
    assert_eq!((reset.code, reset.stderr.as_str()), (Some(0), ""));
    let password = reset.stdout.lines().next().and_then(|line| line.strip_prefix("password  ")).unwrap();
    let (_running, address) = serve(&ground, &[]);
    let body = json!({"email": "admin@localhost", "password": password});
    let login = reqwest::Client::new().post(format!("{address}/api/auth/login")).json(&body);
    assert_eq!(login.send().await.unwrap().status(), 200);
    let database = rusqlite::Connection::open(ground.0.path().join("data/dregs.db")).unwrap();
    let told = "select count(*) from audit_log where action = 'password.reset' and actor = 'command line'";
    assert_eq!(database.query_row(told, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[tokio::test]
async fn a_lost_second_factor_is_removed_where_the_store_is() {
    let ground = Ground::new();
    let (mut running, address) = serve(&ground, &[]);
    let unknown = ground.run(&["users", "reset-second-factor", "nobody@example.com"], &[]);
    let said = "dregs: nobody signs in as nobody@example.com: `dregs users list` shows those who do\n";
    assert_eq!((unknown.code, unknown.stderr.as_str()), (Some(1), said));
    let reset = ground.run(&["users", "reset-password", "admin@localhost"], &[]);
    let password = reset.stdout.lines().next().and_then(|line| line.strip_prefix("password  ")).unwrap();
    // As if it were confirmed: the key that sealed it is not asked for before a code is right.
    let database = rusqlite::Connection::open(ground.0.path().join("data/dregs.db")).unwrap();
    let factor = "insert into second_factors (user_id, secret, last_step, created_at, confirmed_at) values (1, x'00', 0, 0, 0)";
    database.execute_batch(factor).unwrap();
    let sign_in = async || {
        let body = json!({"email": "admin@localhost", "password": password});
        let login = reqwest::Client::new().post(format!("{address}/api/auth/login")).json(&body);
        login.send().await.unwrap().status().as_u16()
    };
    assert_eq!(sign_in().await, 401, "it asks for a code");
    let reset = ground.run(&["users", "reset-second-factor", "Admin@localhost"], &[]);
    assert_eq!((reset.code, reset.stderr.as_str()), (Some(0), ""), "{}", reset.stdout);
    assert!(reset.stdout.starts_with("The password alone signs in: "), "{}", reset.stdout);
    assert_eq!(sign_in().await, 200);
    let told = "select actor from audit_log where action = 'member.reset-second-factor'";
    assert_eq!(database.query_row(told, [], |row| row.get::<_, String>(0)).unwrap(), "command line");
    let again = ground.run(&["users", "reset-second-factor", "admin@localhost"], &[]);
    assert!(again.stdout.starts_with("Nothing was changed: "), "{}", again.stdout);
    running.stop_with("TERM");
}

#[test]
fn migrate_checks_first_and_then_does_it_once() {
    let ground = Ground::new();
    let missing = ground.run(&["migrate", "--check"], &[]);
    assert_eq!(missing.code, Some(1));
    let alone = ground.run(&["migrate", "--distribute", "citus"], &[]);
    let said = "dregs: --distribute needs a cluster: name its coordinator with --database-url\n";
    assert_eq!((alone.code, alone.stderr.as_str()), (Some(2), said));
    assert!(!ground.0.path().join("data").exists(), "what only looks, or is refused, made a database");
    let done = ground.run(&["migrate"], &[]);
    assert_eq!((done.code, done.stdout.starts_with("applied  0001_initial\n")), (Some(0), true));
    for args in [&["migrate", "--check"][..], &["migrate"]] {
        let again = ground.run(args, &[]);
        let expected = "the database in data_dir ./data is up to date\n";
        assert_eq!((again.code, again.stdout.as_str()), (Some(0), expected));
    }
}
