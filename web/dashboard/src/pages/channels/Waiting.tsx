// Where none of the deliveries that somebody looks for is there: those that are still to be sent, and the way to them.

import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { bounded } from "../../parts/counts";
import { PageLink } from "../../parts/PageLink";
import type { Channel } from "./config";

const WORDS: Record<string, string> = { HELD: "held, since the channel is failing", PENDING: "pending", PAUSED: "paused, since the channel is disabled" };

type Filter = { [name in "event" | "identity" | "httpStatus" | "errorClass" | "error" | "from" | "to"]?: string | undefined };

interface Props {
  channel: Channel;
  /** What they are narrowed by, but for their status. */
  filter: Filter;
  onFollow?: () => void;
}

export function Waiting({ channel, filter, onFollow }: Props) {
  const [search] = usePageSearch();
  const query = { ...filter, status: channel.enabled ? "PENDING" : "PAUSED", pageSize: 1 };
  const waiting = $api.useQuery("get", "/api/channels/{id}/deliveries", { params: { path: { id: channel.id }, query } });
  const first = waiting.data?.content[0];
  if (!waiting.data || !first) return null;
  const { totalElements, totalIsExact } = waiting.data;
  const status = first.waitsFor === "HELD" ? "HELD" : first.status;
  return (
    <>
      {bounded(totalElements, totalIsExact)} {totalElements === 1 ? "delivery is" : "deliveries are"} {WORDS[status]}.{" "}
      <PageLink to="/settings/channels/$id" params={{ id: String(channel.id) }} search={{ ...search, status, pageNumber: undefined } as never} inherit underline="always" {...(onFollow && { onClick: onFollow })}>Show them</PageLink>
    </>
  );
}
