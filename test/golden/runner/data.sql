/*
 * The data sets that cases name, as tables with text columns in the schema data_sets, each
 * read when it is first asked for.  A case names one as "data/iris.csv, raw 4 features": a
 * file, and words about what to make of it.
 */

CREATE SCHEMA data_sets;

CREATE TABLE runner.data_folder (path text NOT NULL);

CREATE FUNCTION runner.set_data(path text) RETURNS void
LANGUAGE sql AS $$ INSERT INTO runner.data_folder VALUES (path) $$;

/* "data/iris.csv, raw 4 features" → iris.csv */
CREATE FUNCTION runner.file_of(dataset text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	file text := regexp_replace(substring(dataset FROM '[[:alnum:]_./-]+\.[ct]sv'), '^data/', '');
BEGIN
	IF file IS NULL OR file ~ '(^|/)\.' THEN
		RAISE 'no data set is named by "%"', dataset;
	END IF;
	RETURN file;
END $$;

CREATE FUNCTION runner.shell_quote(word text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN '''' || replace(word, '''', '''\''''') || '''';

/* The shell command that prints a data set, packed or not. */
CREATE FUNCTION runner.reader(file text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	path text := (SELECT d.path FROM runner.data_folder d) || '/' || file;
BEGIN
	IF (pg_stat_file(path, true)).size IS NOT NULL THEN
		RETURN 'cat ' || runner.shell_quote(path);
	ELSIF (pg_stat_file(path || '.gz', true)).size IS NOT NULL THEN
		RETURN 'gzip -dc ' || runner.shell_quote(path || '.gz');
	END IF;
	RAISE 'there is no data set % or %.gz', path, path;
END $$;

/* Column names: the header of a .csv; a .tsv has none, its columns are c1, c2, … */
CREATE FUNCTION runner.header(file text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	first_line text;
BEGIN
	CREATE TEMP TABLE first_line (line text);
	EXECUTE format('COPY first_line FROM PROGRAM %L (DELIMITER E''\x01'')', runner.reader(file) || ' | head -n 1');
	SELECT line INTO first_line FROM first_line;
	DROP TABLE first_line;
	IF file LIKE '%.tsv' THEN
		RETURN array(SELECT 'c' || i FROM generate_series(1, cardinality(string_to_array(first_line, E'\t'))) i);
	END IF;
	RETURN array(SELECT trim(both '"' FROM trim(c)) FROM unnest(string_to_array(rtrim(first_line, E'\r'), ',')) c);
END $$;

CREATE FUNCTION runner.table_of(dataset text) RETURNS regclass
LANGUAGE plpgsql AS $$
DECLARE
	file text := runner.file_of(dataset);
	name text := format('data_sets.%I', file);
BEGIN
	IF to_regclass(name) IS NULL THEN
		EXECUTE format('CREATE TABLE %s (%s)', name,
			(SELECT string_agg(format('%I text', c), ', ' ORDER BY i) FROM unnest(runner.header(file)) WITH ORDINALITY u(c, i)));
		EXECUTE format('COPY %s FROM PROGRAM %L (FORMAT %s)', name, runner.reader(file),
			CASE WHEN file LIKE '%.tsv' THEN 'text' ELSE 'csv, HEADER' END);
	END IF;
	RETURN name::regclass;
END $$;

/* The columns of a table, in order. */
CREATE FUNCTION runner.columns_of(source regclass) RETURNS TABLE (name text, place bigint)
LANGUAGE sql STABLE AS $$
	SELECT attname, row_number() OVER (ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = source AND attnum > 0 AND NOT attisdropped;
$$;

/* The first of some names that the table has a column of, upper or lower case; quoted.  NULL if none. */
CREATE FUNCTION runner.column_of(source regclass, VARIADIC names text[]) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT quote_ident(c.name)
	FROM unnest(names) WITH ORDINALITY n(name, rank) JOIN runner.columns_of(source) c ON lower(c.name) = n.name
	ORDER BY n.rank, c.place LIMIT 1;
$$;

CREATE FUNCTION runner.needed_column(source regclass, VARIADIC names text[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	found text := runner.column_of(source, VARIADIC names);
BEGIN
	IF found IS NULL THEN
		RAISE '% has none of the columns %', source, names;
	END IF;
	RETURN found;
END $$;

/* An expression for the times of a column: they are written as such, in UTC, or as seconds since 1970. */
CREATE FUNCTION runner.time_in(source regclass, column_name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	example text;
BEGIN
	EXECUTE format('SELECT %s FROM %s WHERE %1$s IS NOT NULL LIMIT 1', column_name, source) INTO example;
	RETURN format(CASE WHEN example ~ '^[0-9]{5,}([.][0-9]*)?$' THEN 'to_timestamp(%s::float8)'
		ELSE '(%s::timestamp AT TIME ZONE ''UTC'')' END, column_name);
END $$;

/* "… rows with CustomerID" → a condition, the right one for all that is told so; NULL: every row. */
CREATE FUNCTION runner.rows_with(source regclass, dataset text) RETURNS text
LANGUAGE sql STABLE
RETURN runner.needed_column(source, lower(substring(dataset FROM '\mrows with (\w+)'))) || ' IS NOT NULL';

/*
 * The query for orders: a row for each customer and order of a log of purchases, whatever
 * its columns are called.  A log of invoice lines is cleaned as rfm.json says: no
 * cancellations ("C…"), no line without customer, and only what was bought at a price.
 */
CREATE FUNCTION runner.orders_query(source regclass) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	customer text := runner.needed_column(source, 'customer_id', 'customerid', 'user_id', 'id');
	at text := runner.time_in(source, runner.needed_column(source, 'ordered_at', 'invoicedate', 'date', 'at', 'ts'));
	ordr text := runner.column_of(source, 'order_id', 'invoiceno');
	amount text := runner.column_of(source, 'amount', 'price') || '::numeric';
	condition text := 'true';
BEGIN
	IF amount IS NULL THEN
		amount := format('%s::numeric * %s::numeric', runner.needed_column(source, 'quantity'), runner.needed_column(source, 'unitprice'));
		condition := format('%s::numeric > 0 AND %s::numeric > 0 AND %s NOT LIKE ''C%%''',
			runner.needed_column(source, 'quantity'), runner.needed_column(source, 'unitprice'), ordr);
	END IF;
	IF ordr IS NULL THEN
		RETURN format('SELECT %1$s AS customer, %2$s AS at, %3$s AS amount FROM %4$s WHERE %1$s IS NOT NULL',
			customer, at, amount, source);
	END IF;
	RETURN format('SELECT %1$s AS customer, min(%2$s) AS at, sum(%3$s) AS amount FROM %4$s
		WHERE %1$s IS NOT NULL AND %5$s GROUP BY %1$s, %6$s', customer, at, amount, source, condition, ordr);
END $$;

/* The orders of a data set, made when they are first asked for. */
CREATE FUNCTION runner.orders(dataset text) RETURNS TABLE (customer text, at timestamptz, amount numeric)
LANGUAGE plpgsql AS $$
DECLARE
	name text := format('data_sets.%I', 'orders of ' || runner.file_of(dataset));
BEGIN
	IF to_regclass(name) IS NULL THEN
		EXECUTE format('CREATE TABLE %s AS %s', name, runner.orders_query(runner.table_of(dataset)));
	END IF;
	RETURN QUERY EXECUTE format('SELECT customer, at, amount FROM %s', name);
END $$;

/* An array of numbers. */
CREATE FUNCTION runner.numbers(list jsonb) RETURNS float8[]
LANGUAGE sql IMMUTABLE
RETURN array(SELECT v::float8 FROM jsonb_array_elements_text(list) WITH ORDINALITY u(v, i) ORDER BY i);
