#!/usr/bin/env bash
# The official SDKs through a running gateway: builds the binary, starts it
# with --demo and test/sdk/tollgate.toml on a free port and an empty data
# folder, runs test/sdk/go and test/sdk/js against it, stops it.
#
#     scripts/test-sdk.sh [TALLY]
#
# TALLY is a file to which `passed failed skipped` is appended, a line a suite.
# With TOLLGATE_URL and TOLLGATE_KEY set, a gateway that runs already is used.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

tally=${1:-$(mktemp)}
need curl curl
command -v npm >/dev/null 2>&1 || die "the JavaScript suite needs Node 20 or newer with npm"

dir=$(mktemp -d)
gateway=
cleanup() {
	local status=$?
	trap - EXIT
	if [ -n "$gateway" ]; then
		kill "$gateway" 2>/dev/null || true
		wait "$gateway" 2>/dev/null || true
	fi
	if [ "$status" != 0 ] && [ -s "$dir/log" ]; then
		echo "--- the gateway's last lines" >&2
		tail -n 40 "$dir/log" >&2
	fi
	rm -rf "$dir"
	exit "$status"
}
trap cleanup EXIT

# start_gateway runs the binary and returns when it answers.
start_gateway() {
	local port
	port=$(free_port)
	go build -o "$dir/tollgate" ./cmd/tollgate
	TOLLGATE_KEY=sk-sdk-suite-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	TOLLGATE_URL=http://127.0.0.1:$port
	export TOLLGATE_KEY TOLLGATE_URL
	cp test/sdk/tollgate.toml "$dir/"
	# Nothing of this environment, and no tollgate.toml of this folder, may change what is tested.
	(cd "$dir" && exec env -i PATH="$PATH" HOME="$dir" \
		TOLLGATE_PORT="$port" TOLLGATE_DATA_DIR="$dir/data" TOLLGATE_ADMIN_API_KEY="$TOLLGATE_KEY" \
		"$dir/tollgate" --demo) >"$dir/log" 2>&1 </dev/null &
	gateway=$!
	for _ in $(seq 150); do
		curl -fsS -o /dev/null --max-time 1 "$TOLLGATE_URL/healthz" 2>/dev/null && return
		kill -0 "$gateway" 2>/dev/null || die "the gateway stopped before it answered"
		sleep 0.2
	done
	die "the gateway did not answer on $TOLLGATE_URL/healthz within 30 s"
}

# go_suite runs the Go SDKs; the cold build of the three takes minutes.
go_suite() {
	(cd test/sdk/go && go vet ./... && go test -json -count=1 -shuffle=on ./...) | "$testsum" -strict -tally "$tally"
}

# js_suite runs the JavaScript SDKs and takes the counts from node's own report.
js_suite() {
	local tap=$dir/tap status=0 passed failing skipped
	if [ ! -e test/sdk/js/node_modules/.package-lock.json ] ||
		[ test/sdk/js/package-lock.json -nt test/sdk/js/node_modules/.package-lock.json ]; then
		npm --prefix test/sdk/js ci --loglevel=error --no-fund --no-audit --ignore-scripts </dev/null
	fi
	(cd test/sdk/js && node --test --test-reporter=spec --test-reporter-destination=stdout \
		--test-reporter=tap --test-reporter-destination="$tap") || status=$?
	count() { sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$tap" | tail -n 1; }
	passed=$(count pass) failing=$(count fail) skipped=$(count skipped)
	echo "${passed:-0} ${failing:-1} ${skipped:-0}" >>"$tally"
	[ "$status" = 0 ] && [ "${passed:-0}" -gt 0 ] && [ "${skipped:-0}" = 0 ]
}

testsum=$root/.cache/bin/testsum
go build -o "$testsum" ./scripts/testsum
if [ -z "${TOLLGATE_URL:-}" ]; then
	start_gateway
elif [ -z "${TOLLGATE_KEY:-}" ]; then
	die "TOLLGATE_URL is set, TOLLGATE_KEY is not"
fi
failed=0
say "Go SDKs through $TOLLGATE_URL (a cold build of them takes minutes)"
go_suite || failed=1
say "JavaScript SDKs through $TOLLGATE_URL"
js_suite || failed=1
exit "$failed"
