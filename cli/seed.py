"""Plant the seed of a world through the public APIs: playbook, thresholds, calendars, rosters, ladder.

Each file `cli/seed/*.yaml` is a list of requests `{service, path, body, key, method?, as?}`, sent in
the order of the file names and within a file in order. `key` is the Idempotency-Key, so planting twice
changes nothing; `as` is the role that asks (planning-lead unless told). Each folder in `cli/seed/` is another
seed of that name. Amounts stand without a currency: they are in the reporting currency of the world.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from cli.stack.state import StackError

FOLDER = Path(__file__).with_name("seed")
EVERYDAY, REPLAY, NONE = "everyday", "replay", "none"
"""The seed in the folder itself; that of a driven world, a folder in it, where every day is a working day and
deadlines are whole days (FLOW 7.4); and no seed."""
CURRENCIES = {EVERYDAY: "EUR", REPLAY: "USD"}
"""The reporting currency of a world with this seed, where nobody names another."""
ROLE = "planning-lead"
TIMEOUT_SECONDS = 30.0
KEY_HEADER = "Idempotency-Key"


class SeedRefused(StackError):
    """A service did not take a request of the seed."""


def currency_of(name: str, *, driven: bool) -> str:
    """Return the default reporting currency of a seed; a world without a seed takes that of its kind of clock."""
    return CURRENCIES.get(name) or CURRENCIES[REPLAY if driven else EVERYDAY]


def requests(folder: Path = FOLDER, *, currency: str = CURRENCIES[EVERYDAY]) -> list[dict[str, Any]]:
    """Return the requests of all seed files in order, their amounts in this currency.

    Raises SeedRefused for a file that is no such list, and for an amount in another currency.
    """
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text()) or []
        if not isinstance(content, list):
            raise SeedRefused(f"The seed file {path.name} must be a list of requests.")
        for number, request in enumerate(content, 1):
            missing = {"service", "path", "key"} - set(request)
            if missing:
                raise SeedRefused(f"Request {number} of the seed file {path.name} lacks {sorted(missing)}.")
            place = f"Request {number} of the seed file {path.name}"
            found.append(_with_currency(request, currency, place=place, usual=currency_of(folder.name, driven=False)))
    return found


def _with_currency(request: dict[str, Any], currency: str, *, place: str, usual: str) -> dict[str, Any]:
    """Return a request with its amounts in this currency.

    The key of one with amounts names a currency that the seed does not have usually: a world that was made with the
    usual one, before worlds had a currency, gets the request again.
    """
    body = _in_currency(request.get("body"), currency, place=place, field="body")
    if request["path"] == "/thresholds":
        body.setdefault("currency", currency)
    unchanged = body == request.get("body") or currency == usual
    return {**request, "body": body, "key": request["key"] if unchanged else f"{request['key']}-{currency}"}


def _in_currency(content: Any, currency: str, *, place: str, field: str) -> Any:
    if isinstance(content, list):
        return [
            _in_currency(one, currency, place=place, field=f"{field}.{number}") for number, one in enumerate(content)
        ]
    if not isinstance(content, dict):
        return content
    if content.get("currency", currency) != currency:
        raise SeedRefused(
            f"{place} states {field}.currency {content['currency']}, and the world's currency is {currency}: leave the"
            f" currency out, or make the world with `--currency {content['currency']}`."
        )
    filled = {name: _in_currency(one, currency, place=place, field=f"{field}.{name}") for name, one in content.items()}
    return filled | {"currency": currency} if set(content) == {"amount"} else filled


def folder_of(name: str) -> Path | None:
    """Return the folder of a seed by its name, None for the name of no seed; raises SeedRefused."""
    if name == NONE:
        return None
    folder = FOLDER if name == EVERYDAY else FOLDER / name
    if not folder.is_dir():
        known = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
        raise SeedRefused(f"There is no seed {name}; there are {', '.join([EVERYDAY, *known, NONE])}.")
    return folder


def plant(
    urls: Mapping[str, str],
    token: Callable[[str], str],
    *,
    folder: Path = FOLDER,
    currency: str = CURRENCIES[EVERYDAY],
    planted: Collection[str] = (),
) -> list[str]:
    """Post the seed to the services that are there and return the keys of what was taken.

    `token` returns a token for a role; `currency` is that of the amounts; `planted` names keys that a service took
    long ago and may have forgotten. Raises SeedRefused with the service's own words.
    """
    taken: list[str] = []
    with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
        for request in requests(folder, currency=currency):
            base = urls.get(request["service"])
            if base is None or request["key"] in planted:
                continue
            _send(http, base, request, token(request.get("as", ROLE)))
            taken.append(request["key"])
    return taken


def _send(http: httpx.Client, base: str, request: dict[str, Any], token: str) -> None:
    method = request.get("method", "POST")
    headers = {"Authorization": f"Bearer {token}", KEY_HEADER: str(request["key"])}
    what = f"{method} {request['service']}{request['path']} (seed {request['key']})"
    try:
        answer = http.request(method, f"{base}{request['path']}", json=request.get("body"), headers=headers)
    except httpx.HTTPError as why:
        raise SeedRefused(f"{what} was not answered: {why}.") from why
    if answer.is_error:
        raise SeedRefused(f"{what} was refused with {answer.status_code}: {answer.text[:400]}")
