// What the sources of the dashboard must not say, since only a browser of some kind or a day of some luck finds it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { houseWords } from "./words.js";

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
/** Names that are written like actions, and are places between a commit and the step after it. */
const PLACES = new Set([...readFileSync(join(ROOT, "crates/server/src/failpoint.rs"), "utf8").matchAll(/"([a-z.-]+)"/g)].map(([, name]) => name));

test("whatever is written into the audit log has words", () => {
  const written = new Set();
  const targets = new Set();
  for (const name of sources("crates/server/src/ops", /(?<!tests)\.rs$/)) {
    const [text] = readFileSync(join(ROOT, name), "utf8").split("#[cfg(test)]");
    const code = text.replaceAll(/^\s*\/\/.*$/gm, "");
    for (const [, action] of code.matchAll(/"([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)"/g)) if (!PLACES.has(action) && !DOMAIN.test(action)) written.add(action);
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
  [/scored again/i, "rescored"], [/\bunmapped (only)?\b|>Unmapped</, "not mapped"], [/\blabeled\b/, "labelled"], [/Last event received|title: "Received"/, "Last received"],
  [/"(Give|Say|Name|Choose) [^"]*\."/, "Enter …"], [/Only an admin/, "mayNot"], [/\d\}? %/, "a space at which no line ends"],
];

test("pages have one word for one thing", () => {
  const files = sources("web/dashboard/src", /\.tsx?$/);
  const isComment = (line) => /^\s*(\/\/|\/?\*)/.test(line) || /^\s*\.replace|replace\(\/\\blabeled/.test(line);
  const found = files.flatMap((name) => readFileSync(join(ROOT, name), "utf8").split("\n").flatMap((line, at) => {
    const code = line.replace(/\/\*\*.*?\*\//g, "");
    return isComment(line) || line.includes("/\\blabeled\\b/") ? [] : OTHER_WORDS.filter(([other]) => other.test(code)).map(([, one]) => `${name}:${at + 1} for ${one}: ${line.trim()}`);
  }));
  assert.deepEqual(found, []);
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
