# shellcheck shell=bash
# What the scripts of this folder share. Source it; it sets the folder of the
# repository in $root and does nothing else by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export root

# say prints one line of progress.
say() {
	printf '\n==> %s\n' "$*"
}

# die prints why and stops.
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# as_root runs a command with the rights to change the system.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo -n "$@" || die "this needs root: $* (sudo asks for a password; run it by hand once)"
	else
		die "this needs root, and there is no sudo: $*"
	fi
}

# install_packages installs Debian packages by name. The package lists are
# fetched only when the first try fails, so a machine that has them stays fast.
install_packages() {
	command -v apt-get >/dev/null 2>&1 || die "missing: $*. Install it with your system's package manager."
	say "installing $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null 2>&1 && return
	as_root apt-get update -qq </dev/null
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

# need makes sure that a command exists: need COMMAND PACKAGE.
need() {
	command -v "$1" >/dev/null 2>&1 && return
	install_packages "$2"
	command -v "$1" >/dev/null 2>&1 || die "$1 is still missing after installing $2"
}

# free_port prints a loopback port that nothing listens on right now.
free_port() {
	local port
	for _ in $(seq 50); do
		port=$((20000 + RANDOM % 30000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
	die "no free port found"
}

# answers waits, half a minute at most, until an address answers with success.
answers() {
	for _ in $(seq 150); do
		curl -fsS -o /dev/null --max-time 1 "$1" 2>/dev/null && return
		sleep 0.2
	done
	return 1
}

# tally_playwright prints `passed failed skipped` of a report of Playwright's.
tally_playwright() {
	node -e '
		const { expected = 0, unexpected = 0, skipped = 0, flaky = 0 } = require(require("node:path").resolve(process.argv[1])).stats;
		console.log(expected, unexpected + flaky, skipped);
	' "$1"
}
