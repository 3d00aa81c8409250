// Says that something was changed, with a way back for a while.

import { tell } from "../../api";
import { offer } from "../../parts/offer";

export function tellChanged(message: string, undo: () => Promise<void>): void {
  offer(message, "Undo", () => undo().then(() => tell("Undone.")));
}
