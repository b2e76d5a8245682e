"""Links, paths, test names and commands that the documents mention exist."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from cli.app import build

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "chassis" / "README.md",
        *ROOT.glob("services/*/README.md"),
    ]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"([\w/]+\.py)::([\w…]+)")
PATH = re.compile(r"(?:[\w.-]+/)+[\w.*-]*")
TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
# Files and folders that programs write.
WRITTEN = ("deploy/.env", "console/web/dist")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Git forges write them."""
    heads = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Yield the relative links of a page that lead to no file or to no heading."""
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield link


def missing_tests(page: Path, text: str) -> Iterator[str]:
    """Yield each `path::test` that names no test; paths may start at tests/, and `…` stands for any rest of a name."""
    for path, name in TEST.findall(text):
        file = next((file for file in (ROOT / path, ROOT / "tests" / path) if file.is_file()), None)
        wanted = re.compile(rf"def {re.escape(name).replace('…', r'[a-z0-9_]*')}\(")
        if file is None or not wanted.search(file.read_text(encoding="utf-8")):
            yield f"{path}::{name}"


def missing_paths(page: Path, text: str) -> Iterator[str]:
    """Yield paths in backticks that start with a folder of this checkout and do not exist."""
    for code in CODE.findall(BLOCK.sub("", text)):
        for path in code.split():
            if path.startswith(WRITTEN) or not PATH.fullmatch(path) or path.split("/")[0] not in TOP:
                continue
            near = page.parent if page.parent != ROOT and page.name == "README.md" else ROOT
            if not any(any(base.glob(path.rstrip("/") or ".")) for base in (ROOT, near, ROOT / "tests")):
                yield path


def unknown_targets(page: Path, text: str) -> Iterator[str]:
    """Yield `make` targets that the Makefile does not have."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    yield from (
        f"make {name}" for name in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE) if name not in targets
    )


def unknown_modules(page: Path, text: str) -> Iterator[str]:
    """Yield modules of `python -m` that cannot be found."""
    for name in re.findall(r"python -m ([a-z_.]+[a-z_])", text.replace("services.<name>", "services.sales")):
        if name.split(".")[0] in TOP and importlib.util.find_spec(name) is None:
            yield f"python -m {name}"


def unknown_commands(page: Path, text: str) -> Iterator[str]:
    """Yield subcommands of `crossdock` that the command line does not have."""
    commands = getattr(get_command(build()), "commands", {})
    words = re.findall(r"(?:`|^|/)crossdock ([a-z-]+)", text, re.MULTILINE)
    yield from (f"crossdock {word}" for word in words if word not in commands)


CHECKS = [broken_links, missing_tests, missing_paths, unknown_targets, unknown_modules, unknown_commands]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_everything_that_a_document_names_exists(check: Callable[[Path, str], Iterator[str]]) -> None:
    found = [
        f"{page.relative_to(ROOT)}: {name}" for page in PAGES for name in check(page, page.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("check", "text", "name"),
    [
        (broken_links, "[a](docs/nothing.md)", "docs/nothing.md"),
        (broken_links, "[a](docs/faults.md#no-such-heading)", "docs/faults.md#no-such-heading"),
        (missing_tests, "`chassis/test_relay.py::test_nothing_…`", "chassis/test_relay.py::test_nothing_…"),
        (missing_paths, "`tools/nothing.py`", "tools/nothing.py"),
        (unknown_targets, "`make nothing`", "make nothing"),
        (unknown_modules, "`python -m tools.nothing`", "python -m tools.nothing"),
        (unknown_commands, "`crossdock nothing`", "crossdock nothing"),
    ],
)
def test_a_name_of_nothing_is_reported(check: Callable[[Path, str], Iterator[str]], text: str, name: str) -> None:
    """A planted violation for each check."""
    assert list(check(ROOT / "README.md", text)) == [name]


def test_decisions_are_numbered_once() -> None:
    """The number in a decision's file name is the number in its title."""
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(numbers) == len(set(numbers))
    assert all(page.read_text(encoding="utf-8").startswith(f"# {page.name[:4]} ") for page in pages)
