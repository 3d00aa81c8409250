#!/usr/bin/env bash
# Kills the server and cuts its power again and again, for HOURS (2), each round from new seeds, and says how often and
# what was lost. A test that fails prints its seed; DREGS_TEST_SEED repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."
hours=${HOURS:-2}
log=target/chaos.log
scripts/postgres.sh start >/dev/null
cargo nextest run --locked -p dregs-server --no-run
end=$(($(date +%s) + $(python3 -c "print(int($hours * 3600))")))
rounds=0
failed=0
: >"$log"
while [ "$(date +%s)" -lt "$end" ]; do
  rounds=$((rounds + 1))
  cargo nextest run --locked -p dregs-server --no-fail-fast --success-output final -E 'test(flow::kill::)' \
    >target/chaos-round.log 2>&1 || failed=$((failed + 1))
  grep -hE 'DREGS_TEST_SEED=|events, .* identities|after [0-9]+ cuts|^ +(FAIL|TIMEOUT)|waited in vain|assertion' \
    target/chaos-round.log | cut -c1-300 >>"$log" || true
done
echo "$rounds rounds in $hours h, $failed of them with a failure"
echo "$((rounds * 240)) power cuts on SQLite, $((rounds * 50)) kills on SQLite and $((rounds * 15)) on PostgreSQL"
echo "what they printed: $log"
[ "$failed" -eq 0 ]
