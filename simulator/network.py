"""A small simulated network: two warehouses, six clinics, four products, suppliers with terms, orders and trucks."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.amounts import rounded_amount
from simulator.service_client import ServiceClient, until

SITES = {"Abidjan": "Africa/Abidjan", "Lagos": "Africa/Lagos"}
ITEMS = {"test-kit": "111.00", "syringe-100": "25.20", "glove-box": "18.60", "bandage-50": "40.50"}
PRICES = "2"  # the version of these prices: a world that was planted with others takes them as a change
CUSTOMERS = {
    "clinic-plateau": ("Clinic Plateau", "strategic", "Abidjan"),
    "clinic-cocody": ("Clinic Cocody", "key", "Abidjan"),
    "clinic-yopougon": ("Clinic Yopougon", "standard", "Abidjan"),
    "hospital-ikeja": ("Hospital Ikeja", "key", "Lagos"),
    "clinic-lekki": ("Clinic Lekki", "standard", "Lagos"),
    "clinic-apapa": ("Clinic Apapa", "standard", "Lagos"),
}
SUPPLIERS = {"Meridian Medical": 1.00, "Bolt & Sons": 1.12, "Harmattan Supply": 1.05, "Lagoon Traders": 1.30}
OWN_SUPPLIER = "Meridian Medical"
SOURCE, CARRIER = "erp", "northline"


def money(amount: float | str, currency: str) -> dict[str, str]:
    """Return an amount as the services take it, rounded by its currency."""
    return {"amount": str(rounded_amount(Decimal(amount), currency)), "currency": currency}


@dataclass
class Network:
    """What was brought in, for the story to tell about."""

    today: date
    currency: str
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    trucks: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: int = 0


def plant(services: ServiceClient, *, seed: int, now: datetime, run: str) -> Network:
    """Bring the network in through the public services, each function what is its own; `run` keeps references apart."""
    chance = random.Random(seed)
    network = Network(today=now.date(), currency=services.currency)
    _masters(services)
    _terms(services, chance, network.today)
    _orders(chance, network, run)
    _stock(services, chance)
    _forecasts(services, chance, network.today)
    _trucks(services, network, run)
    until(lambda: _outlook(services, network, "inbound"), "inventory to hear of the trucks")
    services.batch("machine-erp", "sales", "/orders:batch", SOURCE, list(network.orders.values()))
    until(lambda: _outlook(services, network, "orders"), "inventory to hear of the orders")
    return network


def more(services: ServiceClient, chance: random.Random, *, now: datetime, run: str) -> Network:
    """Bring new orders, and trucks that carry them, into a network that was planted before."""
    network = Network(today=now.date(), currency=services.currency)
    _orders(chance, network, run)
    _trucks(services, network, run)
    services.batch("machine-erp", "sales", "/orders:batch", SOURCE, list(network.orders.values()))
    return network


def tell_late(
    services: ServiceClient, truck: dict[str, Any], *, now: datetime, days: int, reason: str, note: str
) -> dict[str, Any]:
    """The carrier says that a truck comes some days after its promised day; returns what the service answered."""
    expected = datetime.fromisoformat(truck["promised_on"]).replace(tzinfo=now.tzinfo) + timedelta(days=days)
    said = {
        "key": f"{truck['reference']}@{now.isoformat()}",
        "shipment": truck["reference"],
        "planned_by": SOURCE,
        "kind": "estimated",
        "occurred_at": now.isoformat(),
        "expected_at": expected.isoformat(),
        "reason": reason,
        "note": note,
    }
    (result,) = services.batch("machine-carrier", "logistics", "/milestones:batch", CARRIER, [said])
    return result


def _outlook(services: ServiceClient, network: Network, what: str) -> bool:
    """Say whether inventory projects what every truck brings, or what every order takes."""
    expected: dict[tuple[str, str], float] = {}
    for order in network.orders.values():
        for line in order["lines"]:
            place = (line["item"], order["site"])
            expected[place] = expected.get(place, 0) + float(line["quantity"])
    return all(
        sum(
            float(day[what])
            for day in services.get("inventory", "inventory", "/projections", item=item, site=site)["days"]
        )
        >= quantity
        for (item, site), quantity in expected.items()
    )


def _keyed(things: list[dict[str, Any]], version: str = "1") -> list[dict[str, Any]]:
    return [{"key": f"{one['code']}@{version}", **one} for one in things]


def _masters(services: ServiceClient) -> None:
    sites = [
        {"code": code, "name": f"{code} warehouse (simulated)", "zone": zone, "calendar": "every-day"}
        for code, zone in SITES.items()
    ]
    items = [
        {
            "code": code,
            "description": f"{code} (simulated)",
            "unit": "pack",
            "unit_value": money(price, services.currency),
        }
        for code, price in ITEMS.items()
    ]
    services.batch("inventory", "inventory", "/sites:batch", "simulator", _keyed(sites))
    services.batch(
        "inventory", "inventory", "/items:batch", "simulator", _keyed(items, f"{PRICES}-{services.currency}")
    )
    customers = [
        {"code": code, "name": f"{name} (simulated)", "tier": tier, "contact": f"orders@{code}.example"}
        for code, (name, tier, _) in CUSTOMERS.items()
    ]
    services.batch("sales", "sales", "/customers:batch", "simulator", _keyed(customers))
    suppliers = [{"code": code, "name": f"{code} (simulated)"} for code in SUPPLIERS]
    services.batch("procurement", "procurement", "/suppliers:batch", "simulator", _keyed(suppliers))
    services.post("logistics", "logistics", "/carriers", {"code": CARRIER, "name": "Northline Trucking (simulated)"})
    for site in SITES:
        lane = {"origin": "Accra", "destination": site, "carrier": CARRIER, "mode": "Truck", "transit_days": 2}
        services.post("logistics", "logistics", "/lanes", lane)


def _terms(services: ServiceClient, chance: random.Random, today: date) -> None:
    since = date(today.year, 1, 1).isoformat()
    terms = [
        {
            "key": f"{supplier}/{item}@{since}-{PRICES}-{services.currency}",
            "supplier": supplier,
            "item": item,
            "effective_from": since,
            "price": money(float(price) * 0.6 * factor, services.currency),
            "freight": money(0.4 + 0.2 * factor, services.currency),
            "lead_time_days": chance.randint(1, 5),
            "minimum_quantity": str(chance.choice((10, 50, 500))),
            "capacity_per_week": str(chance.choice((200, 1000, 4000))),
        }
        for supplier, factor in SUPPLIERS.items()
        for item, price in ITEMS.items()
        if supplier == OWN_SUPPLIER or chance.random() < 0.8
    ]
    services.batch("procurement", "procurement", "/terms:batch", "simulator", terms)


def _orders(chance: random.Random, network: Network, run: str) -> None:
    for number, (customer, (_, _, site)) in enumerate(CUSTOMERS.items(), start=1):
        reference = f"SO-{run}-{number}"
        due = network.today + timedelta(days=3)
        lines = []
        for n, item in enumerate(chance.sample(list(ITEMS), 2), start=1):
            quantity = chance.randint(20, 120)
            lines.append(
                {
                    "reference": str(n),
                    "item": item,
                    "quantity": str(quantity),
                    "value": money(quantity * float(ITEMS[item]), network.currency),
                    "promised_on": due.isoformat(),
                }
            )
        network.orders[reference] = {
            "key": f"{reference}@1",
            "reference": reference,
            "customer": customer,
            "site": site,
            "lines": lines,
        }
        network.lines += len(lines)


def _stock(services: ServiceClient, chance: random.Random) -> None:
    entries = [
        {
            "key": f"{site}/{item}@opening",
            "item": item,
            "site": site,
            "kind": "opening",
            "quantity": str(chance.randint(0, 60)),
        }
        for site in SITES
        for item in ITEMS
    ]
    services.batch("inventory", "inventory", "/stock-entries:batch", "simulator", entries)


def _forecasts(services: ServiceClient, chance: random.Random, today: date) -> None:
    """Enter what will be needed in the next eight weeks. Nobody is told yet: the planners look at it first."""
    monday = today + timedelta(days=7 - today.weekday())
    weeks = [(monday + timedelta(weeks=n)).isoformat() for n in range(8)]
    entered = [
        {
            "key": f"{site}/{item}@{monday}",
            "item": item,
            "site": site,
            "weeks": [{"week_on": week, "quantity": str(chance.randint(10, 90))} for week in weeks],
        }
        for site in SITES
        for item in ITEMS
    ]
    services.batch("sales", "forecast", "/forecasts:batch", "simulator", entered)


def _trucks(services: ServiceClient, network: Network, run: str) -> None:
    for number, site in enumerate(SITES, start=1):
        reference = f"TRK-{run}-{number}"
        due = (network.today + timedelta(days=2)).isoformat()
        lines = [
            {
                "reference": f"{order['reference']}-{line['reference']}",
                "item": line["item"],
                "quantity": line["quantity"],
                "value": line["value"],
                "promised_on": due,
                "order": order["reference"],
                "order_line": line["reference"],
                "customer": order["customer"],
                "supplier": OWN_SUPPLIER,
            }
            for order in network.orders.values()
            if order["site"] == site
            for line in order["lines"]
        ]
        network.trucks[reference] = {
            "key": f"{reference}@1",
            "reference": reference,
            "destination": site,
            "origin": "Accra",
            "carrier": CARRIER,
            "mode": "Truck",
            "promised_on": due,
            "lines": lines,
        }
    services.batch("machine-erp", "logistics", "/shipments:batch", SOURCE, list(network.trucks.values()))
