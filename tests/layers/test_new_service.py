"""A new service passes the gates from its first minute; a name that cannot be is refused before anything is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT, run
from tests.layers.test_no_strays import committed
from tools.lint_layers import lint
from tools.new_service.__main__ import CannotMake, plural_of, with_name, words_for

# Not quick: a whole copy of the tree goes through every gate, and its rooms through a real PostgreSQL.
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this very tree with a ninth service in it."""
    folder = tmp_path_factory.mktemp("copy")
    for path in committed():
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    made = run(folder, "-m", "tools.new_service", "returns", "--noun", "return-order")
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def test_a_new_service_has_no_finding_of_its_own(copy: Path) -> None:
    """LAYERS 4.3 and 4.7 to 4.14."""
    own = ("services/returns", "tests/returns", "schemas")
    assert [str(finding) for finding in lint(copy) if finding.path.startswith(own)] == []


@pytest.mark.parametrize(
    "gate",
    [
        ["ruff", "check", "--no-cache", "services/returns", "tests/returns", "schemas"],
        ["ruff", "format", "--no-cache", "--check", "services/returns", "tests/returns", "schemas/returns.py"],
        ["mypy", "--cache-dir", "cache", "services/returns", "schemas"],
        ["tools.generate_contracts", "--check"],
        ["tools.canvas", "--check"],
        ["pytest", "-p", "no:cacheprovider", "tests/returns/test_domain.py", "tests/returns/test_reactions.py"],
        ["pytest", "-p", "no:cacheprovider", "tests/schemas/test_names.py", "tests/schemas/test_generated.py"],
    ],
    ids=lambda gate: " ".join(gate[:2]),
)
def test_a_new_service_passes_the_gate(copy: Path, gate: list[str]) -> None:
    """Types, style, contracts, canvas and the tests that need no server."""
    done = run(copy, "-m", *gate)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_service_keeps_every_import_contract(copy: Path) -> None:
    """LAYERS 4.1 to 4.6."""
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = run(copy, "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rooms_of_a_new_service_work_on_a_real_postgresql(copy: Path, fresh_database: object) -> None:
    """Its first migration, its act, its question and its doors; the fixture says that a server can be had."""
    assert fresh_database
    tests = [f"tests/returns/test_{room}.py" for room in ("operations", "queries", "api")]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_name_that_is_taken_is_refused_and_nothing_is_written(copy: Path) -> None:
    """Said with what to do; exit code 2."""
    before = (copy / "schemas" / "topics.py").read_text(encoding="utf-8")
    done = run(copy, "-m", "tools.new_service", "returns")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert (copy / "schemas" / "topics.py").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(("service", "noun"), [("Returns", "return"), ("re-turns", "return"), ("returns", "Re_turn")])
def test_a_name_outside_the_grammar_is_refused(service: str, noun: str) -> None:
    """LAYERS 8."""
    with pytest.raises(CannotMake):
        words_for(service, noun, "returns")


@pytest.mark.parametrize(
    ("noun", "plural"), [("dock", "docks"), ("policy", "policies"), ("box", "boxes"), ("day", "days")]
)
def test_the_plural_of_a_regular_noun(noun: str, plural: str) -> None:
    """An irregular one is given."""
    assert plural_of(noun) == plural


def test_a_register_that_moved_is_said(copy: Path) -> None:
    """Rather a sentence than a half-made service."""
    with pytest.raises(CannotMake, match="by hand"):
        with_name("x = 1\n", "TOPICS = (", "    one,")
