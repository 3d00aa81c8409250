// Whom the application's channels were told of, of one identity.

import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { ListTable, type Column } from "../../parts/ListTable";
import { PageLink } from "../../parts/PageLink";
import { word } from "../../parts/score";
import { Time } from "../../parts/Time";
import { useListQuery } from "../../app/search";
import { DeliveryStatus } from "../deliveries/DeliveryStatus";

type Delivery = Schemas["DeliveryBody"];

function columns(channels: Map<number, string>): Column<Delivery>[] {
  return [
    { title: "Status", cell: (delivery) => <DeliveryStatus delivery={delivery} /> },
    { title: "Event", cell: ({ id, event }) => <PageLink to="/deliveries/$id" params={{ id: String(id) }} fw={500}>{word(event)}</PageLink> },
    { title: "Channel", cell: ({ channelId: id }) => <PageLink to="/settings/channels/$id" params={{ id: String(id) }} className="break">{channels.get(id) ?? id}</PageLink> },
    { title: "Attempts", cell: ({ attemptCount }) => <span className="numbers">{attemptCount}</span> },
    { title: "Response", cell: ({ httpStatus, errorMessage }) => <span className="break">{errorMessage ?? httpStatus ?? "–"}</span> },
    { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Completed", cell: ({ completedAt }) => <Time at={completedAt} /> },
  ];
}

export function Deliveries({ id }: { id: string }) {
  const query = useListQuery();
  const deliveries = $api.useQuery("get", "/api/identities/{id}/deliveries", { params: { path: { id }, query } }, { placeholderData: keepPreviousData });
  const channels = $api.useQuery("get", "/api/channels");
  const names = new Map(channels.data?.map((channel) => [channel.id, channel.name]));
  const empty = <Empty title="No deliveries">Every notification about this identity to a subscribed channel appears here, with all attempts.</Empty>;
  return (
    <Answer of={deliveries} lines={6}>
      {(page) => (
        <ListTable
          label="Deliveries"
          page={page}
          columns={columns(names)}
          rowKey={({ id }) => id}
          href={({ id }) => `/deliveries/${id}`}
          isWaiting={deliveries.isPlaceholderData}
          empty={empty}
        />
      )}
    </Answer>
  );
}
