export function AuditLog() {
  return <p>AuditLog</p>;
}
