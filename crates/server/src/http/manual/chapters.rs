//! The chapters of the documentation: the manual, the other pages of `docs/`, and the README.

use std::path::Path;

/// A chapter, as `build.rs` finds it.
pub struct Chapter {
    /// Such as `AI_AGENTS`, of `docs/manual/ai-agents.md`.
    pub name: &'static str,
    /// Of its file in the repository.
    pub path: &'static str,
    /// In Markdown.
    pub text: &'static str,
}

pub static CHAPTERS: &[Chapter] = include!(concat!(env!("OUT_DIR"), "/chapters.rs"));

/// Those that are pages of the manual, in the order in which they are read.
const PAGES: [&str; 25] = [
    "GETTING_STARTED",
    "INSTALLING",
    "TRACKING",
    "EVENTS",
    "IDENTITIES",
    "DEVICES",
    "SCORING",
    "BADGES",
    "COUNTERS",
    "LISTS",
    "ESCALATIONS",
    "RULES_COMPARED",
    "DECISIONS",
    "CHANNELS",
    "WEBHOOKS",
    "DASHBOARD",
    "API",
    "AI_AGENTS",
    "MCP",
    "OPERATIONS",
    "SIZING",
    "SECURITY",
    "MOVING",
    "DETECTION",
    "SPEED",
];

/// What the drawings of a chapter were made from: a page, and no chapter for those who read all of them.
static FIGURES: Chapter = Chapter {
    name: "DETECTION_FIGURES",
    path: "docs/detection/figures.md",
    text: include_str!("../../../../../docs/detection/figures.md"),
};

impl Chapter {
    pub fn pages() -> impl Iterator<Item = &'static Self> {
        PAGES.iter().filter_map(|name| Self::find(name))
    }

    /// Those that pages link to, and that are not among them.
    pub fn asides() -> impl Iterator<Item = &'static Self> {
        ["README", "SECURITY_MEASURES"].into_iter().filter_map(Self::find).chain([&FIGURES])
    }

    /// The chapter with this name, in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        CHAPTERS.iter().find(|chapter| chapter.name.eq_ignore_ascii_case(name))
    }

    /// The one whose page a file of the repository is.
    pub fn at(path: &Path) -> Option<&'static Self> {
        Self::pages().chain(Self::asides()).find(|chapter| Path::new(chapter.path) == path)
    }

    pub fn slug(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }

    pub fn title(&self) -> &'static str {
        self.text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::mcp::RESULT_MAX_KIB;

    #[test]
    fn every_chapter_has_a_title_fits_in_a_result_and_is_a_page() {
        for Chapter { name, text, .. } in CHAPTERS {
            assert!(text.starts_with("# "), "{name}");
            assert!(text.len() < RESULT_MAX_KIB * 1024 / 2, "{name}");
        }
        let is_page = |chapter: &&Chapter| PAGES.contains(&chapter.name);
        let others: Vec<_> = CHAPTERS.iter().filter(|one| !is_page(one)).map(|one| one.name).collect();
        assert_eq!((others, Chapter::pages().count()), (vec!["README", "SECURITY_MEASURES"], PAGES.len()));
    }
}
