// The four scores, large, and what each would be by weights in shadow.

import { Tooltip } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { band, CATEGORIES, QUESTIONS, scoreOf, word } from "../../parts/score";
import classes from "./Identity.module.css";

export function Scores({ identity }: { identity: Schemas["IdentityBody"] }) {
  const { id, lastScoredAt } = identity;
  const newest = $api.useQuery("get", "/api/identities/{id}/analysis", { params: { path: { id } } }, { enabled: Boolean(lastScoredAt) });
  const shadow = newest.data?.shadow;
  return (
    <dl className={classes.scores} aria-label="Scores">
      {CATEGORIES.map((category) => {
        const score = scoreOf(identity, category);
        const inShadow = shadow?.scores.find((one) => one.category === category)?.value;
        return (
          <div key={category} className={`panel ${classes.score}`}>
            <dt>
              {word(category)}
              {shadow && inShadow !== undefined && <>{" "}<InShadow value={inShadow} version={shadow.weightsId} /></>}
            </dt>
            <dd className={classes.scoreNumber} data-tone={score === null ? undefined : band(score)}>{score ?? "–"}</dd>
            <dd>{score === null ? "Not scored yet" : QUESTIONS[category]}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function InShadow({ value, version }: { value: number; version: number }) {
  return (
    <Tooltip label={`With version ${version} of the weights, which is in shadow`}>
      <span tabIndex={0} className={classes.inShadow}>in shadow {value}</span>
    </Tooltip>
  );
}
