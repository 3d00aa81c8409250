// Each observation in words, and what it does to its score, so that the score can be redone by hand.

import { Group, Text, Title } from "@mantine/core";
import type { Schemas } from "../../api";
import { Chip, ScoreChip } from "../../parts/Chip";
import { CATEGORIES, QUESTIONS, word, type Category } from "../../parts/score";
import { byStrength, isShadowed, plain, push, pushOf, scoreAt, START, strengthOf, type Observation } from "./evidence";
import classes from "./Identity.module.css";
import { Values } from "./Values";

type Explained = Schemas["ExplainedScoreBody"];

/** A push of this much, in log-odds, or of the strongest if that is more, fills its half: small ones look small. */
const SCALE_LEAST = 2;

export function Evidence({ scores }: { scores: Explained[] }) {
  const pushes = scores.flatMap(({ observations }) => observations.map((one) => Math.abs(push(one))));
  const scale = Math.max(SCALE_LEAST, ...pushes);
  return (
    <>
      {byScore(scores).map(([category, explained]) => <CategoryEvidence key={category} category={category} explained={explained} scale={scale} />)}
      <Formula />
    </>
  );
}

/** The lowest score first: it is what somebody came for. */
function byScore(scores: Explained[]): [Category, Explained | undefined][] {
  const found = CATEGORIES.map((category): [Category, Explained | undefined] => [category, scores.find((one) => one.category === category)]);
  return found.sort(([, one], [, other]) => (one?.value ?? 101) - (other?.value ?? 101));
}

function CategoryEvidence({ category, explained, scale }: { category: Category; explained: Explained | undefined; scale: number }) {
  const name = word(category);
  return (
    <section className="panel" aria-label={name} id={category.toLowerCase()}>
      <Group gap="sm" px="md" pt="md" pb="xs" wrap="nowrap">
        <ScoreChip category={category} value={explained?.value ?? null} />
        <Title order={2}>{name}</Title>
        <Text c="dimmed" fz="sm">{QUESTIONS[category]}</Text>
      </Group>
      <div style={{ padding: "0 1rem 1rem" }}>
        {explained ? <Observations explained={explained} scale={scale} /> : <Text c="dimmed" fz="sm">No evidence yet, so no score.</Text>}
      </div>
    </section>
  );
}

function Observations({ explained: { value, observations }, scale }: { explained: Explained; scale: number }) {
  const moved = pushOf(observations);
  const sum = START + moved;
  const redone = scoreAt(sum);
  return (
    <>
      <ol className={classes.observations}>
        {byStrength(observations).map((observation) => <ObservationRow key={observation.id} observation={observation} scale={scale} />)}
      </ol>
      <details className={`numbers ${classes.sum}`}>
        <summary>How it adds up</summary>
        Start {plain(START)} {moved < 0 ? "−" : "+"} evidence {Math.abs(rounded(sum) - rounded(START)).toFixed(2)} = {plain(sum)}; 100 × σ({plain(sum)}) = <strong>{redone}</strong>
        {redone !== value && `, ${value} when it was calculated`}
      </details>
    </>
  );
}

/** As it is shown, so that the line adds up. */
function rounded(value: number): number {
  return Number(value.toFixed(2));
}

function ObservationRow({ observation, scale }: { observation: Observation; scale: number }) {
  const { label, explanation, id, value, confidence, weight, metadata } = observation;
  const isShadow = isShadowed(observation);
  return (
    <li data-shadowed={isShadow || undefined}>
      <div>
        <Group gap="xs">
          <Text fw={600}>{label}</Text>
          {isShadow && <Chip>Shadow mode: not counted</Chip>}
        </Group>
        <p className="break">{explanation}</p>
        <details className={classes.more}>
          <summary className="numbers">value {value} · confidence {confidence} · weight {weight}</summary>
          <Values label={`${label}: the numbers behind it`} values={{ analyzer: id, ...metadata }} />
        </details>
      </div>
      {!isShadow && <Push by={push(observation)} scale={scale} />}
    </li>
  );
}

function Push({ by, scale }: { by: number; scale: number }) {
  const width = `${Math.min(Math.abs(by) / scale, 1) * 50}%`;
  const words = Number(by.toFixed(2)) === 0 ? "moves nothing" : `${by < 0 ? "lowers" : "raises"} the log-odds by ${Math.abs(by).toFixed(2)}`;
  return (
    <div className={classes.push} role="img" aria-label={words}>
      <span className={classes.pushTrack}><span className={classes.pushBar} data-side={by < 0 ? "down" : "up"} style={{ width }} /></span>
      <span className={classes.pushNumber} title={words}>{Number(by.toFixed(2)) === 0 ? "none" : strengthOf(by)}</span>
    </div>
  );
}

function Formula() {
  return (
    <details className={classes.more}>
      <summary>How a score is calculated</summary>
      <Text fz="sm" maw={720}>
        Evidence adds up in log-odds. Every category starts at 70 of 100, which is ln(0.70 / 0.30) = 0.85. Each observation moves it by
        weight × confidence × ln(value / (1 − value)), where a value below 0.02 counts as 0.02 and one above 0.98 as 0.98: to the left of a
        bar&rsquo;s middle, toward suspicion, to the right, toward trust; 0.5 moves nothing. The score is 100 × σ of the sum, rounded, with
        σ(x) = 1 / (1 + e<sup>−x</sup>). Observations in shadow mode have weight 0.
      </Text>
    </details>
  );
}
