// What an escalation rule would have opened in the last 90 days, had there been it.

import { Button, Stack, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { $api, type Schemas } from "../../api";
import { Answer } from "../../parts/Answer";
import { counted } from "../../parts/counts";
import { LineChart } from "../../parts/LineChart";
import { Facts, Panel } from "../../parts/Page";
import { isWhole } from "./condition";
import { formatted } from "../../app/preferences";
import { byDay } from "../../parts/days";
import { GoodWarning } from "./Preview";
import { Sample } from "./Sample";

type Rule = Schemas["BacktestBody"];

/** What was tested last, where it outlives the form. */
export type Tested = [tested: Rule | undefined, put: (rule: Rule) => void];

export function Backtest({ rule, kept }: { rule: Rule; kept?: Tested | undefined }) {
  const own = useState<Rule>();
  const [tested, setTested] = kept ?? own;
  const isChanged = tested !== undefined && JSON.stringify(tested) !== JSON.stringify(rule);
  const test = (
    <Button size="xs" variant="default" disabled={!rule.conditions.every(isWhole)} onClick={() => setTested(rule)}>
      {isChanged ? "Run again" : "Run"}
    </Button>
  );
  return (
    <Panel title="Back-test" note="What it would have opened on each of the last 90 days. Read-only." actions={test}>
      {isChanged && <Text c="dimmed" fz="sm" role="status">The rule has changed since this run.</Text>}
      {tested && <Result rule={tested} />}
    </Panel>
  );
}

function Result({ rule }: { rule: Rule }) {
  // Asked for by the button alone.
  const backtest = $api.useQuery("post", "/api/escalation-rules/actions/backtest", { body: rule }, { staleTime: Infinity });
  return <Answer of={backtest} lines={6}>{(found) => <Found found={found} />}</Answer>;
}

function Found({ found }: { found: Schemas["BacktestedBody"] }) {
  const { times, values } = useMemo(() => byDay(found.from, found.to, found.days.map(({ date, opened }) => [date, opened])), [found]);
  const series = useMemo(() => [{ label: "Opened", colour: "var(--band-1-mark)", values }], [values]);
  return (
    <Stack gap="sm">
      <LineChart label={`${counted(found.opened, "escalation")} opened in ${counted(times.length, "day")}`} times={times} series={series} height={160} isBars />
      <Facts
        facts={[
          ["Escalations", <span className="numbers">{found.opened.toLocaleString("en")}</span>],
          ["Identities", <span className="numbers">{found.identities.toLocaleString("en")}</span>],
          ["Evaluated", <span className="numbers">{counted(found.cycles, "cycle")} since {formatted(found.from, { dateStyle: "medium" })}</span>],
        ]}
      />
      <GoodWarning good={found.good} of={found.identities} />
      {found.goodSample.length > 0 && <Sample label="Sample with a good badge" identities={found.goodSample} />}
    </Stack>
  );
}
