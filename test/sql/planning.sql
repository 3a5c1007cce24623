-- sample_size_*(), power_*(), minimum_detectable_effect_*(), experiment_duration(), additional_sample()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = personalize;
SET extra_float_digits = -3;

SELECT p.oid::regprocedure AS function, provolatile, proparallel, proisstrict, obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^(sample_size|power_|minimum_detectable|experiment_duration|additional_sample)' ORDER BY p.oid::regprocedure::text COLLATE "C";

SELECT sample_size_means(0.2), sample_size_means(5, sd => 25), sample_size_means(0.2, method => 'z');
SELECT sample_size_means(-0.3, power => 0.9, ratio => 2), sample_size_means(-0.3, alternative => 'less'), sample_size_means(0.2, variance_reduction => 0.5);
SELECT power_means(0.2, 1, 100), power_means(0.2, 1, 100, method => 'z'), power_means(0, 1, 100), power_means(-0.2, 1, 100, alternative => 'greater');
SELECT minimum_detectable_effect_means(1000), minimum_detectable_effect_means(1000, method => 'z'), minimum_detectable_effect_means(1000, alternative => 'less');
SELECT method, sample_size_proportions(0.1, 0.12, method => method), power_proportions(0.1, 0.12, 3000, method => method),
	minimum_detectable_effect_proportions(3000, 0.1, method => method), minimum_detectable_effect_proportions(3000, 0.1, method => method, direction => 'decrease')
FROM unnest('{unpooled,pooled,arcsine}'::text[]) method;
SELECT minimum_detectable_effect_proportions(3000, 0.1, alternative => 'less'), minimum_detectable_effect_proportions(3000, 0.1, alternative => 'greater');
SELECT experiment_duration(3838.1, 1000), experiment_duration(3838.1, 1000, coverage => 0.5, arms => 3, whole_weeks => true);
SELECT additional_sample(1000, 0.09, 0.05), additional_sample(1000, 0.09, 0.05, tuning => 5000), additional_sample(1000, 0.001, 0.05), additional_sample(1000, 0.001, 0.05, tuning => 5000);

-- refused
SELECT sample_size_means(0);
SELECT sample_size_means(NULL);
SELECT sample_size_means('NaN');
SELECT sample_size_means(0.2, sd => 0);
SELECT sample_size_means(0.2, alpha => 0);
SELECT sample_size_means(0.2, alpha => 'NaN');
SELECT sample_size_means(0.2, alpha => 0.6, power => 0.7, alternative => 'greater');
SELECT sample_size_means(0.2, power => 1);
SELECT sample_size_means(0.2, power => 0.05);
SELECT sample_size_means(0.2, ratio => -1);
SELECT sample_size_means(0.2, ratio => 'Infinity');
SELECT sample_size_means(0.2, alternative => 'less');
SELECT sample_size_means(0.2, alternative => 'both');
SELECT sample_size_means(0.2, alternative => NULL);
SELECT sample_size_means(0.2, method => 'f');
SELECT sample_size_means(0.2, variance_reduction => 1);
SELECT sample_size_means(1e-200);
SELECT power_means(0.2, 1, 1);
SELECT power_means(0.2, 1, 0, method => 'z');
SELECT minimum_detectable_effect_means(10, ratio => 0.1);
SELECT sample_size_proportions(0, 0.1);
SELECT sample_size_proportions(0.1, 1);
SELECT sample_size_proportions(0.1, 0.1);
SELECT sample_size_proportions(0.1, 0.2, alternative => 'less');
SELECT sample_size_proportions(0.1, 0.2, method => 'exact');
SELECT power_proportions(0.1, 0.2, -5);
SELECT minimum_detectable_effect_proportions(5, 0.8);
SELECT minimum_detectable_effect_proportions(500, 0.8, direction => 'up');
SELECT minimum_detectable_effect_proportions(500, 0.8, alternative => 'less', direction => 'increase');
SELECT experiment_duration(100, 0);
SELECT experiment_duration(100, 10, coverage => 1.5);
SELECT experiment_duration(100, 10, arms => 1);
SELECT experiment_duration(1e12, 10);
SELECT additional_sample(100, 0, 0.1);
SELECT additional_sample(100, 0.1, 0);
SELECT additional_sample(100, 0.1, 0.1, tuning => -1);
