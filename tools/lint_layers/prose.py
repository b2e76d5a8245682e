"""LAYERS 4.12 and LAYERS 9: a suppression names its rule and its reason; nothing is left unfinished."""

import re

from tools.lint_layers.files import Finding, SourceFile

TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[a-z0-9, -]+\])?(?P<rest>.*)")
NOQA = re.compile(r"#\s*noqa(?P<code>:\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*)?(?P<rest>.*)", re.IGNORECASE)
UNFINISHED = re.compile(r"#.*\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
REASON = re.compile(r"[A-Za-z]{2,}.*[A-Za-z]{2,}")


def unreasoned_suppressions(source: SourceFile) -> list[Finding]:
    """Find `type: ignore`, `noqa` and house allowances without a rule or without a reason."""
    findings = []
    for line, comment in source.comments:
        for kind, pattern in (("type: ignore", TYPE_IGNORE), ("noqa", NOQA)):
            match = pattern.search(comment)
            if match and not (match["code"] and REASON.search(match["rest"])):
                advice = f"{kind} must name its rule and, after a dash, its reason"
                findings.append(source.finding(line, "suppression", advice))
    for line, (rule, reason) in source.allowances.items():
        if not reason:
            advice = f"an allowance of '{rule}' must give its reason after a dash"
            findings.append(source.finding(line, "suppression", advice))
    return findings


def unfinished_lines(source: SourceFile) -> list[Finding]:
    """Find comments that promise work."""
    advice = "a promise in a comment: do it now, or open an issue and take the comment away"
    return [
        source.finding(line, "unfinished", advice) for line, comment in source.comments if UNFINISHED.search(comment)
    ]


def useless_allowances(source: SourceFile, others: list[Finding]) -> list[Finding]:
    """Find allowances that allow nothing any more, so that they do not hide the next violation."""
    findings = []
    for line, (rule, _) in source.allowances.items():
        reached = (line, line + 1) if source.stands_alone(line) else (line,)
        if not any(finding.rule == rule and finding.line in reached for finding in others):
            advice = f"allows '{rule}', which nothing here breaks: take the comment away"
            findings.append(source.finding(line, "suppression", advice))
    return findings
