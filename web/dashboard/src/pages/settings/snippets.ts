// What one copies to send events.

/** For every page of a site. */
export function pageSnippet(publicKey: string): string {
  return `<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }</script>
<script async src="${location.origin}/dregs.js"></script>
<script>
  dregs('init', { key: '${publicKey}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })   // once you know who it is
  dregs('track', 'purchase', { total: 12 })
</script>`;
}

/** For a backend; the secret key stays in its environment. */
export function eventCommand(secretKey: string | undefined): string {
  return `export DREGS_SECRET_KEY=${secretKey ?? "sk_…"}
curl ${location.origin}/api/events \\
  -H "Authorization: Bearer $DREGS_SECRET_KEY" -H 'Content-Type: application/json' \\
  -d '{"type": "user.signup", "identity": {"id": "user_1", "data": {"email": "ada@example.com"}}}'`;
}
