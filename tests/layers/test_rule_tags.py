"""LAYERS 4.13: rule tags resolve to a heading in docs/rules, and published text has none; each violation is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT, add_violation, plant
from tools.lint_layers import lint
from tools.lint_layers.tags import HEADING, RULES_FOLDER, rule_headings

DOMAIN, GENERATED = "services/logistics/domain.py", "schemas/generated/logistics.shipment.delayed.v1.json"
# Cut in two, so that this file has none of them.
KNOWN, UNKNOWN = "FLOW" + " 2.2", "FLOW" + " 2.9"
PLANTED = [
    ("rule-tags", DOMAIN, f"# The quorum ({UNKNOWN}).\n"),
    ("rule-tags", DOMAIN, f"# The quorum ({KNOWN}, 2.9).\n"),
    ("rule-tags", DOMAIN, f'x = """{UNKNOWN}: the quorum."""\n'),
    ("rule-tags", "tests/logistics/test_domain.py", f'"""{KNOWN} and 2.9: the quorum."""\n'),
    ("rule-tags", "docs/architecture.md", f"The quorum ({UNKNOWN}).\n"),
    ("rule-tags", "services/logistics/queries.sql", f"-- {UNKNOWN}\n"),
    ("rule-tags", "console/web/src/case.ts", f"// {UNKNOWN}\n"),
    ("rule-tags", "deploy/alerts.yml", f"# {UNKNOWN}\n"),
    ("rule-tags", "Makefile", "# METRICS" + " 3.1\n"),  # the small tree has no such page
    ("rule-tags", DOMAIN, "# HOUSE" + " section 7\n"),
    ("rule-tags", DOMAIN, "# LIMITS" + " 3\n"),
    ("rule-tags", DOMAIN, "# See PRODUCT" + ".md.\n"),
    ("rule-tags", DOMAIN, "# Rounded by its currency (D" + "1).\n"),
    ("rule-tags", "tests/logistics/test_domain.py", '"""Issue' + ' 5, part 1."""\n'),
    ("published-tags", GENERATED, f'{{"description": "The quorum ({KNOWN})."}}\n'),
    ("published-tags", "schemas/generated/asyncapi.json", f'{{"description": "The quorum ({KNOWN})."}}\n'),
    ("published-tags", "schemas/generated/openapi/logistics.json", f'{{"description": "The quorum ({KNOWN})."}}\n'),
    ("published-tags", "docs/events.md", f"| delayed | The quorum ({KNOWN}). |\n"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small clean tree with one rule."""
    plant(tmp_path)
    add_violation(tmp_path, f"{RULES_FOLDER}/flow.md", f"# FLOW\n\n## {KNOWN[:-2]} Cases\n\n### {KNOWN} Quorum\n")
    return tmp_path


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED, ids=lambda value: str(value).strip()[:70])
def test_a_planted_violation_is_found(tree: Path, rule: str, path: str, text: str) -> None:
    """LAYERS 4.13."""
    add_violation(tree, path, text)
    found = [finding for finding in lint(tree) if finding.rule == rule]
    assert [finding.path for finding in found] == [path]
    assert found[0].line == (tree / path).read_text(encoding="utf-8").splitlines().index(text.strip()) + 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (DOMAIN, f"# The quorum ({KNOWN}, 2.2 and {KNOWN[:-2]}).\n"),
        (DOMAIN, f"# {KNOWN}, 24 h\nRULES = 2\n"),
        ("schemas/releases/0.1.0/asyncapi.json", f'{{"description": "The quorum ({UNKNOWN})."}}\n'),
        ("services/logistics/README.md", f"The quorum ({KNOWN}).\n"),
    ],
)
def test_a_tag_that_resolves_and_a_frozen_record_are_no_finding(tree: Path, path: str, text: str) -> None:
    add_violation(tree, path, text)
    assert [str(finding) for finding in lint(tree)] == []


def test_no_rule_has_two_headings() -> None:
    """Otherwise a tag would point at two texts."""
    pages = sorted((ROOT / RULES_FOLDER).glob("*.md"))
    found = [heading for path in pages for heading in HEADING.findall(path.read_text(encoding="utf-8"))]
    assert len(found) == len(set(found)) == len(rule_headings(ROOT))
    assert {page for page, _ in found} == {path.stem.upper() for path in pages}
