#!/usr/bin/env bash
# Kills the server, cuts its power, and has networks, databases, disks, clocks and limits fail, again and again, for HOURS (2),
# each round from new seeds, and says how often and what was lost. A test that fails prints its seed; DREGS_TEST_SEED
# repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."
hours=${HOURS:-2}
# Of each of four servers in a round: over 10,000 in two hours.
export DREGS_TEST_CUTS=${DREGS_TEST_CUTS:-350}
log=target/chaos.log
scripts/postgres.sh start >/dev/null
scripts/strace.sh
cargo nextest run --locked --workspace --no-run
end=$(($(date +%s) + $(python3 -c "print(int($hours * 3600))")))
kept='DREGS_TEST_SEED=|panicked at|were accused|out of memory|events, .* identities|after [0-9]+ cuts|^ +(FAIL|TIMEOUT)|waited in vain|assertion|are left'
kept="$kept|power cuts|faults of|ends of|failover:|a clock|a slow disk|all was done"
rounds=0
failed=0
: >"$log"
while [ "$(date +%s)" -lt "$end" ]; do
  rounds=$((rounds + 1))
  cargo nextest run --locked --workspace --no-fail-fast --success-output final -E 'test(flow::kill::)' \
    >target/chaos-round.log 2>&1 || failed=$((failed + 1))
  grep -hE "$kept" \
    target/chaos-round.log | cut -c1-300 >>"$log" || true
done
echo "$rounds rounds in $hours h, $failed of them with a failure"
echo "$((rounds * 50)) kills on SQLite and $((rounds * 15)) on PostgreSQL"
python3 - "$log" <<'END'
import collections, re, sys

kinds, numbers = collections.Counter(), collections.Counter()
for line in open(sys.argv[1]):
    for name, counts in re.findall(r"(faults of networks|ends of PostgreSQL): \{(.*?)\}", line):
        kinds.update({f"{name}: {kind}": int(count) for kind, count in re.findall(r"(\w+): (\d+)", counts)})
    for count, what in re.findall(r"(\d+) (commits without an answer|failed syncs(?: of PostgreSQL)?)", line):
        numbers[what] += int(count)
    for count, what in re.findall(r"(\d+) (power cuts .*)", line):
        numbers[what] += int(count)
    for count in re.findall(r"out of memory: ended (\d+) times", line):
        numbers["ends for want of memory"] += int(count)
    for what in ("failover", "a clock an hour ahead and behind", "a slow disk"):
        numbers[what] += f"{what}:" in line
for what, count in sorted((kinds + numbers).items()):
    print(f"{count:>8} {what}")
END
echo "what they printed: $log"
[ "$failed" -eq 0 ]
