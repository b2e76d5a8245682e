"""Migrations of inventory keep what is stored."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from chassis.persistence import migrations
from services.inventory import domain

SIGNAL = """
INSERT INTO signals (signal_id, door, source, key, content_hash, content, result_id, subject, recorded_at)
VALUES (gen_random_uuid(), %s, %s, %s, 'x', '{}', %s, 'somebody', %s)
"""


def test_items_and_sites_get_the_source_that_registered_them(fresh_database: Callable[[str], str]) -> None:
    url = fresh_database("inventory")
    migrations.migrate("inventory", url, "0003")
    with psycopg.connect(url) as connection:
        for code in ("kit", "glove"):
            stored = "INSERT INTO items (item_id, code, description, unit, occurred_at, recorded_at, version) VALUES (%s, %s, '', 'each', now(), now(), 1)"
            connection.execute(stored, (domain.item_id(code), code))
        stored = "INSERT INTO sites (site_id, code, name, zone, calendar, occurred_at, recorded_at, version) VALUES (%s, 'LYO', '', 'UTC', 'every-day', now(), now(), 1)"
        connection.execute(stored, (domain.site_id("LYO"),))
        kit = str(domain.item_id("kit"))
        connection.execute(SIGNAL, ("keep-items", "tms", "2", kit, "2026-03-02T00:00:00Z"))
        connection.execute(SIGNAL, ("keep-items", "erp", "1", kit, "2026-03-01T00:00:00Z"))
        connection.execute(SIGNAL, ("keep-sites", "erp", "1", str(domain.site_id("LYO")), "2026-03-01T00:00:00Z"))
    migrations.migrate("inventory", url, "head")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT code, source FROM items ORDER BY code").fetchall() == [
            ("glove", "crossdock"),
            ("kit", "erp"),
        ]
        assert connection.execute("SELECT code, source FROM sites").fetchall() == [("LYO", "erp")]
    migrations.migrate("inventory", url, "0003")
