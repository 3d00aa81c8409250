// How the four scores have come to where they are.

import { useMemo } from "react";
import { Answer } from "../../parts/Answer";
import { LineChart } from "../../parts/LineChart";
import { Panel } from "../../parts/Page";
import { CATEGORIES, colour, scoreOf, word } from "../../parts/score";
import { useHistory, type Entry } from "./history";
import { counted } from "../../parts/counts";

export function Course({ id }: { id: string }) {
  const history = useHistory(id);
  return (
    <Panel title="Score history">
      <Answer of={history}>{(entries) => <Curves entries={entries} />}</Answer>
    </Panel>
  );
}

const RANGE: [number, number] = [0, 100];

function Curves({ entries }: { entries: Entry[] }) {
  const { times, series } = useMemo(() => {
    const ascending = entries.toReversed();
    return {
      times: ascending.map(({ finishedAt }) => Date.parse(finishedAt)),
      series: CATEGORIES.map((category) => ({
        label: word(category),
        colour: colour(category),
        values: ascending.map((entry) => scoreOf(entry, category)),
      })),
    };
  }, [entries]);
  return <LineChart label={`The four scores over the last ${counted(entries.length, "cycle")}`} times={times} series={series} range={RANGE} height={200} />;
}
