#!/usr/bin/env bash
# Sign-in to the real binary through real OpenID providers and their own login
# pages: Dex, built from its module, and the npm package oidc-provider. First
# without scripts, then as people do it: in Debian's Chromium, from the
# console's sign-in page and back, and through the GitHub look-alike too.
#
#     scripts/test-sso.sh [TALLY]
#
# TALLY is a file to which `passed failed skipped` is appended.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

tally=${1:-$(mktemp)}
command -v npm >/dev/null 2>&1 || die "the sign-in suite needs Node 20 or newer with npm"
need curl curl
need chromium chromium
testsum=$root/.cache/bin/testsum
go build -o "$testsum" ./scripts/testsum
if [ ! -e test/sso/js/node_modules/.package-lock.json ] ||
	[ test/sso/js/package-lock.json -nt test/sso/js/node_modules/.package-lock.json ]; then
	npm --prefix test/sso/js ci --loglevel=error --no-fund --no-audit --ignore-scripts </dev/null
fi
failed=0
say "Dex and oidc-provider (a cold build of Dex takes minutes)"
(cd test/sso && go vet ./... && go test -json -count=1 -shuffle=on -timeout 10m ./...) | "$testsum" -strict -tally "$tally" || failed=1

say "Dex, oidc-provider and the GitHub look-alike in Chromium"
dir=$(mktemp -d)
started=()
cleanup() {
	local status=$?
	trap - EXIT
	[ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
	wait || true
	rm -rf "$dir"
	exit "$status"
}
trap cleanup EXIT

go build -o "$dir/tollgate" ./cmd/tollgate
go build -o "$dir/github" ./test/lookalike/serve
(cd test/sso && go build -o "$dir/dex" ./dex/serve)
scripts/console.sh install

# The providers are another site than the gateway, as in life: SameSite cookies tell them apart.
port=$(free_port) dex=$(free_port) npm=$(free_port) github=$(free_port)
export TOLLGATE_URL=http://127.0.0.1:$port
export DEX_URL=http://localhost:$dex NPM_URL=http://localhost:$npm GITHUB_URL=http://localhost:$github
export SSO_SECRET='a secret of the suite: 100%+1' SSO_PASSWORD='the same for everybody'
TOLLGATE_PASSWORD=sso-suite-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
export TOLLGATE_PASSWORD
people=(alice carol dora erin finn grace stranger)

"$dir/dex" "$dex" "$DEX_URL" "$TOLLGATE_URL/auth/sso/dex/callback" "$SSO_SECRET" "$SSO_PASSWORD" "${people[@]}" >"$dir/dex.log" 2>&1 &
started+=($!)
node test/sso/js/provider.js "$npm" "$TOLLGATE_URL/auth/sso/npm/callback" localhost >"$dir/npm.log" 2>&1 &
started+=($!)
"$dir/github" "$github" "$TOLLGATE_URL/auth/sso/github/callback" tollgate "$SSO_SECRET" "$SSO_PASSWORD" >"$dir/github.log" 2>&1 &
started+=($!)
printf '[upstream]\nallow_private = ["127.0.0.1/32:%s", "127.0.0.1/32:%s", "127.0.0.1/32:%s"]\n' "$dex" "$npm" "$github" >"$dir/tollgate.toml"
(cd "$dir" && exec env -i PATH="$PATH" HOME="$dir" TOLLGATE_PORT="$port" TOLLGATE_DATA_DIR="$dir/data" \
	TOLLGATE_PUBLIC_URL="$TOLLGATE_URL" TOLLGATE_ADMIN_PASSWORD="$TOLLGATE_PASSWORD" "$dir/tollgate") >"$dir/gateway.log" 2>&1 </dev/null &
started+=($!)
for address in "$TOLLGATE_URL/healthz" "$DEX_URL/dex/.well-known/openid-configuration" \
	"$NPM_URL/.well-known/openid-configuration" "$GITHUB_URL/api/v3/meta"; do
	answers "$address" || { cat "$dir"/*.log >&2; die "$address does not answer"; }
done

(cd console && npx playwright test --config tests/sso/playwright.config.ts) || failed=1
tally_playwright console/test-results/sso.json >>"$tally"
if grep -qF -e "$SSO_SECRET" -e "$SSO_PASSWORD" -e "$TOLLGATE_PASSWORD" -e gho_ -e eyJ -e code= "$dir/gateway.log"; then
	echo "the gateway's log holds a secret" >&2
	failed=1
fi
[ "$failed" = 0 ] || tail -n 40 "$dir"/*.log >&2
exit "$failed"
