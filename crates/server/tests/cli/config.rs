use super::{Done, Ground};

#[test]
fn config_prints_what_is_in_force_where_it_comes_from_and_no_secret() {
    let ground = Ground::new();
    ground.write(
        "dregs.toml",
        "listen = \"127.0.0.1:9000\"\nadmin_password = \"hunter2hunter2\"\ndeadline_ms = 1\n",
    );
    let variables = [("DREGS_SECRET_KEY", "sk_hunter2"), ("DREGS_DEADLINE_MS", "500")];
    let done = ground.run(&["config", "--min-cycle-ms", "0"], &variables);
    let expected = "\
listen                      127.0.0.1:9000           dregs.toml
data_dir                    ./data                   default
database_url                -                        default
roles                       api,evaluate,deliver     default
master_key                  -                        default
master_key_file             -                        default
admin_email                 -                        default
admin_password              ********                 dregs.toml
public_key                  -                        default
secret_key                  ********                 environment DREGS_SECRET_KEY
geo_databases               -                        default
egress_allow                -                        default
egress_name_servers         -                        default
egress_ca_file              -                        default
agent_signers               known                    default
agent_keys_file             -                        default
trusted_proxies             -                        default
retry_schedule              30,60,120 (seconds)      default
held_max_seconds            86400                    default
deadline_ms                 500                      environment DREGS_DEADLINE_MS
disable_after_hours         0 (never)                default
draw_per_week               20                       default
smtp_url                    -                        default
smtp_from                   dregs <dregs@localhost>  default
public_url                  -                        default
min_cycle_ms                0                        flag --min-cycle-ms
analyzer_weights            -                        default
body_max_kib                256                      default
batch_max_kib               4096                     default
nesting_max_levels          32                       default
monthly_event_quota         0 (no limit)             default
credential_rate_per_second  0 (no limit)             default
address_rate_per_second     100                      default
login_failures_per_account  10                       default
login_failures_per_address  30                       default
oidc_issuer                 -                        default
oidc_client_id              -                        default
oidc_client_secret          -                        default
oidc_client_secret_file     -                        default
oidc_name                   -                        default
oidc_scopes                 openid email profile     default
oidc_role_claim             -                        default
oidc_roles                  -                        default
oidc_provisioning           false                    default
oidc_second_factor          amr                      default
local_sign_in               true                     default
reviewer_deadline_ms        60000                    default
reviewer_daily_max          200                      default
reviewer_url                -                        default
reviewer_model              -                        default
reviewer_key                -                        default
log                         info                     default
log_format                  text                     default
otlp_endpoint               -                        default
otlp_headers                -                        default
trace_sample_ratio          1                        default
";
    assert_eq!(done, Done { code: Some(0), stdout: expected.to_owned(), stderr: String::new() });
}

#[test]
fn what_has_no_effect_is_warned_of_and_stops_nothing() {
    let variables = [
        ("DREGS_URL", "http://dregs"),
        ("DREGS_PORT", "tcp://10.0.0.1:8080"),
        ("DREGS_SERVICE_HOST", "10.0.0.1"),
    ];
    let ground = Ground::new();
    let done = ground.run(&["config"], &variables);
    assert_eq!((done.code, done.stderr.lines().count()), (Some(0), 2), "{}", done.stderr);
    assert!(
        done.stderr.starts_with("dregs: DREGS_URL in the environment: there is no such setting"),
        "{}",
        done.stderr
    );
    let mut running = ground.start(&["serve", "--listen", "127.0.0.1:0"], &variables);
    running.line_with(" listens on http://");
    let (code, log) = running.stop_with("TERM");
    assert_eq!(code, Some(0));
    assert!(
        log.contains("DREGS_URL in the environment") && log.contains("DREGS_PORT, DREGS_SERVICE_HOST in"),
        "{log}"
    );
}

#[test]
fn a_bad_configuration_is_2_and_one_line_that_names_the_setting() {
    let ground = Ground::new();
    ground.write("wrong.toml", "min_cycle_ms = \"often\"\n");
    ground.write("unknown.toml", "deadline = 1\n");
    ground.write("file", "");
    let serve: &[&str] = &["serve", "--listen", "127.0.0.1:0"];
    type Variables = [(&'static str, &'static str)];
    let cases: [(&[&str], &Variables, &str); 8] = [
        (&["--deadline-ms", "soon"], &[], "--deadline-ms: \"soon\" is not a number of milliseconds"),
        (&[], &[("DREGS_DEADLINE_MS", "-1")], "DREGS_DEADLINE_MS: \"-1\" is not a number"),
        (&[], &[("DREGS_RETRY_SCHEDULE", "soon")], "DREGS_RETRY_SCHEDULE: \"soon\" is not a delay"),
        (
            &[],
            &[("DREGS_DEADLNE_MS", "1")],
            "DREGS_DEADLNE_MS: there is no such setting; did you mean DREGS_DEADLINE_MS?",
        ),
        (&[], &[("DREGS_FAILPOINT", "nowhere")], "DREGS_FAILPOINT: there is no failpoint \"nowhere\""),
        (&["--config", "wrong.toml"], &[], "min_cycle_ms in wrong.toml: \"often\" is not a number"),
        (&["--config", "unknown.toml"], &[], "deadline in unknown.toml: there is no such setting"),
        (&["--data-dir", "file"], &[], "data_dir file is a file, not a directory: "),
    ];
    for (args, variables, start) in cases {
        let done = ground.run(&[serve, args].concat(), variables);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{args:?} {variables:?}");
        assert!(done.stderr.starts_with(&format!("dregs: {start}")), "{}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    }
}
