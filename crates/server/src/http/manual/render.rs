//! A chapter as HTML, and its sections as they are searched.

use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::chapters::Chapter;
use super::pictures::Picture;

/// A chapter that has been read.
pub struct Page {
    pub chapter: &'static Chapter,
    pub slug: String,
    pub html: String,
    pub sections: Vec<Section>,
}

/// A heading, and what stands below it.
#[derive(Debug, Default)]
pub struct Section {
    pub title: String,
    pub anchor: String,
    /// Without markup, in one line.
    pub text: String,
    pub lower: Lower,
}

/// A section in lower case, as it is looked through.
#[derive(Debug, Default)]
pub struct Lower {
    pub title: String,
    pub text: String,
}

impl Page {
    pub fn read(chapter: &'static Chapter) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        // Of each link that is open, whether it leads anywhere from a page; of each picture, whether it is there.
        let mut links = Vec::new();
        let mut pictures = Vec::new();
        let mut heading = None;
        let mut in_cell = false;
        let mut in_console = false;
        let mut events: Vec<Event> = Vec::new();
        for event in Parser::new_ext(chapter.text, Options::ENABLE_TABLES) {
            let shown = match event {
                Event::Start(Tag::Heading { .. }) => {
                    sections.push(Section::default());
                    heading = Some(events.len());
                    event
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&sections);
                    if let Some(Event::Start(Tag::Heading { id, .. })) =
                        heading.take().and_then(|at| events.get_mut(at))
                    {
                        *id = Some(CowStr::from(anchor.clone()));
                    }
                    if let Some(section) = sections.last_mut() {
                        section.anchor = anchor;
                    }
                    event
                }
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    let target = target(chapter, &dest_url);
                    links.push(target.is_some());
                    let Some(target) = target else { continue };
                    Event::Start(Tag::Link { link_type, dest_url: target.into(), title, id })
                }
                Event::End(TagEnd::Link) if links.pop() == Some(false) => continue,
                Event::End(TagEnd::Link) => event,
                Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                    let source = picture(chapter, &dest_url);
                    pictures.push(source.is_some());
                    match source {
                        Some(source) => {
                            Event::Start(Tag::Image { link_type, dest_url: source.into(), title, id })
                        }
                        // Its words stand for it.
                        None => Event::InlineHtml("<em class=\"picture\">".into()),
                    }
                }
                Event::End(TagEnd::Image) if pictures.pop() == Some(false) => {
                    Event::InlineHtml("</em>".into())
                }
                Event::End(TagEnd::Image) => event,
                Event::Text(ref text) | Event::Code(ref text) => {
                    if let Some(section) = sections.last_mut() {
                        let part = if heading.is_some() { &mut section.title } else { &mut section.text };
                        part.push_str(text);
                    }
                    if in_console {
                        events.extend(prompted(text));
                        continue;
                    }
                    if in_cell && matches!(event, Event::Text(_)) && is_long(text) {
                        events.extend(breakable(text));
                        continue;
                    }
                    event
                }
                Event::Start(Tag::Emphasis | Tag::Strong) | Event::End(TagEnd::Emphasis | TagEnd::Strong) => {
                    event
                }
                other => {
                    in_console = match &other {
                        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                            language.as_ref() == "console"
                        }
                        Event::End(TagEnd::CodeBlock) => false,
                        _ => in_console,
                    };
                    in_cell = matches!(other, Event::Start(Tag::TableCell))
                        || in_cell && !matches!(other, Event::End(TagEnd::TableCell));
                    if let Some(section) = sections.last_mut().filter(|_| heading.is_none()) {
                        section.text.push(' ');
                    }
                    other
                }
            };
            events.push(shown);
        }
        for section in &mut sections {
            section.text = section.text.split_whitespace().collect::<Vec<_>>().join(" ");
            section.lower = Lower { title: section.title.to_lowercase(), text: section.text.to_lowercase() };
        }
        let mut html = String::new();
        html::push_html(&mut html, events.into_iter());
        Self { chapter, slug: chapter.slug(), html, sections }
    }
}

/// A word of more than these widens its column, and the table with it.
const WORD_MAX_CHARS: usize = 30;

fn is_long(text: &str) -> bool {
    text.split_whitespace().any(|word| word.chars().count() > WORD_MAX_CHARS)
}

/// Text that may break within its words, where the parts of an address do.
fn breakable(text: &str) -> impl Iterator<Item = Event<'static>> {
    let parts = text.split_inclusive(['/', '?', '&', ',']).map(str::to_owned);
    parts.flat_map(|part| [Event::Text(part.into()), Event::InlineHtml("<wbr>".into())])
}

/// Lines of a terminal, of which the prompt is marked: whoever copies a command wants none.
fn prompted(text: &str) -> impl Iterator<Item = Event<'static>> {
    let lines = text.split_inclusive('\n').map(str::to_owned);
    lines.flat_map(|line| match line.strip_prefix(PROMPT) {
        Some(rest) => [
            Event::InlineHtml(format!("<span class=\"prompt\">{PROMPT}</span>").into()),
            Event::Text(rest.to_owned().into()),
        ],
        None => [Event::InlineHtml("".into()), Event::Text(line.into())],
    })
}

const PROMPT: &str = "$ ";

/// The anchor of the last section, as GitHub makes it: unlike those of the sections before.
fn anchor(sections: &[Section]) -> String {
    let Some((last, before)) = sections.split_last() else { return String::new() };
    let plain = |title: &str| -> String {
        let kept = title.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let own = plain(&last.title);
    let alike = before.iter().filter(|section| plain(&section.title) == own).count();
    if alike == 0 { own } else { format!("{own}-{alike}") }
}

/// Where a link of a chapter leads from its page; `None` where that is a file of the repository alone.
fn target(chapter: &Chapter, link: &str) -> Option<String> {
    if link.starts_with('#') || link.starts_with("https://") {
        return Some(link.to_owned());
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let path = joined(Path::new(chapter.path).parent()?, file)?;
    if path == Path::new("openapi.json") {
        return Some("/api/openapi.json".to_owned());
    }
    let page = format!("/manual/{}", Chapter::at(&path)?.slug());
    Some(anchor.map_or(page.clone(), |anchor| format!("{page}#{anchor}")))
}

/// Where the server has a picture of a chapter.
fn picture(chapter: &Chapter, link: &str) -> Option<String> {
    let path = joined(Path::new(chapter.path).parent()?, link)?;
    Some(format!("/manual/{}", Picture::at(&path)?.name()))
}

/// `folder` and `relative`, without `..`.
fn joined(folder: &Path, relative: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in folder.join(relative).components() {
        match part {
            Component::ParentDir => path.pop().then_some(())?,
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Page {
        let chapter = Chapter { name: "EVENTS", path: "docs/manual/events.md", text };
        Page::read(Box::leak(Box::new(chapter)))
    }

    #[test]
    fn the_prompt_of_a_command_is_not_copied() {
        let page = read("# A\n\n```console\n$ dregs <x>\n$ y\nshown $ 1\n```\n\n```text\n$ 1\n```\n");
        let expected = "<h1 id=\"a\">A</h1>\n<pre><code class=\"language-console\"><span class=\"prompt\">$ </span>dregs \
                        &lt;x&gt;\n<span class=\"prompt\">$ </span>y\nshown $ 1\n</code></pre>\n<pre><code \
                        class=\"language-text\">$ 1\n</code></pre>\n";
        assert_eq!(page.html, expected);
        assert_eq!(page.sections[0].text, "$ dregs <x> $ y shown $ 1 $ 1");
    }

    #[test]
    fn links_lead_to_pages_and_what_has_none_is_words() {
        let page = read(
            "# Events\n[a](scoring.md#the-analyzers) [b](../detection.md) [c](../../openapi.json) [d](../../SECURITY.md#limits) \
             [e](#the-past) [f](https://example.com) [g](../../README.md) [h](../../examples/README.md)",
        );
        let expected = "<h1 id=\"events\">Events</h1>\n<p><a href=\"/manual/scoring#the-analyzers\">a</a> \
             <a href=\"/manual/detection\">b</a> <a href=\"/api/openapi.json\">c</a> \
             <a href=\"/manual/security-measures#limits\">d</a> <a href=\"#the-past\">e</a> \
             <a href=\"https://example.com\">f</a> <a href=\"/manual/readme\">g</a> h</p>\n";
        assert_eq!(page.html, expected);
    }

    #[test]
    fn sections_have_their_own_anchors_and_text() {
        let page = read(
            "# A `b`, c\nOne\n*two*.\n\n## A b c\n| x | y |\n|-|-|\n| 1 | <2> |\n\n## A b c\n![Home](x.png)\n",
        );
        let told: Vec<_> = page
            .sections
            .iter()
            .map(|one| (one.title.as_str(), one.anchor.as_str(), one.text.as_str()))
            .collect();
        let expected = [
            ("A b, c", "a-b-c", "One two."),
            ("A b c", "a-b-c-1", "x y 1 <2>"),
            ("A b c", "a-b-c-2", "Home"),
        ];
        assert_eq!(told, expected);
        assert!(page.html.ends_with("<p><em class=\"picture\">Home</em></p>\n"), "{}", page.html);
    }

    #[test]
    fn the_text_that_is_searched_has_no_space_that_is_not_read() {
        let page =
            read("# Events\nAs said (the [API](api.md)), **now**, `x`; ![a](b.png).\n\n- one\n- two\n");
        assert_eq!(page.sections[0].text, "As said (the API), now, x; a. one two");
    }

    #[test]
    fn a_long_word_in_a_table_may_break() {
        let long = "/api/identities?pageNumber=1&sort=id";
        let page =
            read(Box::leak(format!("# Events\n{long}\n\n| x | y |\n|-|-|\n| {long} | a/b |\n").into()));
        assert!(
            page.html.contains(
                "/<wbr>api/<wbr>identities?<wbr>pageNumber=1&amp;<wbr>sort=id<wbr></td><td>a/b</td>"
            )
        );
        assert_eq!(page.html.matches("<wbr>").count(), 5);
    }

    #[test]
    fn every_picture_of_a_page_is_there() {
        let pages: Vec<_> = Chapter::pages().chain(Chapter::asides()).map(Page::read).collect();
        let missing: Vec<_> = pages
            .iter()
            .filter(|page| page.html.contains("class=\"picture\""))
            .map(|page| &page.slug)
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        let shown: usize = pages.iter().map(|page| page.html.matches("<img src=\"/manual/").count()).sum();
        assert!(shown >= 15, "{shown}");
        let detection = pages.iter().find(|page| page.slug == "detection").unwrap();
        assert!(detection.html.contains("<a href=\"/manual/detection-figures\">all figures</a>"));
    }

    #[test]
    fn every_link_between_pages_leads_to_a_section() {
        let pages: Vec<_> = Chapter::pages().chain(Chapter::asides()).map(Page::read).collect();
        let anchors = |slug: &str| -> Vec<_> {
            let page = pages.iter().find(|page| page.chapter.slug() == slug);
            page.into_iter().flat_map(|page| &page.sections).map(|section| section.anchor.as_str()).collect()
        };
        let mut links = 0;
        for page in &pages {
            for link in page.html.split("href=\"/manual/").skip(1) {
                let link = link.split('"').next().unwrap_or_default();
                let (slug, anchor) =
                    link.split_once('#').map_or((link, None), |(slug, anchor)| (slug, Some(anchor)));
                let there = anchors(slug);
                assert!(!there.is_empty() && anchor.is_none_or(|anchor| there.contains(&anchor)), "{link}");
                links += 1;
            }
        }
        assert!(links > 50, "{links}");
    }
}
