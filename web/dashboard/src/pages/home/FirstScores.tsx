// Who is there after the first events, and what a score means.

import { Text } from "@mantine/core";
import { $api } from "../../api";
import { IdentitiesOf } from "../../parts/Lists";
import { Panel } from "../../parts/Page";
import { QUESTIONS, word, CATEGORIES } from "../../parts/score";

export function FirstScores() {
  const stats = $api.useQuery("get", "/api/dashboard/stats");
  const note = CATEGORIES.map((category) => `${word(category)}: ${QUESTIONS[category]}`).join(" ");
  if (stats.data?.identities === 0) return <Panel title="Your identities"><Text fz="sm">The event named nobody, so that there is nobody to score yet. Name a user in <code>identity.id</code>, or with <code>dregs('identify', …)</code>.</Text></Panel>;
  return (
    <Panel title="Your identities" note={<>{note} 0 is the worst, 100 the best; a dash says that there is nothing to judge by yet. Open one to see why.</>}>
      <IdentitiesOf filter={{}} />
    </Panel>
  );
}
