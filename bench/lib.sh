# Shared by the measurements of this folder; sourced, not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${PERSONALIZE_TMP:-$(mktemp -d)}

say() { printf '%s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
load() { cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || say unknown; }

# psql that stops at the first error and prints nothing but results
sql() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 "$@"; }

# Arithmetic with awk: calc FORMAT EXPRESSION
calc() { awk "BEGIN { printf \"$1\", $2 }"; }

# verdict WHAT VALUE at-least|at-most TARGET [UNIT]: prints a line, never fails.
# A measurement says what is; whether a slow machine is a defect is for a person to say.
verdict() {
	local word
	word=$(awk -v v="$2" -v how="$3" -v t="$4" 'BEGIN {
		print ((how == "at-least") ? (v + 0 >= t + 0) : (v + 0 <= t + 0)) ? "reached" : "MISSED" }')
	printf '%-58s %10s%s   target %s %s%s: %s\n' "$1" "$2" "${5:-}" "${3/-/ }" "$4" "${5:-}" "$word"
}

# The median of the numbers in stdin, one a line.
median() { sort -g | awk '{ a[NR] = $1 } END { if (NR) print (NR % 2) ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }

# Functions for the measurements.  CPU seconds are the server process's own, user and system:
# from the scheduler's statistics in nanoseconds, or where a kernel has none in its ticks.
prepare_database() {
	sql <<-'SQL'
		SET client_min_messages = warning;
		CREATE EXTENSION IF NOT EXISTS personalize;
		CREATE SCHEMA IF NOT EXISTS bench;

		CREATE OR REPLACE FUNCTION bench.cpu() RETURNS float8 LANGUAGE sql VOLATILE AS $$
			SELECT coalesce(
				split_part(pg_read_file('/proc/self/schedstat', 0, 100, true), ' ', 1)::float8 / 1e9,
				(SELECT (f[12]::float8 + f[13]::float8) / 100
				FROM string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') f))
		$$;

		-- A number in (0, 1) that depends on i and seed alone.
		CREATE OR REPLACE FUNCTION bench.uniform(i bigint, seed bigint) RETURNS float8
		LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
			SELECT ((hashint8extended(i, seed) & 4294967295) + 0.5) / 4294967296
		$$;
	SQL
}

# Interactions first .. last of an endless shop: subjects uniform, items by Zipf's law
# (the item of rank r with probability log(1 + 1/r) / log(n + 1)), one every six seconds.
# Skewed subjects would only make histories hit the cap.
interactions() {
	local first=$1 last=$2
	cat <<-SQL
		SELECT (1 + floor(bench.uniform(i, 1) * $subjects))::int AS customer_id,
			floor(exp(ln($items + 1::float8) * bench.uniform(i, 2)))::int AS product_id,
			timestamptz '2024-01-01' + i * interval '6 seconds' AS ordered_at
		FROM generate_series($first, $last) i
	SQL
}

# A table `purchases` of the first $rows of them, unless it is there already.
make_purchases() {
	[ "$(sql -c "SELECT to_regclass('purchases') IS NOT NULL")" = f ] || return 0
	sql <<-SQL
		CREATE TABLE purchases (customer_id int, product_id int, ordered_at timestamptz);
		INSERT INTO purchases $(interactions 1 "$rows");
		VACUUM ANALYZE purchases;
	SQL
}

# The size of everything, in BENCH_ROWS; subjects and items keep their proportion.
rows=${BENCH_ROWS:-10000000}
subjects=${BENCH_SUBJECTS:-$((rows / 100))}
items=${BENCH_ITEMS:-$((rows < 500000 ? 1000 : rows / 500))}
[ "$subjects" -gt 0 ] && [ "$items" -gt 0 ]
full_size() { [ "$rows" -ge 10000000 ]; }

size_of() { sql -c "SELECT pg_relation_size('$1')"; }
megabytes() { calc '%.0f' "$1 / 1048576"; }
