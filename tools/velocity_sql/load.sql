-- From the JSON lines in `raw` to `case_facts`, as known at a time; merged cases contribute through the one they went into.
INSERT INTO case_facts (fact_id, case_id, kind, occurred_at, recorded_at, since_at, task_id, function, required,
                        cause_kind, cause_id, severity, sites, customers, giver, taker)
WITH RECURSIVE f AS (
    SELECT * FROM told WHERE recorded <= :as_of
),
opening AS (
    SELECT DISTINCT ON (case_id) * FROM f WHERE kind = 'case.opened' ORDER BY case_id, recorded, id
),
into_case AS (
    SELECT DISTINCT ON (f.case_id) f.case_id, (f.data ->> 'into_case_id')::uuid AS into_id
    FROM f WHERE kind = 'case.merged' ORDER BY f.case_id, recorded DESC, id DESC
),
walk AS (
    SELECT case_id AS start, case_id AS stands, ARRAY[case_id] AS path, false AS circle FROM opening
    UNION ALL
    SELECT w.start, i.into_id, w.path || i.into_id, i.into_id = ANY(w.path)
    FROM walk w JOIN into_case i ON i.case_id = w.stands JOIN opening o ON o.case_id = i.into_id WHERE NOT w.circle
),
root AS (
    SELECT DISTINCT ON (start) start AS case_id, stands FROM walk ORDER BY start, cardinality(path) DESC
),
earliest AS (
    SELECT DISTINCT ON (root.stands) root.stands, o.id
    FROM root JOIN opening o USING (case_id) ORDER BY root.stands, o.occurred, o.recorded, o.id
),
last_word AS (
    SELECT DISTINCT ON (case_id) case_id, coalesce(data ->> 'severity', '') AS severity FROM f ORDER BY case_id, recorded DESC, id DESC
),
kept AS (
    SELECT f.*, f.case_id AS of_case FROM f WHERE kind <> 'case.opened'
    AND NOT EXISTS (SELECT FROM root WHERE root.case_id = f.case_id AND root.stands <> f.case_id)
    UNION ALL
    SELECT f.*, e.stands FROM earliest e JOIN f ON f.id = e.id JOIN root ON root.case_id = e.stands AND root.stands = e.stands
)
SELECT k.id, of_case, kind, occurred, recorded,
       (CASE kind WHEN 'case.opened' THEN data ->> 'cause_occurred_at' WHEN 'case.reopened' THEN data ->> 'stopped_at' END)::timestamptz,
       (CASE WHEN of_task THEN data ->> 'task_id' END)::uuid, CASE WHEN of_task THEN data ->> 'function' END,
       (CASE WHEN of_task THEN data ->> 'required' END)::boolean,
       coalesce((SELECT own.data -> 'cause' ->> 'kind' FROM f own WHERE own.case_id = of_case LIMIT 1), ''), of_case, w.severity,
       '[]', '[]', coalesce(data ->> 'from_function', data ->> 'from_group'), coalesce(data ->> 'to_function', data ->> 'to_group')
FROM kept k JOIN last_word w ON w.case_id = of_case
CROSS JOIN LATERAL (SELECT kind IN ('task.opened', 'task.committed', 'task.completed', 'task.waived', 'task.reopened') AS of_task) AS t
