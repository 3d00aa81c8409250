// Pages come when they are opened first; one that does not come is told of in the place where it would be.

import { lazyRouteComponent } from "@tanstack/react-router";
import { doubt } from "./reach";

/** The code of a page could not be loaded. */
export class PageNotLoaded extends Error {
  constructor(cause: unknown) {
    super("The code of this page could not be loaded.", { cause });
  }
}

type Module = Record<string, unknown>;

export function lazyPage<M extends Module, Name extends keyof M>(load: () => Promise<M>, name: Name) {
  const loaded = () => load().catch((cause: unknown) => {
    doubt();
    // By any other name the router would load the whole page anew, which is the browser's error page without a server.
    throw new PageNotLoaded(cause);
  });
  return lazyRouteComponent(loaded, name);
}
