//! Links from page to page lead somewhere.

use std::path::{Component, Path, PathBuf};

use super::{pages, root};

const OTHERS: [&str; 5] =
    ["README.md", "SECURITY.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "examples/README.md"];

/// The lines of a page that are not code.
fn prose(page: &str) -> Vec<&str> {
    let mut is_code = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_fence && !is_code
    };
    page.lines().filter(is_prose).collect()
}

/// The targets of `[text](target)` in a page; a link may break over lines.
fn targets(page: &str) -> Vec<String> {
    let text = prose(page).join("\n");
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The names by which the headings of a page are linked to, as on GitHub: of two that are alike the second has `-1`.
fn anchors(page: &str) -> Vec<String> {
    let (mut plain, mut found): (Vec<String>, Vec<String>) = Default::default();
    for line in prose(page).into_iter().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let alike = plain.iter().filter(|other| **other == anchor).count();
        found.push(if alike == 0 { anchor.clone() } else { format!("{anchor}-{alike}") });
        plain.push(anchor);
    }
    found
}

/// A path without `..`, as GitHub follows it.
fn followed(from: &str, target: &str) -> PathBuf {
    let mut path = PathBuf::from(from).parent().unwrap().to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{from}: {target} leads out of the repository"),
            part => path.push(part),
        }
    }
    path
}

/// What is wrong with the links of a page.
fn broken(from: &str, text: &str) -> Vec<String> {
    let wrong = |target: &String| {
        if target.contains("://") || target.starts_with("mailto:") {
            return false;
        }
        let (file, anchor) =
            target.split_once('#').map_or((target.as_str(), None), |(file, it)| (file, Some(it)));
        let path = if file.is_empty() { PathBuf::from(from) } else { followed(from, file) };
        let Some(anchor) = anchor else { return !root(path.to_str().unwrap()).exists() };
        let there = std::fs::read_to_string(root(path.to_str().unwrap()));
        there.map_or(true, |there| !anchors(&there).contains(&anchor.to_owned()))
    };
    targets(text).into_iter().filter(wrong).map(|target| format!("{from}: {target}")).collect()
}

#[test]
fn links_of_the_manual_and_of_the_other_pages_lead_somewhere() {
    let all = pages("docs").into_iter().chain(OTHERS.map(str::to_owned));
    let (mut found, mut count) = (Vec::new(), 0);
    for page in all {
        let text = std::fs::read_to_string(root(&page)).unwrap();
        count += targets(&text).len();
        found.extend(broken(&page, &text));
    }
    assert_eq!(found, Vec::<String>::new());
    assert!(count > 40, "links are found at all");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = "[a](../../README.md) [b](../../README.md#speed) [c](#d) [e](https://example.com)\n```\n[x](y)\n```\n# D";
    assert_eq!(
        broken("docs/manual/x.md", page),
        ["docs/manual/x.md: #d"],
        "the page is not there, so its anchors are not"
    );
    let page = "[a](../nothing.md) [b](../README.md#no-rules)";
    let expected = ["docs/x.md: ../nothing.md", "docs/x.md: ../README.md#no-rules"];
    assert_eq!(broken("docs/x.md", page), expected);
    assert_eq!(anchors("# A `b`, c\n## A b c\n## A b c"), ["a-b-c", "a-b-c-1", "a-b-c-2"]);
}

/// Files of a folder of the sources, one after the other.
pub fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn metrics_of_the_manual_are_counted_somewhere() {
    let mut code = String::new();
    sources(&root("crates/server/src"), &mut code);
    // They name events of the script.
    let others = ["dregs_init", "dregs_identify"];
    let (mut unknown, mut count) = (Vec::new(), 0);
    for chapter in super::chapters() {
        let text = std::fs::read_to_string(root(&chapter)).unwrap();
        for span in text.split('`').filter(|span| span.starts_with("dregs_") && !others.contains(span)) {
            count += 1;
            if !code.contains(&format!("!(\"{span}\"")) {
                unknown.push(format!("{chapter}: {span}"));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
    assert!(count > 20, "metrics are found at all");
}
