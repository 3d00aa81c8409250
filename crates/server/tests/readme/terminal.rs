//! A shell that somebody types into, and whether it answers what a page says.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dregs_server::clock::monotonic;

/// What a command says comes within this, or not at all.
pub const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);
/// No command writes this.
const END: char = '\u{1}';
/// An abbreviated value stands for any, if it is as long as this: keys, hashes.
const VALUE_MIN_CHARS: usize = 6;

/// A shell in a terminal of its own.
pub struct Terminal {
    shell: Child,
    input: ChildStdin,
    output: Arc<Mutex<String>>,
    /// Whether a command runs that does not end by itself.
    pub is_busy: bool,
}

impl Terminal {
    pub fn open(folder: &Path, variables: &[(String, String)]) -> Self {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder).env_clear();
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let (mut reader, writer) = std::io::pipe().unwrap();
        command.stdout(writer.try_clone().unwrap()).stderr(writer).stdin(Stdio::piped()).process_group(0);
        let mut shell = command.spawn().unwrap();
        // Its ends of the pipe would keep the reader from seeing the end.
        drop(command);
        let output = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
            }
        });
        let input = shell.stdin.take().unwrap();
        Self { shell, input, output, is_busy: false }
    }

    /// Everything it has shown since the last call.
    fn since(&self, seen: usize) -> String {
        self.output.lock().unwrap()[seen..].to_owned()
    }

    /// Runs a command to its end; what it wrote, and its exit code.
    pub fn run(&mut self, command: &str) -> (String, i32) {
        let seen = self.output.lock().unwrap().len();
        // Through a file that is read by line, a command must not read the next one as its input.
        writeln!(self.input, "{{ {command}\n}} </dev/null; printf '\\001%s\\001' $?").unwrap();
        let begun = monotonic();
        loop {
            let shown = self.since(seen);
            if let [text, code, _] = shown.split(END).collect::<Vec<_>>()[..] {
                return (text.to_owned(), code.parse().unwrap());
            }
            assert!(begun.elapsed() < PATIENCE, "{command} does not end: {shown}");
            std::thread::sleep(POLL);
        }
    }

    /// Starts what does not end by itself, and waits until it has shown `answer`; what it has shown by then.
    pub fn start(&mut self, command: &str, answer: &str) -> String {
        assert!(!self.is_busy, "something else runs there");
        let seen = self.output.lock().unwrap().len();
        writeln!(self.input, "{command} </dev/null &").unwrap();
        self.is_busy = true;
        let begun = monotonic();
        while !matches(answer, &self.since(seen)) {
            assert!(begun.elapsed() < PATIENCE, "{command} shows\n{}\nand not\n{answer}", self.since(seen));
            std::thread::sleep(POLL);
        }
        self.since(seen)
    }

    /// Waits until something has been shown, at any time.
    pub fn shows(&self, text: &str) {
        let begun = monotonic();
        while !matches(text, &self.since(0)) {
            assert!(begun.elapsed() < PATIENCE, "there is\n{}\nand not\n{text}", self.since(0));
            std::thread::sleep(POLL);
        }
    }

    /// Ends what runs.
    pub fn end(&mut self) {
        assert!(self.is_busy, "nothing runs there");
        self.is_busy = false;
        self.run("kill $!; wait $!");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // With all that it has started.
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}

/// Whether the shell would run a command, or wait for the rest of it.
pub fn is_complete(command: &str) -> bool {
    let checked = Command::new("bash").args(["-n", "-c", command]).stderr(Stdio::null()).status().unwrap();
    checked.success() && !command.ends_with('\\')
}

/// Whether a command answers what a page says. White space says nothing; `…` stands for anything, as do keys
/// and hashes, even cut off, and the time of day.
pub fn matches(said: &str, shown: &str) -> bool {
    let shown: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
    let mut rest = shown.as_str();
    for part in abbreviated(said).split('…') {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// What is said, with `…` for all that differs from run to run, and without white space.
fn abbreviated(said: &str) -> String {
    said.split_whitespace().map(abbreviated_word).collect()
}

fn abbreviated_word(word: &str) -> String {
    let is_time = word.len() == 13 && word.ends_with('Z') && word.matches(':').count() == 2;
    if is_time {
        return "…".to_owned();
    }
    let (mut text, mut rest) = (String::new(), word);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end.max(if end == 0 { first.len_utf8() } else { 0 }));
        let is_hash =
            part.chars().all(|c| c.is_ascii_hexdigit()) && part.contains(|c: char| c.is_ascii_digit());
        let is_value = part.len() >= VALUE_MIN_CHARS && (is_hash || (after.starts_with('…') && cut(&text)));
        text.push_str(if is_value { "…" } else { part });
        rest = after;
    }
    text
}

/// Whether what follows is a key or a secret.
fn cut(before: &str) -> bool {
    ["sk_", "pk_", "whsec_"].iter().any(|prefix| before.ends_with(prefix))
}

#[test]
fn an_answer_is_what_a_page_says_but_for_what_differs() {
    let same = [
        ("", "anything"),
        ("secret key  sk_98fdda075c46…", "Keep it:\n secret key  sk_0000\n"),
        ("\"signingSecret\":\"whsec_HdtSP8pCUin…\"}", "{\"id\":1,\"signingSecret\":\"whsec_aa+/=\"}"),
        ("{\"id\":1,… \"x\": 2", "{\"id\":1,\"a\":0,\"x\":2}"),
        ("14:21:51.184Z  SCORED  u  74…  verified", "09:00:00.000Z SCORED u 74 behavior 3 verified"),
        ("listen-d63b7f (1)", "listen-00ff12 (1)"),
    ];
    for (said, shown) in same {
        assert!(matches(said, shown), "{said} / {shown}");
    }
    let others = [("humanity 4", "humanity 5"), ("a … c", "a b"), ("b…a", "a b"), ("user_1", "user_2")];
    for (said, shown) in others {
        assert!(!matches(said, shown), "{said} / {shown}");
    }
}
