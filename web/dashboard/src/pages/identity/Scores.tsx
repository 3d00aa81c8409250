// The four scores, large.

import type { Schemas } from "../../api";
import { band, CATEGORIES, QUESTIONS, scoreOf, word } from "../../parts/score";
import classes from "./Identity.module.css";

export function Scores({ identity }: { identity: Schemas["IdentityBody"] }) {
  return (
    <dl className={classes.scores} aria-label="Scores">
      {CATEGORIES.map((category) => {
        const score = scoreOf(identity, category);
        return (
          <div key={category} className={`panel ${classes.score}`}>
            <dt>{word(category)}</dt>
            <dd className={classes.scoreNumber} data-tone={score === null ? undefined : band(score)}>{score ?? "–"}</dd>
            <dd>{score === null ? "Not scored yet" : QUESTIONS[category]}</dd>
          </div>
        );
      })}
    </dl>
  );
}
