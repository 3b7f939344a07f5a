#!/usr/bin/env bash
# The command line programs that people point at a gateway: installs Claude
# Code, Codex and Gemini CLI from npm into .cache/clients (over 700 MB, once),
# builds the gateway, and lets each do a task of two turns with two parallel
# tool calls on providers of every dialect. test/clients says what is checked.
#
#     scripts/clients.sh [-program claude|codex|codex-ws|gemini] [-dialect chat|responses|anthropic|gemini] [-keep] [-v]
#
# With TOLLGATE_CLIENTS set to a folder that has them in node_modules, those are
# used. npm is asked once; nothing else here leaves loopback.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

folder=${TOLLGATE_CLIENTS:-$root/.cache/clients}
programs=(node@24 @anthropic-ai/claude-code @openai/codex @google/gemini-cli)
if [ ! -x "$folder/node_modules/.bin/gemini" ]; then
	command -v npm >/dev/null 2>&1 || die "this needs Node 20 or newer with npm"
	say "installing ${programs[*]} into $folder"
	mkdir -p "$folder"
	npm --prefix "$folder" install --loglevel=error --no-fund --no-audit "${programs[@]}" </dev/null
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -o "$dir/tollgate" ./cmd/tollgate
go build -o "$dir/clients" ./test/clients
say "the programs, one after the other"
# The newest Node first: npm takes the newest release that its own Node admits.
PATH=$folder/node_modules/.bin:$PATH "$dir/clients" -gateway "$dir/tollgate" "$@"
