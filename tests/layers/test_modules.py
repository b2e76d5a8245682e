"""LAYERS 4.1 to 4.6 on the real tree: the rooms of LAYERS 1.1, which know only what LAYERS 3 allows."""

from __future__ import annotations

from cli.stack import recipe
from tests.layers.small_tree import ROOT, SERVICES, run
from tools.lint_layers.layout import missing_tests, services, wrong_rooms


def test_the_registers_name_the_same_services() -> None:
    """LAYERS 2: whoever has a folder says something, and the stack starts them all."""
    assert tuple(service.name for service in services(ROOT)) == SERVICES
    assert tuple(sorted(recipe.SERVICES)) == SERVICES


def test_every_service_has_the_same_rooms_no_fewer_and_no_more() -> None:
    """LAYERS 4.3, with the files that an import graph cannot see."""
    assert [str(finding) for finding in wrong_rooms(ROOT)] == []


def test_every_room_has_its_tests() -> None:
    """LAYERS 7: one test folder per service, one test file per room."""
    assert [str(finding) for finding in missing_tests(ROOT)] == []


def test_every_import_contract_is_kept() -> None:
    """LAYERS 4.1 to 4.6: Floors, Houses, Rooms, Heart and the others of .importlinter."""
    done = run(ROOT, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())")
    assert done.returncode == 0, done.stdout + done.stderr
