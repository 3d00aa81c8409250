//! No function of the store is left out of these tests.

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn texts(folder: &str) -> Vec<(String, String)> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (module, fs::read_to_string(&path).unwrap())
    };
    fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(read).collect()
}

/// Whether `text` has `path` as a whole, not as the beginning of a longer name.
fn names(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        !text[..at].ends_with(is_part) && !text[at + path.len()..].starts_with(is_part)
    })
}

#[test]
fn every_public_function_over_a_transaction_is_called() {
    let tests = texts("tests/store").into_iter().map(|(_, text)| text).collect::<String>();
    let store = fs::read_to_string(Path::new(ROOT).join("src/store/mod.rs")).unwrap();
    let is_public = |module: &str| module == "mod" || store.contains(&format!("\npub mod {module};"));
    let mut missing = Vec::new();
    let mut count = 0;
    for (module, text) in texts("src/store").into_iter().filter(|(module, _)| is_public(module)) {
        for signature in text.split("\npub fn ").skip(1) {
            let (name, parameters) = signature.split_once('(').unwrap();
            if parameters.trim_start().starts_with("tx: &mut Tx") {
                count += 1;
                let path = if module == "mod" { name.to_owned() } else { format!("{module}::{name}") };
                if !names(&tests, &path) {
                    missing.push(path);
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(count > 50, "only {count} functions were found");
}
