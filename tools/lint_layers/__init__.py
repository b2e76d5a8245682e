"""The house rules an import graph cannot see (LAYERS 4), read from the syntax tree.

`python -m tools.lint_layers` prints one line per finding and answers 1 when there is any.
A line that must break a rule says so beside it: `# layers: allow <rule> — <reason>`.
"""

from collections.abc import Callable
from pathlib import Path

from tools.lint_layers.files import Finding, SourceFile, read_sources
from tools.lint_layers.layout import missing_tests, wrong_rooms
from tools.lint_layers.limits import nameless_limits
from tools.lint_layers.names import refused_words, text_constants, wrong_names
from tools.lint_layers.owners import events_by_service, events_made_elsewhere, events_never_published
from tools.lint_layers.prose import unfinished_lines, unreasoned_suppressions, useless_allowances
from tools.lint_layers.purity import impure_hearts, loose_imports, thawed_aggregates
from tools.lint_layers.size import too_long, too_wide
from tools.lint_layers.tags import wrong_tags
from tools.lint_layers.verbs import misplaced_verbs, sleeps, swallowed_errors, unbounded_queues
from tools.lint_layers.words import retired_words

Rule = Callable[[SourceFile], list[Finding]]

RULES: tuple[Rule, ...] = (
    impure_hearts,
    loose_imports,
    thawed_aggregates,
    misplaced_verbs,
    swallowed_errors,
    sleeps,
    unbounded_queues,
    nameless_limits,
    refused_words,
    too_long,
    unreasoned_suppressions,
    unfinished_lines,
)

# Rules that hold in part of the tree so far. A package joins when it is clean; none leaves.
CLEAN = ("schemas/", "tools/", "benchmarks/")
STRICT_RULES: tuple[Rule, ...] = (too_wide, retired_words)

__all__ = ["Finding", "lint"]


def lint(root: Path) -> list[Finding]:
    """Answer every finding of the tree below root, in the order of files and lines."""
    sources = read_sources(root)
    owned, constants = events_by_service(sources), text_constants(sources)
    tags = wrong_tags(root)
    python = {source.path for source in sources}
    findings = [*wrong_rooms(root), *missing_tests(root), *events_never_published(sources, owned)]
    findings += [finding for finding in tags if finding.path not in python]
    for source in sources:
        rules = (*RULES, *STRICT_RULES) if source.path.startswith(CLEAN) else RULES
        found = [finding for rule in rules for finding in rule(source)]
        found += [finding for finding in tags if finding.path == source.path]
        found += [*events_made_elsewhere(source, owned), *wrong_names(source, constants)]
        findings += [finding for finding in found if not source.allows(finding)]
        findings += useless_allowances(source, found)
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.rule))
