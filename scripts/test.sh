#!/usr/bin/env bash
# Every test of the project, the servers and SDKs that they need included:
#
#     scripts/test.sh          reduced rounds (make test)
#     scripts/test.sh long     full rounds (make test-long)
#
# Installs what is missing. A server that cannot be had is a failure, and so is
# a skipped test. Ends with one line, `N passed, N failed`.
#
#   RACE=off         leave the race detector out
#   TOLLGATE_TEST_PG a PostgreSQL server to use instead of a private one
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

mode=${1:-short}
case $mode in
short) ;;
long) export TOLLGATE_TEST_LONG=1 ;;
*) die "usage: test.sh [long]" ;;
esac
export TOLLGATE_TEST_ALL=1

started=$SECONDS
tally=$(mktemp)
trap 'rm -f "$tally"' EXIT
failed=0

# step runs one part of the suite and goes on when it fails, so that one run shows all.
step() {
	local name=$1 begun=$SECONDS
	shift
	say "$name"
	if "$@"; then
		echo "    $name: done in $((SECONDS - begun)) s"
	else
		echo "    $name: FAILED after $((SECONDS - begun)) s" >&2
		failed=1
	fi
}

# go_tests runs the module's own tests beside PostgreSQL.
go_tests() {
	local flags=(-json -shuffle=on -timeout=40m)
	if [ "${RACE:-on}" = on ]; then
		need gcc gcc
		export CGO_ENABLED=1
		flags+=(-race)
	fi
	need curl curl # the line that the demo prints is run as it stands
	scripts/with-postgres.sh go test "${flags[@]}" ./... | "$testsum" -strict -tally "$tally"
}

# judges holds what is written against the vendors' descriptions.
judges() {
	(cd test/judge && go vet ./... && go test -json -shuffle=on ./...) | "$testsum" -strict -tally "$tally"
}

testsum=$root/.cache/bin/testsum
go build -o "$testsum" ./scripts/testsum

step "go vet" go vet ./...
step "Go tests" go_tests
step "Vendors' descriptions" judges
step "Real sign-in providers" scripts/test-sso.sh "$tally"
step "SDK suites" scripts/test-sdk.sh "$tally"
step "Console" scripts/test-console.sh "$tally"

awk -v s="$((SECONDS - started))" -v failed="$failed" '
	{ pass += $1; fail += $2; skip += $3 }
	END {
		if (failed && !fail) fail = 1
		printf "\nall of it took %d min %d s\n", s / 60, s % 60
		line = sprintf("%d passed, %d failed", pass, fail)
		if (skip) line = line sprintf(", %d skipped", skip)
		print line
	}' "$tally"
exit "$failed"
