import type { Schemas } from "../../api";
import { IdentityLink } from "../../parts/PageLink";

/** Whom a delivery tells of; a test, of somebody in an example, who has no page. */
export function About({ delivery: { identityId, identityIsExample } }: { delivery: Pick<Schemas["DeliveryBody"], "identityId" | "identityIsExample"> }) {
  if (!identityId) return <>–</>;
  if (!identityIsExample) return <IdentityLink id={identityId} />;
  return <span title="A test is about the identity in the example of its event type">{identityId} (example)</span>;
}
