// Keys of a page, which are letters elsewhere.

/** Whether a key is meant for the page: nothing lies over it, whether or not the focus is there by now. */
export function isOfPage(): boolean {
  return document.querySelector("[role=dialog], [role=menu]") === null;
}
