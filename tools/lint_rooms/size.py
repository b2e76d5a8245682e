"""Rule 10: a function is read in one look, a room in one sitting, the chassis in a day."""

from collections.abc import Sequence

from tools.lint_rooms.files import Finding, SourceFile

FUNCTION_LINES = 60
ROOM_LINES = 400
CHASSIS_LINES = 3_500  # of code


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


def heavy_chassis(sources: Sequence[SourceFile]) -> list[Finding]:
    """Find a chassis of more than 3,500 lines of code."""
    ours = [source for source in sources if source.package == "chassis"]
    if (lines := sum(source.code_lines for source in ours)) <= CHASSIS_LINES:
        return []
    heaviest = max(ours, key=lambda source: source.code_lines)
    return [heaviest.finding(1, "length", f"the chassis has {lines:,} lines of code, {CHASSIS_LINES:,} is the most")]
