// Agents of AI services, in words.

import type { Schemas } from "../api";

const PURPOSES: Record<string, string> = {
  ACTION: "does what a person asks for",
  CODING: "writes software with a person",
  ANSWER: "reads for a person's question",
  SEARCH: "reads for a search index",
  TRAINING: "gathers what models are trained on",
  DATA: "gathers data for sale",
};

/** "ChatGPT-User (OpenAI): reads for a person's question, by its own word". */
export function agentWords({ name, operator, purpose }: Schemas["AgentBody"]): string {
  return `${name} (${operator}): ${PURPOSES[purpose] ?? purpose}, by its own word`;
}
