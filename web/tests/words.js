// Words in which pages, the manual, the command line and the API's descriptions are not written: those that are not the trade's, and
// spellings that are not American.

const HOUSE = [
  /(?<!dis)\bregarded\b/i, /\bregard (it )?again\b/i, /\bleft alone\b/i, /\btells? of\b/i, /\btold of\b/i, /\bcourse\b/i, /\bI have kept\b/i,
  /\btak(e|en) (away|over|back)\b/i, /\bsay so\b/i, /\bit is said\b/i, /\bunless said\b/i, /\bshipped\b/i, /\bmade up\b/i, /\bgravest\b/i,
  /\bletters? in a minute\b/i, /\bwork through them\b/i, /\bnothing waits\b/i, /\bnobody is told\b/i, /\bstands? here\b/i, /\bopen again\b/i,
  /\bin shadow:/i, /\btak(e|es|en|ing) hold\b/i, /\btook hold\b/i, /\btrusted no more\b/i, /\bhalf within\b/i, /\bnine tenths\b/i, /\bmeans nothing\b/i, /\bat work\b/i, /\blaid out\b/i, /\bsend again\b/i, /\b(score|rescore)s? to make\b/i, /\bcards are posted\b/i,
];

/** British spellings, each where a word begins; what is named in a wire format or in code is not looked at. */
const BRITISH = [
  /\b(un)?labell(ed|ing)\b/i, /\b(dis)?colour\w*/i, /\b(mis)?behaviour\w*/i, /\b(in|dis)?favour\w*/i, /\bhonour\w*/i, /\bneighbour\w*/i, /\b(re|un)cognis\w*/i,
  /\b(re|dis)?organis\w*/i, /\b(un)?authoris\w*/i, /\bnormalis\w*/i, /\boptimis(e[drs]?|ing|ation)\b/i, /\bsummaris\w*/i, /\bminimis\w*/i, /\bmaximis\w*/i,
  /\bcustomis\w*/i, /\binitialis\w*/i, /\bserialis\w*/i, /\brealis(e[ds]?|ing)\b/i, /\bemphasis(e[ds]?|ing)\b/i, /\bspecialis\w*/i, /\bstandardis\w*/i,
  /\banalys(e|ed|ing)\b/i, /\bcatalogue\w*/i, /\bdialogue\b/i, /\blicences?\b/i, /\b(off|def)ence\b/i, /\bcentres?\b/i, /\b(kilo|centi)?metres?\b/i, /\bjudgement\w*/i,
  /\backnowledgement\w*/i, /\bcancell(ed|ing)\b/i, /\btravell(ed|er|ers|ing)\b/i, /\bmodell(ed|ing)\b/i, /\bsignall(ed|ing)\b/i, /\bgrey\w*/i, /\bfor ever\b/i, /\btowards\b/i,
  /\bspelt\b/i, /\blearnt\b/i, /\bwhilst\b/i, /\bamongst\b/i, /\bprogrammes?\b/i, /\bcheques?\b/i, /\bartefacts?\b/i,
];

/** Those of `text` that are spelled otherwise in American English. */
export function britishWords(text) {
  return BRITISH.flatMap((word) => text.match(word)?.[0] ?? []);
}

/** Those of `text` that the trade has other words for. */
export function houseWords(text) {
  return HOUSE.flatMap((word) => text.match(word)?.[0] ?? []);
}
