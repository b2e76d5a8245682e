"""The clock of every case once more, in SQL alone (LAYERS 1.2): from `case_facts`, sharing no line with the fold.

Whole microseconds. `as_of` leaves out what was recorded later; without it each case is measured at its last fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID as PG_UUID
from sqlalchemy.types import DateTime

from chassis.persistence.database import ReadTx

RECOMPUTED = """
f AS MATERIALIZED (
    SELECT case_id, fact_id, kind, task_id, function, required, severity, cause_kind, sites, customers,
           (extract(epoch FROM occurred_at) * 1000000)::bigint AS t,
           (extract(epoch FROM recorded_at) * 1000000)::bigint AS r,
           (extract(epoch FROM since_at) * 1000000)::bigint AS since
    FROM case_facts
    WHERE (:as_of IS NULL OR recorded_at <= :as_of) AND (:case_ids IS NULL OR case_id = ANY(:case_ids))
),
last AS (
    SELECT DISTINCT ON (case_id) case_id, severity, cause_kind, sites, customers, r AS last_r, fact_id AS latest_fact_id
    FROM f ORDER BY case_id, r DESC, fact_id DESC
),
opening AS (
    SELECT DISTINCT ON (case_id) case_id, t AS t1, coalesce(since, t) AS t0
    FROM f WHERE kind = 'case.opened' ORDER BY case_id, r, fact_id
),
again AS (
    SELECT DISTINCT ON (case_id) case_id, r, fact_id, count(*) OVER (PARTITION BY case_id) AS times
    FROM f WHERE kind = 'case.reopened' ORDER BY case_id, r DESC, fact_id DESC
),
task_facts AS (
    SELECT * FROM f WHERE required
    AND kind IN ('task.opened', 'task.committed', 'task.completed', 'task.waived', 'task.reopened')
),
task_again AS (
    SELECT DISTINCT ON (task_id) task_id, r, fact_id
    FROM task_facts WHERE kind = 'task.reopened' ORDER BY task_id, r DESC, fact_id DESC
),
tasks AS (
    SELECT x.case_id, x.task_id, min(x.function COLLATE "C") AS function,
           min(x.t) FILTER (WHERE x.kind = 'task.committed' AND x.counts) AS committed,
           min(x.t) FILTER (WHERE x.kind IN ('task.completed', 'task.waived') AND x.counts) AS done
    FROM (
        SELECT task_facts.*, a.task_id IS NULL OR (task_facts.r, task_facts.fact_id) > (a.r, a.fact_id) AS counts
        FROM task_facts LEFT JOIN task_again a USING (task_id)
    ) AS x
    GROUP BY x.case_id, x.task_id
),
required AS (
    SELECT case_id, count(*) AS n, count(done) AS n_done, max(done) AS t6,
           count(coalesce(committed, done)) AS n_committed, max(coalesce(committed, done)) AS t5
    FROM tasks GROUP BY case_id
),
told AS (
    SELECT f.case_id,
           max(t) FILTER (WHERE kind = 'task.opened') AS t2,
           min(t) FILTER (WHERE kind = 'case.acknowledged') AS t3,
           min(t) FILTER (WHERE kind = 'case.decided') AS t4,
           min(t) FILTER (WHERE kind = 'case.implemented' AND (a.case_id IS NULL OR (f.r, f.fact_id) > (a.r, a.fact_id))) AS implemented,
           min(t) FILTER (WHERE kind = 'case.cleared' AND (a.case_id IS NULL OR (f.r, f.fact_id) > (a.r, a.fact_id))) AS cleared,
           min(t) FILTER (WHERE kind = 'case.verified' AND (a.case_id IS NULL OR (f.r, f.fact_id) > (a.r, a.fact_id))) AS verified,
           count(*) FILTER (WHERE kind IN ('case.opened', 'case.acknowledged', 'case.decided', 'case.implemented', 'case.cleared',
               'case.verified', 'case.reopened', 'task.opened', 'task.committed', 'task.completed', 'task.waived', 'task.reopened',
               'task.handover-accepted', 'case.handed-over', 'case.paused', 'case.resumed', 'case.merged')) AS facts,
           count(*) FILTER (WHERE kind IN ('task.handover-accepted', 'case.handed-over')) AS handoffs
    FROM f LEFT JOIN again a USING (case_id) GROUP BY f.case_id
),
ends AS (
    SELECT o.case_id, o.t0, o.t1, told.t2, told.t3, told.t4, told.facts, told.handoffs, told.verified, told.cleared AS told_cleared,
           CASE WHEN q.n_committed = q.n THEN q.t5 END AS t5,
           CASE WHEN told.implemented IS NOT NULL AND coalesce(q.n_done, 0) = coalesce(q.n, 0)
                THEN coalesce(q.t6, told.implemented) END AS told_t6
    FROM opening o JOIN told USING (case_id) LEFT JOIN required q USING (case_id)
),
ended AS (
    SELECT *, CASE WHEN told_t6 <= told_cleared THEN NULL ELSE told_cleared END AS cleared FROM ends
),
whole AS (
    SELECT e.case_id, e.t0, e.t1, e.t2, e.t3, e.t4, e.t5, e.facts, e.handoffs, e.cleared,
           CASE WHEN e.cleared IS NULL THEN e.told_t6 END AS t6,
           CASE WHEN e.cleared IS NULL THEN e.verified END AS t7,
           CASE WHEN e.cleared IS NOT NULL THEN 'cleared' WHEN e.verified IS NOT NULL THEN 'closed'
                WHEN e.told_t6 IS NOT NULL THEN 'implemented' ELSE 'open' END AS state,
           coalesce((extract(epoch FROM CAST(:as_of AS timestamptz)) * 1000000)::bigint, last.last_r) AS until,
           last.last_r, last.latest_fact_id, last.severity, last.cause_kind, last.sites, last.customers,
           coalesce(again.times, 0) AS reopened
    FROM ended e JOIN last USING (case_id) LEFT JOIN again USING (case_id)
),
breaks AS (
    SELECT case_id, b, e FROM (
        SELECT f.case_id, f.t AS e,
               greatest(f.since, o.t1, max(f.t) OVER (PARTITION BY f.case_id ORDER BY f.since, f.t, f.fact_id
                                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS b
        FROM f JOIN opening o USING (case_id) WHERE f.kind = 'case.reopened' AND f.t > f.since
    ) AS raw WHERE e > b
),
marks AS (
    SELECT w.case_id, w.t1, v.k, v.x
    FROM whole w
    CROSS JOIN LATERAL (VALUES (0, CASE w.state WHEN 'cleared' THEN w.cleared WHEN 'closed' THEN w.t7 ELSE w.until END),
                               (1, w.t1), (2, w.t2), (3, w.t3), (4, w.t4), (5, w.t5), (6, w.t6), (7, w.t7)) AS v(k, x)
),
points AS (
    SELECT m.case_id, m.k, m.x - m.t1 - coalesce(sum(least(breaks.e, m.x) - breaks.b) FILTER (WHERE breaks.b < m.x), 0)::bigint AS c
    FROM marks m LEFT JOIN breaks ON breaks.case_id = m.case_id
    GROUP BY m.case_id, m.k, m.x, m.t1
),
excluded AS (SELECT case_id, sum(e - b)::bigint AS us FROM breaks GROUP BY case_id),
critical AS (
    SELECT w.case_id, min(tasks.function COLLATE "C") AS function
    FROM whole w JOIN tasks ON tasks.case_id = w.case_id AND tasks.done = w.t6 GROUP BY w.case_id
),
starts AS (
    SELECT case_id, k, c, min(c) OVER (PARTITION BY case_id ORDER BY k DESC) AS s,
           max(k) FILTER (WHERE c IS NOT NULL) OVER (PARTITION BY case_id) AS m
    FROM points WHERE k > 0
),
spans AS (
    SELECT z.case_id, z.k, z.m, z.c, z.s, z.name, w.state IN ('open', 'implemented') AND z.k = z.m AS open,
           CASE WHEN z.k < z.m THEN z.following - z.s WHEN z.k < 7 THEN stop.c - z.s END AS us
    FROM (
        SELECT starts.*, lead(s) OVER (PARTITION BY case_id ORDER BY k) AS following,
               (ARRAY['task', 'acknowledge', 'decide', 'commit', 'execute', 'verify', NULL])[k] AS name
        FROM starts
    ) AS z JOIN whole w USING (case_id) JOIN points stop ON stop.case_id = z.case_id AND stop.k = 0
    WHERE z.k <= z.m
),
phases AS (
    SELECT case_id, jsonb_agg(jsonb_build_object('phase', name, 'duration_us', us, 'open', open) ORDER BY k) AS phases
    FROM (SELECT case_id, k, name, us, open FROM spans WHERE us >= 0
          UNION ALL SELECT case_id, 0, 'blind', t1 - t0, false FROM whole WHERE t1 >= t0) AS p
    GROUP BY case_id
),
inversions AS (
    SELECT case_id, jsonb_agg(name ORDER BY k) AS inversions FROM (
        SELECT case_id, k, (ARRAY['blind', 'task', 'acknowledge', 'decide', 'commit', 'execute', 'verify'])[k] AS name FROM (
            SELECT case_id, k FROM spans WHERE c > s
            UNION SELECT case_id, 1 FROM whole WHERE t1 < t0
            UNION SELECT case_id, k + 1 FROM spans WHERE us < 0
        ) AS wrong
    ) AS named GROUP BY case_id
),
recomputed AS (
    SELECT w.case_id, w.facts, w.latest_fact_id, w.cause_kind, w.severity, w.state, w.sites, w.customers,
           timestamptz 'epoch' + w.t1 * interval '1 microsecond' AS identified_at,
           timestamptz 'epoch' + w.until * interval '1 microsecond' AS recorded_at,
           stop.c AS elapsed_us, p6.c AS decision_us, p5.c AS coordination_us,
           coalesce(excluded.us, 0) AS excluded_us,
           coalesce(phases.phases, '[]'::jsonb) AS phases, coalesce(inversions.inversions, '[]'::jsonb) AS inversions,
           critical.function AS critical_function,
           w.reopened, w.handoffs, p3.c AS acknowledged_us
    FROM whole w
    JOIN points stop ON stop.case_id = w.case_id AND stop.k = 0
    JOIN points p3 ON p3.case_id = w.case_id AND p3.k = 3
    JOIN points p5 ON p5.case_id = w.case_id AND p5.k = 5
    JOIN points p6 ON p6.case_id = w.case_id AND p6.k = 6
    LEFT JOIN excluded ON excluded.case_id = w.case_id
    LEFT JOIN critical ON critical.case_id = w.case_id
    LEFT JOIN phases ON phases.case_id = w.case_id
    LEFT JOIN inversions ON inversions.case_id = w.case_id
)
"""
MEASURED = (
    "cause_kind",
    "severity",
    "state",
    "identified_at",
    "elapsed_us",
    "decision_us",
    "coordination_us",
    "excluded_us",
    "phases",
    "inversions",
    "critical_function",
    "reopened",
    "handoffs",
    "acknowledged_us",
)


def statement(rest: str) -> Any:
    """Return a statement that starts with the recomputation; `rest` asks `recomputed`."""
    return text(f"WITH {RECOMPUTED} {rest}").bindparams(
        bindparam("as_of", type_=DateTime(timezone=True)), bindparam("case_ids", type_=ARRAY(PG_UUID))
    )


# The planner joins by hash: it cannot know how many rows a step of this query makes.
PLANNED = ("enable_nestloop = off", "jit = off")


def measures_recomputed(
    read: ReadTx, *, as_of: datetime | None = None, case_ids: Sequence[UUID] | None = None
) -> Sequence[Row[Any]]:
    """Return the measure of every case, or of these, recomputed from facts recorded by `as_of`."""
    asked = statement("SELECT * FROM recomputed ORDER BY identified_at, case_id")
    with read.planned(*PLANNED):
        return read.rows(asked, {"as_of": as_of, "case_ids": None if case_ids is None else list(case_ids)})
