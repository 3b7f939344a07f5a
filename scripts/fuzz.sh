#!/usr/bin/env bash
# Run every fuzz target of the module, one after the other, FUZZTIME each
# (default 60s):
#
#     FUZZTIME=10s scripts/fuzz.sh [PATTERN]
#
# PATTERN is a regular expression over `package Target`. A finding stops that
# target, is kept by go under testdata/fuzz, and makes the run fail.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

pattern=${1:-.}
passed=0 failed=0
while read -r file target; do
	package=./$(dirname "$file")
	[[ "$package $target" =~ $pattern ]] || continue
	say "$package $target for ${FUZZTIME:-60s}"
	if go test -run='^$' -fuzz="^$target\$" -fuzztime="${FUZZTIME:-60s}" "$package" </dev/null; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done < <(git ls-files --cached --others --exclude-standard '*_test.go' |
	xargs -r grep -HoE '^func Fuzz[A-Za-z0-9_]+\(' | sed 's/:func / /; s/($//' | sort)

[ $((passed + failed)) -gt 0 ] || die "no fuzz target matches $pattern"
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
