"""Business metrics of forecast, declared once."""

from __future__ import annotations

from prometheus_client import Counter

from chassis.runtime.metrics import REGISTRY

overrides_total = Counter("forecast_overrides_total", "Overrides entered.", registry=REGISTRY)
publications_total = Counter("forecast_publications_total", "Forecasts published.", registry=REGISTRY)
