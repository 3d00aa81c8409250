import { useLocation } from "@tanstack/react-router";
import { Missing } from "./Answer";
import { Page } from "./Page";
import { PageLink } from "./PageLink";

/** Instead of a page that does not exist. */
export function NotThere() {
  const { pathname } = useLocation();
  return (
    <Page title={pathname} tab="Page not found">
      <Missing title="Page not found">There is no such page. <PageLink to="/">Home</PageLink></Missing>
    </Page>
  );
}
