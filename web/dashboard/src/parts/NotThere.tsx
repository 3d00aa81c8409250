import { PageLink } from "./PageLink";
import { Empty } from "./Answer";

/** Instead of a page that does not exist. */
export function NotThere() {
  return (
    <Empty title="There is no such page">
      <PageLink to="/">Home</PageLink>
    </Empty>
  );
}
