# make run     set up what is missing and serve on SQLite under ./data
# make demo    a server, receivers and a simulated population, until Ctrl-C
# make test    set up what is missing and run every test
# make ledger  count what an event costs the store, beside its budget
# make chaos   kill the server and cut its power for HOURS=2
# make check   formatting, lints, licenses
# make web     build what runs in browsers, web/*/dist
# make bench   measure, and print the figures beside what the machine gives
# make package   make the packages that are released, target/package
# make first-webhook   measure how long a first webhook takes, by each way to install
# make bench-detection   measure whom detection accuses and whom it finds

.PHONY: run demo test ledger chaos check web bench bench-detection package first-webhook

CARGO_FLAGS ?= --locked

# Loopback is open to webhooks here, so that a receiver on this machine can be tried.
run:
	cargo run $(CARGO_FLAGS) --release -p dregs-server -- serve --egress-allow 127.0.0.0/8

demo:
	cargo run $(CARGO_FLAGS) --release -p dregs-server -- demo

test:
	scripts/test.sh

ledger:
	scripts/postgres.sh start >/dev/null
	cargo nextest run $(CARGO_FLAGS) --workspace --no-capture --no-fail-fast -E 'test(ledger::)'

chaos:
	scripts/chaos.sh

check:
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	scripts/deny.sh

web:
	scripts/web.sh build

bench:
	scripts/bench.sh

package:
	scripts/package.sh
	scripts/lint-packaging.sh target/package

first-webhook: package
	scripts/first-webhook.sh

bench-detection:
	scripts/detection/packages.sh
	scripts/detection/names.py --check
	scripts/detection/domains.py --check
	scripts/detection/free_mail.py --check
	scripts/detection/people.py
	cargo run $(CARGO_FLAGS) --profile perf -p dregs-bench --bin detection -- --docs docs/detection
