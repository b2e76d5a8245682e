"""LAYERS 4.10: every wait, queue and connection has a limit, and the limit has a name that can be found and turned."""

import ast
import re

from tools.lint_layers.files import Finding, SourceFile

CHECKED = ("chassis", "services", "console")
LIMITS = re.compile(
    r"(.+_)?timeout(_.+)?|maxsize|maxlen|backlog|limit_.+|pool_size|max_overflow"
    r"|.+_seconds|.+_(max|limit|interval|delay)"
)
WAITS = frozenset({"wait", "join", "wait_for"})


def nameless_limits(source: SourceFile) -> list[Finding]:
    """Find a number that stands where a limit belongs; 0 is none."""
    if source.package not in CHECKED:
        return []
    found: list[tuple[ast.AST, str]] = []
    for call in source.calls():
        found += [(word.value, word.arg) for word in call.keywords if word.arg and LIMITS.fullmatch(word.arg)]
        if isinstance(call.func, ast.Attribute) and call.func.attr in WAITS:
            found += [(argument, call.func.attr) for argument in call.args]
    return [
        source.finding(value, "limits", f"{name} is a bare number: give it a name, and the README's list of limits")
        for value, name in found
        if _is_number(value)
    ]


def _is_number(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) in (int, float) and value.value != 0
