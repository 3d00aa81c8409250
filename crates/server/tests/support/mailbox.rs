//! A real mail server, and the letters it takes as another parser reads them.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::server::eventually;

/// A running mail server; it ends when this is dropped.
pub struct Mailbox {
    pub port: u16,
    letters: Arc<Mutex<Vec<Value>>>,
    _stdin: ChildStdin,
    _child: Child,
}

impl Mailbox {
    /// Without TLS and for everybody.
    pub async fn open() -> Self {
        Self::start(json!({"tls": "none"})).await
    }

    /// # Panics
    /// When the Python packages are not installed: a missing mail server fails the tests.
    pub async fn start(settings: Value) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = here.join("../../target/python-clients/bin/python");
        assert!(python.exists(), "run `scripts/python-clients.sh` before the tests");
        let mut child = Command::new(python)
            .arg(here.join("tests/clients/mailbox.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{settings}\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("the mail server did not start").parse().unwrap();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&letters);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                taken.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { port, letters, _stdin: stdin, _child: child }
    }

    pub fn letters(&self) -> Vec<Value> {
        self.letters.lock().unwrap().clone()
    }

    /// Waits until `count` letters have arrived.
    pub async fn arrived(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} letters"), async || {
            let letters = self.letters();
            (letters.len() >= count).then_some(letters)
        })
        .await
    }
}

/// A header of a letter.
pub fn header<'l>(letter: &'l Value, name: &str) -> &'l str {
    let headers = letter["headers"].as_array().unwrap();
    let found: Vec<_> = headers.iter().filter(|header| header[0] == name).collect();
    assert_eq!(found.len(), 1, "{name} in {headers:?}");
    found[0][1].as_str().unwrap()
}
