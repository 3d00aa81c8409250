// What the server says in words. As in its log and on its command line, what is code stands between backticks.

import { Code } from "@mantine/core";

/** Shows such a text, and its code as code. */
export function Words({ text }: { text: string }) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? <Code key={index}>{part}</Code> : part));
}
