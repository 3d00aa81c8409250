//! `dregs health`: whether a server takes writes, for who watches it where there is no other client.

use clap::Args;

use super::Failure;
use super::api::{Api, address};
use super::output::line;

#[derive(Args)]
#[command(after_help = "\
Asks /readyz. Exits with 0 when the server takes writes, and with 1 when it does not or is not there.

Examples:
  dregs health
  dregs health --server http://10.0.0.7:8080")]
pub struct Health {
    /// Address of the server [default: $DREGS_BASE_URL, or http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

impl Health {
    pub fn run(self) -> Result<(), Failure> {
        let api = Api::new(&address(self.server)?, "");
        let (is_ready, said) = api.ready()?;
        if !is_ready {
            return Err(Failure::Failed(format!("{}: {}", api.server(), said.trim())));
        }
        line(said.trim());
        Ok(())
    }
}
