// Columns that lists of several pages have.

import type { Schemas } from "../api";
import { visibleId } from "../app/visible";
import { browserOf } from "./browser";
import { Badges, Chip, ScoreChip } from "./Chip";
import { bounded } from "./counts";
import type { Column } from "./ListTable";
import { IdentityLink, PageLink } from "./PageLink";
import { CATEGORIES, scoreOf, word } from "./score";
import { Time } from "./Time";
import { Who } from "./Who";

type Identity = Schemas["IdentityBody"];
type Event = Schemas["TrackedEventBody"];
type Device = Schemas["DeviceBody"];
type UsedDevice = Schemas["UsedDeviceBody"];
type Group = Schemas["GroupBody"];

/** Who it is, how they are scored, and when they were last active. */
export const IDENTITY_COLUMNS: Column<Identity>[] = [
  { title: "Identity", place: "head", width: "30%", cell: (identity) => <Who identity={identity} /> },
  ...CATEGORIES.map((category): Column<Identity> => ({
    title: word(category),
    place: "part",
    sort: `${category.toLowerCase()}Score`,
    cell: (identity) => <ScoreChip category={category} value={scoreOf(identity, category)} />,
  })),
  { title: "Badges", place: "corner", cell: ({ badges }) => <Badges badges={badges} /> },
  { title: "Last received", place: "side", sort: "lastTrackedAt", first: "DESC", cell: ({ lastTrackedAt }) => <Time at={lastTrackedAt} /> },
];

/** A fingerprint that is no longer is shown whole: people gave it. */
const WHOLE_CHARS = 24;
/** Characters at either end of a longer one that tell it from others at a glance: many begin alike. */
const END_CHARS = 6;

/** A fingerprint in few characters. */
export function shortFingerprint(fingerprint: string): string {
  return visibleId(fingerprint.length > WHOLE_CHARS ? `${fingerprint.slice(0, END_CHARS)}…${fingerprint.slice(-END_CHARS)}` : fingerprint);
}

export function DeviceLink({ fingerprint }: { fingerprint: string }) {
  return (
    <PageLink to="/devices/$fingerprint" params={{ fingerprint }} className="mono" title={fingerprint}>
      {shortFingerprint(fingerprint)}
    </PageLink>
  );
}

/** Which device it is, who shares it, and where it was last. */
export const DEVICE_COLUMNS: Column<UsedDevice>[] = [
  { title: "Device", place: "head", cell: ({ fingerprint, disregarded }) => <><DeviceLink fingerprint={fingerprint} /> {disregarded && <Chip tone={2}>Disregarded</Chip>}</> },
  { title: "Identities", cell: ({ identityCount, identityCountIsExact }) => <span className="numbers">{bounded(identityCount, identityCountIsExact)}</span> },
  { title: "Browser", cell: ({ userAgent }) => <span className="clip cell" style={{ maxWidth: "clamp(140px, 16vw, 340px)" }} title={userAgent ?? undefined}>{userAgent ? browserOf(userAgent) : "–"}</span> },
  { title: "IP address", sort: "ip", cell: ({ ip }) => <span className="mono">{ip ?? "–"}</span> },
  { title: "Network and location", cell: (device) => [device.asnLabel ?? device.asn, placeOf(device)].filter(Boolean).join(", ") || "–" },
  { title: "First seen", sort: "firstSeenAt", first: "DESC", cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
  { title: "Last event", place: "side", sort: "lastSeenAt", first: "DESC", cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
];

/** City, region and country, as far as they are known. */
export function placeOf({ city, region, country, countryCode }: Device): string {
  return [city, region, country ?? countryCode].filter(Boolean).join(", ");
}

/** Which group it is, and how large. */
export const GROUP_COLUMNS: Column<Group>[] = [
  { title: "Group", place: "head", sort: "displayName", cell: ({ type, id, displayName }) => <PageLink to="/groups/$type/$id" params={{ type, id }} fw={500} className="break">{displayName ?? visibleId(id)}</PageLink> },
  { title: "Type", cell: ({ type }) => <Chip>{word(type)}</Chip> },
  { title: "Members", sort: "identityCount", first: "DESC", cell: ({ identityCount }) => <span className="numbers">{identityCount.toLocaleString("en")}</span> },
  { title: "Created", sort: "createdAt", first: "DESC", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last received", place: "side", sort: "lastTrackedAt", first: "DESC", cell: ({ lastTrackedAt }) => <Time at={lastTrackedAt} /> },
];

/** What happened, to whom, from where. */
export const EVENT_COLUMNS: Column<Event>[] = [
  { title: "Time", place: "corner", cell: ({ timestamp }) => <Time at={timestamp} /> },
  {
    title: "Event",
    place: "head",
    cell: ({ id, eventName, canonicalType }) => (
      <>
        <PageLink to="/events/$id" params={{ id }} fw={500} className="break">{eventName}</PageLink>{" "}
        {canonicalType && <Chip>{word(canonicalType)}</Chip>}
      </>
    ),
  },
  { title: "Identity", cell: ({ identity }) => (identity ? <IdentityLink id={identity.id} name={identity.label} isInList /> : "–") },
  { title: "Device", cell: ({ fingerprint }) => (fingerprint ? <DeviceLink fingerprint={fingerprint} /> : "–") },
  { title: "IP address", cell: ({ ip }) => <span className="mono">{ip ?? "–"}</span> },
  { title: "Page", cell: ({ url }) => <span className="mono clip cell" style={{ maxWidth: 260 }} title={url ?? undefined}>{url ?? "–"}</span> },
];
