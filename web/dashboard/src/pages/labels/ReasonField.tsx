import { Autocomplete, type AutocompleteProps } from "@mantine/core";
import { $api } from "../../api";
import { REASON_MAX_CHARS } from "../identity/Dismiss";
import type { Outcome } from "./words";

/** The team, with the reasons that it offers. */
export const useReasons = () => $api.useQuery("get", "/api/team");

/** Why: one of those that the team offers for this outcome, or in one's own words. */
export function ReasonField({ outcome, ...props }: Omit<AutocompleteProps, "data"> & { outcome: Outcome | undefined }) {
  const { data: team } = useReasons();
  const reasons = { GOOD: team?.labelReasons.good, BAD: team?.labelReasons.bad };
  return <Autocomplete label="Reason" data={outcome ? [...new Set(reasons[outcome])] : []} maxLength={REASON_MAX_CHARS} openOnFocus={false} {...props} />;
}
