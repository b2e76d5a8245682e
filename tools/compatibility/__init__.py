"""May a published contract change like this? Compare the generated ones with those of every release that is kept.

`python -m tools.compatibility` compares `schemas/generated/` with each folder of `schemas/releases/`; `--against`
names one folder. It answers 1 when a client, a reader or a writer of the earlier release would break. The way out of
a finding about an event is a new `v2` class; a request that is narrowed on purpose stands in `narrowed.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from tools.compatibility import events, routes
from tools.compatibility.narrowed import NARROWED

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "schemas" / "generated"
RELEASES = ROOT / "schemas" / "releases"


def compare_folders(old: Path, new: Path, narrowed: Mapping[str, str] = NARROWED) -> list[str]:
    """Return one sentence per breaking change between two folders of contracts that is not narrowed on purpose."""
    found = events.compare_all(events.schemas_in(old), events.schemas_in(new))
    found += routes.compare_all(routes.documents_in(old), routes.documents_in(new))
    return [finding for finding in found if finding not in narrowed]


def main(arguments: list[str] | None = None) -> int:
    """Print every breaking change; answer 1 when there is one, 2 when there is nothing to compare with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="a folder of generated contracts")
    against = parser.parse_args(arguments).against
    folders = [against] if against else sorted(path for path in RELEASES.glob("*") if path.is_dir())
    if not folders or not all(folder.is_dir() for folder in folders):
        print(f"There is no folder {against or RELEASES} to compare {GENERATED} with: name one by --against.")
        return 2
    broken = False
    for folder in folders:
        if findings := compare_folders(folder, GENERATED):
            broken = True
            print("\n".join(f"{folder.name}: {finding}" for finding in findings))
        else:
            print(f"{len(events.schemas_in(folder))} events and the OpenAPI documents of {folder.name}: nothing breaks")
    if broken:
        print(
            "Restore the removed or narrowed part, publish the change as a new v2 event,"
            " or list the request in tools/compatibility/narrowed.py."
        )
    return int(broken)
