// Ctrl K: finds identities, devices, groups and pages from wherever one is.

import { Group, Kbd, Loader, Modal, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue, useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { $api, errorText, type Schemas } from "../api";
import { Badges } from "../parts/Chip";
import { shortFingerprint } from "../parts/Columns";
import { DETAILS } from "../parts/found";
import { Words } from "../parts/Words";
import classes from "./SearchEverywhere.module.css";
import { counted } from "../parts/counts";

/** How long after the last key it is searched. */
const TYPING_MS = 150;

export const PAGES: [label: string, to: string][] = [
  ["Home", "/"], ["Identities", "/identities"], ["Escalations", "/escalations"], ["Events", "/events"], ["Devices", "/devices"],
  ["Groups", "/groups"], ["Rules", "/rules"], ["Channels", "/settings/channels"], ["Credentials", "/settings/credentials"],
  ["Team", "/settings/team"], ["Mappings", "/settings/mappings"], ["Datasets", "/settings/datasets"], ["Counters", "/settings/counters"], ["Lists", "/settings/lists"], ["MCP tokens", "/settings/mcp-tokens"],
  ["Weights", "/settings/weights"], ["Usage", "/settings/usage"], ["Retention", "/settings/retention"], ["Audit log", "/settings/audit-log"], ["System", "/settings/system"], ["Account", "/settings/account"],
];

interface Hit {
  key: string;
  kind: string;
  to: string;
  show: ReactNode;
}

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const KEY_NAME = IS_MAC ? "⌘K" : "Ctrl K";

export function SearchEverywhere() {
  const [isOpen, { open, close }] = useDisclosure(false);
  // In a field, too.
  useHotkeys([["mod+k", open]], []);
  return (
    <>
      <UnstyledButton className={classes.open} onClick={open} aria-keyshortcuts={IS_MAC ? "Meta+K" : "Control+K"}>
        <IconSearch size={16} aria-hidden />
        <span>Search</span>
        <Kbd size="xs" aria-hidden visibleFrom="sm">{KEY_NAME}</Kbd>
      </UnstyledButton>
      <Modal opened={isOpen} onClose={close} title="Search" size="lg" centered={false} yOffset="8vh">
        <Search close={close} />
      </Modal>
    </>
  );
}

function Search({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [settled] = useDebouncedValue(text.trim(), TYPING_MS);
  const found = $api.useQuery("get", "/api/search", { params: { query: { term: settled } } }, { enabled: settled !== "", placeholderData: keepPreviousData });
  const isOld = text.trim() !== settled || found.isPlaceholderData || found.isLoading;
  const hits = text.trim() === "" ? [] : [...(settled === "" ? [] : hitsOf(found.data)), ...pageHits(text)];
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const list = useId();
  useEffect(() => {
    setAt(0);
  }, [settled]);
  const current = hits[Math.min(at, hits.length - 1)];
  const open = (hit: Hit | undefined) => {
    if (!hit) return;
    close();
    void navigate({ to: hit.to });
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setAt(Math.min(Math.max(at + step, 0), hits.length - 1));
    // What is shown for what was typed before is not what is meant.
    if (event.key === "Enter" && !isOld) open(current);
    if (step !== 0 || event.key === "Enter") event.preventDefault();
  };
  return (
    <>
      <TextInput
        aria-label="Search"
        placeholder="Name, e-mail, phone number, IP address, id, fingerprint"
        leftSection={isOld && settled !== "" ? <Loader size={14} /> : <IconSearch size={16} />}
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls={list}
        aria-activedescendant={current && `${list}-${current.key}`}
        autoComplete="off"
        data-autofocus
        autoFocus
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={press}
      />
      <Hits id={list} hits={hits} current={current} open={open} />
      <Note text={text} error={found.error} isOld={isOld} found={found.data} hits={hits} />
    </>
  );
}

function Hits({ id, hits, current, open }: { id: string; hits: Hit[]; current: Hit | undefined; open: (hit: Hit) => void }) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current?.key]);
  return (
    <div id={id} ref={list} role="listbox" aria-label="Results" className={classes.hits} hidden={hits.length === 0}>
      {hits.map((hit) => (
        <div key={hit.key} id={`${id}-${hit.key}`} role="option" aria-selected={hit.key === current?.key} className={classes.hit} onClick={() => open(hit)}>
          <span className={classes.kind}>{hit.kind}</span>
          <span className={classes.what}>{hit.show}</span>
        </div>
      ))}
    </div>
  );
}

interface NoteProps {
  text: string;
  error: unknown;
  isOld: boolean;
  found: Schemas["FoundBody"] | undefined;
  hits: Hit[];
}

function Note({ text, error, isOld, found, hits }: NoteProps) {
  const rest = found ? found.identityCount - found.identities.length : 0;
  const words = text.trim() === ""
    ? "Part of a name, several words in any order, or a whole phone number, postal address, date of birth or IP address."
    : error ? errorText(error)
    : isOld ? "Searching…"
    : hits.length === 0 ? "No matches."
    : rest > 0 ? `${counted(rest, "more identity matches", "more identities match")}: see Identities.`
    : "";
  return <Group mt="sm" mih={22}><Text fz="sm" c="dimmed" role="status"><Words text={words} /></Text></Group>;
}

function pageHits(text: string): Hit[] {
  const sought = text.trim().toLowerCase();
  return PAGES.filter(([label]) => label.toLowerCase().startsWith(sought)).map(([label, to]) => ({ key: `page-${to}`, kind: "Page", to, show: label }));
}

function hitsOf(found: Schemas["FoundBody"] | undefined): Hit[] {
  if (!found) return [];
  const identities = found.identities.map(({ identity, matchedBy }, n): Hit => {
    const name = identity.displayName || identity.displayEmail || identity.displayUsername || identity.id;
    const details = [identity.displayEmail, identity.id].filter((one) => one && one !== name).join(" · ");
    const by = DETAILS[matchedBy];
    return {
      key: `identity-${n}`,
      kind: "Identity",
      to: `/identities/${encodeURIComponent(identity.id)}`,
      show: <><bdi>{name}</bdi> <Text span fz="xs" c="dimmed"><bdi>{details}</bdi>{by && ` · ${by}`}</Text> <Badges badges={identity.badges} most={1} /></>,
    };
  });
  const devices = found.devices.map(({ fingerprint, ip, userAgent }, n): Hit => ({
    key: `device-${n}`,
    kind: "Device",
    to: `/devices/${encodeURIComponent(fingerprint)}`,
    show: <><span className="mono">{shortFingerprint(fingerprint)}</span> <Text span fz="xs" c="dimmed">{[ip, userAgent].filter(Boolean).join(" · ")}</Text></>,
  }));
  const groups = found.groups.map(({ type, id, displayName }, n): Hit => ({
    key: `group-${n}`,
    kind: "Group",
    to: `/groups/${encodeURIComponent(type)}/${encodeURIComponent(id)}`,
    show: <><bdi>{displayName ?? id}</bdi> <Text span fz="xs" c="dimmed">{type}</Text></>,
  }));
  return [...identities, ...devices, ...groups];
}
