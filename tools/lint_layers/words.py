"""LAYERS 8: words that names of ours no longer use, because the trade has its own.

A published name (an event's field, an HTTP field, a setting) keeps its word and says so:
`# layers: allow retired — published`.
"""

import ast
from collections.abc import Iterator

from tools.lint_layers.files import Finding, SourceFile
from tools.lint_layers.names import snake

# Refused as any part of a name.
ANYWHERE = frozenset(
    [
        "told",
        "said",
        "heard",
        "bury",
        "buried",
        "nemesis",
        "nemeses",
        "crime",
        "crimes",
        "judge",
        "judges",
        "judged",
    ]
)
# Refused as the whole name, an underscore in front set aside.
ALONE = frozenset(
    [
        "asked",
        "kept",
        "known",
        "given",
        "wanted",
        "shown",
        "found",
        "giver",
        "taker",
        "glance",
        "dumped",
        "united",
        "door",
        "guarded",
        "outlet",
        "lasting",
        "stretch",
        "careful",
        "speaks",
        "begun",
        "reached",
        "look",
        "peek",
        "hub",
        "ring",
        "beat",
        "cut",
        "toy",
        "house",
        "cellar",
        "straight_line",
    ]
)


def retired_words(source: SourceFile) -> list[Finding]:
    """Find retired words in the names of modules, classes, functions, parameters, attributes, fields and aliases."""
    findings = []
    for part in source.parts[1:]:
        if bad := _retired(part):
            findings.append(source.finding(1, "retired", f"a module called {part}: {bad!r} is retired, {ADVICE}"))
    for node, name in _names(source):
        if bad := _retired(name):
            findings.append(source.finding(node, "retired", f"{name}: {bad!r} is retired, {ADVICE}"))
    return findings


ADVICE = "name the thing itself by the trade's own word"


def _retired(name: str) -> str:
    plain = snake(name)
    if plain in ALONE:
        return plain
    return next((word for word in plain.split("_") if word in ANYWHERE), "")


def _names(source: SourceFile) -> Iterator[tuple[ast.AST, str]]:
    """List what a file names: definitions, parameters, fields, attributes of self, aliases, constants of the module."""
    for node in source.nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("test_"):
                yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.alias):
            if node.asname:
                yield node, node.asname
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node, node.attr
        if isinstance(node, ast.ClassDef | ast.Module):  # a short-lived local may be called as one likes
            for statement in node.body:
                targets = (
                    statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
                )
                yield from ((statement, target.id) for target in targets if isinstance(target, ast.Name))
