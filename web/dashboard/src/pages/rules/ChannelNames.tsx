// The channels that a rule names.

import { Text } from "@mantine/core";
import { $api } from "../../api";

/** By their slugs, those that are gone marked; or that there are none. */
export function ChannelNames({ slugs }: { slugs: string[] }) {
  const { data } = $api.useQuery("get", "/api/channels");
  if (slugs.length === 0) return <Text span c="dimmed" inherit>none</Text>;
  const isGone = (slug: string) => data?.every((channel) => channel.slug !== slug) ?? false;
  return slugs.map((slug, place) => (
    <Text key={slug} span inherit c={isGone(slug) ? "red" : undefined}>
      {place > 0 && ", "}{slug}{isGone(slug) && " (deleted)"}
    </Text>
  ));
}
