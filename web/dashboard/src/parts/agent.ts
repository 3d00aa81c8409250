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

/** How it is known that it is the agent. */
function proof(verified: Schemas["AgentBody"]["verified"]): string {
  if (verified === null || verified === undefined) return "by its own word";
  return verified ? "verified by its operator's key" : "with a signature that is false by its operator's key";
}

/** "ChatGPT-User (OpenAI): reads for a person's question, by its own word". */
export function agentWords({ name, operator, purpose, verified }: Schemas["AgentBody"]): string {
  return `${name} (${operator}): ${PURPOSES[purpose] ?? purpose}, ${proof(verified)}`;
}
