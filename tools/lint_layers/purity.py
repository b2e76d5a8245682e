"""LAYERS 4.3 and 4.4 beyond the import graph: what the heart knows, and who reads the models."""

import ast
import sys

from tools.lint_layers.files import Finding, SourceFile

# Parts of the standard library that touch the world; the import graph does not see them.
_WORLDLY = (
    "asyncio concurrent ftplib getpass http imaplib io logging multiprocessing os pathlib queue random sched "
    "secrets select selectors shutil signal smtplib socket socketserver sqlite3 ssl subprocess tempfile "
    "threading time urllib webbrowser"
)
WORLDLY = frozenset(_WORLDLY.split(" "))
PURE_FILES = ("chassis/errors.py",)


def impure_hearts(source: SourceFile) -> list[Finding]:
    """Refuse in a domain everything but schemas, velocity, chassis.errors and the quiet standard library."""
    if source.room != "domain" and source.path not in PURE_FILES:
        return []
    own = f"services.{source.service}.domain"
    findings = []
    for line, name in source.imports:
        top = name.split(".")[0]
        allowed = (
            _within(name, own)
            or _within(name, "schemas")
            or _within(name, "chassis.errors")
            or _within(name, "velocity")
            or (top in sys.stdlib_module_names and top not in WORLDLY)
        )
        if not allowed:
            advice = f"imports {name}: the heart knows schemas, velocity, chassis.errors and the pure standard library"
            findings.append(source.finding(line, "heart", advice))
    return findings


def loose_imports(source: SourceFile) -> list[Finding]:
    """Refuse `models` in `repository` (a layer below cannot forbid it) and mocks in tests."""
    findings = []
    for line, name in source.imports:
        if source.room == "repository" and _within(name, f"services.{source.service}.models"):
            advice = "imports models: rows become things here, numbers are computed above in operations"
            findings.append(source.finding(line, "repository", advice))
        if source.is_test and _within(name, "unittest.mock"):
            advice = "mocks: use the real thing, or the one fake in chassis/messaging/testing.py"
            findings.append(source.finding(line, "mock", advice))
    return findings


def thawed_aggregates(source: SourceFile) -> list[Finding]:
    """Refuse in a domain a dataclass that is not frozen."""
    if source.room != "domain":
        return []
    findings = []
    for node in source.nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if source.full_name(called) != "dataclasses.dataclass":
                continue
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            if not any(_is_true(word) for word in keywords if word.arg == "frozen"):
                advice = f"{node.name} can change in place: say @dataclass(frozen=True) and answer a new one"
                findings.append(source.finding(node, "frozen", advice))
    return findings


def _is_true(word: ast.keyword) -> bool:
    return isinstance(word.value, ast.Constant) and word.value.value is True


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")
