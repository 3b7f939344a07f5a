#!/usr/bin/env bash
# Sign-in to the real binary through real OpenID providers and their own login
# pages: Dex, built from its module, and the npm package oidc-provider.
#
#     scripts/test-sso.sh [TALLY]
#
# TALLY is a file to which `passed failed skipped` is appended.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

tally=${1:-$(mktemp)}
command -v npm >/dev/null 2>&1 || die "the sign-in suite needs Node 20 or newer with npm"
testsum=$root/.cache/bin/testsum
go build -o "$testsum" ./scripts/testsum
if [ ! -e test/sso/js/node_modules/.package-lock.json ] ||
	[ test/sso/js/package-lock.json -nt test/sso/js/node_modules/.package-lock.json ]; then
	npm --prefix test/sso/js ci --loglevel=error --no-fund --no-audit --ignore-scripts </dev/null
fi
say "Dex and oidc-provider (a cold build of Dex takes minutes)"
(cd test/sso && go vet ./... && go test -json -count=1 -shuffle=on -timeout 10m ./...) | "$testsum" -strict -tally "$tally"
