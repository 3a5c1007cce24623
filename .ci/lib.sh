# Shared by the scripts of this folder; sourced, not run.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# A make above us would hand its own flags and job slots to the ones we start.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }

# May we become root?  Without a person at the terminal only if no password is asked.
can_be_root() {
	is_root && return
	command -v sudo >/dev/null || return 1
	sudo -n true 2>/dev/null || { [ -t 0 ] && [ -z "${CI:-}" ]; }
}

as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

is_debian() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# The PostgreSQL that this system's own "postgresql" package stands for.
distribution_major() {
	local major
	major=$(apt-cache show postgresql 2>/dev/null |
		sed -n 's/^Depends:.*\bpostgresql-\([0-9][0-9]*\)\b.*/\1/p' | head -n 1)
	printf '%s\n' "${major:-15}"
}

# Sets PG_CONFIG (absolute where it can) and PG_MAJOR.  A PG_CONFIG that was given is
# taken at its word, even before it is installed.
find_postgres() {
	local found
	found=$(command -v "${PG_CONFIG:-pg_config}" 2>/dev/null) || found=
	if [ -n "$found" ] && { [ -n "${PG_CONFIG:-}" ] || [ -e "$("$found" --pgxs 2>/dev/null)" ]; }; then
		PG_MAJOR=$("$found" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
		# Debian's /usr/bin/pg_config is a wrapper: pin what it stands for now
		if [ -x "$("$found" --bindir)/pg_config" ]; then
			PG_CONFIG=$("$found" --bindir)/pg_config
		else
			PG_CONFIG=$found
		fi
	elif [ -n "${PG_CONFIG:-}" ]; then
		PG_MAJOR=$(sed -n 's,.*/postgresql/\([0-9]*\)/bin/pg_config$,\1,p' <<<"$PG_CONFIG")
		[ -n "$PG_MAJOR" ] || die "PG_CONFIG=$PG_CONFIG does not exist, and its name tells no version"
	else
		PG_MAJOR=$(distribution_major)
		PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
	fi
	export PG_CONFIG PG_MAJOR
}

# A python3 with numpy; Debian's own may hide behind another one in PATH.
find_numpy() {
	local python
	for python in python3 /usr/bin/python3; do
		"$python" -c 'import numpy' 2>/dev/null && { printf '%s\n' "$python"; return; }
	done
	return 1
}

build() {
	say "building for $("$PG_CONFIG" --version)"
	make -s -C "$top" -j"$(nproc)" PG_CONFIG="$PG_CONFIG"
}

# Everything up to an installed extension: ready LEVEL (see prepare)
ready() {
	"$top/.ci/prepare" "$1" || exit 1
	find_postgres
	build || die "the build failed"
	"$top/.ci/install" || die "the installation failed"
}
