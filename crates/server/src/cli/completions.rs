//! `dregs completions`: what a shell needs to complete commands, flags and their values.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::output::line;
use super::{Cli, Failure};

#[derive(Args)]
#[command(after_help = "\
Examples:
  dregs completions bash > ~/.local/share/bash-completion/completions/dregs
  dregs completions fish > ~/.config/fish/completions/dregs.fish
  dregs completions zsh > \"${fpath[1]}/_dregs\"")]
pub struct Completions {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        let mut command = Cli::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        line(String::from_utf8_lossy(&script).trim_end());
        Ok(())
    }
}
