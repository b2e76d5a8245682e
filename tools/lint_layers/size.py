"""LAYERS 4.10: limits on the length of a function and of a file."""

from tools.lint_layers.files import Finding, SourceFile

FUNCTION_LINES = 60
ROOM_LINES = 400


def too_long(source: SourceFile) -> list[Finding]:
    """Find functions above 60 lines and files above 400."""
    findings = []
    for function in source.functions():
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            advice = f"{function.name} has {length} lines: split it, {FUNCTION_LINES} is the most"
            findings.append(source.finding(function, "length", advice))
    lines = len(source.text.splitlines())
    if lines > ROOM_LINES:
        advice = f"{lines} lines: make it a package of the same name, {ROOM_LINES} is the most"
        findings.append(source.finding(1, "length", advice))
    return findings
