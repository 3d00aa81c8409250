// Until when escalations are to be closed, by severity. The team's own promise: nothing is due until it says so.

import { Button, Group, NumberInput, SimpleGrid, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { $api, refresh, tell, type Schemas } from "../../api";
import { Answer, Failure } from "../../parts/Answer";
import { Panel } from "../../parts/Page";

type Minutes = Schemas["DueMinutesBody"];
type Severity = keyof Minutes;

const SEVERITIES: [Severity, string][] = [["critical", "Critical"], ["warning", "Warning"], ["info", "Info"]];
/** A year, as the server has it. */
const MINUTES_MAX = 366 * 24 * 60;
const UNITS: [string, number][] = [["day", 24 * 60], ["hour", 60], ["minute", 1]];

export function DueTimes() {
  const team = $api.useQuery("get", "/api/team");
  return (
    <Panel title="Due times" note="Minutes from when an escalation opens until it is to be closed; empty where nothing is due. A change holds at once for those that are open.">
      <Answer of={team} lines={3}>{({ dueMinutes }) => <Times key={JSON.stringify(dueMinutes)} {...dueMinutes} />}</Answer>
    </Panel>
  );
}

function Times(minutes: Minutes) {
  const initialValues = Object.fromEntries(SEVERITIES.map(([severity]) => [severity, minutes[severity] ?? ""])) as Record<Severity, number | "">;
  const form = useForm({ initialValues });
  const change = $api.useMutation("patch", "/api/team", {
    onError: () => {},
    onSuccess: async () => {
      tell("Due times saved.");
      await refresh("/api/team", "/api/escalations", "/api/dashboard");
    },
  });
  const submit = form.onSubmit((values) => {
    const given = (severity: Severity) => (values[severity] === "" ? null : Number(values[severity]));
    change.mutate({ body: { dueMinutes: { critical: given("critical"), warning: given("warning"), info: given("info") } } });
  });
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm" maw={640}>
          {SEVERITIES.map(([severity, label]) => (
            <NumberInput
              key={severity}
              label={label}
              suffix=" min"
              placeholder="Never due"
              min={1}
              max={MINUTES_MAX}
              allowDecimal={false}
              description={inWords(form.values[severity])}
              inputWrapperOrder={["label", "input", "description", "error"]}
              {...form.getInputProps(severity)}
            />
          ))}
        </SimpleGrid>
        {change.error && <Failure error={change.error} />}
        <Group><Button type="submit" variant="default" disabled={!form.isDirty()} loading={change.isPending}>Save</Button></Group>
      </Stack>
    </form>
  );
}

/** "1 day 2 hours" of 1560. */
function inWords(minutes: number | string): string {
  let rest = Number(minutes);
  if (!rest) return "Never due";
  const parts = UNITS.flatMap(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count > 0 ? [`${count} ${unit}${count === 1 ? "" : "s"}`] : [];
  });
  return parts.join(" ");
}
