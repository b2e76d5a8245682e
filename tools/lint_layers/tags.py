"""LAYERS 4 and LAYERS 6: every rule tag resolves to a heading in docs/rules; published text cites no rule number."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tools.lint_layers.files import Finding

RULES_FOLDER = "docs/rules"
_SUFFIXES = ".py .md .sql .ts .tsx .js .mjs .css .html .yaml .yml .toml .json .mako .txt .sh .env"
READ_SUFFIXES = tuple(_SUFFIXES.split())
READ_NAMES = ("Makefile", "Dockerfile", ".importlinter", "run")
_FOLDERS = ".git .venv .crossdock node_modules __pycache__ dist .mypy_cache .ruff_cache .pytest_cache .hypothesis"
SKIPPED_FOLDERS = tuple(_FOLDERS.split())
FROZEN = "schemas/releases/"  # the contracts of a release stay as they were published
PUBLISHED = ("schemas/generated/", "schemas/examples/", "docs/events.md")

TAG = re.compile(r"\b(FLOW|METRICS|LAYERS|ACCESS) (\d+(?:\.\d+)*)((?:(?:, | and | to )\d+\.\d+)*)")
HEADING = re.compile(r"^#{1,4} (FLOW|METRICS|LAYERS|ACCESS) (\d+(?:\.\d+)*)\b", re.MULTILINE)
NUMBER = re.compile(r"\d+(?:\.\d+)*")
ABSENT_PAGE = re.compile(
    r"\b(?:HOUSE|PRODUCT|LIMITS|DECISIONS|SHAPES|RULES|DESK|MODELS|KEEP|BRIEF)(?:\.md|\.txt)?,? "
    r"(?:(?:section|rule|row|trap|bar) )?\d"
    r"|\b(?:FLOW|METRICS|HOUSE|PRODUCT|LIMITS|DECISIONS|SHAPES|RULES|DESK|MODELS|KEEP|WORDS)\.md\b"
    r"|\([^()\n]*\bD\d{1,2}\b[^()\n]*\)|\"\"\"D\d{1,2}: |\bIssue \d+\b"
)


def wrong_tags(root: Path) -> list[Finding]:
    """Find tags without a heading, references to pages that are not in the repository, and tags in published text."""
    headings = rule_headings(root)
    findings = []
    for path in _read_files(root):
        here = path.relative_to(root).as_posix()
        for line, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            findings += [Finding(here, line, "rule-tags", advice) for advice in _wrong_in(text, headings)]
            if here.startswith(PUBLISHED) and (tag := TAG.search(text)):
                advice = (
                    f"published text cites {tag.group()}: state the reason in words where the text is written, because"
                    " its readers do not have docs/rules; then run `make contracts`"
                )
                findings.append(Finding(here, line, "published-tags", advice))
    return findings


def rule_headings(root: Path) -> set[str]:
    """Return every tag that a heading of docs/rules carries, such as `FLOW 2.2`."""
    pages = sorted((root / RULES_FOLDER).glob("*.md"))
    return {f"{page} {number}" for path in pages for page, number in HEADING.findall(path.read_text(encoding="utf-8"))}


def _wrong_in(text: str, headings: set[str]) -> Iterator[str]:
    for tag in TAG.finditer(text):
        page, first, more = tag.groups()
        for number in (first, *NUMBER.findall(more)):
            if f"{page} {number}" not in headings:
                file = f"{RULES_FOLDER}/{page.lower()}.md"
                yield f"{page} {number} is no heading of {file}: correct the number or write the rule"
    for found in ABSENT_PAGE.finditer(text):
        yield f"{found.group()!r} names a page that is not in this repository: cite {RULES_FOLDER}, or state the reason"


def _read_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = Path(folder, name)
            if name not in READ_NAMES and not name.endswith(READ_SUFFIXES):
                continue
            if path.is_file() and not path.relative_to(root).as_posix().startswith(FROZEN):
                yield path
