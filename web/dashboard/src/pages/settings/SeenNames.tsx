// The names that events really had, those that mean nothing first.

import { Group } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { $api, type Schemas } from "../../api";
import { usePageSearch } from "../../app/search";
import { Answer, Empty } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { ChoiceFilter, SearchFilter } from "../../parts/Filters";
import { ListTable, type Column } from "../../parts/ListTable";
import { Meaning } from "./Meaning";
import type { Kind } from "./mapping";

/** Names that the browser script gives, and whose meaning nobody has to say. */
const OWN = new Set(["dregs_identify"]);

type Seen = Schemas["SeenNameBody"];

export function SeenNames({ kind }: { kind: Kind }) {
  const [search] = usePageSearch();
  const { term, unmapped } = search;
  const query = { kind, unmapped: unmapped === "true" ? true : undefined, term, pageNumber: Number(search.pageNumber ?? 0) };
  const seen = $api.useQuery("get", "/api/mappings/seen", { params: { query } }, { placeholderData: keepPreviousData });
  const columns: Column<Seen>[] = [
    { title: "Name", cell: ({ name }) => <span className="mono break">{name}</span> },
    { title: "Status", cell: ({ name, canonicalType }) => (OWN.has(name) ? <Chip>Of dregs.js</Chip> : canonicalType ? <Chip tone={3}>Mapped</Chip> : <Chip tone={2}>Not mapped</Chip>) },
    { title: "Canonical type", cell: ({ name, canonicalType }) => OWN.has(name) ? <>says who is signed in</> : <Meaning kind={kind} name={name} target={canonicalType} none="–" /> },
  ];
  return (
    <>
      <Group gap="xs" className="filters">
        <SearchFilter label="Search names" />
        <ChoiceFilter name="unmapped" label="All names" options={[["true", "Not mapped only"]]} />
      </Group>
      <Answer of={seen} lines={8}>
        {(page) => (
          <ListTable
            label="Received names"
            page={page}
            columns={columns}
            rowKey={({ name }) => name}
            isWaiting={seen.isPlaceholderData}
            empty={term || unmapped
              ? <Empty title="No matching names" />
              : <Empty title="No names received yet">Every event type and identity field appears here once it is received.</Empty>}
          />
        )}
      </Answer>
    </>
  );
}
