// The types of lists, in words, and an example of a value of each.

import type { Schemas } from "../../api";

export type List = Schemas["ListBody"];

interface Kind {
  words: string;
  example: string;
  /** Whether a list of it can be trusted: whether people are accused for sharing such a value. */
  isShared: boolean;
}

const KINDS: Record<string, Kind> = {
  EMAIL: { words: "E-mail addresses", example: "ada@example.com", isShared: true },
  EMAIL_DOMAIN: { words: "E-mail domains", example: "example.com", isShared: true },
  IP: { words: "IP addresses", example: "203.0.113.7", isShared: true },
  NETWORK: { words: "Networks", example: "203.0.113.0/24", isShared: true },
  ASN: { words: "Autonomous systems", example: "AS64496", isShared: true },
  COUNTRY: { words: "Countries", example: "DE", isShared: false },
  DEVICE: { words: "Devices", example: "A fingerprint", isShared: true },
  IDENTITY: { words: "Identities", example: "The id of an identity", isShared: true },
  PHONE: { words: "Phone numbers", example: "+49 30 1234567", isShared: true },
  TEXT: { words: "Texts", example: "Any text", isShared: false },
};

export const TYPE_OPTIONS = Object.entries(KINDS).map(([value, { words }]) => ({ value, label: words }));

export function kindOf(type: string): Kind {
  return KINDS[type] ?? { words: type, example: "", isShared: false };
}
