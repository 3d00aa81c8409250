//! What a page says to do: its blocks of code and the commands within its sentences, in order.

/// A part of a page that somebody may do or look for.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    Block(Block),
    /// Code within a sentence.
    Span(String),
}

/// A fenced block of code.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The language after the fence: `console`, `text` …
    pub kind: String,
    pub text: String,
    /// The paragraph before it, which says where it belongs.
    pub before: String,
    /// Where it begins in the file, from 1.
    pub line: usize,
}

/// The items of a page in their order.
///
/// # Panics
/// When a fence or a span has no end, and for code that is only indented, which nothing would run.
pub fn items(page: &str) -> Vec<Item> {
    let (mut found, mut paragraph, mut before) = (Vec::new(), String::new(), String::new());
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            end_paragraph(&mut found, &mut paragraph, &mut before);
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = inside.collect::<Vec<_>>().join("\n");
            let before = std::mem::take(&mut before);
            found.push(Item::Block(Block { kind: kind.to_owned(), text, before, line: number + 1 }));
        } else if line.is_empty() {
            let next = lines.clone().next().map_or("", |(_, line)| line);
            let is_hidden =
                next.starts_with("    ") || next.starts_with(' ') && next.trim_start().starts_with("```");
            assert!(!is_hidden, "line {}: begin this code with a fence at the margin", number + 2);
            end_paragraph(&mut found, &mut paragraph, &mut before);
        } else {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    end_paragraph(&mut found, &mut paragraph, &mut before);
    found
}

fn end_paragraph(found: &mut Vec<Item>, paragraph: &mut String, before: &mut String) {
    if paragraph.is_empty() {
        return;
    }
    let parts: Vec<_> = paragraph.split('`').collect();
    assert!(parts.len() % 2 == 1, "a span without an end: {paragraph}");
    // Every second one stands between two backticks; a line may break within.
    let spans = parts.iter().skip(1).step_by(2);
    found.extend(spans.map(|span| Item::Span(span.replace('\n', " "))));
    *before = std::mem::take(paragraph);
}

/// A command of a `console` block, and what it is said to answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// `^C`: what runs in this terminal is ended.
    End,
    Run {
        command: String,
        /// Empty where nothing is said.
        answer: String,
    },
}

/// The steps of a `console` block. Whether a command is complete, the shell knows (`is_complete`).
///
/// # Panics
/// When the block begins with neither a command nor `^C`.
pub fn steps(block: &Block, is_complete: impl Fn(&str) -> bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.text.lines() {
        if line == "^C" {
            steps.push(Step::End);
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Run { command: command.to_owned(), answer: String::new() });
            continue;
        }
        let Some(Step::Run { command, answer }) = steps.last_mut() else {
            panic!("line {}: a console block begins with `$ ` or `^C`", block.line);
        };
        let part = if answer.is_empty() && !is_complete(command) { command } else { answer };
        part.push('\n');
        part.push_str(line);
    }
    steps
}

#[test]
fn a_page_is_read_in_its_order() {
    let page = "# Title\n\nIn a `first\nterminal`:\n\n```console\n^C\n$ for x in 1; do\n    echo $x\n  done\n1\n$ b\n```\nand `c`\n";
    let block = Block {
        kind: "console".to_owned(),
        text: "^C\n$ for x in 1; do\n    echo $x\n  done\n1\n$ b".to_owned(),
        before: "In a `first\nterminal`:\n".to_owned(),
        line: 6,
    };
    let run =
        |command: &str, answer: &str| Step::Run { command: command.to_owned(), answer: answer.to_owned() };
    let expected = [Step::End, run("for x in 1; do\n    echo $x\n  done", "\n1"), run("b", "")];
    assert_eq!(
        steps(&block, |command| command.matches("do").count() != 1 || command.contains("done")),
        expected
    );
    let expected = [Item::Span("first terminal".to_owned()), Item::Block(block), Item::Span("c".to_owned())];
    assert_eq!(items(page), expected);
}
