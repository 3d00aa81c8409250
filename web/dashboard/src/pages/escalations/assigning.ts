// Who works on an escalation: whoever takes what somebody has meanwhile taken is told so first.

import { api, asApiError, queries, refresh, tell, tellError } from "../../api";
import { offer } from "../../parts/offer";
import { escalationQuery, type Escalation, type QueueQuery } from "./escalations";

/** Assigns an escalation to a member, by the e-mail address, to `ME`, or to nobody. */
export async function assign({ id }: Escalation, assignee: string | null, force = false): Promise<void> {
  const { data, error } = await api.POST("/api/escalations/{id}/actions/assign", { params: { path: { id } }, body: { assignee, force } });
  if (data) keep(data);
  await refresh("/api/escalations");
  if (data) return;
  if (asApiError(error)?.code !== "escalation_assigned") throw error;
  const message = asApiError(error)?.message.split(" Use `force`")[0] ?? "";
  offer(message, assignee === null ? "Unassign anyway" : "Reassign", () => assign({ id } as Escalation, assignee, true));
}

/** Takes the next of the queue that is open and that nobody works on; none where there is no other. */
export async function takeNext({ severity, rule, identity, outcome, overdue, shares }: QueueQuery): Promise<Escalation | undefined> {
  const asked = { ...(severity && { severity }), ...(rule && { rule }), ...(identity && { identity }), ...(outcome && { outcome }), ...(overdue && { overdue }), ...(shares && { shares }) };
  const { data, error } = await api.POST("/api/escalations/actions/take-next", { body: asked });
  if (!data) return void tellError(error);
  const { escalation } = data;
  if (!escalation) return void tell("Nothing to take: no open escalation here is unassigned.");
  keep(escalation);
  void refresh("/api/escalations");
  return escalation;
}

/** Shows it at once, wherever it is in the list. */
function keep(escalation: Escalation): void {
  queries.setQueryData(escalationQuery(escalation.id).queryKey, escalation);
}
