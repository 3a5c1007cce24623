/* Whose the anonymous events of a device are: doc/sessions.md */

CREATE FUNCTION assign_sessions(
	query text,
	back interval DEFAULT '7 days',
	forward interval DEFAULT '30 minutes')
RETURNS TABLE (device text, at timestamptz, person text, assigned_by text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'personalize_assign_sessions';

COMMENT ON FUNCTION assign_sessions(text, interval, interval) IS
'gives each event of a query to whoever logs in next on its device within forward, else to the last within back, else to nobody';
