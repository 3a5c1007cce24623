-- What only large or many indexes use: hashed scores, slots read from their pages.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL maintenance_work_mem = '512MB';

SELECT plan(5);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- The same interactions in a small catalogue and among 600,000 items that each have one subject.  The items
-- in between must not matter to the answers: they share no subject with the others.
CREATE TABLE small AS
SELECT draw(1, x, 1000) AS s, draw(2, x, 50) * (draw(3, x, 60) + 1) AS i FROM generate_series(1, 30000) x;
CREATE TABLE large AS
SELECT -x AS s, 10000 + x AS i FROM generate_series(1, 600000) x;
INSERT INTO large SELECT * FROM small;
CREATE INDEX ON small USING similarity (s, i) WITH (tuning_budget = 0);
CREATE INDEX ON large USING similarity (s, i) WITH (tuning_budget = 0);

CREATE FUNCTION answers(source regclass) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s similar %s', x, string_agg(n::text, ' ' ORDER BY ordinality))
	FROM generate_series(0, 300) x, similar_items(source, x, k => 30) WITH ORDINALITY n GROUP BY x
	UNION ALL
	SELECT format('%s for %s', x, string_agg(r::text, ' ' ORDER BY ordinality))
	FROM generate_series(0, 400) x, recommend(source, x, k => 10) WITH ORDINALITY r GROUP BY x
	UNION ALL
	SELECT format('%s among %s', x, string_agg(r::text, ' ' ORDER BY ordinality))
	FROM generate_series(0, 200) x,
		recommend(source, x, k => 5, among => ARRAY[x, x + 50, 100, 200, 300], exclude => ARRAY[200], seen => true)
			WITH ORDINALITY r
	WHERE reason = 'similar' GROUP BY x $$;

SELECT cmp_ok((SELECT items FROM similarity_stats('large')), '>', 524288::bigint, 'a catalogue of more than 2^19 items');
SELECT cmp_ok((SELECT count(*) FROM answers('small')), '>', 800::bigint, 'answers to compare');
SELECT set_eq($$SELECT answers('large')$$, $$SELECT answers('small')$$, 'a large catalogue answers as a small one');

-- More models than a backend remembers: the last ones are read from their pages, with the same answers.
CREATE FUNCTION copies(first int, last int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	different bigint := 0;
BEGIN
	FOR n IN first .. last LOOP
		different := different + (SELECT count(*) FROM (
			SELECT recommend('small', x, k => 10) FROM generate_series(0, 50) x
			EXCEPT ALL
			SELECT recommend(('copy' || n)::regclass, x, k => 10) FROM generate_series(0, 50) x) d);
	END LOOP;
	RETURN different;
END $$;
DO $$
BEGIN
	FOR n IN 1 .. 24 LOOP
		EXECUTE format('CREATE TABLE copy%s AS SELECT * FROM small ORDER BY hashint4(i + %1$s), s', n);
		EXECUTE format('CREATE INDEX ON copy%s USING similarity (s, i) WITH (tuning_budget = 0)', n);
	END LOOP;
END $$;
SELECT is(copies(1, 24), 0::bigint, '24 indexes in turn');
SELECT is(copies(1, 24), 0::bigint, '... and once more');

SELECT * FROM finish();
ROLLBACK;
