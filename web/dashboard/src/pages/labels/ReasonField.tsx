import { Autocomplete, type AutocompleteProps } from "@mantine/core";
import { REASON_MAX_CHARS } from "../identity/Dismiss";
import { REASONS, type Outcome } from "./words";

/** Why: one of those that are offered for this outcome, or in one's own words. */
export function ReasonField({ outcome, ...props }: Omit<AutocompleteProps, "data"> & { outcome: Outcome | undefined }) {
  return <Autocomplete label="Reason" data={outcome ? REASONS[outcome] : []} maxLength={REASON_MAX_CHARS} openOnFocus={false} {...props} />;
}
