//! The settings as flags of `dregs serve` and its kin.

use std::path::PathBuf;

use clap::{Arg, Args};

/// What these flags stand under in the help of a command.
const HEADING: &str = "Settings";
/// The flags that say where the store is.
pub const STORE: [&str; 3] = ["config", "data_dir", "database_url"];

/// The flags of every command that reads the configuration. Their values are read where those of
/// the file and of the environment are, so that all are refused in the same words.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = HEADING)]
pub struct Flags {
    /// Read this file instead of ./dregs.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the HTTP API listens [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Directory of the SQLite file and the generated keys [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// postgres://… instead of the SQLite file
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// What this node does, by commas [default: api,evaluate,deliver]
    #[arg(long, value_name = "LIST")]
    pub roles: Option<String>,
    /// File with the key that encrypts stored secrets [default: generated]
    #[arg(long, value_name = "FILE")]
    pub master_key_file: Option<String>,
    /// Databases in the MaxMind format (.mmdb) of cities, countries and networks, by commas
    #[arg(long, value_name = "FILES")]
    pub geo_databases: Option<String>,
    /// Private networks and hosts that channels may reach, by commas
    #[arg(long, value_name = "LIST")]
    pub egress_allow: Option<String>,
    /// Name servers for the addresses of channels [default: the system's]
    #[arg(long, value_name = "LIST")]
    pub egress_name_servers: Option<String>,
    /// PEM file of certificates that channels trust as well
    #[arg(long, value_name = "FILE")]
    pub egress_ca_file: Option<String>,
    /// Proxies whose X-Forwarded-For is believed, by commas
    #[arg(long, value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// Seconds before each retry, or standard [default: 30,60,120]
    #[arg(long, value_name = "LIST")]
    pub retry_schedule: Option<String>,
    /// Time for one delivery attempt [default: 10000]
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub deadline_ms: Option<String>,
    /// Least time between two scoring cycles of an identity [default: 1000]
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub min_cycle_ms: Option<String>,
    /// Log level or filter [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// Leaves out of the help of a command the flags of settings that it does not go by: all but those with these ids. They
/// are taken all the same, as what the file and the environment say is.
pub fn show_only(ids: &'static [&'static str]) -> impl FnMut(Arg) -> Arg {
    move |arg| {
        let is_other = arg.get_help_heading() == Some(HEADING) && !ids.contains(&arg.get_id().as_str());
        if is_other { arg.hide(true) } else { arg }
    }
}

impl Flags {
    /// Whether there is a flag of this name, such as `--listen`.
    pub(super) fn has(flag: &str) -> bool {
        let flags = Self::augment_args(clap::Command::default());
        flags.get_arguments().filter_map(Arg::get_long).any(|name| flag.strip_prefix("--") == Some(name))
    }

    /// The settings that were given, by key.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("listen", &self.listen),
            ("data_dir", &self.data_dir),
            ("database_url", &self.database_url),
            ("roles", &self.roles),
            ("master_key_file", &self.master_key_file),
            ("geo_databases", &self.geo_databases),
            ("egress_allow", &self.egress_allow),
            ("egress_name_servers", &self.egress_name_servers),
            ("egress_ca_file", &self.egress_ca_file),
            ("trusted_proxies", &self.trusted_proxies),
            ("retry_schedule", &self.retry_schedule),
            ("deadline_ms", &self.deadline_ms),
            ("min_cycle_ms", &self.min_cycle_ms),
            ("log", &self.log),
            ("log_format", &self.log_format),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_deref()?)))
    }
}
