// The times that the first page can look back.

const HOUR_MS = 3_600_000;

export interface Range {
  /** As the API calls it. */
  name: "24h" | "7d" | "30d";
  label: string;
  /** In a sentence: "the previous 24 hours". */
  words: string;
  lengthMs: number;
}

export const RANGES: [Range, ...Range[]] = [
  { name: "24h", label: "24 h", words: "24 hours", lengthMs: 24 * HOUR_MS },
  { name: "7d", label: "7 d", words: "7 days", lengthMs: 7 * 24 * HOUR_MS },
  { name: "30d", label: "30 d", words: "30 days", lengthMs: 30 * 24 * HOUR_MS },
];

/** The range of an address. */
export function rangeOf(name: string | undefined): Range {
  return RANGES.find((range) => range.name === name) ?? RANGES[0];
}
