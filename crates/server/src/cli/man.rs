//! `dregs man`: the manual pages, made from what `--help` says.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::{Cli, Failure, unusable};

#[derive(Args)]
#[command(after_help = "\
There is a page for each command, named like dregs-serve.1.

Examples:
  dregs man ~/.local/share/man/man1")]
pub struct Man {
    /// Directory to write the pages to; it is made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub fn run(self) -> Result<(), Failure> {
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.directory));
        written.map_err(|error| {
            let told = format!("cannot write manual pages to {}: {error}", self.directory.display());
            unusable(&error, told)
        })
    }
}
