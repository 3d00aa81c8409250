// Labels an identity from its page.

import { Button, Menu } from "@mantine/core";
import { IconTag, IconThumbDown, IconThumbUp } from "@tabler/icons-react";
import { useState } from "react";
import type { Schemas } from "../../api";
import { useShownAnalysis } from "../identity/analysis";
import { LabelIdentity } from "./LabelIdentity";
import type { Outcome } from "./words";

export function LabelMenu({ identity }: { identity: Schemas["IdentityBody"] }) {
  const [outcome, ask] = useState<Outcome>();
  const analysis = useShownAnalysis(identity);
  // What is labelled is what was looked at.
  const isLoading = !analysis.data && !analysis.error && Boolean(identity.lastScoredAt);
  return (
    <>
      <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconTag size={14} />} disabled={isLoading}>Label</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconThumbUp size={16} />} onClick={() => ask("GOOD")}>Flagged wrongly: label as good…</Menu.Item>
          <Menu.Item leftSection={<IconThumbDown size={16} />} onClick={() => ask("BAD")}>Label as bad…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <LabelIdentity identity={identity} outcome={outcome} analysis={analysis.data} close={() => ask(undefined)} />
    </>
  );
}
