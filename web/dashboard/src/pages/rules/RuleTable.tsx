// What the lists of rules of both kinds have in common.

import { Button, Group, Modal, Stack, Switch, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { usePageSearch } from "../../app/search";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Answer";
import { span } from "../../parts/Time";
import { inWords, type Condition } from "./condition";
import { useBadgeName } from "./rules";

/** The table of a list of rules; `children` are its rows. */
export function RuleTable({ label, columns, children }: { label: string; columns: string[]; children: ReactNode[] }) {
  const [search] = usePageSearch();
  if (children.length === 0) {
    return search.term ? (
      <Empty title="No matching rules" />
    ) : (
      <Empty title="No rules yet">A rule combines conditions on scores, age and badges, and adds a badge or opens an escalation when they hold.</Empty>
    );
  }
  return (
    <div className="table-box" role="group" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={6} horizontalSpacing="sm">
        <Table.Thead>
          <Table.Tr>{columns.map((column) => <Table.Th key={column}>{column}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  );
}

export function ConditionsInWords({ conditions }: { conditions: Condition[] }) {
  const badgeName = useBadgeName();
  const text = conditions.map((condition) => inWords(condition, badgeName)).join(" and ");
  return <>{text.charAt(0).toUpperCase() + text.slice(1)}</>;
}

interface OnOffProps {
  name: string;
  isOn: boolean;
  /** Turns it; `variables` is what it is being turned to. */
  turn: { isPending: boolean; variables: boolean | undefined; mutate: (isOn: boolean) => void };
  /** What follows from turning it off. */
  consequence: string;
}

/** Whether a rule is on, and the way to turn it; turning it off undoes what it has done, and is asked about. */
export function OnOff({ name, isOn, turn, consequence }: OnOffProps) {
  const { manage } = useMay();
  const [isAsking, { open, close }] = useDisclosure(false);
  const turnOff = () => {
    close();
    turn.mutate(false);
  };
  return (
    <>
      <Switch
        aria-label={`${name} is enabled`}
        checked={turn.isPending ? turn.variables : isOn}
        disabled={!manage || turn.isPending}
        onChange={(event) => (event.currentTarget.checked ? turn.mutate(true) : open())}
      />
      <Modal opened={isAsking} onClose={close} title={`Disable “${name}”?`}>
        <Stack>
          <Text fz="sm">{consequence}</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
            <Button onClick={turnOff}>Disable</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

/** A delay in words: "at once", "after 3 h". */
export function after(seconds: number): string {
  return seconds === 0 ? "at once" : `after ${span(seconds)}`;
}
