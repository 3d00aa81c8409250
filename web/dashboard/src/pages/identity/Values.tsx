// Names and values whose names nobody has chosen here: attributes, and the numbers behind an observation.

import classes from "./Identity.module.css";

/** Text as it is, anything else as JSON. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function Values({ label, values }: { label: string; values: Record<string, unknown> }) {
  return (
    <table className={classes.values} aria-label={label}>
      <tbody>
        {Object.entries(values).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{shown(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
