-- Devices that several people use: what plain components make of them, what a blocklist, a limit and a degree change.
--     PERSONALIZE_PEOPLE=100000 .ci/with-cluster -- pg_prove -v test/pgtap/identity_shared_devices.sql
-- is the simulation at its full size.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
\set people `echo "${PERSONALIZE_PEOPLE:-10000}"`

SELECT plan(23);

-- the same numbers from 0 up to n on every machine and every time
CREATE FUNCTION draw(seed bigint, x bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 9223372036854775807) % n $$;

/*
 * Everybody has a login and two devices of his own, on which he logs in first and three times.  Some devices are
 * used by another one, too, once and later: a partner, a colleague, a guest.  One in a thousand is a kiosk, which has
 * a name that one may know, and is used by fifty.
 */
CREATE TABLE visit (login text, device text, at timestamptz, times int, owner boolean);
CREATE FUNCTION simulate(people bigint, percent int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE visit;
	INSERT INTO visit
	SELECT 'user' || d / 2, 'device' || d, timestamptz '2024-01-01' + draw(1, d, 86400) * interval '1 second', 3, true
	FROM generate_series(0, 2 * people - 1) d;
	INSERT INTO visit
	SELECT 'user' || draw(2, d, people), 'device' || d, timestamptz '2024-02-01' + draw(3, d, 86400) * interval '1 second', 1, false
	FROM generate_series(0, 2 * people - 1) d WHERE draw(4, d, 100) < percent AND draw(2, d, people) <> d / 2;
	INSERT INTO visit
	SELECT 'user' || draw(5, k * 50 + u, people), 'kiosk' || k, timestamptz '2024-02-01' + draw(6, k * 50 + u, 86400) * interval '1 second', 1, false
	FROM generate_series(1, people / 1000) k, generate_series(1, 50) u
$$;

CREATE TABLE outcome (percent int, protection text, people bigint, wrongly_merged bigint, largest bigint, devices_right bigint, devices_wrong bigint,
	devices_nobodys bigint, check_says bigint);
CREATE FUNCTION look(percent int, protection text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ANALYZE visit, identity_vertex;
	CREATE TEMP TABLE login AS SELECT value, person, count(*) OVER (PARTITION BY person) AS logins FROM identity_node WHERE graph = 'visits' AND type = 'login';
	CREATE TEMP TABLE device AS SELECT n.person, l.person AS owner FROM login l JOIN visit v ON v.login = l.value AND v.owner JOIN identity_node n ON n.value = v.device
		WHERE n.graph = 'visits' AND n.type = 'device';
	INSERT INTO outcome
	SELECT percent, protection, count(*), count(*) FILTER (WHERE logins > 1), max(logins),
		(SELECT count(*) FROM device WHERE person = owner), (SELECT count(*) FROM device WHERE person <> owner), (SELECT count(*) FROM device WHERE person IS NULL),
		(SELECT count(*) FROM check_identity_graph('visits'))
	FROM login;
	DROP TABLE login, device;
END $$;

-- links are loaded once; what protects comes and goes by rules
CREATE FUNCTION run(people bigint, percent int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM simulate(people, percent);
	PERFORM create_identity_graph('visits');
	PERFORM set_identifier_type('visits', 'login', NULL), set_identifier_type('visits', 'device', NULL);
	PERFORM link('visits', 'SELECT ''login'' AS type_a, login AS value_a, ''device'' AS type_b, device AS value_b, times AS weight, at FROM visit');
	PERFORM look(percent, 'none');
	PERFORM block_identifier('visits', pattern => '^kiosk');
	PERFORM look(percent, 'blocklist');
	PERFORM set_identifier_type('visits', 'device', NULL, max_degree => 1);
	PERFORM look(percent, 'blocklist and max_degree = 1');
	PERFORM set_identifier_type('visits', 'device', NULL);
	PERFORM unblock_identifier('visits', pattern => '^kiosk');
	PERFORM set_identifier_type('visits', 'login', 1);
	PERFORM look(percent, 'max_per_person = 1');
	PERFORM set_identifier_type('visits', 'device', NULL, max_degree => 5);
	PERFORM look(percent, 'max_per_person = 1 and max_degree = 5');
	PERFORM drop_identity_graph('visits');
END $$;
SELECT lives_ok(format('SELECT run(%s, %s)', :people, percent), percent || ' % of devices are shared') FROM unnest(ARRAY[2, 10, 30]) percent;

SELECT diag(format('%3s %% shared, %-38s %6s of %s people wrongly merged, at most %6s in one; devices right %6s, wrong %5s, nobody''s %5s',
	percent, protection || ':', wrongly_merged, people, largest, devices_right, devices_wrong, devices_nobodys)) FROM outcome;

SELECT is(count(*), 15::bigint, 'all cases were looked at') FROM outcome;
SELECT is(sum(check_says), 0::numeric, 'check_identity_graph() agrees with each') FROM outcome;
SELECT cmp_ok(wrongly_merged, '>', people / 20, 'without protection many are merged at 2 %') FROM outcome WHERE (percent, protection) = (2, 'none');
SELECT cmp_ok(wrongly_merged, '>', people / 4, '... a large part at 10 %') FROM outcome WHERE (percent, protection) = (10, 'none');
SELECT cmp_ok(wrongly_merged, '>', people / 2, '... and most of them at 30 %') FROM outcome WHERE (percent, protection) = (30, 'none');
SELECT cmp_ok(largest, '>', people / 10, '... of whom one person has a tenth of all logins') FROM outcome WHERE (percent, protection) = (30, 'none');
SELECT cmp_ok(wrongly_merged, '>', (SELECT wrongly_merged * 9 / 10 FROM outcome o WHERE o.percent = outcome.percent AND protection = 'none'), percent || ' %: a blocklist of kiosks alone barely helps')
	FROM outcome WHERE percent >= 10 AND protection = 'blocklist';
SELECT is(wrongly_merged, 0::bigint, percent || ' %: one login a person, and nobody is merged wrongly') FROM outcome WHERE protection = 'max_per_person = 1';
SELECT is(devices_wrong, 0::bigint, percent || ' %: ... whose devices are those who log in most') FROM outcome WHERE protection = 'max_per_person = 1';
SELECT is(devices_right, people * 2, percent || ' %: ... all of them') FROM outcome WHERE protection = 'max_per_person = 1';
SELECT is(wrongly_merged, 0::bigint, percent || ' %: devices that are nobody''s as soon as two use them merge nobody either') FROM outcome WHERE protection = 'blocklist and max_degree = 1';

SELECT * FROM finish();
ROLLBACK;
