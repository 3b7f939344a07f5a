#!/usr/bin/env bash
# Every check of the sources that is no test: formatting, go vet, golangci-lint
# and shellcheck. Changes nothing (scripts/fmt.sh does).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

failed=0
say "gofmt"
unformatted=$(git ls-files '*.go' | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
	echo "$unformatted"
	failed=1
fi

golangci=$(scripts/tools.sh golangci-lint)
say "golangci-lint"
"$golangci" run --allow-serial-runners ./... || failed=1
for module in test/sdk/go test/judge test/sso; do
	say "golangci-lint in $module"
	# Exclusions for folders of the main module match nothing here, which it remarks.
	(cd "$module" && "$golangci" run --allow-serial-runners --config "$root/.golangci.yml" ./... 2> >(grep -v exclusion_rules >&2)) || failed=1
done

say "shellcheck"
need shellcheck shellcheck
git ls-files '*.sh' .ci/run | xargs -r shellcheck || failed=1

[ "$failed" = 0 ] && echo "lint: clean"
exit "$failed"
