"""LAYERS 4.10: every limit of the chassis has a name, and its README lists them all."""

from __future__ import annotations

import re

from tests.layers.small_tree import ROOT

README = (ROOT / "chassis" / "README.md").read_text(encoding="utf-8")


def named() -> dict[str, str]:
    """Return every public limit of the chassis, and the file that holds it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "chassis").rglob("*.py")):
        for line in re.findall(r"^([A-Z][A-Z_, ]*) = ", path.read_text(encoding="utf-8"), re.MULTILINE):
            found |= {name: path.name for name in line.split(", ") if name.endswith("_MAX")}
    return found


def missing(readme: str) -> list[str]:
    """Return the limits of which a README says nothing."""
    return [f"{name} of {file}" for name, file in named().items() if f"`{name}`" not in readme]


def test_the_readme_lists_every_limit_by_its_name() -> None:
    assert missing(README) == []


def test_a_limit_that_is_left_out_is_seen() -> None:
    """The violation, planted."""
    assert missing(README.replace("`BODY_BYTES_MAX`", "")) == ["BODY_BYTES_MAX of admission.py"]
    assert len(named()) > 15
