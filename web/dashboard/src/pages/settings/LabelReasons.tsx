// The reasons that are offered when somebody labels an identity: the team's own short list.

import { Button, Group, SimpleGrid, Stack, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, refresh, tell, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { Panel } from "../../parts/Page";

export function LabelReasons() {
  const team = $api.useQuery("get", "/api/team");
  return (
    <Panel title="Reasons for labels" note="Offered to whoever labels an identity; any other can be typed. One a line, 20 at most of each.">
      <Answer of={team} lines={4}>{({ labelReasons }) => <Reasons key={JSON.stringify(labelReasons)} {...labelReasons} />}</Answer>
    </Panel>
  );
}

function Reasons({ good, bad }: Schemas["LabelReasonsBody"]) {
  const form = useForm({ initialValues: { good: good.join("\n"), bad: bad.join("\n") } });
  const change = $api.useMutation("patch", "/api/team", {
    onError: () => {},
    onSuccess: async () => {
      tell("Reasons saved.");
      await refresh("/api/team");
    },
  });
  const submit = form.onSubmit(({ good, bad }) => change.mutate({ body: { labelReasons: { good: lines(good), bad: lines(bad) } } }));
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          <Textarea label="Good" autosize minRows={4} maxRows={20} {...form.getInputProps("good")} />
          <Textarea label="Bad" autosize minRows={4} maxRows={20} {...form.getInputProps("bad")} />
        </SimpleGrid>
        {change.error && <Failure error={change.error} />}
        <Group><Button type="submit" variant="default" disabled={!form.isDirty()} loading={change.isPending}>Save</Button></Group>
      </Stack>
    </form>
  );
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}
