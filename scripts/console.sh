#!/usr/bin/env bash
# The web console's sources in console/ and its build in internal/console/dist.
#
#     scripts/console.sh install   what package-lock.json says, when it changed
#     scripts/console.sh build     types from openapi.json, check, build
#     scripts/console.sh check     lint; fails when types or build are not those of the sources
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root/console"
command -v npm >/dev/null 2>&1 || die "the console needs Node 20.19 or newer with npm"

# install runs no script of any package.
install() {
	if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
		npm ci --loglevel=error --no-fund --no-audit --ignore-scripts </dev/null
		touch node_modules/.package-lock.json
	fi
}

build() {
	install
	npm run --silent schema
	npm run --silent build
}

check() {
	rm -rf node_modules
	build
	npm run --silent lint
	if [ -n "$(git status --porcelain -- src/api/schema.d.ts ../internal/console/dist)" ]; then
		git status --short -- src/api/schema.d.ts ../internal/console/dist
		die "the console's build is not that of its sources: run make console and commit the result"
	fi
}

case ${1:-} in
install | build | check) "$1" ;;
*) die "usage: console.sh install|build|check" ;;
esac
