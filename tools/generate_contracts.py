"""Write the contracts from the code: JSON Schema per event, one AsyncAPI document, OpenAPI per service, docs/events.md.

`python -m tools.generate_contracts` writes them; `--check` only compares, and answers 1 on a difference. `--release`
keeps a copy under `schemas/releases/<version>/`, with which every later release is compared.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from tools import generated
from tools.contracts.asyncapi import asyncapi
from tools.contracts.catalogue import catalogue
from tools.contracts.event_schemas import events, render, schema_of
from tools.contracts.hearing import consumed_by
from tools.contracts.openapi import documents

ROOT = Path(__file__).resolve().parents[1]
MADE_HERE = ("schemas/generated/*.json", "schemas/generated/openapi/*.json")


def contracts() -> dict[str, str]:
    """Answer path and text of every generated contract."""
    hears = consumed_by()
    files = {f"schemas/generated/{event.event_name}.json": render(schema_of(event)) for event in events()}
    files["schemas/generated/asyncapi.json"] = render(asyncapi(hears))
    files |= {f"schemas/generated/openapi/{name}.json": render(document) for name, document in documents().items()}
    files["docs/events.md"] = catalogue(hears)
    return files


def version(root: Path = ROOT) -> str:
    """Answer the version in pyproject.toml."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def keep_release(files: dict[str, str], release: str, root: Path = ROOT) -> int:
    """Copy the contracts of a release; answer 1 where that release is kept already with other contracts."""
    prefix, folder = "schemas/generated/", f"schemas/releases/{release}"
    kept = {f"{folder}/{path.removeprefix(prefix)}": text for path, text in files.items() if path.startswith(prefix)}
    changed = generated.stale(root, kept, made_here=(f"{folder}/**/*.json",))
    if (root / folder).exists() and changed:
        print(f"{folder} is kept and differs in {len(changed)} files: raise the version in pyproject.toml first.")
        return 1
    generated.write(root, kept)
    print(f"{len(kept)} contracts are kept in {folder}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Write or check; answer 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--release", action="store_true", help="keep the contracts of this version")
    options = parser.parse_args(arguments)
    files = contracts()
    if options.release:
        return keep_release(files, version())
    if not options.check:
        changed = generated.write(ROOT, files, made_here=MADE_HERE)
        print("\n".join([*changed, f"{len(changed)} of {len(files)} contracts changed"]))
        return 0
    stale = generated.stale(ROOT, files, made_here=MADE_HERE)
    if stale:
        named = "\n  ".join(stale)
        print(
            "These contracts are not what schemas/, the reactions and the routes make:\n"
            f"  {named}\nRun `make contracts`."
        )
        return 1
    print(f"{len(files)} contracts are what the code makes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
