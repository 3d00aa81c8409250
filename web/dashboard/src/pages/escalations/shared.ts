// What the identities of a wave have in common, in words.

const WORDS: Record<string, string> = {
  DEVICE: "the device", NEAR_DEVICE: "a device, but for one part of it", SESSION: "the session", IP: "the IP address", NETWORK: "the network",
  EMAIL_DOMAIN: "the e-mail domain", MAILBOX: "the mailbox name", PHONE: "the phone number, ending in", NAME: "a name that sounds alike",
  DATE_OF_BIRTH: "the date of birth", ADDRESS: "a postal address", FIRST_STEPS: "the same first steps at the same pace", CODE: "the code",
};
/** A value that is no longer is shown whole. */
const WHOLE_CHARS = 40;

/** "the network 203.0.113.0/24"; without a value that people can read, the kind alone. */
export function sharedWords(kind: string, value: string | null | undefined): string {
  const words = WORDS[kind] ?? kind.toLowerCase();
  if (!value) return words;
  const shown = value.length > WHOLE_CHARS ? `${value.slice(0, WHOLE_CHARS)}…` : value;
  return `${words} ${QUOTED.includes(kind) ? `“${shown}”` : shown}`;
}

/** Kinds whose values are words like others. */
const QUOTED = ["MAILBOX", "CODE"];
/** Kinds whose values are digests. */
const UNREADABLE = ["NEAR_DEVICE", "NAME", "ADDRESS", "FIRST_STEPS"];

/** The same of what stands in the address. */
export function sharedText(shares: string): string {
  const [kind = "", ...value] = shares.split(":");
  return sharedWords(kind, UNREADABLE.includes(kind) ? undefined : value.join(":"));
}
