// A rule that opens escalations: made, tried, changed, removed.

import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { $api, refresh, tell, type Schemas } from "../../api";
import { useMay } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { Confirm } from "../../parts/Confirm";
import { Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";
import { EscalationAccuracy } from "./Accuracy";
import { Backtest, type Tested, type Tried } from "./Backtest";
import { ConditionRows } from "./ConditionRows";
import { wrongConditions } from "./condition";
import { row, useDraft } from "./draft";
import { Editor, Enabled, useDone } from "./Editor";
import { EscalationDelays, EscalationFields, type EscalationValues } from "./EscalationFields";
import { ListAdditions } from "./ListAdditions";
import { Preview } from "./Preview";
import { RuleRecord } from "./Record";
import { EscalationRuleInWords, MayNotMake } from "./RuleInWords";
import type { EscalationRule } from "./rules";
import { Draft, VersionList } from "./Versions";

type Body = Schemas["NewEscalationRuleBody"];

const HOUR_SECONDS = 3_600;
const NEW: Body = {
  name: "",
  severity: "WARNING",
  conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 30 }],
  closeAfterSeconds: HOUR_SECONDS,
};

export function EscalationRulePage() {
  const { id } = useParams({ strict: false });
  const { manage } = useMay();
  if (id !== "new") return <KeptEscalationRule key={id} id={Number(id)} />;
  return manage ? <EscalationRuleEditor /> : <MayNotMake />;
}

function KeptEscalationRule({ id }: { id: number }) {
  const { manage } = useMay();
  // Counts how often editing has begun anew.
  const [round, next] = useState(0);
  // A draft that is saved begins editing anew, and what was tested before stays.
  const tested = useState<Tried>();
  // Editing begins with how the rule is now, and not with how it was at the last visit.
  const rule = $api.useQuery("get", "/api/escalation-rules/{id}", { params: { path: { id } } }, { gcTime: 0 });
  if (!rule.data) return <Page title="Escalation rule"><Answer of={rule} lines={8}>{() => null}</Answer></Page>;
  const again = () => void rule.refetch().then(() => next(round + 1));
  return manage ? <EscalationRuleEditor key={round} rule={rule.data} again={again} tested={tested} /> : <EscalationRuleInWords rule={rule.data} />;
}

function valuesOf({ name, severity, channels = [], conditions, openAfterSeconds = 0, closeAfterSeconds = 0, effectiveAt = null, addsToLists = [], enabled = true }: Body): EscalationValues {
  return { name, severity, channels, conditions: conditions.map(row), openAfterSeconds, closeAfterSeconds, effectiveAt, addsToLists, enabled };
}

function EscalationRuleEditor({ rule, again, tested }: { rule?: EscalationRule; again?: () => void; tested?: Tested }) {
  const draft = useDraft(() => valuesOf(rule ?? NEW));
  const { values, put } = draft;
  const conditions = values.conditions.map(({ condition }) => condition);
  const done = useDone("/api/escalation-rules");
  const saved = { onSuccess: ({ name }: EscalationRule) => done(`${name} is saved.`), onError: draft.refuse };
  const create = $api.useMutation("post", "/api/escalation-rules", saved);
  const replace = $api.useMutation("put", "/api/escalation-rules/{id}", saved);
  const keep = $api.useMutation("put", "/api/escalation-rules/{id}/draft", {
    onSuccess: async () => {
      tell("The draft is saved. The rule in force stays as it is.");
      await refresh("/api/escalation-rules");
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
  const { openAfterSeconds, closeAfterSeconds } = values;
  return (
    <Editor
      title={rule ? `Escalation rule: ${rule.name}` : "New escalation rule"}
      isNew={!rule}
      isDirty={draft.isDirty}
      isSaving={create.isPending || replace.isPending || keep.isPending}
      errors={draft.errors}
      conditions={conditions}
      onSave={save}
      {...(rule && { onDraft: () => isWhole() && keep.mutate({ params: { path: { id: rule.id } }, body }) })}
      remove={rule && <Remove rule={rule} />}
      below={rule && <><VersionList kind="escalation" rule={rule} {...(again && { changed: again })} /><RuleRecord id={rule.id} /></>}
      aside={
        <>
          <Preview conditions={conditions} isAgainst opens={!rule && values.enabled && !values.effectiveAt ? openAfterSeconds : undefined} />
          {rule && <Draft kind="escalation" rule={rule} edit={(version) => put(valuesOf(version))} {...(again && { changed: again })} />}
          {rule && <EscalationAccuracy rule={rule} />}
          <Backtest rule={{ kind: "escalation", body: { conditions, openAfterSeconds, closeAfterSeconds } }} kept={tested} />
        </>
      }
    >
      <Panel title="Escalation" note={rule && <Kept rule={rule} />} actions={<Enabled draft={draft} />}>
        <EscalationFields draft={draft} />
      </Panel>
      <Panel title="Conditions">
        <ConditionRows rows={values.conditions} isOfEscalations errors={draft.errors} onChange={(conditions) => put({ conditions })} />
      </Panel>
      <Panel title="Delays"><EscalationDelays draft={draft} /></Panel>
      <ListAdditions additions={values.addsToLists} when="an escalation opens" errors={draft.errors} onChange={(addsToLists) => put({ addsToLists })} />
    </Editor>
  );
}

function Kept({ rule }: { rule: EscalationRule }) {
  return (
    <>
      Changed <Time at={rule.updatedAt} /> · <PageLink to="/escalations" search={{ rule: String(rule.id) } as never} fz="sm" underline="always">its escalations</PageLink>
    </>
  );
}

function Remove({ rule }: { rule: EscalationRule }) {
  const done = useDone("/api/escalation-rules");
  const remove = $api.useMutation("delete", "/api/escalation-rules/{id}", { onSuccess: () => done(`${rule.name} is deleted.`) });
  return (
    <Confirm
      action="Delete"
      question={`Delete the rule “${rule.name}”?`}
      loading={remove.isPending}
      onConfirm={() => remove.mutate({ params: { path: { id: rule.id } } })}
    >
      Its open escalations are closed, and no new ones are opened.
    </Confirm>
  );
}
