//! The manual, `docs/manual/`: what is generated in it is current, its samples run, its links lead somewhere. What its
//! commands do is tried by `readme`.

mod decisions;
mod generated;
mod links;
mod monitoring;
mod pages;
mod samples;

use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FILE_LINES_MAX: usize = 600;

pub fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

/// The pages of a folder, with those in its folders, by their paths in the repository.
pub fn pages(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(pages(&path));
        } else if entry.path().extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The chapters of the manual.
pub fn chapters() -> Vec<String> {
    pages("docs/manual")
}

/// A page without what is generated in it.
pub fn written(page: &str) -> String {
    let mut kept = String::new();
    let mut generated = None;
    for line in page.lines() {
        let comment = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        match (comment, &generated) {
            (Some(name), None) => generated = Some(format!("end of {name}")),
            (Some(name), Some(end)) if name == end => generated = None,
            (_, None) => kept.extend([line, "\n"]),
            (_, Some(_)) => {}
        }
    }
    assert_eq!(generated, None, "a block without an end");
    kept
}

/// A chapter is served alone and found in a list: it has a title, and a paragraph under it that says what it is about.
#[test]
fn each_chapter_begins_with_a_title_and_what_it_is_about() {
    let chapters = chapters();
    assert!(!chapters.is_empty());
    for chapter in chapters {
        let text = std::fs::read_to_string(root(&chapter)).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("# ") && lines[1].is_empty(), "{chapter} has no title");
        assert!(lines[2].starts_with(char::is_alphanumeric), "{chapter} says nothing under its title");
        assert!(lines.len() <= FILE_LINES_MAX, "{chapter} has {} lines", lines.len());
    }
}

#[test]
fn what_is_generated_is_not_what_is_written() {
    assert_eq!(written("a\n<!-- x -->\nb\n<!-- end of x -->\nc\n"), "a\nc\n");
}
