"""Finds tests that measure time: an assert that compares the difference of two readings of a clock.

A deadline is no measurement: `time.monotonic() + 60` bounds a wait, and is passed over.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time", "machine_now"}
MARK = "timing"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def unmarked(text: str) -> list[str]:
    """Return the names of the tests of a module that measure time and do not carry the mark."""
    tree = ast.parse(text)
    module = _Module(tree)
    if any(_is_mark(node) for node in ast.walk(_module_marks(tree))):
        return []
    return [
        function.name
        for function in _functions(tree)
        if function.name.startswith("test_")
        and module.measures(function)
        and not any(_is_mark(node) for decorator in function.decorator_list for node in ast.walk(decorator))
    ]


class _Module:
    """Return values and comparisons of the functions of one module."""

    def __init__(self, tree: ast.Module) -> None:
        self._functions = list(_functions(tree))
        self._return_durations: set[str] = set()
        self._measure: set[str] = set()
        before = -1
        while before != (before := len(self._return_durations) + len(self._measure)):
            for function in self._functions:
                self._look_at(function)

    def measures(self, function: Function) -> bool:
        """Tell whether an assert of the function, or of one that it calls, compares a duration."""
        return function.name in self._measure

    def _look_at(self, function: Function) -> None:
        readings, durations = self._names(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value and self._holds_duration(node.value, readings, durations):
                self._return_durations.add(function.name)
            compares = isinstance(node, ast.Assert) and any(
                self._holds_duration(part, readings, durations)
                for compared in ast.walk(node.test)
                if isinstance(compared, ast.Compare)
                for part in (compared.left, *compared.comparators)
            )
            if compares or (isinstance(node, ast.Call) and _called(node) in self._measure):
                self._measure.add(function.name)

    def _names(self, function: Function) -> tuple[set[str], set[str]]:
        """Return which names of a function hold a reading of a clock, and which hold a duration."""
        readings: set[str] = set()
        durations: set[str] = set()
        before = -1
        while before != (before := len(readings) + len(durations)):
            for names, value in _bindings(function):
                if self._holds_duration(value, readings, durations):
                    durations |= names
                elif _is_reading(value, readings):
                    readings |= names
        return readings, durations

    def _holds_duration(self, value: ast.expr, readings: set[str], durations: set[str]) -> bool:
        for node in ast.walk(value):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_reading(node.left, readings):
                subtracted_span = isinstance(node.right, ast.Constant) or _called(node.right) == "timedelta"
                if not subtracted_span:
                    return True
            if isinstance(node, ast.Name) and node.id in durations:
                return True
            if isinstance(node, ast.Call) and _called(node) in self._return_durations:
                return True
        return False


def _functions(tree: ast.Module) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def _bindings(function: Function) -> Iterator[tuple[set[str], ast.expr]]:
    """Yield names with what is bound to them: `a = x`, `a, b = x, y`, `a := x` and `a.append(x)`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _paired(target, node.value)
        elif isinstance(node, ast.NamedExpr):
            yield {node.target.id}, node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            yield _names_in(node.func.value), node.args[0]


def _paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[set[str], ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, bound in zip(target.elts, value.elts, strict=True):
            yield _names_in(one), bound
    else:
        yield _names_in(target), value


def _names_in(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _is_reading(node: ast.expr, readings: set[str]) -> bool:
    return (isinstance(node, ast.Name) and node.id in readings) or _called(node) in CLOCKS


def _called(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def _module_marks(tree: ast.Module) -> ast.Module:
    marks = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and any("pytestmark" in _names_in(target) for target in node.targets)
    ]
    return ast.Module(body=list(marks), type_ignores=[])


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == MARK
