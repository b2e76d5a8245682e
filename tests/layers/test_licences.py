"""What we stand on: every license is known and none is of copyleft beyond the LGPL."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pytest

from tests.layers.small_tree import ROOT

# Spellings distribution in the metadata of distributions, each read and judged by a person.
FREE = (
    r"MIT",
    r"MIT-0",
    r"Apache",
    r"BSD",
    r"ISC",
    r"PSF",
    r"Python Software Foundation",
    r"Repoze Public",
    r"Unlicense",
    r"Zero-Clause",
    r"0BSD",
    r"HPND",
    r"CC0",
)
UP_TO_LGPL = (r"LGPL", r"Lesser General Public", r"MPL", r"Mozilla Public")
BEYOND = (
    r"\bAGPL",
    r"Affero",
    r"\bGPL",
    r"GNU General Public",
    r"SSPL",
    r"Server Side Public",
    r"BUSL",
    r"EUPL",
)


def locked() -> list[str]:
    """Names of all distributions in the locks."""
    texts = [(ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("lock.txt", "bench.lock")]
    return sorted({name for text in texts for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)})


def direct() -> list[str]:
    """Names of the dependencies that pyproject.toml and the pages' package.json ask for."""
    page = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [*page["project"]["optional-dependencies"].values(), *page["dependency-groups"].values()]
    wanted = [*page["project"]["dependencies"], *(w for group in groups for w in group)]
    pages = json.loads((ROOT / "console" / "web" / "package.json").read_text(encoding="utf-8"))
    return sorted(
        {re.split(r"[\[<>=!~ ;]", entry)[0].lower() for entry in wanted}
        | pages["dependencies"].keys()
        | pages["devDependencies"].keys()
    )


def license_of(distribution: Distribution) -> str:
    """What a distribution says about its license, wherever it says it."""
    license_text = distribution.metadata
    classifiers = [line for line in license_text.get_all("Classifier") or [] if line.startswith("License")]
    text = license_text.get("License") or ""
    # Some put the whole text into the field: its first lines name it.
    return " | ".join([license_text.get("License-Expression") or "", *classifiers, text[:200]])


def is_beyond_lgpl(license_text: str) -> bool:
    """Checker one statement: strong copyleft named, and no permissive alternative offered by OR."""
    lesser = re.sub(r"LGPL[-0-9A-Za-z.+]*|Lesser General Public[^|]*", "", license_text)
    lesser = re.sub(r"GNU Library or [^|]*", "", lesser)
    strong = any(re.search(word, lesser) for word in BEYOND)
    offered = " OR " in license_text and any(re.search(word, license_text) for word in FREE)
    return strong and not offered


def is_known(license_text: str) -> bool:
    """Tell whether a statement names a license that somebody has read."""
    return any(re.search(word, license_text, re.IGNORECASE) for word in (*FREE, *UP_TO_LGPL, *BEYOND))


@pytest.mark.parametrize("name", locked())
def test_a_distribution_of_the_lock_is_of_no_copyleft_beyond_the_lgpl(name: str) -> None:
    """Whoever ships Crossdock owes nobody their own source."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        pytest.skip(f"left out: {name} is locked for another platform or for `make bench`, and not installed here")
    license_text = license_of(installed)
    assert is_known(license_text), f"{name}: no license we know in {license_text!r}"
    assert not is_beyond_lgpl(license_text), f"{name}: {license_text}"


@pytest.mark.parametrize(
    "license_text",
    [
        "GPL-3.0-only",
        "License :: OSI Approved :: GNU General Public License v2 (GPLv2)",
        "AGPL-3.0-or-later",
        "SSPL-1.0",
    ],
)
def test_a_strong_copyleft_is_seen(license_text: str) -> None:
    """The violation, planted."""
    assert is_beyond_lgpl(license_text)


@pytest.mark.parametrize(
    "license_text", ["LGPL-3.0-only", "MIT", "MPL-2.0", "GPL-2.0-only OR MIT", "Apache-2.0 AND MIT"]
)
def test_a_weak_or_no_copyleft_passes(license_text: str) -> None:
    """The other half of the rule."""
    assert not is_beyond_lgpl(license_text)


@pytest.mark.parametrize("name", direct())
def test_a_direct_dependency_is_named_with_what_it_does_and_what_we_would_write(name: str) -> None:
    """Few, and each with its reason in docs/dependencies.md."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").split("## Licenses")[0]
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith(f"| {name} |")]
    assert len(rows) == 1, f"{name} needs one row in docs/dependencies.md"
    assert all(len(cell.strip()) >= 8 for cell in rows[0][1:])


def test_the_page_names_nothing_that_is_not_asked_for() -> None:
    """A dependency that left takes its row along."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").split("## Licenses")[0]
    named = re.findall(r"^\| ([a-z0-9@/-]+) \|", page, re.MULTILINE)
    assert sorted(named) == direct()
