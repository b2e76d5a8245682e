CREATE TEMP TABLE raw (line jsonb);

-- Every fact of a case in the world asked about, once.
CREATE TEMP TABLE told (
    id uuid PRIMARY KEY, case_id uuid, kind text, occurred timestamptz, recorded timestamptz, data jsonb
);
CREATE TEMP TABLE calendar (
    code text PRIMARY KEY, zone text, weekdays int[], opens time, closes time, holidays date[]
);
CREATE TEMP TABLE measured (
    case_id uuid, kind text, severity text, state text, identified_at timestamptz, t1 bigint, elapsed_us bigint,
    decision_us bigint, coordination_us bigint, excluded_us bigint, phases jsonb, inversions jsonb,
    critical_function text, reopened int, handoffs int, facts bigint, acknowledged_us bigint, lasted bigint,
    working_us bigint, paused jsonb, endless boolean, unknown boolean
);
