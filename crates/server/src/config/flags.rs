//! The settings as flags of `dregs serve` and its kin.

use std::path::PathBuf;

use clap::Args;

/// The flags of every command that reads the configuration. Their values are read where those of
/// the file and of the environment are, so that all are refused in the same words.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings")]
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

impl Flags {
    /// The settings that were given, by key.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("listen", &self.listen),
            ("data_dir", &self.data_dir),
            ("database_url", &self.database_url),
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
