-- The words of the specification, once more: this file shares nothing with velocity/.

CREATE FUNCTION pg_temp.us(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (extract(epoch FROM at) * 1000000)::bigint $$;

CREATE FUNCTION pg_temp.at(us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT timestamptz 'epoch' + us * interval '1 microsecond' $$;

CREATE FUNCTION pg_temp.written(at timestamptz) RETURNS text LANGUAGE sql AS
$$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS' || CASE WHEN date_trunc('second', at) = at THEN '' ELSE '.US' END) || 'Z' $$;

CREATE FUNCTION pg_temp.length_of(stretches int8multirange) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(sum(upper(x) - lower(x)), 0)::bigint FROM unnest(stretches) AS x $$;

CREATE FUNCTION pg_temp.stretch(since bigint, until bigint) RETURNS int8multirange LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN until > since THEN int8multirange(int8range(since, until)) ELSE int8multirange() END $$;

-- The curve in whole numbers: S = above / below; variance and hazard for its band.
CREATE FUNCTION pg_temp.curve(durations bigint[], implemented boolean[])
RETURNS TABLE (t bigint, above numeric, below numeric, variance float8, hazard float8) LANGUAGE sql AS $$
WITH RECURSIVE each AS (SELECT * FROM unnest(durations, implemented) AS u(d, done)),
endings AS (
    SELECT d, count(*) FILTER (WHERE done) AS ended, (SELECT count(*) FROM each x WHERE x.d >= each.d) AS at_risk,
           row_number() OVER (ORDER BY d) AS place
    FROM each GROUP BY d HAVING bool_or(done)
),
walk AS (
    SELECT 0::bigint AS place, NULL::bigint AS t, 1::numeric AS above, 1::numeric AS below, 0::float8 AS variance, 0::float8 AS hazard
    UNION ALL
    SELECT e.place, e.d, w.above * (e.at_risk - e.ended), w.below * e.at_risk,
           CASE WHEN e.at_risk > e.ended THEN w.variance + e.ended::float8 / (e.at_risk * (e.at_risk - e.ended)) END,
           CASE WHEN e.at_risk > e.ended THEN w.hazard + ln((e.at_risk - e.ended)::float8 / e.at_risk) END
    FROM walk w JOIN endings e ON e.place = w.place + 1
)
SELECT t, above, below, variance, hazard FROM walk WHERE place > 0
$$;

CREATE FUNCTION pg_temp.reached(durations bigint[], implemented boolean[], one_in int) RETURNS bigint LANGUAGE sql AS
$$ SELECT min(t) FROM pg_temp.curve(durations, implemented) WHERE above * one_in <= below $$;

-- sign −1 is the lower bound, +1 the upper one.
CREATE FUNCTION pg_temp.bound(variance float8, hazard float8, sign int) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT round(exp(-exp(ln(-hazard) + sign * 1.959963984540054::float8 * sqrt(variance) / hazard))::numeric, 9) $$;

CREATE FUNCTION pg_temp.mean_until(durations bigint[], implemented boolean[], horizon bigint) RETURNS bigint LANGUAGE sql AS $$
WITH c AS (
    SELECT 0::bigint AS t, 1::numeric AS s, -1 AS k
    UNION ALL SELECT t, above::numeric(200, 60) / below, 0 FROM pg_temp.curve(durations, implemented)
),
heights AS (
    SELECT least(greatest(t, 0), horizon) AS since, least(greatest(lead(t, 1, horizon) OVER w, 0), horizon) AS until, s
    FROM c WINDOW w AS (ORDER BY k, t)
)
SELECT floor(round(sum(CASE WHEN until > since THEN (until - since) * s ELSE 0 END), 30) + 0.5)::bigint FROM heights
$$;

CREATE FUNCTION pg_temp.plain_median(durations bigint[]) RETURNS bigint LANGUAGE sql AS $$
SELECT floor((sum(d) FILTER (WHERE n IN ((total + 1) / 2, total / 2 + 1)))::numeric
             / count(*) FILTER (WHERE n IN ((total + 1) / 2, total / 2 + 1)) + 0.5)::bigint
FROM (SELECT d, row_number() OVER (ORDER BY d) AS n, count(*) OVER () AS total FROM unnest(durations) AS d) AS x
$$;
