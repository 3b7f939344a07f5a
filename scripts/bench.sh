#!/usr/bin/env bash
# Speed: the gateway against nginx, then the micro-benchmarks of the hot steps.
#
#     scripts/bench.sh [FLAG…]     flags of `go run ./bench`, e.g. -json
#
# Everything is on loopback and ends by itself. nginx is installed if it is
# missing. Other work on the machine disturbs the figures; the ratios least.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

[ -x /usr/sbin/nginx ] || need nginx nginx-light
go run ./bench "$@"

[[ " $* " != *" -json "* ]] || exit 0
say "micro-benchmarks of the hot steps"
git ls-files --cached --others --exclude-standard '*_test.go' | xargs -r grep -lE '^func Benchmark' | xargs -rn1 dirname | sort -u |
	sed 's,^,./,' | xargs -r go test -run='^$' -bench=. -benchmem -benchtime=200ms | grep -vE '^(PASS|goos|goarch|cpu)'
