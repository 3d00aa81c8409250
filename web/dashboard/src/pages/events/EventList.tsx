// Everything that was sent, newest first.

import { Group } from "@mantine/core";
import { $api } from "../../api";
import { usePageSearch } from "../../app/search";
import { ChoiceFilter, SearchFilter, TextFilter } from "../../parts/Filters";
import { Page } from "../../parts/Page";
import { word } from "../../parts/score";
import { EventsOf } from "../../parts/Lists";
import { TimeFilter } from "../../parts/TimeFilter";

const FILTERS = ["term", "identity", "group", "groupType", "device", "session", "canonicalType", "from", "to"];

export function EventList() {
  const [search] = usePageSearch();
  const types = $api.useQuery("get", "/api/mappings/canonical-types", undefined, { staleTime: Infinity });
  const options = (types.data?.eventTypes ?? []).map((type): [string, string] => [type, word(type)]);
  const filter = Object.fromEntries(FILTERS.map((name) => [name, search[name]]));
  return (
    <Page title="Events">
      <Group gap="xs" className="filters">
        <SearchFilter label="Event type" />
        <ChoiceFilter name="canonicalType" label="Any canonical type" options={options} />
        <TextFilter name="identity" label="Identity id" w={170} />
        <TextFilter name="device" label="Device fingerprint" w={170} />
        <TextFilter name="group" label="Group id" w={150} />
        <TextFilter name="groupType" label="Group type" w={140} />
        <TextFilter name="session" label="Session id" w={170} />
        <TimeFilter name="from" label="From" />
        <TimeFilter name="to" label="To" />
      </Group>
      <EventsOf filter={filter} />
    </Page>
  );
}
