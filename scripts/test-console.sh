#!/usr/bin/env bash
# The console in Debian's Chromium against the real binary: builds the binary,
# starts it with --demo on a free port and an empty data folder, runs
# console/tests, stops it.
#
#     scripts/test-console.sh [TALLY]
#     scripts/test-console.sh screenshots [ARGS]   every page, into console/shots; ARGS go to Playwright
#     scripts/test-console.sh report               how fast and sound the first pages are, printed
#
# TALLY is a file to which `passed failed skipped` is appended.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

need curl curl
need chromium chromium
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || install_packages fonts-noto-cjk

dir=$(mktemp -d)
gateway=
cleanup() {
	local status=$?
	trap - EXIT
	if [ -n "$gateway" ]; then
		kill "$gateway" 2>/dev/null || true
		wait "$gateway" 2>/dev/null || true
	fi
	rm -rf "$dir"
	exit "$status"
}
trap cleanup EXIT

port=$(free_port)
go build -o "$dir/tollgate" ./cmd/tollgate
TOLLGATE_PASSWORD=console-suite-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
TOLLGATE_URL=http://127.0.0.1:$port
TOLLGATE_BINARY=$dir/tollgate # for tests with a gateway of their own
export TOLLGATE_BINARY TOLLGATE_PASSWORD TOLLGATE_URL
mkdir "$dir/sync"
printf '[server]\nsync_folder = "%s"\nkeep_alive = "14s"\n' "$dir/sync" >"$dir/tollgate.toml"
# Nothing of this environment, and no tollgate.toml of this folder, may change what is tested.
(cd "$dir" && exec env -i PATH="$PATH" HOME="$dir" TOLLGATE_PORT="$port" TOLLGATE_DATA_DIR="$dir/data" \
	TOLLGATE_ADMIN_PASSWORD="$TOLLGATE_PASSWORD" "$dir/tollgate" --demo) >"$dir/log" 2>&1 </dev/null &
gateway=$!
for _ in $(seq 150); do
	curl -fsS -o /dev/null --max-time 1 "$TOLLGATE_URL/healthz" 2>/dev/null && break
	kill -0 "$gateway" 2>/dev/null || { cat "$dir/log" >&2; die "the gateway stopped before it answered"; }
	sleep 0.2
done

scripts/console.sh install
cd console
if [ "${1:-}" = screenshots ]; then
	npx playwright test --config tests/screenshots.config.ts "${@:2}"
	exit
fi
if [ "${1:-}" = report ]; then
	npm ci --prefix report --loglevel=error --no-fund --no-audit --ignore-scripts </dev/null
	node report/report.mjs
	node report/rows.mjs
	exit
fi
status=0
npx playwright test || status=$?
tally_playwright test-results/report.json >>"${1:-/dev/stdout}"
exit "$status"
