// Reviews: what somebody, or something, has written about the analysis.

import { Group, Stack, Text } from "@mantine/core";
import { $api, type Schemas } from "../../api";
import { Answer, Empty } from "../../parts/Answer";
import { StatusChip } from "../../parts/Chip";
import { Time } from "../../parts/Time";

/** How often a review that is being written is asked for. */
const POLL_MS = 1_500;

export function Reviews({ id }: { id: string }) {
  const reviews = $api.useQuery("get", "/api/identities/{id}/reviews", { params: { path: { id } } }, {
    refetchInterval: ({ state }) => (state.data?.some(({ status }) => status === "PENDING") ? POLL_MS : false),
  });
  return (
    <Answer of={reviews} lines={5}>
      {(found) => (found.length === 0 ? <NoReviews /> : <Stack gap="md">{found.map((review) => <Review key={review.id} review={review} />)}</Stack>)}
    </Answer>
  );
}

function NoReviews() {
  return (
    <div className="panel">
      <Empty title="No review yet">
        A review explains in words what drives each score and what would change it. Request one above, and say what the analysis
        seems to get wrong.
      </Empty>
    </div>
  );
}

function Review({ review }: { review: Schemas["ReviewBody"] }) {
  const { status, reviewer, userFeedback, summary, errorMessage, createdAt } = review;
  return (
    <article className="panel">
      <Stack gap="xs" p="md">
        <Group gap="xs">
          <StatusChip status={status} />
          <Text fz="sm" c="dimmed">requested <Time at={createdAt} />{reviewer && `, written by ${reviewer}`}</Text>
        </Group>
        {userFeedback && <Text fz="sm" c="dimmed" className="break">Context: “{userFeedback}”</Text>}
        {status === "PENDING" && <Text fz="sm">In progress…</Text>}
        {summary && <Text className="break" style={{ whiteSpace: "pre-wrap" }} maw={860} lh={1.6}>{summary}</Text>}
        {errorMessage && <Text c="red" className="break">{errorMessage}</Text>}
      </Stack>
    </article>
  );
}
