// What the sources of the dashboard must not say, since only a browser of some kind or a day of some luck finds it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { britishWords, houseWords } from "./words.js";

const ROOT = new URL("../..", import.meta.url).pathname;

function sources(folder, pattern) {
  return readdirSync(join(ROOT, folder), { recursive: true }).filter((name) => pattern.test(name)).map((name) => join(folder, name));
}

const isFunction = (node) => ts.isArrowFunction(node) || ts.isFunctionExpression(node);

/** What a function returns, without what functions inside of it do. */
function returned(body) {
  const found = [];
  const look = (node) => {
    if (ts.isReturnStatement(node)) found.push(node.expression);
    if (!ts.isFunctionLike(node)) ts.forEachChild(node, look);
  };
  ts.forEachChild(body, look);
  return found;
}

/**
 * The effects of a text that may hand React something else than a clean-up. The type of what a listener or a browser's
 * function returns says "nothing", and at run time it may be a promise, which React then calls: the page is gone.
 */
function looseEffects(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found = [];
  const look = (node) => {
    if (ts.isCallExpression(node) && /^use(Layout|Insertion)?Effect$/.test(node.expression.getText())) {
      const [effect] = node.arguments;
      const isSafe = effect && isFunction(effect) && ts.isBlock(effect.body) && !effect.modifiers?.length && returned(effect.body).every((value) => !value || isFunction(value));
      if (!isSafe) found.push(`${name}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

test("an effect returns nothing, or a function that cleans up", () => {
  const files = sources("web/dashboard/src", /\.tsx?$/);
  assert.deepEqual(files.flatMap((name) => looseEffects(name, readFileSync(join(ROOT, name), "utf8"))), []);
  const count = files.filter((name) => /useEffect\(/.test(readFileSync(join(ROOT, name), "utf8"))).length;
  assert.ok(count > 10, `${count} files with effects are found at all`);
  const loose = [
    "useEffect(() => element.scrollIntoView());",
    "useEffect(() => onSelect?.(row), [row]);",
    "useEffect(close, [path]);",
    "useEffect(async () => { await load(); });",
    "useEffect(() => { if (!drawn) return fail(); });",
    "useLayoutEffect(() => { return stop; });",
  ];
  assert.deepEqual(loose.filter((text) => looseEffects("a.tsx", text).length !== 1), []);
  const safe = ["useEffect(() => { void load(); });", "useEffect(() => { const stop = begin(); return () => { stop(); }; });", "useEffect(() => { list.map((one) => { return one; }); });"];
  assert.deepEqual(safe.filter((text) => looseEffects("a.tsx", text).length !== 0), []);
});

/** How domains end. */
const DOMAIN = /\.(com|org|net|example)$/;
/** How names of what spans carry begin. */
const OF_SPANS = "dregs.";
/** Names that are written like actions, and are places between a commit and the step after it. */
const PLACES = new Set([...readFileSync(join(ROOT, "crates/server/src/failpoint.rs"), "utf8").matchAll(/"([a-z.-]+)"/g)].map(([, name]) => name));
/** Likewise the names of facts, and of fields that stand for a card. */
const FACTS = new Set([...readFileSync(join(ROOT, "crates/core/src/fact/mod.rs"), "utf8").matchAll(/"([a-z.-]+)"/g)].map(([, name]) => name).concat("card.hash", "card.fingerprint"));

test("whatever is written into the audit log has words", () => {
  const written = new Set();
  const targets = new Set();
  for (const name of [...sources("crates/server/src/ops", /(?<!tests)\.rs$/), "crates/server/src/store/audit_log.rs"]) {
    const [text] = readFileSync(join(ROOT, name), "utf8").split("#[cfg(test)]");
    const code = text.replaceAll(/^\s*\/\/.*$/gm, "");
    for (const [, action] of code.matchAll(/"([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)"/g)) if (!PLACES.has(action) && !FACTS.has(action) && !DOMAIN.test(action) && !action.startsWith(OF_SPANS)) written.add(action);
    for (const [, type] of code.matchAll(/(?:target_type: |TARGET: &'static str = )"([a-z-]+)"/g)) targets.add(type);
  }
  const words = readFileSync(join(ROOT, "web/dashboard/src/pages/settings/audit.ts"), "utf8");
  const said = new Set([...words.matchAll(/^ {2}"([a-z.-]+)": "[A-Z]/gm)].map(([, action]) => action));
  assert.deepEqual([...written].filter((action) => !said.has(action)), [], "without words");
  assert.deepEqual([...said].filter((action) => !written.has(action)), [], "never written");
  const offered = /const TARGETS = \[([^\]]*)\]/.exec(words)[1];
  assert.deepEqual([...targets].filter((type) => !offered.includes(`"${type}"`)), [], "targets that cannot be chosen");
  assert.ok(said.size > 40 && targets.size > 10);
});

/** Words that pages have had beside others for the same. */
const OTHER_WORDS = [
  [/scored again/i, "rescored"], [/\bunmapped (only)?\b|>Unmapped</, "not mapped"], [/Last event received|title: "Received"/, "Last received"],
  // When something arrived is not when it happened.
  [/Last event.*lastTrackedAt|lastTrackedAt.*Last event/, "Last received"], [/Last received.*lastSeenAt|lastSeenAt.*Last received/, "Last event"],
  [/"(Give|Say|Name|Choose) [^"]*\."/, "Enter …"], [/Only an admin/, "mayNot"], [/[\d}]( |\u00A0|\u202F|\\u00A0|&nbsp;|\{" "\}|\{NO_BREAK\})+%/, "95%, without a space"],
  [/hour: "2-digit"/, "timeStyle or hour: numeric"], [/action="[^"]*…"/, "Confirm, which adds the dots itself"],
];

test("pages have one word for one thing", () => {
  const files = sources("web/dashboard/src", /\.tsx?$/);
  const isComment = (line) => /^\s*(\/\/|\/?\*)/.test(line);
  const found = files.flatMap((name) => readFileSync(join(ROOT, name), "utf8").split("\n").flatMap((line, at) => {
    const code = line.replace(/\/\*\*.*?\*\//g, "");
    return isComment(line) ? [] : OTHER_WORDS.filter(([other]) => other.test(code)).map(([, one]) => `${name}:${at + 1} for ${one}: ${line.trim()}`);
  }));
  assert.deepEqual(found, []);
});

test("what says when an event arrived does not say that it is when the event was", () => {
  const texts = sources("web/dashboard/src", /\.tsx?$/).map((name) => [name, readFileSync(join(ROOT, name), "utf8")]);
  const says = (words, field, other) => texts.filter(([, text]) => text.includes(words) && text.includes(field) && !text.includes(other)).map(([name]) => name);
  // Where both are, each line says which: above.
  assert.deepEqual(says("Last event", "lastTrackedAt", "lastSeenAt"), []);
  assert.deepEqual(says("Last received", "lastSeenAt", "lastTrackedAt"), []);
  assert.ok(says("Last received", "lastTrackedAt", "lastSeenAt").length > 3 && says("Last event", "lastSeenAt", "lastTrackedAt").length > 0);
});

test("the manual names every place of the settings", () => {
  const text = readFileSync(join(ROOT, "web/dashboard/src/pages/settings/Settings.tsx"), "utf8");
  const places = [...text.matchAll(/to: "\/settings\/[a-z-]+", label: "([^"]+)"/g)].map(([, label]) => label);
  assert.ok(places.length > 10);
  const chapter = readFileSync(join(ROOT, "docs/dashboard.md"), "utf8");
  const [row] = /^\| \*\*Settings\*\* .*$/m.exec(chapter);
  assert.deepEqual(places.filter((place) => !row.toLowerCase().includes(place.toLowerCase())), []);
  assert.match(chapter, /^## Weights$/m);
});

test("the manual is written in the words of the trade", () => {
  const chapters = sources("docs/manual", /\.md$/);
  assert.ok(chapters.length > 10, `${chapters.length} chapters are found at all`);
  const lines = chapters.flatMap((name) => readFileSync(join(ROOT, name), "utf8").split("\n").map((line, at) => [`${name}:${at + 1}`, line]));
  assert.deepEqual(lines.flatMap(([place, line]) => houseWords(line).map((words) => `${place} says “${words}”`)), []);
});

/** What people read of a source of the dashboard: the texts in it, and neither names nor comments. */
function textsOf(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found = [];
  const look = (node) => {
    const isText = ts.isStringLiteralLike(node) || ts.isJsxText(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
    if (isText && !ts.isImportDeclaration(node.parent)) found.push(node.text);
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

/** Comments that become descriptions: of the API, of the command line, of what analyzers look at. */
const DESCRIBED = /^crates\/(server\/src\/(http|cli|config)|core\/src\/score)\//;
/** Names that applications give to what they send, as they spell them. */
const GIVEN = /^crates\/core\/src\/(mapping|event)\//;

/** What people read of a source in Rust: the texts in it, and comments that become descriptions; without its tests. */
function saidBy(name, text) {
  const [code] = text.split("#[cfg(test)]\nmod tests");
  const parts = code.match(/\/\/[^\n]*|r#"[^]*?"#|"(?:[^"\\]|\\[^])*"|'(?:\\[^]|[^'\\])'/g) ?? [];
  return parts.filter((part) => (part.startsWith("//") ? DESCRIBED.test(name) && /^\/\/[/!]/.test(part) : part.includes(" ")));
}

test("what people read is spelled as in America", () => {
  const read = (name) => readFileSync(join(ROOT, name), "utf8");
  const rust = ["crates/core/src", "crates/server/src"].flatMap((folder) => sources(folder, /(?<!tests)\.rs$/)).filter((name) => !GIVEN.test(name));
  const pages = [...sources("docs", /\.md$/), "README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", "config.example.toml", "openapi.json"];
  const said = [
    ...sources("web/dashboard/src", /\.tsx?$/).flatMap((name) => textsOf(name, read(name)).map((text) => [name, text])),
    // In braces stands a variable of the code.
    ...rust.flatMap((name) => saidBy(name, read(name)).map((text) => [name, text.replaceAll(/\{[^}]*\}/g, "")])),
    // Between backticks, and as a name of JSON, stands what is named so.
    ...pages.flatMap((name) => read(name).split("\n").map((line, at) => [`${name}:${at + 1}`, line.replaceAll(/`[^`]*`|^\s*"\w+"(:|,?$)/g, "")])),
  ];
  assert.ok(said.length > 10_000, `${said.length} texts are found at all`);
  assert.deepEqual(said.flatMap(([place, text]) => britishWords(text).map((words) => `${place} says “${words}”: ${text.slice(0, 120)}`)), []);
  const british = ["is not labelled", "in colour", "for ever", "Labelling", "recognised", "an organisation", "data centres", "no offence"];
  assert.deepEqual(british.filter((text) => britishWords(text).length !== 1), []);
  const american = ["otherwise", "for every", "promise", "likewise", "noise", "precise", "percentage", "a parameter", "optimistic", "realistic", "exercise", "center", "labeled"];
  assert.deepEqual(american.flatMap(britishWords), []);
});

/** The buttons and items of menus in a source: what stands on each, and whether it opens something that asks further. */
function buttonsOf(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found = [];
  const look = (node) => {
    if (ts.isJsxElement(node) && /^(Button|Menu\.Item)$/.test(node.openingElement.tagName.getText())) {
      const attributes = Object.fromEntries(node.openingElement.attributes.properties.flatMap((one) => (one.name ? [[one.name.getText(), one.initializer?.getText() ?? ""]] : [])));
      const words = node.children.map((child) => child.getText()).join("").trim();
      const click = attributes.onClick ?? "";
      const opens = /^\{(open|begin|toggle|\w+\.open|\(\) => ask\(\w*"\w+"\))\}$/.test(click);
      found.push({ place: `${name}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`, words, opens, isForm: attributes.type === '"submit"' });
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

test("a button has three dots where it asks further, and none where it acts at once", () => {
  const buttons = sources("web/dashboard/src", /\.tsx$/).flatMap((name) => buttonsOf(name, readFileSync(join(ROOT, name), "utf8")));
  const opening = buttons.filter(({ opens }) => opens);
  assert.ok(buttons.length > 80 && opening.length > 20, `${buttons.length} and ${opening.length} are found at all`);
  assert.deepEqual(opening.filter(({ words }) => !/…\W*$/.test(words)).map(({ place, words }) => `${place}: ${words}`), []);
  // One that sends a form may ask what follows from it; another that is disabled, or has its words from elsewhere, is looked at by hand.
  const acting = buttons.filter(({ opens, isForm, words }) => !opens && !isForm && /^[\w\s’]+…$/.test(words));
  assert.deepEqual(acting.map(({ place, words }) => `${place}: ${words}`), []);
});
