import { Group, Stack, Text } from "@mantine/core";
import { $api } from "../../api";
import { Answer } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Panel } from "../../parts/Page";
import { IdentityLink, PageLink } from "../../parts/PageLink";
import { Time } from "../../parts/Time";

const SHOWN = 6;

/** What waits for somebody to look at it. */
export function OpenEscalations() {
  const open = $api.useQuery("get", "/api/escalations", { params: { query: { status: "OPEN", pageSize: SHOWN } } });
  return (
    <Panel title="Open escalations" actions={<PageLink to="/escalations" fz="sm">Open the queue</PageLink>}>
      <Answer of={open} lines={SHOWN}>
        {({ content }) => content.length === 0 ? <Text c="dimmed">No open escalations. Escalation rules open them when their conditions hold.</Text> : (
          <Stack gap={6}>
            {content.map((escalation) => (
              <Group key={escalation.id} gap="sm" wrap="nowrap">
                <StatusChip status={escalation.severity} />
                <Text component="div" flex={1} miw={0} className="clip">
                  <IdentityLink id={escalation.identity.id} name={escalation.identity.label} /> · {escalation.escalationRule.label}
                </Text>
                <Text c="dimmed" fz="sm"><Time at={escalation.openedAt} /></Text>
              </Group>
            ))}
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}
