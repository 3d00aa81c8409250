/** Ends a task of the browser, so that the page can act in between. */
export const breathe = () => new Promise<void>((resolve) => setTimeout(resolve));
