"""LAYERS 4.9 and LAYERS 8: what operations, reactions, effects and everything else are called."""

import ast
import re
from collections.abc import Iterator

from tools.lint_layers.files import Finding, SourceFile

_SAY_NOTHING = "manager managers helper helpers util utils common data info handle handler handlers"
REFUSED = frozenset(_SAY_NOTHING.split(" "))
# Words with an honest meaning elsewhere (an operating system's process), but none in a business.
REFUSED_IN_SERVICES = REFUSED | {"process", "exception", "event"}
Constants = dict[str, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def snake(name: str) -> str:
    """Turn `ShipmentDelayedV2`, `task-deadline` or `shipment.overdue` into snake case."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def text_constants(sources: list[SourceFile]) -> Constants:
    """Map the full name of each text constant of a module to its text: timers are named by one."""
    found: Constants = {}
    for source in sources:
        for node in source.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                        module = ".".join(source.parts).removesuffix(".__init__")
                        found[f"{module}.{target.id}"] = node.value.value
    return found


def wrong_names(source: SourceFile, constants: Constants) -> list[Finding]:
    """Checker the names and signatures that the doors and the chassis rely on."""
    if source.room == "operations":
        return _operations(source)
    if source.room == "reactions":
        return _registered(source, constants, "reactions", "when_")
    if source.room == "effects":
        return _registered(source, constants, "effects", "tell_")
    return []


def _operations(source: SourceFile) -> list[Finding]:
    findings = []
    for function in source.public_functions():
        arguments = [*function.args.posonlyargs, *function.args.args]
        takes_tx = bool(arguments) and arguments[0].arg == "tx"
        is_load = function.args.vararg is None and _is_load(function)
        if is_load:
            continue
        if not takes_tx or len(arguments) > 1 or function.args.vararg is not None:
            advice = f"{function.name} must be (tx, *, …): a transaction first, then names only"
            findings.append(source.finding(function, "operations", advice))
    return findings


def _is_load(function: Function) -> bool:
    """Tell a reaction's `loads=` function, called by the chassis, by the event (or events) it looks into."""
    names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
    return names[-1:] in (["event"], ["events"]) and names[:-1] in ([], ["tx"]) and not function.args.kwonlyargs


def _registered(source: SourceFile, constants: Constants, register: str, prefix: str) -> list[Finding]:
    findings = []
    called = _registered_by_call(source, register)
    for function in source.public_functions():
        marks = [mark for mark in function.decorator_list if _is_mark(mark, register)]
        if not marks and function.name in called:
            if not function.name.startswith(prefix):
                advice = f"{function.name} must start with {prefix} and end with what it does"
                findings.append(source.finding(function, register, advice))
            continue
        if not marks:
            if function.name.startswith(prefix):
                advice = f"{function.name} is registered nowhere: decorate it with @{register}.on(…)"
                findings.append(source.finding(function, register, advice))
            continue
        wanted = [start for mark in marks for start in _starts(source, constants, mark, prefix)]
        if not any(function.name.startswith(start) and function.name != start for start in wanted):
            advice = f"{function.name} must start with {' or '.join(wanted)} and end with what it does"
            findings.append(source.finding(function, register, advice))
    return findings


def _registered_by_call(source: SourceFile, register: str) -> set[str]:
    """Names of functions registered as `reactions.on(event)(function)`: one for many events, in a loop."""
    return {
        argument.id
        for call in source.calls()
        if isinstance(call.func, ast.Call) and _is_mark(call.func, register)
        for argument in call.args
        if isinstance(argument, ast.Name)
    }


def _is_mark(mark: ast.expr, register: str) -> bool:
    called = mark.func if isinstance(mark, ast.Call) else mark
    return (
        isinstance(called, ast.Attribute)
        and isinstance(called.value, ast.Name)
        and called.value.id == register
        and called.attr in ("on", "at")
    )


def _starts(source: SourceFile, constants: Constants, mark: ast.expr, prefix: str) -> list[str]:
    """List how the name may begin: the whole event, or for a timer any ending of its dotted name."""
    if prefix != "when_" or not isinstance(mark, ast.Call) or not mark.args:
        return [prefix]
    starts = []
    for argument in mark.args:
        name = source.full_name(argument)
        timer = argument.value if isinstance(argument, ast.Constant) else _constant(source, constants, name)
        if isinstance(timer, str):
            parts = timer.split(".")
            starts += [f"{prefix}{snake('.'.join(parts[n:]))}_" for n in range(len(parts))]
        elif name:
            starts.append(f"{prefix}{snake(name.rpartition('.')[2])}_")
    return starts or [prefix]


def _constant(source: SourceFile, constants: Constants, name: str) -> str | None:
    """Find a constant of this module, of the module it was imported from, or of a package's own module."""
    module, _, last = name.rpartition(".")
    here = ".".join(source.parts)
    if f"{module or here}.{last}" in constants:
        return constants[f"{module or here}.{last}"]
    inside = [
        text
        for full, text in constants.items()
        if module and full.startswith(f"{module}.") and full.endswith(f".{last}")
    ]
    return inside[0] if inside else None


def refused_words(source: SourceFile) -> list[Finding]:
    """Refuse words that say nothing, in the names of files, classes and functions."""
    if source.is_test:
        return []
    refused = REFUSED_IN_SERVICES if source.package == "services" else REFUSED
    findings = []
    for part in source.parts[1:]:
        if bad := _bad_words(part, refused):
            advice = f"a file called {part}: '{bad}' is a word to refuse, name what is in it"
            findings.append(source.finding(1, "words", advice))
    for node in _named(source.tree):
        if bad := _bad_words(node.name, refused):
            advice = f"{node.name}: '{bad}' is a word to refuse, say what it does or is"
            findings.append(source.finding(node, "words", advice))
    return findings + _words_of_events(source)


def _named(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Walk classes, functions and methods that others can see; what is local to a function is its own affair."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | Function):
            yield child
        if not isinstance(child, Function):
            yield from _named(child)


def _bad_words(name: str, refused: frozenset[str]) -> str:
    return " ".join(word for word in snake(name).split("_") if word in refused)


def _words_of_events(source: SourceFile) -> list[Finding]:
    if source.package != "schemas":
        return []
    findings = []
    for node in source.nodes:
        name = event_name(node) if isinstance(node, ast.ClassDef) else ""
        if name and (bad := _bad_words(name, REFUSED | {"event"})):
            advice = f"{name}: '{bad}' is a word to refuse, name the fact"
            findings.append(source.finding(node, "words", advice))
    return findings


def event_name(node: ast.ClassDef) -> str:
    """Answer the wire name on the class line, or nothing for a class that is no event."""
    for word in node.keywords:
        if word.arg == "name" and isinstance(word.value, ast.Constant):
            return str(word.value.value)
    return ""
