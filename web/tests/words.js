// Words that are not those of the trade, in which pages and the API's descriptions are not written.

const HOUSE = [
  /(?<!dis)\bregarded\b/i, /\bregard (it )?again\b/i, /\bleft alone\b/i, /\btells? of\b/i, /\btold of\b/i, /\bcourse\b/i, /\bI have kept\b/i,
  /\btak(e|en) (away|over|back)\b/i, /\bsay so\b/i, /\bit is said\b/i, /\bunless said\b/i, /\bshipped\b/i, /\bmade up\b/i, /\bgravest\b/i,
  /\bletters? in a minute\b/i, /\bwork through them\b/i, /\bnothing waits\b/i, /\bnobody is told\b/i, /\bstands? here\b/i, /\bopen again\b/i,
  /\bin shadow:/i, /\bmeans nothing\b/i, /\bat work\b/i, /\blaid out\b/i, /\bsend again\b/i, /\b(score|rescore)s? to make\b/i, /\bcards are posted\b/i,
];

/** Those of `text` that the trade has other words for. */
export function houseWords(text) {
  return HOUSE.flatMap((word) => text.match(word)?.[0] ?? []);
}
