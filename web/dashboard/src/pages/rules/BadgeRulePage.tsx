// A rule that gives a badge: made, changed, removed.

import { Group, NativeSelect, NumberInput, SimpleGrid, TextInput } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { Page, Panel } from "../../parts/Page";
import { Time } from "../../parts/Time";
import { BadgeAccuracy } from "./Accuracy";
import { ConditionRows } from "./ConditionRows";
import { wrongConditions } from "./condition";
import { row, useDraft, type Draft, type Row } from "./draft";
import { Editor, Enabled, useDone } from "./Editor";
import { ListAdditions } from "./ListAdditions";
import { Backtest, type Tested, type Tried } from "./Backtest";
import { Preview } from "./Preview";
import { BadgeRecord } from "./Record";
import { RemoveBadgeRule } from "./RemoveBadgeRule";
import { BadgeRuleInWords, MayNotMake } from "./RuleInWords";
import type { BadgeRule } from "./rules";
import { SecondsInput } from "./SecondsInput";
import { Draft as DraftPanel, VersionList } from "./Versions";

type Body = Schemas["NewBadgeRuleBody"];
type Values = Required<Omit<Body, "conditions">> & { conditions: Row[] };

const NEW: Body = { name: "", type: "BAD", conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 30 }] };
const TYPES = [
  { value: "BAD", label: "Bad" },
  { value: "GOOD", label: "Good" },
  { value: "NEUTRAL", label: "Neutral" },
];

export function BadgeRulePage() {
  const { id } = useParams({ strict: false });
  const { manage } = useMay();
  if (id !== "new") return <KeptBadgeRule key={id} id={Number(id)} />;
  return manage ? <BadgeRuleEditor /> : <MayNotMake />;
}

function KeptBadgeRule({ id }: { id: number }) {
  const { manage } = useMay();
  // Counts how often editing has begun anew.
  const [round, next] = useState(0);
  // A draft that is saved begins editing anew, and what was tested before stays.
  const tested = useState<Tried>();
  // Editing begins with how the rule is now, and not with how it was at the last visit.
  const rule = $api.useQuery("get", "/api/badge-rules/{id}", { params: { path: { id } } }, { gcTime: 0 });
  if (!rule.data) return <Page title="Badge rule"><Answer of={rule} lines={8}>{() => null}</Answer></Page>;
  const again = () => void rule.refetch().then(() => next(round + 1));
  return manage ? <BadgeRuleEditor key={round} rule={rule.data} again={again} tested={tested} /> : <BadgeRuleInWords rule={rule.data} />;
}

function valuesOf({ name, type, priority = 0, conditions, applyDelaySeconds = 0, removeDelaySeconds = 0, addsToLists = [], enabled = true }: Body): Values {
  return { name, type, priority, conditions: conditions.map(row), applyDelaySeconds, removeDelaySeconds, addsToLists, enabled };
}

function BadgeRuleEditor({ rule, again, tested }: { rule?: BadgeRule; again?: () => void; tested?: Tested }) {
  const draft = useDraft(() => valuesOf(rule ?? NEW));
  const { values, put } = draft;
  const conditions = values.conditions.map(({ condition }) => condition);
  const done = useDone("/api/badge-rules");
  const saved = { onSuccess: ({ name }: BadgeRule) => done(`${name} is saved.`), onError: draft.refuse };
  const create = $api.useMutation("post", "/api/badge-rules", saved);
  const replace = $api.useMutation("put", "/api/badge-rules/{id}", saved);
  const keep = $api.useMutation("put", "/api/badge-rules/{id}/draft", {
    onSuccess: async () => {
      tell("The draft is saved. The rule in force stays as it is.");
      await refresh("/api/badge-rules");
      again?.();
    },
    onError: draft.refuse,
  });
  const body = { ...values, conditions };
  const isWhole = () => {
    const wrong = { ...(values.name.trim() === "" && { name: "Enter a name." }), ...wrongConditions(conditions) };
    draft.complain(wrong);
    return Object.keys(wrong).length === 0;
  };
  const save = () => {
    if (!isWhole()) return;
    if (rule) replace.mutate({ params: { path: { id: rule.id } }, body });
    else create.mutate({ body });
  };
  const { applyDelaySeconds, removeDelaySeconds } = values;
  return (
    <Editor
      title={rule ? `Badge rule: ${rule.name}` : "New badge rule"}
      isNew={!rule}
      isDirty={draft.isDirty}
      isSaving={create.isPending || replace.isPending || keep.isPending}
      errors={draft.errors}
      conditions={conditions}
      onSave={save}
      {...(rule && { onDraft: () => isWhole() && keep.mutate({ params: { path: { id: rule.id } }, body }) })}
      remove={rule && <RemoveBadgeRule rule={rule} />}
      below={rule && <><VersionList kind="badge" rule={rule} {...(again && { changed: again })} /><BadgeRecord slug={rule.slug} /></>}
      aside={
        <>
          <Preview conditions={conditions} badgeType={values.type} isAgainst={values.type === "BAD"} />
          {rule && <DraftPanel kind="badge" rule={rule} edit={(version) => put(valuesOf(version))} {...(again && { changed: again })} />}
          {rule && <BadgeAccuracy rule={rule} />}
          <Backtest rule={{ kind: "badge", body: { conditions, applyDelaySeconds, removeDelaySeconds } }} kept={tested} />
        </>
      }
    >
      <Panel title="Badge" note={rule && <Kept rule={rule} />} actions={<Enabled draft={draft} />}>
        <BadgeFields draft={draft} />
      </Panel>
      <Panel title="Conditions">
        <ConditionRows rows={values.conditions} isOfEscalations={false} errors={draft.errors} onChange={(conditions) => put({ conditions })} />
      </Panel>
      <Panel title="Delays"><Delays draft={draft} /></Panel>
      <ListAdditions additions={values.addsToLists} when="the badge is given" errors={draft.errors} onChange={(addsToLists) => put({ addsToLists })} />
    </Editor>
  );
}

function Kept({ rule }: { rule: BadgeRule }) {
  return <>Slug <span className="mono">{rule.slug}</span> · changed <Time at={rule.updatedAt} /></>;
}

function BadgeFields({ draft: { values, errors, put } }: { draft: Draft<Values> }) {
  return (
    <>
      <TextInput
        label="Name"
        description="Shown on identities that have it."
        required
        maxLength={100}
        value={values.name}
        onChange={(event) => put({ name: event.currentTarget.value })}
        error={errors.name}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NativeSelect
          label="Type"
          description="A good badge speaks for an identity."
          data={TYPES}
          value={values.type}
          onChange={(event) => put({ type: event.currentTarget.value })}
          error={errors.type}
        />
        <NumberInput
          label="Priority"
          description="The highest number comes first."
          allowDecimal={false}
          value={values.priority}
          onChange={(next) => put({ priority: Number(next) })}
          error={errors.priority}
        />
      </SimpleGrid>
    </>
  );
}

function Delays({ draft: { values, errors, put } }: { draft: Draft<Values> }) {
  return (
    <Group gap="lg" align="flex-start">
      <SecondsInput
        label="Add after"
        placeholder="at once"
        value={values.applyDelaySeconds}
        onChange={(applyDelaySeconds) => put({ applyDelaySeconds })}
        error={errors.applyDelaySeconds}
      />
      <SecondsInput
        label="Remove after"
        placeholder="at once"
        value={values.removeDelaySeconds}
        onChange={(removeDelaySeconds) => put({ removeDelaySeconds })}
        error={errors.removeDelaySeconds}
      />
    </Group>
  );
}
