// Columns that lists of several pages have.

import type { Schemas } from "../api";
import { Badges, Chip, ScoreChip } from "./Chip";
import type { Column } from "./ListTable";
import { IdentityLink, PageLink } from "./PageLink";
import { CATEGORIES, scoreOf, word } from "./score";
import { Time } from "./Time";

type Identity = Schemas["IdentityBody"];
type Event = Schemas["TrackedEventBody"];

/** Who it is, how they are scored, and when they were last active. */
export const IDENTITY_COLUMNS: Column<Identity>[] = [
  { title: "Identity", cell: ({ id, displayName }) => <IdentityLink id={id} name={displayName} /> },
  ...CATEGORIES.map((category): Column<Identity> => ({
    title: word(category),
    sort: `${category.toLowerCase()}Score`,
    cell: (identity) => <ScoreChip category={category} value={scoreOf(identity, category)} />,
  })),
  { title: "Badges", cell: ({ badges }) => <Badges badges={badges} /> },
  { title: "Last seen", sort: "lastTrackedAt", first: "DESC", cell: ({ lastTrackedAt }) => <Time at={lastTrackedAt} /> },
];

/** Characters of a fingerprint that tell it from others at a glance. */
const FINGERPRINT_CHARS = 12;

export function DeviceLink({ fingerprint }: { fingerprint: string }) {
  return (
    <PageLink to="/devices/$fingerprint" params={{ fingerprint }} className="mono" title={fingerprint}>
      {fingerprint.slice(0, FINGERPRINT_CHARS)}
    </PageLink>
  );
}

/** What happened, to whom, from where. */
export const EVENT_COLUMNS: Column<Event>[] = [
  { title: "Time", cell: ({ timestamp }) => <Time at={timestamp} /> },
  {
    title: "Event",
    cell: ({ id, eventName, canonicalType }) => (
      <>
        <PageLink to="/events/$id" params={{ id }} fw={500} className="break">{eventName}</PageLink>{" "}
        {canonicalType && <Chip>{word(canonicalType)}</Chip>}
      </>
    ),
  },
  { title: "Identity", cell: ({ identity }) => (identity ? <IdentityLink id={identity.id} name={identity.label} /> : "–") },
  { title: "Device", cell: ({ fingerprint }) => (fingerprint ? <DeviceLink fingerprint={fingerprint} /> : "–") },
  { title: "Address", cell: ({ ip }) => <span className="mono">{ip ?? "–"}</span> },
  { title: "Page", cell: ({ url }) => <span className="mono clip" style={{ display: "inline-block", maxWidth: 260 }} title={url ?? undefined}>{url ?? "–"}</span> },
];
