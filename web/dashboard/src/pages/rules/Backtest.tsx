// What a rule would have opened, or given its badge to, in the last 90 days, had there been it.

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

/** A rule, as far as it is tried. */
export type Tried = { kind: "escalation"; body: Schemas["BacktestBody"] } | { kind: "badge"; body: Schemas["BadgeBacktestBody"] };

/** What was tested last, where it outlives the form. */
export type Tested = [tested: Tried | undefined, put: (rule: Tried) => void];

export function Backtest({ rule, kept }: { rule: Tried; kept?: Tested | undefined }) {
  const own = useState<Tried>();
  const [tested, setTested] = kept ?? own;
  const isChanged = tested !== undefined && JSON.stringify(tested) !== JSON.stringify(rule);
  const test = (
    <Button size="xs" variant="default" disabled={!rule.body.conditions.every(isWhole)} onClick={() => setTested(rule)}>
      {isChanged ? "Run again" : "Run"}
    </Button>
  );
  return (
    <Panel title="Back-test" note={`${rule.kind === "badge" ? "How often it would have given its badge" : "What it would have opened"} on each of the last 90 days. Read-only.`} actions={test}>
      {isChanged && <Text c="dimmed" fz="sm" role="status">The rule has changed since this run.</Text>}
      {tested && <Result rule={tested} />}
    </Panel>
  );
}

function Result({ rule }: { rule: Tried }) {
  return rule.kind === "badge" ? <OfBadge body={rule.body} /> : <OfEscalation body={rule.body} />;
}

// Asked for by the button alone.
function OfEscalation({ body }: { body: Schemas["BacktestBody"] }) {
  const backtest = $api.useQuery("post", "/api/escalation-rules/actions/backtest", { body }, { staleTime: Infinity });
  return <Answer of={backtest} lines={6}>{(found) => <Found found={found} what="escalation" done="opened" />}</Answer>;
}

function OfBadge({ body }: { body: Schemas["BadgeBacktestBody"] }) {
  const backtest = $api.useQuery("post", "/api/badge-rules/actions/backtest", { body }, { staleTime: Infinity });
  return <Answer of={backtest} lines={6}>{(found) => <Found found={found} what="badge" done="given" />}</Answer>;
}

function Found({ found, what, done }: { found: Schemas["BacktestedBody"]; what: "escalation" | "badge"; done: "opened" | "given" }) {
  const { times, values } = useMemo(() => byDay(found.from, found.to, found.days.map(({ date, opened }) => [date, opened])), [found]);
  const series = useMemo(() => [{ label: done === "given" ? "Given" : "Opened", colour: "var(--band-1-mark)", values }], [done, values]);
  return (
    <Stack gap="sm">
      <LineChart label={`${counted(found.opened, what)} ${done} in ${counted(times.length, "day")}`} times={times} series={series} height={160} isBars />
      <Facts
        facts={[
          [what === "badge" ? "Badges given" : "Escalations", <span className="numbers">{found.opened.toLocaleString("en")}</span>],
          ["Identities", <span className="numbers">{found.identities.toLocaleString("en")}</span>],
          ["Evaluated", <span className="numbers">{counted(found.cycles, "cycle")} since {formatted(found.from, { dateStyle: "medium" })}</span>],
        ]}
      />
      <GoodWarning good={found.good} of={found.identities} />
      {found.goodSample.length > 0 && <Sample label="Sample with a good badge" identities={found.goodSample} />}
    </Stack>
  );
}
