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

test("whatever is written into the audit log has words", () => {
  const written = new Set();
  for (const name of sources("crates/server/src/ops", /\.rs$/)) {
    const text = readFileSync(join(ROOT, name), "utf8").split("#[cfg(test)]")[0].replaceAll(/failpoint::reach\("[^"]*"\)/g, "");
    for (const [, action] of text.matchAll(/"([a-z]+(?:-[a-z]+)*\.(?:[a-z]+-)*(?:change|create|delete|disable|replay|secrets|secret|retry|test|resend|member|badge|review|remove|join|begin|end|refuse|approve|connect|disconnect|label))"/g)) written.add(action);
  }
  const words = readFileSync(join(ROOT, "web/dashboard/src/pages/settings/audit.ts"), "utf8");
  const said = new Set([...words.matchAll(/^ {2}"([a-z.-]+)": "[A-Z]/gm)].map(([, action]) => action));
  assert.deepEqual([...written].filter((action) => !said.has(action)), [], "without words");
  assert.deepEqual([...said].filter((action) => !written.has(action)), [], "never written");
  assert.ok(said.size > 40);
});

test("the manual is written in the words of the trade", () => {
  const chapters = sources("docs/manual", /\.md$/);
  assert.ok(chapters.length > 10, `${chapters.length} chapters are found at all`);
  const lines = chapters.flatMap((name) => readFileSync(join(ROOT, name), "utf8").split("\n").map((line, at) => [`${name}:${at + 1}`, line]));
  assert.deepEqual(lines.flatMap(([place, line]) => houseWords(line).map((words) => `${place} says “${words}”`)), []);
});
