#!/usr/bin/env bash
# Build a development tool of the tools module into .cache/bin and print its
# path:
#
#     scripts/tools.sh golangci-lint
#
# It is built again only when the tools module changed; the first build takes
# minutes, the next ones come from the build cache.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

case ${1:-} in
golangci-lint) package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint ;;
govulncheck) package=golang.org/x/vuln/cmd/govulncheck ;;
*) die "usage: tools.sh golangci-lint|govulncheck" ;;
esac
binary=$root/.cache/bin/$1
if [ ! -x "$binary" ] || [ "$root/tools/go.sum" -nt "$binary" ] || [ "$root/tools/go.mod" -nt "$binary" ]; then
	echo "building $1 (minutes when cold)" >&2
	(cd "$root/tools" && go build -o "$binary" "$package") >&2
fi
echo "$binary"
