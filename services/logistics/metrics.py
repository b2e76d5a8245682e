"""Business metrics of logistics, declared once."""

from __future__ import annotations

from prometheus_client import Counter

from chassis.runtime.metrics import REGISTRY

delays_published = Counter("logistics_delays_total", "Delays published, by basis.", ["basis"], registry=REGISTRY)
findings = Counter("logistics_findings_total", "Data-quality findings, by kind.", ["kind"], registry=REGISTRY)
