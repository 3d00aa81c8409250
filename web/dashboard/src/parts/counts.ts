// Numbers with the word that they count.

/** "12", or "at least 100" where counting has stopped. */
export function bounded(count: number, isExact: boolean): string {
  return `${isExact ? "" : "at least "}${count.toLocaleString("en")}`;
}

/** "1 identity", "2,000 identities": the word in the number that goes with the count. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
