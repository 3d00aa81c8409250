// What an analyst needs to know of an escalation to decide: who it is, what the rule wanted, and why the scores are low.

import { Button, Group, Kbd, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMay } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { Badges, Chip, ScoreChip, StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { CATEGORIES, scoreOf, word } from "../../parts/score";
import { exactTime, Time } from "../../parts/Time";
import { byStrength, push, signed, strengthOf, type Observation } from "../identity/evidence";
import { OutcomeChip } from "../labels/OutcomeChip";
import { DRAWN, useEscalationRules } from "../rules/rules";
import { ConditionsInWords } from "../rules/RuleTable";
import { Assignee } from "./Assignee";
import classes from "./EscalationQueue.module.css";
import { analysisQuery, eventsQuery, identityQuery, type Escalation } from "./escalations";
import { History } from "./History";
import { ACTS, CLOSE, type Act } from "./moves";
import { canSnooze, SNOOZE_KEY } from "./Snooze";

/** Observations that are shown: those that pull a score down most. */
const WORST = 5;

interface Props {
  escalation: Escalation;
  act: (act: Act) => void;
  snooze: () => void;
}

export function Detail({ escalation, act, snooze }: Props) {
  const { status, severity, outcome, identity, openedAt, acknowledgedAt, acknowledgedBy, closedAt, closedBy, closeReason } = escalation;
  return (
    <section className={classes.detail} aria-label={`Escalation of ${identity.label}`}>
      <Stack gap="md">
        <Group justify="space-between" gap="xs">
          <Title order={2}><IdentityLink id={identity.id} name={identity.label} /></Title>
          <Acts escalation={escalation} act={act} snooze={snooze} />
        </Group>
        <Group gap="xs">
          <StatusChip status={severity} />
          <StatusChip status={status} />
          <OutcomeChip outcome={outcome} />
          <Text c="dimmed" fz="sm">opened <Time at={openedAt} />, {exactTime(openedAt)}</Text>
          {acknowledgedAt && <Text c="dimmed" fz="sm">acknowledged <Time at={acknowledgedAt} />{acknowledgedBy && ` by ${acknowledgedBy}`}</Text>}
          {closedAt && <Text c="dimmed" fz="sm" className="break">closed <Time at={closedAt} /> by {closedBy ?? "its rule"}{closeReason && `: ${closeReason}`}</Text>}
        </Group>
        <Assignee escalation={escalation} />
        <div className={classes.sides}>
          <Stack gap="md">
            <Why escalation={escalation} />
            <LastEvents id={identity.id} />
          </Stack>
          <Stack gap="md">
            <Scores escalation={escalation} />
            <Rule escalation={escalation} />
            <History id={escalation.id} />
          </Stack>
        </div>
      </Stack>
    </section>
  );
}

function Acts({ escalation, act, snooze: open }: Props) {
  const { triage } = useMay();
  if (!triage) return null;
  const possible = ACTS.filter(({ from }) => from.includes(escalation.status));
  return (
    <Group gap="xs" className={classes.acts}>
      {possible.map((one, index) => (
        <Button key={one.key} size="xs" variant={index === 0 ? "filled" : "default"} rightSection={<Kbd size="xs">{one.key}</Kbd>} onClick={() => act(one)}>
          {one === CLOSE ? `${one.label}…` : one.label}
        </Button>
      ))}
      {canSnooze(escalation) && <Button size="xs" variant="default" rightSection={<Kbd size="xs">{SNOOZE_KEY}</Kbd>} onClick={open}>Snooze…</Button>}
    </Group>
  );
}

function Scores({ escalation: { identity: { id }, scoreSnapshot } }: { escalation: Escalation }) {
  const identity = useQuery(identityQuery(id));
  return (
    <Panel title="Scores">
      <Answer of={identity}>
        {(identity) => (
          <>
            <table className={classes.scores}>
              <thead><tr><th scope="col">Category</th><th scope="col">Then</th><th scope="col">Now</th></tr></thead>
              <tbody>
                {CATEGORIES.map((category) => (
                  <tr key={category}>
                    <th scope="row">{word(category)}</th>
                    <td><ScoreChip category={category} value={scoreSnapshot[category] ?? null} /></td>
                    <td><ScoreChip category={category} value={scoreOf(identity, category)} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
            {identity.badges.length > 0 && <Badges badges={identity.badges} most={6} />}
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Rule({ escalation: { escalationRule: { id, label }, openedAt } }: { escalation: Escalation }) {
  const rules = useEscalationRules();
  const rule = rules.data?.find((rule) => String(rule.id) === id);
  if (id === DRAWN) return <Panel title="Drawn at random"><Text fz="sm">No rule has opened this. Label the identity, good or bad: the few that are drawn each week, whatever rules say of them, tell what your rules miss.</Text></Panel>;
  return (
    <Panel title="Rule" actions={rule && <PageLink to="/escalation-rules/$id" params={{ id }} fz="sm" className="break">{rule.name}</PageLink>}>
      <Answer of={rules} lines={2}>
        {() => (rule ? (
          <>
            <ConditionsInWords conditions={rule.conditions} />
            {openedAt && rule.updatedAt > openedAt && (
              <Text fz="xs" c="dimmed" className="break">It was changed after it opened this{rule.name !== label && <>, and was called “{label}” then</>}.</Text>
            )}
          </>
        ) : <Text c="dimmed"><span className="break">{label}</span> has been deleted.</Text>)}
      </Answer>
    </Panel>
  );
}

/** What opened it, and the observations that pull scores down, the strongest first. */
function Why({ escalation: { identity: { id }, explanation, eventId } }: { escalation: Escalation }) {
  const analysis = useQuery(analysisQuery(id));
  return (
    <Panel title="Why" actions={<PageLink to="/identities/$id" params={{ id }} fz="sm">All observations</PageLink>}>
      {explanation && (
        <p className={`${classes.opening} break`}>
          {explanation}
          {eventId && <> <PageLink to="/events/$id" params={{ id: eventId }}>See the event</PageLink></>}
        </p>
      )}
      <Answer of={analysis} lines={6}>
        {({ scores }) => {
          const worst = byStrength(scores.flatMap(({ observations }) => observations)).filter((one) => push(one) < 0).slice(0, WORST);
          if (worst.length === 0) return <Text c="dimmed">No negative observations.</Text>;
          return <ol className={classes.observations}>{worst.map((one) => <Against key={one.id} observation={one} />)}</ol>;
        }}
      </Answer>
    </Panel>
  );
}

function Against({ observation }: { observation: Observation }) {
  const { category, label, explanation } = observation;
  return (
    <li>
      <Group gap="xs">
        <Text fw={600}>{label}</Text>
        <Chip>{word(category)}</Chip>
        <Text c="dimmed" fz="sm" title={`Moves the log-odds by ${signed(push(observation))}`}>{strengthOf(push(observation))}</Text>
      </Group>
      <p className="break">{explanation}</p>
    </li>
  );
}

function LastEvents({ id }: { id: string }) {
  const events = useQuery(eventsQuery(id));
  return (
    <Panel title="Latest events" actions={<PageLink to="/events" search={{ identity: id } as never} fz="sm">All events</PageLink>}>
      <Answer of={events} lines={4}>
        {({ content }) => (
          <ul className={classes.events}>
            {content.map((event) => (
              <li key={event.id}>
                <PageLink to="/events/$id" params={{ id: event.id }} className="break">{event.eventName}</PageLink>
                <Text c="dimmed" fz="sm" className="numbers">{exactTime(event.timestamp)} (<Time at={event.timestamp} />)</Text>
                {event.ip && <Text c="dimmed" fz="sm" className="mono">{event.ip}</Text>}
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}
