# Latency by pgbench, for the measurements of this folder; sourced after lib.sh, not run.

# Server and client on one processor: between two, the time that it takes to wake the other one
# up is longer than SELECT \$1 itself, and depends on what else runs.
cpu=
pin() {
	local all pid
	command -v taskset >/dev/null || return 0
	pid=$(head -n 1 "$(sql -c 'SHOW data_directory')/postmaster.pid" 2>/dev/null) || return 0
	all=$(taskset -cp "$pid" 2>/dev/null | sed 's/.*: //') || return 0
	cpu=${all##*[,-]}
	taskset -cp "$cpu" "$pid" >/dev/null 2>&1 || { cpu=; return 0; }
	trap 'taskset -cp "'"$all"'" "'"$pid"'" >/dev/null 2>&1' EXIT
}

# turns SECONDS NAME...: the scripts of those names, taking turns; then p50 NAME and so on
turns() {
	local duration=$1 name files=() i=0
	shift
	rm -f "$work"/latency.*
	for name in "$@"; do
		files+=(-f "$work/$name.sql")
	done
	(cd "$work" && ${cpu:+taskset -c "$cpu"} pgbench -n -M prepared -c 1 -T "$duration" "${files[@]}" \
		-l --log-prefix=latency >pgbench.out 2>&1) || { cat "$work/pgbench.out"; exit 1; }
	for name in "$@"; do
		awk -v i=$i '$4 == i { print $3 }' "$work"/latency.* | sort -n >"$work/$name.times"
		i=$((i + 1))
	done
}
# rounds SECONDS NAME...: each in connections of its own, five short rounds of one after the other
rounds() {
	local duration=$1 name round
	shift
	for name in "$@"; do
		: >"$work/$name.all"
	done
	for round in 1 2 3 4 5; do
		for name in "$@"; do
			turns $((duration / 5 + 1)) "$name"
			cat "$work/$name.times" >>"$work/$name.all"
		done
	done
	for name in "$@"; do
		sort -n "$work/$name.all" >"$work/$name.times"
	done
}
p50() { median <"$work/$1.times"; }
p95() { awk '{ a[NR] = $1 } END { print a[int(NR * .95) + 1] }' "$work/$1.times"; }
table() {
	local name
	for name in "$@"; do
		note "$(printf '%-50s p50 %8.0f us   p95 %8.0f us   %8d calls' \
			"$(head -n 1 "$work/$name.sql" | sed 's/^-- //')" "$(p50 "$name")" "$(p95 "$name")" "$(wc -l <"$work/$name.times")")"
	done
}

# script NAME TITLE SQL
script() { printf -- '-- %s\n\\set c random(1, %d)\n%s;\n' "$2" "$subjects" "$3" >"$work/$1.sql"; }
