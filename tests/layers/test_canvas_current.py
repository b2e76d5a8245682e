"""The canvas in each service's README is what the code says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT, SERVICES
from tools import generated
from tools.canvas import CLOSES, OPENS, readmes, with_block


def test_every_canvas_is_what_the_code_says() -> None:
    """The remedy is `make canvas`."""
    assert generated.stale(ROOT, readmes()) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_has_five_lines_of_prose_before_its_canvas(service: str) -> None:
    """LAYERS 1.1: what it is for, what it owns, what may never happen."""
    text = (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")
    prose = [line for line in text.partition(OPENS)[0].splitlines() if line and not line.startswith("#")]
    assert len(prose) >= 5


def test_a_canvas_that_was_edited_is_seen_and_repaired(tmp_path: Path) -> None:
    """The violation, planted: a line inside the block."""
    page = with_block("# one\n\nProse.\n", "### Tables\n\nNone.\n")
    generated.write(tmp_path, {"README.md": page})
    (tmp_path / "README.md").write_text(page.replace("None.", "One."), encoding="utf-8")
    assert generated.stale(tmp_path, {"README.md": page}) == ["README.md"]


def test_prose_around_the_block_is_kept() -> None:
    """Only what stands between the markers is made."""
    page = with_block(f"# one\n\nBefore.\n\n{OPENS}\nold\n{CLOSES}\n\nAfter.\n", "new\n")
    assert page == f"# one\n\nBefore.\n\n{OPENS}\nnew\n{CLOSES}\nAfter.\n"
    assert with_block(page, "new\n") == page
