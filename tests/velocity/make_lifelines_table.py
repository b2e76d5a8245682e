"""How `lifelines_500.json.gz` was made: 500 random logs, and what lifelines says of each. Needs lifelines 0.30.3:

    pip install lifelines==0.30.3 && python tests/velocity/make_lifelines_table.py

Ties are frequent, some logs are all censored, some are not censored at all, and some reach S = 0.5 exactly.
"""

from __future__ import annotations

import gzip
import json
import math
import random
from pathlib import Path

from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

LOGS = 500


def of_one(seed: int) -> dict:
    """Return a log and the curve, the band, the percentiles and the restricted mean that lifelines finds."""
    chance = random.Random(seed)
    n, spread, share = chance.randint(1, 60), chance.choice([3, 10, 40, 10_000]), chance.choice([0, 0.3, 0.7, 0.9, 1])
    cases = [(chance.randint(1, spread), int(chance.random() < share)) for _ in range(n)]
    fitted = KaplanMeierFitter().fit([t for t, _ in cases], [e for _, e in cases])
    horizon = chance.choice([max(t for t, _ in cases), spread // 2 + 1, spread + 5])
    times = sorted({t for t, e in cases if e})
    curve, band = fitted.survival_function_["KM_estimate"], fitted.confidence_interval_
    return {
        "cases": cases,
        "horizon": horizon,
        "curve": [[t, float(curve.loc[t]), *(float(x) for x in band.loc[t])] for t in times],
        "percentiles": [p if math.isfinite(p := float(fitted.percentile(s))) else None for s in (0.5, 0.1, 0.05)],
        "restricted_mean": float(restricted_mean_survival_time(fitted, t=horizon)),
    }


if __name__ == "__main__":
    table = json.dumps([of_one(seed) for seed in range(LOGS)], separators=(",", ":")).encode()
    Path(__file__).with_name("lifelines_500.json.gz").write_bytes(gzip.compress(table, mtime=0))
