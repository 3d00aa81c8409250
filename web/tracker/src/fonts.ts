// Which fonts there are: as FingerprintJS (MIT) finds them and from its list, but a few at a time, since browsers may
// have to search the disk for each.

import { withIframe } from "@fingerprintjs/fingerprintjs";
import { breathe } from "./breathe";

/** As wide as can be, and with letters that tell fonts apart. */
const TEXT = "mmMwWLliI0O&1";
const FALLBACKS = ["monospace", "sans-serif", "serif"];
const FONTS =
  "sans-serif-thin,ARNO PRO,Agency FB,Arabic Typesetting,Arial Unicode MS,AvantGarde Bk BT,BankGothic Md BT,Batang,Bitstream Vera Sans Mono,Calibri,Century,Century Gothic,Clarendon,EUROSTILE,Franklin Gothic,Futura Bk BT,Futura Md BT,GOTHAM,Gill Sans,HELV,Haettenschweiler,Helvetica Neue,Humanst521 BT,Leelawadee,Letter Gothic,Levenim MT,Lucida Bright,Lucida Sans,Menlo,MS Mincho,MS Outlook,MS Reference Specialty,MS UI Gothic,MT Extra,MYRIAD PRO,Marlett,Meiryo UI,Microsoft Uighur,Minion Pro,Monotype Corsiva,PMingLiU,Pristina,SCRIPTINA,Segoe UI Light,Serifa,SimHei,Small Fonts,Staccato222 BT,TRAJAN PRO,Univers CE 55 Medium,Vrinda,ZWAdobeF".split(",");
/** Fonts measured in one task. */
const AT_ONCE = 6;

/** The sizes of the text in each of these families. */
function sizes(page: Document, families: string[]): string[] {
  const holder = page.createElement("div");
  const spans = families.map((family) => {
    const span = page.createElement("span");
    span.style.cssText = "position:absolute;top:0;left:0;font-size:48px";
    span.style.fontFamily = family;
    span.textContent = TEXT;
    holder.append(span);
    return span;
  });
  page.body.append(holder);
  const found = spans.map((span) => `${span.offsetWidth}x${span.offsetHeight}`);
  holder.remove();
  return found;
}

/** Those that make the text another size than some font that every browser has. */
export function fonts(): Promise<string[]> {
  return withIframe(async (_, { document: page }) => {
    const usual = sizes(page, FALLBACKS);
    const found: string[] = [];
    for (let first = 0; first < FONTS.length; first += AT_ONCE) {
      await breathe();
      const some = FONTS.slice(first, first + AT_ONCE);
      const measured = sizes(page, some.flatMap((font) => FALLBACKS.map((fallback) => `'${font}',${fallback}`)));
      found.push(...some.filter((_, at) => usual.some((size, to) => measured[at * usual.length + to] !== size)));
    }
    return found;
  });
}
