// What is shown of an answer before it is there, when it fails, and when it is empty.

import { Alert, Button, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import { asApiError, errorText } from "../api";
import { useLocation } from "@tanstack/react-router";
import { usePageSearch } from "../app/search";
import { PageLink } from "./PageLink";
import { exactTime } from "./Time";
import { Words } from "./Words";

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
  dataUpdatedAt?: number;
}

/** Shows what `of` has answered by `children`; till then something of about that size. */
export function Answer<T>({ of, lines = 3, children }: { of: Asked<T>; lines?: number; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) return <>{asApiError(of.error) && <Old of={of} />}{children(of.data)}</>;
  if (asApiError(of.error)?.status === 400) return <RefusedQuery error={of.error} retry={() => void of.refetch()} />;
  if (asApiError(of.error)?.status === 404) return <Gone error={of.error} />;
  if (of.error) return <Failure error={of.error} retry={() => void of.refetch()} />;
  return (
    <Stack gap="xs" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => <Skeleton key={line} height={22} />)}
    </Stack>
  );
}

/** What is shown could not be brought up to date. */
function Old<T>({ of: { error, refetch, dataUpdatedAt } }: { of: Asked<T> }) {
  return (
    <Text fz="sm" c="dimmed" role="status">
      {dataUpdatedAt ? `As of ${exactTime(dataUpdatedAt)}: ` : ""}it could not be brought up to date. <Words text={errorText(error)} />{" "}
      <Button size="compact-xs" variant="default" onClick={() => void refetch()}>Try again</Button>
    </Text>
  );
}

/** Comes into view: it stands below the form that was sent. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const alert = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Newer browsers answer with a promise, which is no clean-up.
    void alert.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  const isGone = asApiError(error)?.status === 404;
  return (
    <Alert ref={alert} color="red" icon={<IconAlertCircle />} title={isGone ? "Not found" : "That did not work"} role="alert">
      <Text fz="sm"><Words text={errorText(error)} /></Text>
      {retry && <Button mt="sm" size="xs" variant="default" onClick={retry}>Try again</Button>}
    </Alert>
  );
}

/** What the address asks for is refused: a filter may name what is gone, and asking again does not help. */
function RefusedQuery({ error, retry }: { error: unknown; retry: () => void }) {
  const [search, change] = usePageSearch();
  const refused = [...new Set(asApiError(error)?.details.map(({ field }) => field))].filter((field) => search[field]);
  if (refused.length === 0) return <Failure error={error} retry={retry} />;
  const remove = () => change(Object.fromEntries(refused.map((field) => [field, undefined])));
  return (
    <Alert color="yellow" icon={<IconAlertCircle />} title="Nothing can be listed by this filter" role="alert">
      <Text fz="sm"><Words text={errorText(error)} /></Text>
      <Button mt="sm" size="xs" variant="default" onClick={remove}>{refused.length === 1 ? "Remove this filter" : "Remove these filters"}</Button>
    </Alert>
  );
}

/** What pages are about by the beginning of their addresses, and the lists of those that there are. */
const LISTS: [begins: string, title: string, to: string, words: string][] = [
  ["/identities/", "Identity not found", "/identities", "All identities"],
  ["/events/", "Event not found", "/events", "All events"],
  ["/devices/", "Device not found", "/devices", "All devices"],
  ["/groups/", "Group not found", "/groups", "All groups"],
  ["/badge-rules/", "Rule not found", "/rules", "All rules"],
  ["/escalation-rules/", "Rule not found", "/rules", "All rules"],
  ["/deliveries/", "Delivery not found", "/settings/channels", "All channels"],
  ["/settings/channels/", "Channel not found", "/settings/channels", "All channels"],
  ["/settings/lists/", "List not found", "/settings/lists", "All lists"],
  ["/settings/datasets", "Dataset not found", "/settings/datasets", "All datasets"],
];

/** What the page is about is not there: says so, and where the others are. */
function Gone({ error }: { error: unknown }) {
  const { pathname } = useLocation();
  const list = LISTS.find(([begins]) => pathname.startsWith(begins));
  return (
    <Missing title={list?.[1] ?? "Not found"}>
      <Words text={errorText(error)} /> {list && <PageLink to={list[2] as never} search={{} as never}>{list[3]}</PageLink>}
    </Missing>
  );
}

/** Instead of what is not there. */
export function Missing({ title, children }: { title: string; children: ReactNode }) {
  return <div className="panel" data-missing><Empty title={title}>{children}</Empty></div>;
}

/** Nothing is there yet: says what would be, and how it comes to be. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py={40} px="md" ta="center">
      <Title order={2}>{title}</Title>
      <Text component="div" c="dimmed" maw={560} className="prose">{children}</Text>
    </Stack>
  );
}
