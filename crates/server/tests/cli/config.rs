use super::{Done, Ground};

#[test]
fn config_prints_what_is_in_force_where_it_comes_from_and_no_secret() {
    let ground = Ground::new();
    ground
        .write("dregs.toml", "listen = \"127.0.0.1:9000\"\nadmin_password = \"hunter2\"\ndeadline_ms = 1\n");
    let variables = [("DREGS_SECRET_KEY", "sk_hunter2"), ("DREGS_DEADLINE_MS", "500")];
    let done = ground.run(&["config", "--min-cycle-ms", "0"], &variables);
    let expected = "\
listen                      127.0.0.1:9000           dregs.toml
data_dir                    ./data                   default
database_url                -                        default
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
trusted_proxies             -                        default
retry_schedule              30,60,120                default
held_max_seconds            86400                    default
deadline_ms                 500                      environment DREGS_DEADLINE_MS
disable_after_hours         0                        default
smtp_url                    -                        default
smtp_from                   dregs <dregs@localhost>  default
public_url                  -                        default
min_cycle_ms                0                        flag --min-cycle-ms
analyzer_weights            -                        default
body_max_kib                256                      default
batch_max_kib               4096                     default
nesting_max_levels          32                       default
monthly_event_quota         0                        default
credential_rate_per_second  0                        default
address_rate_per_second     100                      default
login_failures_per_account  10                       default
login_failures_per_address  30                       default
reviewer_deadline_ms        60000                    default
reviewer_daily_max          200                      default
reviewer_url                -                        default
reviewer_model              -                        default
reviewer_key                -                        default
log                         info                     default
log_format                  text                     default
";
    assert_eq!(done, Done { code: Some(0), stdout: expected.to_owned(), stderr: String::new() });
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
        (&[], &[("DREGS_COLOUR", "red")], "DREGS_COLOUR: there is no such setting"),
        (&[], &[("DREGS_FAILPOINT", "nowhere")], "DREGS_FAILPOINT: there is no failpoint \"nowhere\""),
        (&["--config", "wrong.toml"], &[], "min_cycle_ms in wrong.toml: \"often\" is not a number"),
        (&["--config", "unknown.toml"], &[], "deadline in unknown.toml: there is no such setting"),
        (&["--data-dir", "file"], &[], "data_dir file cannot be written to: "),
    ];
    for (args, variables, start) in cases {
        let done = ground.run(&[serve, args].concat(), variables);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{args:?} {variables:?}");
        assert!(done.stderr.starts_with(&format!("dregs: {start}")), "{}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    }
}
