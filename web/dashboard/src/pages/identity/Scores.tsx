// The four scores, large.

import type { Schemas } from "../../api";
import { band, CATEGORIES, QUESTIONS, scoreOf, word } from "../../parts/score";

export function Scores({ identity }: { identity: Schemas["IdentityBody"] }) {
  return (
    <dl className="scores" aria-label="Scores">
      {CATEGORIES.map((category) => {
        const score = scoreOf(identity, category);
        return (
          <div key={category} className="panel score">
            <dt>{word(category)}</dt>
            <dd className="score-number" data-tone={score === null ? undefined : band(score)}>{score ?? "–"}</dd>
            <dd>{score === null ? "Not scored yet" : QUESTIONS[category]}</dd>
          </div>
        );
      })}
    </dl>
  );
}
