#!/usr/bin/env bash
# Format every Go file the way lint wants it: gofumpt, imports in three groups.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

golangci=$(scripts/tools.sh golangci-lint)
"$golangci" fmt ./...
for module in test/sdk/go test/judge test/sso; do
	(cd "$module" && "$golangci" fmt --config "$root/.golangci.yml" ./...)
done
