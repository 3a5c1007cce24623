-- srm() and p_adjust(): what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET extra_float_digits = -2;
\pset null (null)

SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
WHERE proname IN ('srm', 'p_adjust') ORDER BY 1;
SELECT attname, col_description(attrelid, attnum) <> '' AS comment FROM pg_attribute WHERE attrelid = 'srm_test'::regclass ORDER BY attnum;

--
-- srm
--
SELECT (srm('{1000,1200}')).*;
SELECT (srm('{1000,1200}', '{0.5,0.5}')).*, srm('{1000,1200}', '{7,7}') = srm('{1000,1200}') AS relative;
SELECT srm('{900,100}', '{9,1}'), srm('{100,101,99,103}');
-- far out in the tail there is still a number
SELECT srm('{60000,40000}'), (srm('{53000,47000}')).p_value;
-- nobody at all; an arm that should have nobody
SELECT srm('{0,0}'), srm('{0,0,0}', '{1,1,0}') AS none_of_weight_0, srm('{5,5,0}', '{1,1,0}'), srm('{5,5,1}', '{1,1,0}'), srm('{5,0}', '{1,0}');
-- counts that are no small numbers
SELECT srm('{9223372036854775807,9223372036854775807}');

SELECT srm(NULL);
SELECT srm('{10}');
SELECT srm('{}');
SELECT srm('{1,NULL}');
SELECT srm('{1,-1}');
SELECT srm('{{1,2},{3,4}}');
SELECT srm('{1,2}', '{1}');
SELECT srm('{1,2}', '{1,NULL}');
SELECT srm('{1,2}', '{1,-1}');
SELECT srm('{1,2}', '{1,NaN}');
SELECT srm('{1,2}', '{1,Infinity}');
SELECT srm('{1,2}', '{0,0}');
SELECT srm('{1,2}', '{1e308,1e308}');
SELECT srm('{1,2}', '{{1,1}}');

--
-- p_adjust
--
SELECT method, p_adjust('{0.01,0.04,0.03,0.02,0.9}', method) FROM unnest('{bonferroni,holm,hochberg,bh,by,sidak}'::text[]) method;
SELECT p_adjust('{0.01,0.04,0.03}') = p_adjust('{0.01,0.04,0.03}', 'holm') AS default, p_adjust('{0.01,0.04,0.03}', 'FDR') = p_adjust('{0.01,0.04,0.03}', 'bh') AS fdr,
	p_adjust('{0.01,0.04,0.03}', 'Bonferroni') = p_adjust('{0.01,0.04,0.03}', 'bonferroni') AS case;
-- a null is no test, and stays in its place
SELECT p_adjust('{NULL,0.01,NULL,0.04}'), p_adjust('{NULL}'), p_adjust('{}'), p_adjust('[0:1]={0.01,0.02}'), p_adjust('{0,1}', 'sidak'), p_adjust('{-0,0.5}');
-- small numbers keep their digits
SELECT method, p_adjust('{1e-300,0.5}', method) FROM unnest('{bonferroni,holm,hochberg,bh,by,sidak}'::text[]) method;

SELECT p_adjust(NULL);
SELECT p_adjust('{0.1}', NULL);
SELECT p_adjust('{0.1}', 'tukey');
SELECT p_adjust('{0.1,1.1}');
SELECT p_adjust('{0.1,-0.1}');
SELECT p_adjust('{NULL,NaN}');
SELECT p_adjust('{{0.1},{0.2}}');
