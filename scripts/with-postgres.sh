#!/usr/bin/env bash
# Run a command beside a private PostgreSQL server:
#
#     scripts/with-postgres.sh go test ./...
#
# The server lives in a temporary folder, listens on a unix socket there and on
# nothing else, and is gone when the command ends. The command finds it in
# TOLLGATE_TEST_PG. When that variable is set already, the command simply runs.
# PostgreSQL is installed if it is missing; it never runs as root.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || die "usage: with-postgres.sh COMMAND [ARGUMENT…]"
if [ -n "${TOLLGATE_TEST_PG:-}" ]; then
	exec "$@"
fi

# binaries prints the folder of the newest server installed.
binaries() {
	local dir
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -Vr); do
		if [ -x "$dir/initdb" ]; then
			echo "$dir"
			return
		fi
	done
	if command -v initdb >/dev/null 2>&1; then
		dirname "$(command -v initdb)"
	fi
}

bin=$(binaries)
if [ -z "$bin" ]; then
	# A private server is all that is wanted: keep the package from making one of its own.
	if [ -d /etc ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		as_root mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
	fi
	install_packages postgresql
	bin=$(binaries)
	[ -n "$bin" ] || die "no PostgreSQL server under /usr/lib/postgresql after installing it"
fi

# The folder name is short: a unix socket's path has room for about 100 bytes.
dir=$(mktemp -d /tmp/tollgate-pg.XXXXXX)
unprivileged=()
if [ "$(id -u)" = 0 ]; then
	owner=postgres
	id "$owner" >/dev/null 2>&1 || owner=nobody
	chown "$owner" "$dir"
	unprivileged=(runuser -u "$owner" --)
fi

# inside runs a server binary in that folder, as the user who may.
inside() {
	(cd "$dir" && "${unprivileged[@]}" "$bin/$1" "${@:2}")
}

# cleanup is called by the traps below.
cleanup() {
	local status=$?
	trap - EXIT INT TERM
	inside pg_ctl -D "$dir/data" -m immediate -s stop >/dev/null 2>&1 || true
	rm -rf "$dir"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

inside initdb -D "$dir/data" -U tollgate --auth=trust --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 ||
	die "initdb failed: $(tail -n 5 "$dir/initdb.log")"
# Durability is off: the data lives as long as the tests.
inside pg_ctl -D "$dir/data" -l "$dir/data/server.log" -w -t 60 -s start -o "-c listen_addresses='' -c unix_socket_directories='$dir' \
	-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c max_wal_size=2GB" ||
	die "the server did not start: $(tail -n 5 "$dir/data/server.log" 2>/dev/null)"

export TOLLGATE_TEST_PG="postgres:///postgres?host=$dir&user=tollgate&sslmode=disable"
"$@"
