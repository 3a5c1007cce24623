CREATE EXTENSION personalize; SET search_path=public,personalize;
SELECT create_identity_graph('shop');
SELECT set_identifier_type('shop','customer',1);
SELECT set_identifier_type('shop','cookie',NULL, max_degree=>20);
SELECT set_identifier_type('shop','email',NULL, normal_form=>'email');
CREATE TABLE ev AS SELECT g, (CASE WHEN g%3=0 THEN 'email' ELSE 'cookie' END) AS type_a, CASE WHEN g%3=0 THEN 'user'||(hashint4(g)&262143)||'@example.org' ELSE md5((hashint4(g)&1048575)::text) END AS value_a, 'customer' AS type_b, ((hashint4(g+7)::bigint&2147483647)%300000)::text AS value_b FROM generate_series(1,1100000) g;
\timing on
SELECT * FROM link('shop', 'SELECT type_a,value_a,type_b,value_b FROM ev WHERE g<=1000000');
VACUUM ANALYZE identity_vertex; VACUUM ANALYZE identity_evidence;
SELECT relname, pg_size_pretty(pg_relation_size(oid)) FROM pg_class WHERE relname LIKE 'identity%' ORDER BY 1;
DO $$ DECLARE r record; t0 timestamptz := clock_timestamp(); n int:=0; BEGIN
FOR b IN 0..49 LOOP
  PERFORM link('shop', format('SELECT type_a,value_a,type_b,value_b FROM ev WHERE g>1000000+%s AND g<=1000000+%s', b*1000,(b+1)*1000));
END LOOP;
RAISE NOTICE 'edges/s %', 50000/extract(epoch from clock_timestamp()-t0);
END $$;
DO $$ DECLARE r record; t0 timestamptz := clock_timestamp(); n int:=0; BEGIN
FOR r IN SELECT * FROM ev WHERE g > 1050000 AND g<=1055000 LOOP
  PERFORM link('shop', r.type_a,r.value_a,r.type_b,r.value_b);
END LOOP;
RAISE NOTICE 'single edges/s %', 5000/extract(epoch from clock_timestamp()-t0);
END $$;
SELECT * FROM check_identity_graph('shop') LIMIT 5;
SELECT count(*), max(identifiers) FROM identity_person;
CREATE TABLE pl AS SELECT value AS v, person FROM identity_node WHERE type='cookie'; CREATE UNIQUE INDEX ON pl(v); VACUUM ANALYZE pl;
SELECT count(person) FROM (SELECT v FROM pl LIMIT 300000) a CROSS JOIN LATERAL (SELECT person FROM pl b WHERE b.v = a.v OFFSET 0) x;
SELECT count(person_of('shop','cookie',v)) FROM (SELECT v FROM pl LIMIT 300000) a;
