use std::path::Path;

use super::*;

/// Puts the three places together: the text of `dregs.toml`, variables, flags.
fn load_from(file: &str, variables: &[(&str, &str)], flags: &Flags) -> Result<Loaded, ConfigError> {
    let file = Layer::file(Path::new("dregs.toml"), file)?;
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let (environment, warnings) = Layer::environment(variables)?;
    Ok(Loaded { warnings, ..combine(Some(file), environment, Layer::flags(flags.given()))? })
}

fn in_force(loaded: &Loaded, key: &str) -> (Option<String>, String) {
    let setting = loaded.in_force.iter().find(|setting| setting.key == key).unwrap();
    (setting.value.clone(), setting.origin.clone())
}

#[test]
fn without_anything_the_defaults_are_in_force() {
    let loaded = load_from("", &[], &Flags::default()).unwrap();
    assert_eq!(format!("{:?}", loaded.config), format!("{:?}", Config::default()));
    assert!(loaded.in_force.iter().all(|setting| setting.origin == "default"));
    let keys: Vec<&str> = loaded.in_force.iter().map(|setting| setting.key).collect();
    assert_eq!(
        keys,
        [
            "listen",
            "data_dir",
            "database_url",
            "roles",
            "master_key",
            "master_key_file",
            "admin_email",
            "admin_password",
            "public_key",
            "secret_key",
            "geo_databases",
            "egress_allow",
            "egress_name_servers",
            "egress_ca_file",
            "agent_signers",
            "agent_keys_file",
            "trusted_proxies",
            "retry_schedule",
            "held_max_seconds",
            "deadline_ms",
            "disable_after_hours",
            "draw_per_week",
            "smtp_url",
            "smtp_from",
            "public_url",
            "min_cycle_ms",
            "analyzer_weights",
            "body_max_kib",
            "batch_max_kib",
            "nesting_max_levels",
            "monthly_event_quota",
            "credential_rate_per_second",
            "address_rate_per_second",
            "login_failures_per_account",
            "login_failures_per_address",
            "oidc_issuer",
            "oidc_client_id",
            "oidc_client_secret",
            "oidc_client_secret_file",
            "oidc_name",
            "oidc_scopes",
            "oidc_role_claim",
            "oidc_roles",
            "oidc_provisioning",
            "oidc_second_factor",
            "local_sign_in",
            "reviewer_deadline_ms",
            "reviewer_daily_max",
            "reviewer_url",
            "reviewer_model",
            "reviewer_key",
            "log",
            "log_format",
            "otlp_endpoint",
            "otlp_headers",
            "trace_sample_ratio",
        ]
    );
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "deadline_ms = 1000\nmin_cycle_ms = 1\nretry_schedule = \"1\"";
    let variables = [("DREGS_DEADLINE_MS", "2000"), ("DREGS_MIN_CYCLE_MS", "2")];
    let flags = Flags { deadline_ms: Some("3000".into()), ..Flags::default() };
    let loaded = load_from(file, &variables, &flags).unwrap();
    let expected = [
        ("deadline_ms", "3000", "flag --deadline-ms"),
        ("min_cycle_ms", "2", "environment DREGS_MIN_CYCLE_MS"),
        ("retry_schedule", "1", "dregs.toml"),
        ("log", "info", "default"),
    ];
    for (key, value, origin) in expected {
        assert_eq!(in_force(&loaded, key), (Some(value.into()), origin.into()), "{key}");
    }
    let config = loaded.config;
    assert_eq!((config.deadline_ms, config.min_cycle_ms, config.retry_schedule.as_str()), (3000, 2, "1"));
}

#[test]
fn every_flag_is_a_setting_and_reaches_it() {
    let value = || Some("10.1.2.3".to_owned());
    let flags = Flags {
        config: None,
        listen: Some("10.1.2.3:80".into()),
        data_dir: value(),
        database_url: Some("postgres://10.1.2.3/x".into()),
        roles: Some("api".into()),
        master_key_file: value(),
        geo_databases: value(),
        egress_allow: value(),
        egress_name_servers: value(),
        egress_ca_file: value(),
        trusted_proxies: value(),
        retry_schedule: Some("standard".into()),
        deadline_ms: Some("500".into()),
        min_cycle_ms: Some("500".into()),
        log: Some("debug".into()),
        log_format: Some("json".into()),
    };
    let loaded = load_from("", &[], &flags).unwrap();
    let given: Vec<(&str, &str)> = loaded
        .in_force
        .iter()
        .filter(|setting| setting.origin != "default")
        .filter_map(|setting| Some((setting.key, setting.value.as_deref()?)))
        .collect();
    assert_eq!(
        given,
        [
            ("listen", "10.1.2.3:80"),
            ("data_dir", "10.1.2.3"),
            ("database_url", "postgres://10.1.2.3/x"),
            ("roles", "api"),
            ("master_key_file", "10.1.2.3"),
            ("geo_databases", "10.1.2.3"),
            ("egress_allow", "10.1.2.3"),
            ("egress_name_servers", "10.1.2.3:53"),
            ("egress_ca_file", "10.1.2.3"),
            ("trusted_proxies", "10.1.2.3/32"),
            ("retry_schedule", "standard"),
            ("deadline_ms", "500"),
            ("min_cycle_ms", "500"),
            ("log", "debug"),
            ("log_format", "json"),
        ]
    );
}

#[test]
fn a_wrong_value_is_one_line_that_names_the_setting_and_what_is_expected() {
    let cases = [
        ("DREGS_LISTEN", "8080", "\"8080\" is not an address and a port, such as 127.0.0.1:8080"),
        (
            "DREGS_ROLES",
            "api,web",
            "\"api,web\" is not a list of roles separated by commas: api, evaluate, deliver",
        ),
        ("DREGS_DATA_DIR", "", "\"\" is not a directory"),
        ("DREGS_DEADLINE_MS", "99", "\"99\" is not a number of milliseconds from 100 to 30000"),
        ("DREGS_DEADLINE_MS", "30001", "\"30001\" is not a number of milliseconds from 100 to 30000"),
        ("DREGS_MIN_CYCLE_MS", "1s", "\"1s\" is not a number of milliseconds from 0 to 3600000"),
        ("DREGS_LOG_FORMAT", "JSON", "\"JSON\" is not text or json"),
        (
            "DREGS_LOG",
            "verbose",
            "\"verbose\" is not a level (off, error, warn, info, debug, trace) or a filter such as \
             info,dregs_server=debug",
        ),
        ("DREGS_ADMIN_EMAIL", "ann", "\"ann\" is not an e-mail address"),
        (
            "DREGS_TRUSTED_PROXIES",
            "10.0.0.0/8,proxy",
            "\"10.0.0.0/8,proxy\" is not a list of addresses and networks separated by commas, such as \
             10.0.0.0/8,192.0.2.7",
        ),
        (
            "DREGS_EGRESS_ALLOW",
            "http://x",
            "\"http://x\" is neither a network (127.0.0.0/8) nor the exact name of a host, without scheme, \
             port or path",
        ),
        (
            "DREGS_RETRY_SCHEDULE",
            "30,1m",
            "\"1m\" is not a delay: give whole seconds from 1 to 604800, separated by commas (30,60,120), or \
             the word standard",
        ),
        // What may hold a secret is not repeated.
        (
            "DREGS_DATABASE_URL",
            "mysql://u:hunter2@h/d",
            "expected a PostgreSQL address, such as postgres://user:password@host/database",
        ),
        (
            "DREGS_DATABASE_URL",
            "postgres://u:hunter2@h/d?sslmode=verify",
            "sslmode=verify is none of disable, allow, prefer, require, verify-ca, verify-full",
        ),
        ("DREGS_ADMIN_PASSWORD", "hunter2", "expected a password of at least 10 characters"),
        ("DREGS_SECRET_KEY", "hunter2", "expected a key that starts with sk_ and has no spaces"),
    ];
    let secrets = [
        ("DREGS_PUBLIC_KEY", "sk_hunter2"),
        ("DREGS_PUBLIC_URL", "https://ann:hunter2@h/?x"),
        ("DREGS_REVIEWER_URL", "ann:hunter2@h"),
        ("DREGS_OTLP_ENDPOINT", "ann:hunter2@h"),
        ("DREGS_SMTP_URL", "http://ann:hunter2@h"),
    ];
    for (name, value) in secrets {
        let error = load_from("", &[(name, value)], &Flags::default()).unwrap_err().to_string();
        assert!(error.starts_with(name) && !error.contains("hunter2"), "{error}");
    }
    for (name, value, problem) in cases {
        let error = load_from("", &[(name, value)], &Flags::default()).unwrap_err().to_string();
        assert_eq!(error, format!("{name}: {problem}"));
    }
}

#[test]
fn an_error_names_the_setting_as_it_was_written() {
    let flags = Flags { deadline_ms: Some("soon".into()), ..Flags::default() };
    let cases = [
        (load_from("", &[], &flags), "--deadline-ms: \"soon\" is not"),
        (load_from("", &[("DREGS_DEADLINE_MS", "soon")], &Flags::default()), "DREGS_DEADLINE_MS: \"soon\""),
        (load_from("deadline_ms = 7", &[], &Flags::default()), "deadline_ms in dregs.toml: \"7\" is not"),
        (load_from("[deadline_ms]\na = 1", &[], &Flags::default()), "deadline_ms in dregs.toml: expected a"),
    ];
    for (loaded, start) in cases {
        let error = loaded.unwrap_err().to_string();
        assert!(error.starts_with(start) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn an_unknown_setting_is_refused_with_the_one_that_was_meant() {
    let none = Flags::default();
    let cases = [
        (
            load_from("", &[("DREGS_DEADLINE", "1")], &none),
            "DREGS_DEADLINE: there is no such setting; did you mean DREGS_DEADLINE_MS?",
        ),
        (
            load_from("listne = \"127.0.0.1:1\"", &[], &none),
            "listne in dregs.toml: there is no such setting; did you mean listen?",
        ),
        (
            load_from("color = 1", &[], &none),
            "color in dregs.toml: there is no such setting; `dregs config` lists them all",
        ),
    ];
    for (loaded, expected) in cases {
        assert_eq!(loaded.unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_variable_that_is_no_setting_is_warned_of_unless_it_is_a_mistyped_one() {
    let warnings = |variables: &[(&str, &str)]| load_from("", variables, &Flags::default()).unwrap().warnings;
    let none: [String; 0] = [];
    assert_eq!(warnings(&[("DREGS_LOG", "info"), ("DREGSX", "1")]), none);
    let line = "DREGS_IMAGE_TAG, DREGS_URL in the environment: there is no such setting, so it has no effect; \
                `dregs config` lists all";
    assert_eq!(warnings(&[("DREGS_URL", "http://dregs:8080"), ("DREGS_IMAGE_TAG", "1")]), [line]);
    for name in ["DREGS_PORT", "DREGS_HOST", "DREGS_VERSION", "DREGS_HOME", "DREGS_DB", "DREGS_ENV", "DREGS_"]
    {
        assert_eq!(warnings(&[(name, "x")]).len(), 1, "{name}");
    }
    let mistyped = [
        ("DREGS_LGO", "DREGS_LOG"),
        ("DREGS_LOGS", "DREGS_LOG"),
        ("DREGS_LISTNE", "DREGS_LISTEN"),
        ("DREGS_DATABASEURL", "DREGS_DATABASE_URL"),
        ("DREGS_MASTERKEY", "DREGS_MASTER_KEY"),
        ("DREGS_SECRETKEY", "DREGS_SECRET_KEY"),
        ("DREGS_Listen", "DREGS_LISTEN"),
        // The first words of one, or more words than one has.
        ("DREGS_DATABASE", "DREGS_DATABASE_URL"),
        ("DREGS_SMTP", "DREGS_SMTP_URL or DREGS_SMTP_FROM"),
        ("DREGS_DATA", "DREGS_DATA_DIR"),
        ("DREGS_TRUSTED", "DREGS_TRUSTED_PROXIES"),
        ("DREGS_LOG_LEVEL", "DREGS_LOG"),
        ("DREGS_LISTEN_PORT", "DREGS_LISTEN"),
        ("DREGS_DATABASE_URL_FILE", "DREGS_DATABASE_URL"),
        ("DREGS_SECRET_KEY_FILE", "DREGS_SECRET_KEY"),
        // A part of what stands in an address.
        ("DREGS_SMTP_HOST", "DREGS_SMTP_URL"),
        ("DREGS_DATABASE_PASSWORD", "DREGS_DATABASE_URL"),
    ];
    for (name, meant) in mistyped {
        let error = load_from("", &[(name, "x")], &Flags::default()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: there is no such setting; did you mean ")), "{error}");
        assert!(error.ends_with(&format!("{meant}?")), "{error}");
    }
}

#[test]
fn what_an_address_was_made_of_is_warned_of_beside_it() {
    let variables = [("DREGS_DATABASE_URL", "postgres://ann:x@db/dregs"), ("DREGS_DATABASE_PASSWORD", "x")];
    let loaded = load_from("", &variables, &Flags::default()).unwrap();
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    let file = load_from("smtp_host = \"mail\"", &[], &Flags::default()).unwrap_err().to_string();
    assert_eq!(file, "smtp_host in dregs.toml: there is no such setting; did you mean smtp_url?");
}

#[test]
fn what_kubernetes_makes_for_a_service_never_stops_the_start() {
    // As a pod beside the services dregs and dregs-db gets them.
    let variables = [
        ("DREGS_SERVICE_HOST", "10.0.0.11"),
        ("DREGS_SERVICE_PORT", "8080"),
        ("DREGS_SERVICE_PORT_HTTP", "8080"),
        ("DREGS_PORT", "tcp://10.0.0.11:8080"),
        ("DREGS_PORT_8080_TCP", "tcp://10.0.0.11:8080"),
        ("DREGS_PORT_8080_TCP_PROTO", "tcp"),
        ("DREGS_PORT_8080_TCP_PORT", "8080"),
        ("DREGS_PORT_8080_TCP_ADDR", "10.0.0.11"),
        ("DREGS_DB_SERVICE_HOST", "10.0.0.12"),
        ("DREGS_DB_PORT", "tcp://10.0.0.12:5432"),
        ("DREGS_DB_PORT_53_UDP_ADDR", "10.0.0.12"),
        // Were these settings, they would be none here.
        ("DREGS_LISTEN_PORT", "tcp://10.0.0.13:1"),
        ("DREGS_LOG_SERVICE_PORT", "1"),
        ("DREGS_DATABASE_SERVICE_HOST", "10.0.0.14"),
        ("DREGS_DATABASE_SERVICE_PORT_POSTGRES", "5432"),
        ("DREGS_DATABASE_PORT", "tcp://10.0.0.14:5432"),
        ("DREGS_DATABASE_PORT_5432_TCP_ADDR", "10.0.0.14"),
        ("DREGS_SMTP_PORT_25_TCP", "tcp://10.0.0.15:25"),
    ];
    let loaded = load_from("", &variables, &Flags::default()).unwrap();
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    let (names, advice) = loaded.warnings[0].split_once(" in the environment: ").unwrap();
    assert_eq!(names.split(", ").count(), variables.len());
    assert!(advice.starts_with("made by Kubernetes") && advice.contains("enableServiceLinks"), "{advice}");
}

#[test]
fn variables_that_are_not_ours_or_are_the_clients_are_left_alone() {
    let variables =
        [("HOME", "/"), ("DREGS_BASE_URL", "x"), ("DREGS_WEBHOOK_SECRET", "x"), ("DREGS_TEST_SEED", "1")];
    assert!(load_from("", &variables, &Flags::default()).is_ok());
}

/// One name for one thing: who has followed an example has set nothing that the server then warns of.
#[test]
fn every_variable_that_the_documents_and_the_examples_name_is_read_by_somebody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = ["README.md", "SECURITY.md", "examples/README.md"].into_iter();
    let chapters = ["operations", "events", "channels"].map(|name| format!("docs/manual/{name}.md"));
    let mut texts: Vec<_> = pages.map(str::to_owned).chain(chapters).map(|page| root.join(page)).collect();
    for folder in ["docs", "examples/python", "examples/rust/src", "examples/rust/src/bin"] {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        texts.extend(files.filter(|path| {
            path.extension().is_some_and(|kind| ["md", "py", "rs"].iter().any(|known| kind == *known))
        }));
    }
    let mut seen = std::collections::BTreeSet::new();
    for path in texts {
        let text = std::fs::read_to_string(&path).unwrap();
        for rest in text.split("DREGS_").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(rest.len());
            // Of `DREGS_…`, any of them.
            if end > 0 {
                let name = format!("DREGS_{}", &rest[..end]);
                let said = match load_from("", &[(&name, "1")], &Flags::default()) {
                    Ok(loaded) => loaded.warnings.join(" "),
                    Err(error) => error.to_string(),
                };
                assert!(!said.contains("there is no such setting"), "{}: {said}", path.display());
                seen.insert(name);
            }
        }
    }
    assert!(seen.contains("DREGS_BASE_URL") && seen.len() > 5, "{seen:?}");
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_the_line() {
    let error = load_from("log = \"info\"\nlisten = \n", &[], &Flags::default()).unwrap_err().to_string();
    assert!(error.starts_with("dregs.toml, line 2: ") && !error.contains('\n'), "{error}");
    let bare = [
        ("log = info", "log = \"info\", in quotes, is what it takes"),
        ("listen = 127.0.0.1:80 # here", "listen = \"127.0.0.1:80\", in quotes, is what it takes"),
        ("data_dir = ./x", "data_dir = \"./x\", in quotes, is what it takes"),
        ("listen =", "listen has no value: it takes "),
        (
            "deadline_ms = # later",
            "deadline_ms has no value: it takes a number of milliseconds from 100 to 30000",
        ),
        (
            "egress_allow = [127.0.0.0/8, ::1]",
            "egress_allow = [\"127.0.0.0/8\", \"::1\"], each in quotes, is what it takes",
        ),
        ("deadline_ms = 10s", "deadline_ms: \"10s\" is not a number of milliseconds from 100 to 30000"),
        ("deadline_ms = 99999999999999999999", "deadline_ms: \"99999999999999999999\" is not a number of"),
    ];
    for (line, said) in bare {
        let error = load_from(&format!("# one\n{line}\n"), &[], &Flags::default()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("dregs.toml, line 2: {said}")), "{line}: {error}");
    }
}

#[test]
fn a_named_file_must_exist_and_the_default_one_need_not() {
    let flags = Flags { config: Some("no/such/file.toml".into()), ..Flags::default() };
    let error = load(&flags).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the configuration file no/such/file.toml: "), "{error}");
    assert!(matches!(layers::read_file(None), Ok(None)));
}

#[test]
fn lists_may_be_lists_and_numbers_may_be_text() {
    let file = "retry_schedule = [1, 2]\ndeadline_ms = \"500\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]";
    let loaded = load_from(file, &[], &Flags::default()).unwrap();
    assert_eq!(in_force(&loaded, "retry_schedule").0.as_deref(), Some("1,2"));
    assert_eq!(in_force(&loaded, "deadline_ms").0.as_deref(), Some("500"));
    assert_eq!(in_force(&loaded, "trusted_proxies").0.as_deref(), Some("10.0.0.0/8,::1/128"));
}

#[test]
fn an_empty_variable_unsets_what_the_file_set() {
    let loaded = load_from("admin_email = \"a@b\"", &[("DREGS_ADMIN_EMAIL", "")], &Flags::default());
    assert_eq!(loaded.unwrap().config.admin_email, None);
}

#[test]
fn secrets_are_masked_wherever_a_configuration_is_shown() {
    let variables = [
        ("DREGS_MASTER_KEY", "hunter2"),
        ("DREGS_ADMIN_PASSWORD", "hunter2hunter2"),
        ("DREGS_SECRET_KEY", "sk_hunter2"),
        ("DREGS_PUBLIC_KEY", "pk_1"),
        ("DREGS_DATABASE_URL", "postgres://ann:hunter2@db.internal/dregs?sslmode=require"),
    ];
    let loaded = load_from("", &variables, &Flags::default()).unwrap();
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let url = "postgres://ann:********@db.internal/dregs?sslmode=require";
    assert_eq!(in_force(&loaded, "database_url").0.as_deref(), Some(url));
    assert_eq!(in_force(&loaded, "secret_key").0.as_deref(), Some("********"));
    assert_eq!(in_force(&loaded, "public_key").0.as_deref(), Some("pk_1"));
    assert_eq!(loaded.config.secret_key.as_deref(), Some("sk_hunter2"));

    let many =
        [("DREGS_DATABASE_URL", "postgres://ann:hunter2@db1:5432,db2/dregs?target_session_attrs=primary")];
    let shown = "postgres://ann:********@db1:5432,db2/dregs?target_session_attrs=primary";
    let loaded = load_from("", &many, &Flags::default()).unwrap();
    assert_eq!(in_force(&loaded, "database_url").0.as_deref(), Some(shown));

    for key in ["DREGS_REVIEWER_URL", "DREGS_OTLP_ENDPOINT"] {
        let loaded = load_from("", &[(key, "http://h/v1?api-key=hunter2")], &Flags::default()).unwrap();
        let shown = format!("{:?}", loaded.in_force);
        assert!(!shown.contains("hunter2"), "{key}: {shown}");
    }

    let parameter = [("DREGS_DATABASE_URL", "postgres://h/d?user=ann&password=hunter2")];
    let loaded = load_from("", &parameter, &Flags::default()).unwrap();
    assert_eq!(in_force(&loaded, "database_url").0.as_deref(), Some("postgres://h/d"));
}

#[test]
fn a_setting_says_in_which_unit_it_is_counted() {
    let units = [("_ms", "milliseconds"), ("_kib", "KiB"), ("_hours", "hours"), ("_max_seconds", "seconds")];
    for setting in &settings::SETTINGS {
        for (_, unit) in units.iter().filter(|(ending, _)| setting.key.ends_with(ending)) {
            assert!(setting.expects.contains(unit), "{}: {}", setting.key, setting.expects);
        }
    }
}

#[test]
fn the_example_file_names_every_setting_with_its_default() {
    let example = include_str!("../../../../config.example.toml");
    // Settings without a default stand there with a value for example.
    let without_default = ["database_url", "master_key", "master_key_file", "admin_email", "admin_password"];
    let without_default = [&without_default[..], &["public_key", "secret_key", "egress_ca_file"]].concat();
    let without_default =
        [&without_default[..], &["reviewer_url", "reviewer_model", "reviewer_key"]].concat();
    let without_default = [
        &without_default[..],
        &["smtp_url", "public_url", "agent_keys_file", "otlp_endpoint", "otlp_headers"],
    ]
    .concat();
    let is_setting = |line: &&str| line.starts_with("# ") && line.contains(" = ");
    let of_provider = ["oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_client_secret_file"];
    let of_provider = [&of_provider[..], &["oidc_name", "oidc_role_claim", "oidc_roles"]].concat();
    let without_default = [without_default, of_provider].concat();
    let settings: String =
        example.lines().filter(is_setting).map(|line| format!("{}\n", &line[2..])).collect();
    let loaded = load_from(&settings, &[], &Flags::default()).unwrap();
    let defaults = load_from("", &[], &Flags::default()).unwrap();
    for (given, default) in loaded.in_force.iter().zip(&defaults.in_force) {
        assert_eq!(given.origin, "dregs.toml", "{} is missing", given.key);
        if !without_default.contains(&given.key) {
            assert_eq!(given.value, default.value, "{}", given.key);
        }
    }
    assert!(load_from(example, &[], &Flags::default()).unwrap().in_force == defaults.in_force);
}

#[test]
fn what_is_said_of_traces_is_read_strictly_and_headers_are_not_shown() {
    let wrong = [
        ("otlp_endpoint", "127.0.0.1:4318"),
        ("otlp_endpoint", "grpc://127.0.0.1:4317"),
        ("otlp_headers", "api-key"),
        ("otlp_headers", "api key=hidden"),
        ("trace_sample_ratio", "1.1"),
        ("trace_sample_ratio", "-0.1"),
        ("trace_sample_ratio", "NaN"),
        ("trace_sample_ratio", "10%"),
    ];
    for (key, value) in wrong {
        let error = load_from(&format!("{key} = {value:?}"), &[], &Flags::default()).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("hidden"), "{key} = {value}: {error}");
    }
    let text = "otlp_endpoint = \"http://127.0.0.1:4318\"\notlp_headers = \"api-key=hidden\"\ntrace_sample_ratio = 0.25";
    let loaded = load_from(text, &[], &Flags::default()).unwrap();
    let shown = |key| in_force(&loaded, key).0;
    assert_eq!(shown("otlp_endpoint").as_deref(), Some("http://127.0.0.1:4318"));
    assert_eq!(
        (shown("otlp_headers").as_deref(), shown("trace_sample_ratio").as_deref()),
        (Some(MASK), Some("0.25"))
    );
    assert_eq!(loaded.config.otlp_headers, "api-key=hidden");
}

#[test]
fn what_is_said_of_a_provider_is_read_strictly() {
    let wrong = [
        ("oidc_issuer", "http://login.example.com"),
        ("oidc_issuer", "https://login.example.com/?a=b"),
        ("oidc_issuer", "login.example.com"),
        ("oidc_scopes", "email profile"),
        ("oidc_scopes", "openid,email"),
        ("oidc_roles", "admins=OWNER"),
        ("oidc_provisioning", "yes"),
        ("oidc_second_factor", "both"),
        ("local_sign_in", "0"),
        ("oidc_name", "a name that would not stand on any button at all"),
    ];
    for (key, value) in wrong {
        let loaded = load_from(&format!("{key} = {value:?}"), &[], &Flags::default());
        assert!(loaded.is_err_and(|error| error.to_string().contains(key)), "{key} = {value}");
    }
    let right = [
        ("oidc_issuer", "https://login.example.com/realms/a/"),
        ("oidc_issuer", "http://127.0.0.1:9000"),
        ("oidc_issuer", "http://localhost:9000"),
        ("oidc_scopes", "email openid api://fraud/.default"),
        ("oidc_roles", "a=b=ADMIN,c=user"),
        ("local_sign_in", "false"),
    ];
    for (key, value) in right {
        let loaded = load_from(&format!("{key} = {value:?}"), &[], &Flags::default()).unwrap();
        assert_eq!(in_force(&loaded, key).0.as_deref(), Some(value), "{key}");
    }
}
