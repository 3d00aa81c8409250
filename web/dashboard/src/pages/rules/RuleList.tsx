// Every rule: what it asks, what it gives, and whether it is on.

import { Button, Group } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { usePageSearch } from "../../app/search";
import { useMay, useMayNot } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { SearchFilter } from "../../parts/Filters";
import { Page } from "../../parts/Page";
import { AnalyzerAccuracy, Missed } from "./Accuracy";
import { BadgeRules } from "./BadgeRules";
import { EscalationRules } from "./EscalationRules";
import { useBadgeRules, useEscalationRules } from "./rules";

export function RuleList() {
  const { manage } = useMay();
  const [search] = usePageSearch();
  const term = (search.term ?? "").toLowerCase();
  const isSought = ({ name }: { name: string }) => name.toLowerCase().includes(term);
  const escalationRules = useEscalationRules();
  const badgeRules = useBadgeRules();
  const actions = manage && (
    <>
      <Button size="xs" variant="default" component={Link} to="/badge-rules/new">New badge rule</Button>
      <Button size="xs" component={Link} to="/escalation-rules/new">New escalation rule</Button>
    </>
  );
  return (
    <Page title="Rules" mayNot={useMayNot("manage", "create and change rules")} actions={actions}>
      <Group className="filters"><SearchFilter label="Search rules by name" /></Group>
      <Answer of={escalationRules} lines={5}>{(rules) => <EscalationRules rules={rules.filter(isSought)} />}</Answer>
      <Answer of={badgeRules} lines={5}>{(rules) => <BadgeRules rules={rules.filter(isSought)} />}</Answer>
      {!term && <Missed />}
      {!term && <AnalyzerAccuracy />}
    </Page>
  );
}
