-- Working hours and pauses of every measured case: the calendar of whoever holds it, less pauses and what the clock leaves out.
WITH again AS (
    SELECT c.case_id, range_agg(int8range(greatest(pg_temp.us(c.since_at), m.t1), pg_temp.us(c.occurred_at))) AS breaks
    FROM case_facts c JOIN measured m USING (case_id)
    WHERE c.kind = 'case.reopened' AND c.occurred_at > c.since_at AND pg_temp.us(c.occurred_at) > m.t1 GROUP BY c.case_id
),
passed AS (
    SELECT case_id, lower(x) AS stopped, upper(x) - lower(x) AS us,
           coalesce(sum(upper(x) - lower(x)) OVER (PARTITION BY case_id ORDER BY lower(x) ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM again, unnest(breaks) AS x
),
ended AS (
    SELECT m.case_id, m.t1, coalesce(again.breaks, int8multirange()) AS breaks,
           (m.t1 + m.lasted + coalesce((SELECT sum(p.us) FROM passed p
               WHERE p.case_id = m.case_id AND p.stopped - m.t1 - p.before < m.lasted), 0))::bigint AS t9
    FROM measured m LEFT JOIN again USING (case_id)
),
running AS (
    SELECT case_id, t1, t9, pg_temp.stretch(t1, t9) - breaks AS stretches FROM ended
),
switches AS (
    SELECT c.case_id, pg_temp.us(c.occurred_at) AS t, c.kind = 'case.paused' AS paused, c.recorded_at, c.fact_id, told.data ->> 'reason' AS reason,
           lag(c.kind = 'case.paused', 1, false) OVER (PARTITION BY c.case_id ORDER BY c.occurred_at, c.recorded_at, c.fact_id) AS was
    FROM case_facts c JOIN running r USING (case_id) JOIN told ON told.id = c.fact_id
    WHERE c.kind IN ('case.paused', 'case.resumed') AND pg_temp.us(c.occurred_at) < r.t9
),
pauses AS (
    SELECT x.case_id, x.t, x.reason, coalesce(x.following, r.t9) AS until, x.following IS NULL AS endless
    FROM (SELECT *, lead(t) OVER (PARTITION BY case_id ORDER BY t, recorded_at, fact_id) AS following FROM switches WHERE paused <> was) AS x
    JOIN running r USING (case_id) WHERE x.paused
),
paused AS (
    SELECT case_id, bool_or(endless) AS endless, range_agg(int8range(t, until)) AS stretches FROM pauses GROUP BY case_id
),
reasons AS (
    SELECT case_id, jsonb_object_agg(reason, us) AS by_reason FROM (
        SELECT p.case_id, p.reason, sum(pg_temp.length_of(pg_temp.stretch(p.t, p.until) * r.stretches)) AS us
        FROM pauses p JOIN running r USING (case_id) GROUP BY p.case_id, p.reason
    ) AS x WHERE us > 0 GROUP BY case_id
),
taken AS (
    SELECT r.case_id, r.t1 AS t, 0 AS late, NULL::timestamptz AS recorded_at, NULL::uuid AS fact_id, NULL::timestamptz AS occurred_at, coalesce((
        SELECT function FROM case_facts c WHERE c.case_id = r.case_id AND c.kind = 'task.opened' AND c.required
        ORDER BY c.recorded_at, c.fact_id LIMIT 1), '') AS holder
    FROM running r
    UNION ALL
    SELECT c.case_id, greatest(pg_temp.us(c.occurred_at), r.t1), 1, c.recorded_at, c.fact_id, c.occurred_at, c.taker
    FROM case_facts c JOIN running r USING (case_id)
    WHERE c.kind IN ('task.handover-accepted', 'case.handed-over') AND pg_temp.us(c.occurred_at) <= r.t9
),
held AS (
    SELECT h.case_id, h.holder, h.t AS since, coalesce(h.following, r.t9) AS until FROM (
        SELECT *, lead(t) OVER (PARTITION BY case_id ORDER BY t, late, occurred_at, recorded_at, fact_id) AS following FROM taken
    ) AS h JOIN running r USING (case_id) WHERE coalesce(h.following, r.t9) > h.t
),
worked AS (
    SELECT h.case_id, bool_or(k.code IS NULL) AS unknown, sum(pg_temp.length_of(
        (r.stretches - coalesce(p.stretches, int8multirange())) * pg_temp.stretch(h.since, h.until)
        * CASE WHEN k.code IS NULL THEN pg_temp.stretch(h.since, h.until) ELSE (
            SELECT coalesce(range_agg(int8range(least(opens, closes), closes)), int8multirange()) FROM (
                SELECT pg_temp.us((d + k.opens) AT TIME ZONE k.zone) AS opens,
                       pg_temp.us((d + CASE WHEN k.closes > k.opens THEN 0 ELSE 1 END + k.closes) AT TIME ZONE k.zone) AS closes
                FROM (SELECT first + n AS d FROM (SELECT (pg_temp.at(h.since) AT TIME ZONE k.zone)::date - 1 AS first,
                                                         (pg_temp.at(h.until) AT TIME ZONE k.zone)::date AS last) AS days,
                      generate_series(0, last - first) AS n) AS each
                WHERE (extract(isodow FROM d) - 1)::int = ANY(k.weekdays) AND NOT d = ANY(k.holidays)
            ) AS hours) END)) AS us
    FROM held h JOIN running r USING (case_id) LEFT JOIN paused p USING (case_id) LEFT JOIN calendar k ON k.code = h.holder
    GROUP BY h.case_id
)
UPDATE measured m SET working_us = coalesce(w.us, 0), unknown = coalesce(w.unknown, false), endless = coalesce(p.endless, false),
       paused = coalesce(q.by_reason, '{}')
FROM running r LEFT JOIN worked w USING (case_id) LEFT JOIN paused p USING (case_id) LEFT JOIN reasons q USING (case_id)
WHERE r.case_id = m.case_id
