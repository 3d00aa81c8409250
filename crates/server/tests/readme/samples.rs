//! Samples of code on a page, each run to its end.

use super::markdown::Block;
use super::{Reader, page, root};

const LANGUAGES: [&str; 8] = ["python", "typescript", "rust", "go", "ruby", "php", "java", "toml"];
/// Its samples go on until they are ended: `manual::samples` runs them.
const RECEIVERS: &str = "docs/manual/webhooks.md";
const RUST: &str = "examples/rust/src/bin";

pub fn is_code(kind: &str) -> bool {
    LANGUAGES.contains(&kind)
}

/// Runs a sample in the terminal that was used last, whose variables it sees.
pub fn run(reader: &mut Reader, block: &Block) {
    if reader.path == RECEIVERS {
        return;
    }
    let text = reader.localized(&block.text) + "\n";
    let write = |name: &str| std::fs::write(reader.folder.path().join(name), &text).unwrap();
    let command = match block.kind.as_str() {
        "python" => {
            write("sample.py");
            "$PYTHON sample.py".to_owned()
        }
        // There is no annotation in it, so that it is JavaScript as well.
        "typescript" => {
            write("sample.mjs");
            "node sample.mjs".to_owned()
        }
        "toml" => {
            write("dregs.toml");
            "dregs config".to_owned()
        }
        "rust" => built(&block.text),
        kind => panic!("line {}: {kind} is run for no page but {RECEIVERS}", block.line),
    };
    let terminal = reader.open(reader.current);
    let (shown, code) = terminal.run(&command);
    assert_eq!(code, 0, "line {}: {shown}", block.line);
}

/// The program that was built of a sample, which is a file of the examples.
fn built(text: &str) -> String {
    let text = format!("{text}\n");
    for entry in std::fs::read_dir(root(RUST)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if page(&format!("{RUST}/{name}")) == text {
            let built = std::path::Path::new(env!("CARGO_BIN_EXE_dregs"))
                .with_file_name(name.trim_end_matches(".rs"));
            assert!(built.exists(), "build it with `cargo build --workspace`: {}", built.display());
            return built.display().to_string();
        }
    }
    panic!("no file in {RUST} is\n{text}");
}
