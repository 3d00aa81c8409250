use super::Ground;

/// What somebody reads first about each command.
const KEY_LINES: &[(&[&str], &[&str])] = &[
    (&[], &["Usage: dregs <COMMAND>", "dregs demo", "Run the server", "Examples:"]),
    (&["serve"], &["Usage: dregs serve", "--listen <ADDR>", "--egress-allow 127.0.0.0/8", "dregs.toml"]),
    (&["demo"], &["Usage: dregs demo", "--seconds <N>", "--keep <DIR>"]),
    (&["listen"], &["Usage: dregs listen", "--forward <URL>", "--secret <SECRET>", "Examples:"]),
    (&["trigger"], &["<EVENT-TYPE>", "identity.labeled", "alert.opened", "--channel <CHANNEL>"]),
    (&["verify"], &["--tolerance <SECONDS>", "--header <NAME: VALUE>", "Exits with 0"]),
    (&["keys"], &["list", "create", "revoke", "enable", "within a second"]),
    (&["users"], &["list", "reset-password", "reset-second-factor", "add-owner", "Examples:"]),
    (&["teams"], &["list", "add", "rename", "delete", "add-member", "remove-member", "within two seconds"]),
    (&["teams", "add-member"], &["<TEAM> <EMAIL>", "admin, analyst, viewer"]),
    (&["backup"], &["Usage: dregs backup", "<FILE>", "nobody who writes waits", "Examples:"]),
    (
        &["restore"],
        &["Usage: dregs restore", "--replace", "--in-place", "The server must not run", "Examples:"],
    ),
    (&["migrate"], &["--check", "--database-url <URL>"]),
    (
        &["backtest"],
        &["from 1 to 100", "--weights <LIST>", "--map <NAME=TYPE>", "without touching", "Examples:"],
    ),
    (&["health"], &["--server <URL>", "/readyz", "Exits with 0"]),
    (&["config"], &["DREGS_DEADLINE_MS", "Secrets are masked"]),
    (&["completions"], &["<SHELL>", "bash", "zsh", "fish", "Examples:"]),
    (&["man"], &["Usage: dregs man <DIR>", "Examples:"]),
];

#[test]
fn help_says_how_each_command_is_used() {
    let ground = Ground::new();
    for (command, parts) in KEY_LINES {
        let done = ground.run(&[command, &["--help"][..]].concat(), &[]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{command:?}");
        for part in *parts {
            assert!(done.stdout.contains(part), "{command:?} does not say {part:?}:\n{}", done.stdout);
        }
        let longest = done.stdout.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(120), "{command:?} has a line of {longest:?} characters");
    }
}

#[test]
fn help_of_a_command_lists_the_settings_that_it_goes_by() {
    let ground = Ground::new();
    let store = ["--config <FILE>", "--data-dir <DIR>", "--database-url <URL>"];
    let cases: [(&[&str], &[&str]); 6] = [
        (&["keys", "list"], &store),
        (&["keys", "create"], &store),
        (&["keys", "reset-secrets"], &[store[0], store[1], store[2], "--master-key-file <FILE>"]),
        (&["migrate"], &store),
        (&["backtest"], &store),
        (&["config"], &store[..1]),
    ];
    for (command, expected) in cases {
        let said = ground.run(&[command, &["--help"][..]].concat(), &[]).stdout;
        let (_, settings) = said.split_once("\nSettings:\n").unwrap_or_else(|| panic!("{command:?}: {said}"));
        let (settings, _) = settings.split_once("\n\n").unwrap_or((settings, ""));
        let listed: Vec<_> = settings.lines().map(|line| line.trim().split("  ").next().unwrap()).collect();
        assert_eq!(listed, expected, "{command:?}");
    }
    let said = ground.run(&["config", "--help"], &[]).stdout;
    assert!(said.contains("`dregs help serve`"), "{said}");
    // What is not listed is taken all the same, as it is from the file and from the environment.
    let done = ground.run(&["migrate", "--check", "--egress-allow", "127.0.0.0/8"], &[]);
    assert_eq!(done.stderr, "dregs: there is no database at ./data/dregs.db yet\n");
}

#[test]
fn help_puts_nothing_but_settings_under_settings() {
    let ground = Ground::new();
    let settings = [
        "--config",
        "--listen",
        "--data-dir",
        "--database-url",
        "--roles",
        "--master-key-file",
        "--geo-databases",
        "--egress-allow",
        "--egress-name-servers",
        "--egress-ca-file",
        "--trusted-proxies",
        "--retry-schedule",
        "--deadline-ms",
        "--min-cycle-ms",
        "--log",
        "--log-format",
    ];
    let names = |command: &[&str]| -> Vec<String> {
        let said = ground.run(&[command, &["--help"][..]].concat(), &[]).stdout;
        let Some((_, commands)) = said.split_once("\nCommands:\n") else { return Vec::new() };
        let (commands, _) = commands.split_once("\n\n").unwrap();
        let first = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        first
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help")
            .map(str::to_owned)
            .collect()
    };
    let mut below = 0;
    for first in names(&[]) {
        let commands = names(&[&first]).into_iter().map(|second| vec![first.clone(), second]);
        for command in commands.chain([vec![first.clone()]]) {
            below += usize::from(command.len() > 1);
            let command: Vec<_> = command.iter().map(String::as_str).collect();
            let said = ground.run(&[&command[..], &["--help"]].concat(), &[]).stdout;
            let Some((_, listed)) = said.split_once("\nSettings:\n") else { continue };
            let (listed, _) = listed.split_once("\n\n").unwrap_or((listed, ""));
            for line in listed.lines() {
                let name = line.split_whitespace().next().unwrap();
                assert!(
                    !line.starts_with("  ") || settings.contains(&name) || line.starts_with("          "),
                    "{command:?}: {line}"
                );
            }
        }
    }
    assert!(below > 10, "{below}");
}

#[test]
fn help_answers_whoever_asks_it_for_help() {
    let ground = Ground::new();
    let about = ground.run(&["help", "help"], &[]);
    assert!(about.stdout.contains("Usage: dregs help"), "{about:?}");
    assert_eq!(ground.run(&["help", "--help"], &[]), about);
    assert_eq!(ground.run(&["help", "serve", "-h"], &[]), ground.run(&["serve", "--help"], &[]));
}

#[test]
fn a_wrong_call_is_2_and_says_what_is_right() {
    let ground = Ground::new();
    let cases: [(&[&str], &str); 20] = [
        (&["trigger", "scored", "--key", "sk_1"], "there are identity.scored, identity.badges_changed"),
        (&["trigger", "identity.scored"], "dregs: no secret key: give --key sk_… or set DREGS_SECRET_KEY"),
        (&["listen", "--forward", "localhost", "--key", "sk_1"], "dregs: --forward: \"localhost\" is not"),
        (&["listen", "--server", "localhost", "--key", "sk_1"], "dregs: --server: \"localhost\" is not"),
        (
            &["listen", "--key", "sk_98fdda075c46…"],
            "dregs: --key or DREGS_SECRET_KEY: it holds what no key does",
        ),
        (
            &["listen", "--secret", "abc"],
            "dregs: --secret (or DREGS_WEBHOOK_SECRET) is no signing secret: it does not start",
        ),
        (&["verify"], "dregs: no signing secret: give --secret whsec_… or set DREGS_WEBHOOK_SECRET"),
        (
            &["verify", "--secret", "abc", "--header", "X-Dregs-Signature: 5f"],
            "dregs: the body is empty: name its file",
        ),
        (
            &["serve", "--held-max-seconds", "5"],
            "dregs: held_max_seconds is no flag here: set DREGS_HELD_MAX_SECONDS in the environment",
        ),
        (
            &["serve", "--agent-keys-file", "keys.json"],
            "dregs: agent_keys_file is no flag here: set DREGS_AGENT_KEYS_FILE in the environment, or agent_keys_file in \
             dregs.toml\n",
        ),
        (&["serve", "--egres-allow", "x"], "a similar argument exists: '--egress-allow'"),
        (
            &["keys", "create", "Shop", "--origin", "shop"],
            "dregs: --origin: \"shop\" is not an origin such as https://example.com",
        ),
        (&["serve", "--listen", "foo"], "dregs: --listen: \"foo\" is not an address and a port"),
        (&["demo", "--listen", "foo"], "dregs: --listen: \"foo\" is not an address and a port"),
        (
            &["backtest", "--threshold", "200"],
            "dregs: --threshold: \"200\" is not a whole number from 1 to 100\n",
        ),
        (&["listen", "--port", "70000"], "dregs: --port: \"70000\" is not a whole number from 0 to 65535\n"),
        (&["verify", "--tolerance", "x"], "dregs: --tolerance: \"x\" is not a whole number, 0 or more\n"),
        (
            &["completions", "tcsh"],
            "dregs: <SHELL>: \"tcsh\" is none of bash, elvish, fish, powershell, zsh\n",
        ),
        (&["keys", "revoke", "x"], "dregs: <ID>: \"x\" is not the number of a credential"),
        (&["serve", "--color"], "dregs: unexpected argument '--color' found"),
    ];
    for (args, part) in cases {
        let done = ground.run(args, &[]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(done.stderr.contains(part), "{args:?}: {}", done.stderr);
        // A setting has no near miss.
        assert!(!done.stderr.contains("no flag here") || done.stderr.lines().count() == 1, "{}", done.stderr);
    }
}

#[test]
fn a_server_that_is_not_there_is_1_and_says_how_to_start_it() {
    let args = ["trigger", "identity.scored", "--server", "http://127.0.0.1:1", "--key", "sk_1"];
    let done = Ground::new().run(&args, &[]);
    assert_eq!(done.code, Some(1));
    assert_eq!(
        done.stderr,
        "dregs: there is no server at http://127.0.0.1:1 (Connection refused): start it with `dregs serve`, or name \
         another with --server\n"
    );
}

#[test]
fn what_the_system_refuses_is_told_without_its_numbers() {
    let ground = Ground::new();
    let cases: [&[&str]; 3] = [
        &["serve", "--config", "none.toml"],
        &["verify", "--secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "--body", "none"],
        &["backtest", "--innocent", "none"],
    ];
    for args in cases {
        let done = ground.run(args, &[]);
        assert_eq!(done.code, Some(2), "{args:?}");
        assert!(done.stderr.starts_with("dregs: ") && done.stderr.contains("none"), "{}", done.stderr);
        assert!(!done.stderr.contains("os error") && !done.stderr.contains("i/o"), "{}", done.stderr);
    }
}
