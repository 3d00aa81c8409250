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
      <Group gap="xs">
        <SearchFilter label="Type of event" />
        <ChoiceFilter name="canonicalType" label="Any meaning" options={options} />
        <TextFilter name="identity" label="Identity, exactly" w={170} />
        <TextFilter name="device" label="Device, exactly" w={170} />
        <TextFilter name="group" label="Group, exactly" w={150} />
        <TextFilter name="groupType" label="Type of group" w={140} />
        <TextFilter name="session" label="Session, exactly" w={170} />
        <TimeFilter name="from" label="From" />
        <TimeFilter name="to" label="To" />
      </Group>
      <EventsOf filter={filter} />
    </Page>
  );
}
