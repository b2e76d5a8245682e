"""The questions of the specification in SQL, over `measured`, `case_facts` and `told`; each gives one JSON value."""

from __future__ import annotations

WORLD = (
    "CASE WHEN line ->> 'source' LIKE '/crossdock/%' THEN split_part(line ->> 'source', '/', 3)"
    " ELSE 'live' END = :world"
)
# Of a kind that the specification names every field must be there; another one counts only where it can be read.
NAMED = """
    'case.opened', 'case.acknowledged', 'case.decided', 'case.implemented', 'case.cleared', 'case.verified',
    'case.reopened',
    'task.opened', 'task.committed', 'task.completed', 'task.waived', 'task.reopened', 'task.handover-accepted',
    'case.handed-over', 'case.paused', 'case.resumed', 'case.merged'
"""
ROOT_SIGNALS = f"""
INSERT INTO told SELECT id::uuid, case_id::uuid, kind, occurred::timestamptz, recorded::timestamptz, data
FROM (SELECT line ->> 'id' AS id, line -> 'data' ->> 'case_id' AS case_id, substring(line ->> 'type' FROM '^exceptions[.](.*)[.]v1$') AS kind,
             line ->> 'time' AS occurred, coalesce(line ->> 'recordedtime', line ->> 'time') AS recorded, line -> 'data' AS data
      FROM raw WHERE line ->> 'type' ~ '^exceptions[.].*[.]v1$' AND {WORLD}) AS f
WHERE kind IN ({NAMED}) OR (pg_input_is_valid(id, 'uuid') AND pg_input_is_valid(case_id, 'uuid')
    AND pg_input_is_valid(occurred, 'timestamptz') AND pg_input_is_valid(recorded, 'timestamptz'))
ON CONFLICT DO NOTHING
"""
CALENDARS = f"""
INSERT INTO calendar SELECT DISTINCT ON (d ->> 'code') d ->> 'code', d ->> 'zone', ARRAY(SELECT jsonb_array_elements_text(d -> 'weekdays')::int),
       (d ->> 'opens')::time, (d ->> 'closes')::time, ARRAY(SELECT jsonb_array_elements_text(d -> 'holidays')::date)
FROM (SELECT line -> 'data' AS d, coalesce(line ->> 'recordedtime', line ->> 'time')::timestamptz AS recorded, (line ->> 'id')::uuid AS id
      FROM raw WHERE line ->> 'type' = 'collaboration.calendar.changed.v1' AND {WORLD}) AS c
WHERE recorded <= :as_of ORDER BY d ->> 'code', recorded DESC, id DESC
"""
MEASURED = """
INSERT INTO measured SELECT case_id, cause_kind, severity, state, identified_at, pg_temp.us(identified_at), elapsed_us, decision_us, coordination_us,
       excluded_us, phases, inversions, critical_function, reopened, handoffs, facts, acknowledged_us, coalesce(decision_us, elapsed_us)
FROM recomputed
"""
ALL = "array_agg(lasted), array_agg(decision_us IS NOT NULL)"
CELL = f"""'cases', count(*), 'implemented', count(decision_us), 'p50_us', pg_temp.reached({ALL}, 2), 'p90_us', pg_temp.reached({ALL}, 10)"""
FEW = f"""'cases', count(*), 'hidden', count(*) < 5, 'p50_us', CASE WHEN count(*) >= 5 THEN pg_temp.reached({ALL}, 2) END"""

FIGURE = """
WITH a AS (SELECT coalesce(array_agg(lasted), '{}') AS d, coalesce(array_agg(decision_us IS NOT NULL), '{}') AS e,
                  coalesce(CAST(:horizon AS bigint), max(lasted)) AS horizon FROM measured),
p AS (SELECT pg_temp.reached(d, e, 2) AS p50, pg_temp.reached(d, e, 10) AS p90, pg_temp.reached(d, e, 20) AS p95 FROM a),
c AS (SELECT t, round(above / below, 9) AS s, pg_temp.bound(variance, hazard, -1) AS lower, pg_temp.bound(variance, hazard, 1) AS upper
      FROM a, pg_temp.curve(d, e))
SELECT jsonb_build_object(
    'cases', (SELECT count(*) FROM measured), 'implemented', (SELECT count(decision_us) FROM measured),
    'open', (SELECT count(*) FROM measured WHERE state = 'open'), 'cleared', (SELECT count(*) FROM measured WHERE state = 'cleared'),
    'p50_us', p50, 'p90_us', p90, 'p95_us', p95,
    'not_reached', to_jsonb(array_remove(ARRAY[CASE WHEN p50 IS NULL THEN 'p50' END, CASE WHEN p90 IS NULL THEN 'p90' END,
                                               CASE WHEN p95 IS NULL THEN 'p95' END], NULL)),
    'bands', (SELECT jsonb_object_agg(name, jsonb_build_array((SELECT min(t) FROM c WHERE lower <= share), (SELECT min(t) FROM c WHERE upper <= share)))
              FROM (VALUES ('p50', 0.50), ('p90', 0.10), ('p95', 0.05)) AS v(name, share)),
    'curve', (SELECT coalesce(jsonb_agg(jsonb_build_object('t_us', t, 'survival', s, 'lower', lower, 'upper', upper) ORDER BY t), '[]') FROM c),
    'horizon_us', horizon, 'restricted_mean_us', CASE WHEN horizon IS NOT NULL THEN pg_temp.mean_until(d, e, horizon) END,
    'naive_p50_us', (SELECT pg_temp.plain_median(array_agg(decision_us)) FROM measured WHERE decision_us IS NOT NULL),
    'acknowledge_p50_us', (SELECT pg_temp.reached(array_agg(coalesce(acknowledged_us, elapsed_us)), array_agg(acknowledged_us IS NOT NULL), 2) FROM measured),
    'handoffs', (SELECT coalesce(sum(handoffs), 0) FROM measured), 'reopened', (SELECT count(*) FROM measured WHERE reopened > 0),
    'recurrences', (SELECT count(*) FROM measured m WHERE EXISTS (
        SELECT FROM told WHERE told.case_id = m.case_id AND told.recorded <= :as_of
        AND kind = 'case.opened' AND (data ->> 'recurrence')::int > 0)))
FROM a, p
"""
FINDINGS = """
SELECT jsonb_build_object(
    'acknowledged_before_opening', count(*) FILTER (WHERE acknowledged_us < 0),
    'inversions', coalesce(sum(jsonb_array_length(inversions)), 0),
    'never_opened', (SELECT count(*) FROM (SELECT case_id FROM told WHERE recorded <= :as_of GROUP BY case_id
                                           HAVING NOT bool_or(kind = 'case.opened')) AS x),
    'pauses_without_end', count(*) FILTER (WHERE endless),
    'reopened_late', (SELECT count(*) FROM case_facts JOIN measured USING (case_id)
                      WHERE case_facts.kind = 'case.reopened' AND pg_temp.us(occurred_at) - pg_temp.us(since_at) > CAST(:window AS bigint)),
    'unknown_calendar', count(*) FILTER (WHERE unknown)) FROM measured
"""
MEASURES = """
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'case_id', case_id, 'kind', kind, 'severity', severity, 'state', state, 'identified_at', pg_temp.written(identified_at),
    'elapsed_us', elapsed_us, 'decision_us', decision_us, 'coordination_us', coordination_us, 'excluded_us', excluded_us,
    'phases', (SELECT coalesce(jsonb_object_agg(p ->> 'phase', p -> 'duration_us'), '{}') FROM jsonb_array_elements(phases) AS p),
    'open_phase', (SELECT p ->> 'phase' FROM jsonb_array_elements(phases) AS p WHERE (p -> 'open')::boolean),
    'inversions', inversions, 'critical_function', critical_function, 'reopened', reopened, 'handoffs', handoffs, 'facts', facts,
    'acknowledged_us', acknowledged_us, 'working_us', working_us, 'paused', paused) ORDER BY identified_at, case_id), '[]') FROM measured
"""
FUNCTIONS = f"""
SELECT coalesce(jsonb_agg(cell ORDER BY name COLLATE "C"), '[]') FROM (
    SELECT critical_function AS name, jsonb_build_object('function', critical_function, 'last', count(*),
        'share', round(count(*)::numeric / (SELECT count(critical_function) FROM measured), 6), {FEW}) AS cell
    FROM measured WHERE critical_function IS NOT NULL GROUP BY critical_function) AS x
"""
PAIRS = f"""
WITH h AS (SELECT giver, taker, case_id, count(*) AS n FROM case_facts WHERE kind IN ('task.handover-accepted', 'case.handed-over') GROUP BY 1, 2, 3)
SELECT coalesce(jsonb_agg(cell ORDER BY giver COLLATE "C", taker COLLATE "C"), '[]') FROM (
    SELECT giver, taker, jsonb_build_object('from', giver, 'to', taker, 'handoffs', sum(n), {FEW}) AS cell
    FROM h JOIN measured USING (case_id) GROUP BY giver, taker) AS x
"""
KINDS = f"""
SELECT coalesce(jsonb_agg(cell ORDER BY kind COLLATE "C"), '[]') FROM (
    SELECT kind, jsonb_build_object('kind', kind, {CELL}) AS cell FROM measured GROUP BY kind) AS x
"""
SEVERITIES = f"""
SELECT coalesce(jsonb_agg(cell ORDER BY severity COLLATE "C"), '[]') FROM (
    SELECT severity, jsonb_build_object('severity', severity, {CELL}) AS cell FROM measured GROUP BY severity) AS x
"""
WEEK_NAME = """to_char(identified_at AT TIME ZONE 'UTC', 'IYYY-"W"IW')"""
WEEKS = f"""
SELECT {WEEK_NAME} AS week, least(date_trunc('week', min(identified_at) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '7 days', :as_of) AS ends,
       jsonb_build_object({CELL}) AS cell FROM measured GROUP BY 1 ORDER BY 1
"""
OF_WEEK = f"SELECT jsonb_build_object({CELL}) FROM measured WHERE {WEEK_NAME} = :week"
