"""LAYERS 4.10: limits on the length of a function, of a file and of a line."""

import ast
import re

from tools.lint_layers.files import Finding, SourceFile

FUNCTION_LINES = 60
FILE_LINES = 400
TEST_FILE_LINES = 600
COLUMNS = 120
_SQL = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|count|coalesce)\b")


def too_long(source: SourceFile) -> list[Finding]:
    """Find functions above 60 lines and files above 400."""
    findings = []
    for function in source.functions():
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            advice = f"{function.name} has {length} lines: split it, {FUNCTION_LINES} is the most"
            findings.append(source.finding(function, "length", advice))
    lines = source.text.splitlines()
    limit = TEST_FILE_LINES if source.is_test else FILE_LINES
    if len(lines) > limit:
        advice = f"{len(lines)} lines: make it a package of the same name, {limit} is the most"
        findings.append(source.finding(1, "length", advice))
    return findings


def too_wide(source: SourceFile) -> list[Finding]:
    """Find lines of more than 120 columns; SQL in triple quotes may be wider, as a table of columns reads best."""
    wide = [number for number, line in enumerate(source.text.splitlines(), 1) if len(line) > COLUMNS]
    exempt = _sql_lines(source) if wide else frozenset()
    advice = f"more than {COLUMNS} columns: break the line or say it shorter"
    return [source.finding(number, "width", advice) for number in wide if number not in exempt]


def _sql_lines(source: SourceFile) -> frozenset[int]:
    lines = set[int]()
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            text = ast.get_source_segment(source.text, node) or ""
            if text.lstrip("rf").startswith('"""') and _SQL.search(text):
                lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(lines)
