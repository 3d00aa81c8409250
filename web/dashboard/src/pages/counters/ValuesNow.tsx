// What a counter says now, stored or not: how many values it counts, the highest, and numbers to compare with in a rule.

import { Button, Modal, Stack, Table, Text } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { $api, asApiError, errorText, type Schemas } from "../../api";
import { sentence } from "../../fields";
import { visible } from "../../app/visible";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { shortFingerprint } from "../../parts/Columns";
import { Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Words } from "../../parts/Words";
import { definitionOf, isDefined, type Definition } from "./definition";

type Previewed = Schemas["CounterPreviewedBody"];

/** How long after the last change it is asked for. */
const SETTLE_MS = 350;

/** Of a counter that is being edited. */
export function ValuesNow({ counter }: { counter: Definition }) {
  const asked = JSON.stringify(counter);
  const [settled] = useDebouncedValue(asked, SETTLE_MS);
  const isAsked = isDefined(counter);
  const preview = $api.useQuery(
    "post",
    "/api/counters/actions/preview",
    { body: JSON.parse(settled) as Definition },
    { enabled: isAsked && settled === asked, placeholderData: keepPreviousData },
  );
  const isRefused = asApiError(preview.error)?.status === 400;
  const note = "Every stored event that it would count, in the window that ends now.";
  if (!isAsked || isRefused) {
    return <Panel title="Values now"><Text c="dimmed" fz="sm">{isRefused ? <Words text={asApiError(preview.error)?.details.map(({ message }) => sentence(message)).join(" ") || errorText(preview.error)} /> : "Available once every field is filled in."}</Text></Panel>;
  }
  return (
    <Panel title="Values now" note={note}>
      <Answer of={preview} lines={4}>
        {(found) => <Found found={found} per={counter.per} isOld={preview.isPlaceholderData} />}
      </Answer>
    </Panel>
  );
}

/** Of a counter that is there. */
export function CounterValues({ counter }: { counter: Schemas["CounterBody"] }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="subtle" onClick={open}>Values…</Button>
      <Modal opened={isOpen} onClose={close} title={counter.name} size="lg">
        <Stack>
          <Text c="dimmed" fz="sm" className="break">{counter.words}</Text>
          <ValuesNow counter={definitionOf(counter)} />
        </Stack>
      </Modal>
    </>
  );
}

function Found({ found, per, isOld }: { found: Previewed; per: string; isOld: boolean }) {
  const { values, top, thresholds, order, lookedAt, matching, isWhole } = found;
  const isLowest = order === "LOWEST";
  const [most, than] = isLowest ? ["lowest", "below"] : ["highest", "above"];
  return (
    <Stack gap="sm" opacity={isOld ? 0.65 : 1}>
      <Text className="numbers" aria-live="polite">
        <Text span fz={28} fw={700} lh={1.1}>{values.toLocaleString("en")}</Text> {values === 1 ? "value" : "values"} of <code>{visible(per)}</code>
      </Text>
      <Text fz="sm">{matching.toLocaleString("en")} of {counted(lookedAt, "event")} counted.{values > top.length && ` The ${top.length} ${most} values are listed.`}</Text>
      {!isWhole && <Text fz="sm" role="note">There are more events than a preview reads. Values may be missing, and numbers too {isLowest ? "high" : "low"}.</Text>}
      {values > 0 && (
        <>
          <Rows label={`The ${most} values`} titles={["Value", "Counted"]} rows={top.map(({ value, counted }) => [<Value per={per} value={value} />, number(counted)])} />
          <Rows
            label="Thresholds" titles={[`Counter ${than}`, "Values"]}
            rows={thresholds.map(({ threshold, beyond }) => [number(threshold), `${beyond.toLocaleString("en")} of ${values.toLocaleString("en")}`])}
          />
        </>
      )}
    </Stack>
  );
}

function Rows({ label, titles, rows }: { label: string; titles: [string, string]; rows: [ReactNode, string][] }) {
  return (
    <div className="table-box" role="group" aria-label={label} tabIndex={0} style={{ maxHeight: "14rem", overflowY: "auto" }}>
      <Table verticalSpacing={4} horizontalSpacing={6}>
        <Table.Thead>
          <Table.Tr>{titles.map((title) => <Table.Th key={title}>{title}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([first, second], n) => (
            <Table.Tr key={n}>
              <Table.Td className="break">{first}</Table.Td>
              <Table.Td className="numbers" w={130}>{second}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function number(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 6 });
}

/** Links open beside the page, so that what is being edited stays. */
function Value({ per, value }: { per: string; value: string }) {
  const type = /^group\.(.+)$/.exec(per)?.[1];
  if (per === "identity.id") return <PageLink to="/identities/$id" params={{ id: value }} target="_blank">{visible(value)}</PageLink>;
  if (per === "device") return <PageLink to="/devices/$fingerprint" params={{ fingerprint: value }} target="_blank" className="mono" title={value}>{shortFingerprint(value)}</PageLink>;
  if (type) return <PageLink to="/groups/$type/$id" params={{ type, id: value }} target="_blank">{visible(value)}</PageLink>;
  return <>{visible(value)}</>;
}
