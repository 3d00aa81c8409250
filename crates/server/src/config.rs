//! Placeholder until the CLI branch lands.
use std::net::SocketAddr;
use std::path::PathBuf;
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr, pub data_dir: PathBuf, pub database_url: Option<String>, pub master_key: Option<String>, pub master_key_file: Option<PathBuf>,
    pub admin_email: Option<String>, pub admin_password: Option<String>, pub public_key: Option<String>, pub secret_key: Option<String>,
    pub egress_allow: String, pub egress_name_servers: Vec<SocketAddr>, pub egress_ca_file: Option<PathBuf>, pub trusted_proxies: Vec<ipnet::IpNet>,
    pub retry_schedule: String, pub deadline_ms: u64, pub min_cycle_ms: u64, pub log: String, pub failpoint: Option<String>,
}
#[allow(clippy::disallowed_methods)]
impl Config {
    pub fn from_env() -> Self {
        let v = |n: &str| std::env::var(n).ok();
        Self { listen: v("DREGS_LISTEN").unwrap_or("127.0.0.1:8080".into()).parse().unwrap(), data_dir: v("DREGS_DATA_DIR").unwrap_or("./data".into()).into(),
            database_url: v("DREGS_DATABASE_URL"), master_key: None, master_key_file: None, admin_email: v("DREGS_ADMIN_EMAIL"), admin_password: v("DREGS_ADMIN_PASSWORD"),
            public_key: v("DREGS_PUBLIC_KEY"), secret_key: v("DREGS_SECRET_KEY"), egress_allow: v("DREGS_EGRESS_ALLOW").unwrap_or_default(), egress_name_servers: vec![], egress_ca_file: None, trusted_proxies: vec![],
            retry_schedule: v("DREGS_RETRY_SCHEDULE").unwrap_or("30,60,120".into()), deadline_ms: 10000, min_cycle_ms: v("DREGS_MIN_CYCLE_MS").and_then(|t| t.parse().ok()).unwrap_or(1000), log: v("DREGS_LOG").unwrap_or("info".into()), failpoint: v("DREGS_FAILPOINT") }
    }
}
