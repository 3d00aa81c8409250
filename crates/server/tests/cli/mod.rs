//! The binary as people call it.

mod config;
mod demo;
#[cfg(unix)]
mod flood;
mod health;
mod help;
mod listen;
mod marked;
mod polls;
mod serve;
mod shipped;
mod startup;
mod teams;
mod verify;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dregs_core::notify::signature::{Secret, header, sign};
use dregs_core::time::Timestamp;
use dregs_server::clock::{Clock as _, SystemClock, monotonic};
use tempfile::TempDir;

/// What a test waits for comes within this, or not at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// An empty working directory to call `dregs` in.
struct Ground(TempDir);

/// A port of this machine that nobody listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a call came to.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ground {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// A call with no settings but those given.
    fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dregs"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DREGS_"))
        {
            command.env_remove(name);
        }
        command.args(args).envs(variables.iter().copied()).current_dir(self.0.path());
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Done {
        let Output { status, stdout, stderr } = self.command(args, variables).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    fn start(&self, args: &[&str], variables: &[(&str, &str)]) -> Running {
        let mut command = self.command(args, variables);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        Running { child, lines }
    }
}

/// A call that has not ended; it is killed when the test does.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// Asks until there is an answer.
fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let started = monotonic();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

impl Running {
    /// The next line of standard output that contains `part`.
    fn line_with(&self, part: &str) -> String {
        let started = monotonic();
        let next = || self.lines.recv_timeout(PATIENCE.checked_sub(started.elapsed())?).ok();
        let line = std::iter::from_fn(next).find(|line| line.contains(part));
        line.ok_or_else(|| format!("no line with {part:?}")).unwrap()
    }

    /// Sends the signal and waits; the exit code and standard error.
    fn stop_with(&mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (code, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A webhook, signed now.
struct Webhook {
    secret: Secret,
    body: String,
    headers: Vec<(&'static str, String)>,
}

impl Webhook {
    fn now() -> Self {
        Self::at(SystemClock.now())
    }

    fn at(now: Timestamp) -> Self {
        let secret = Secret::from_bytes([7; 32]);
        let body = format!(
            r#"{{"id":"evt_1","event":"IDENTITY_SCORED","timestamp":"{now}","occurredAt":"{now}","channelId":"1","identityId":"user_1","sequence":3,"data":{{"identityId":"user_1","scores":{{"humanity":12}},"previousScores":{{"humanity":64}}}}}}"#
        );
        let signatures = sign(std::slice::from_ref(&secret), "evt_1", now, body.as_bytes());
        let headers = vec![
            (header::DREGS_SIGNATURE, signatures.dregs),
            (header::WEBHOOK_ID, "evt_1".to_owned()),
            (header::WEBHOOK_TIMESTAMP, now.as_seconds().to_string()),
            (header::WEBHOOK_SIGNATURE, signatures.standard),
        ];
        Self { secret, body, headers }
    }
}
