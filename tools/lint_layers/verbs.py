"""LAYERS 4.7, 4.10 and 4.14: who commits, emits and produces; what fails in silence, sleeps or has no bound."""

import ast

from tools.lint_layers.files import Finding, SourceFile

QUEUES = frozenset(
    f"{module}.{kind}"
    for module in ("queue", "asyncio", "multiprocessing")
    for kind in ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "JoinableQueue")
)
WIDE = frozenset({"Exception", "BaseException"})


def misplaced_verbs(source: SourceFile) -> list[Finding]:
    """Only chassis/persistence/database.py commits, only operations emit, only the relay and the stream produce."""
    if source.is_test or source.package in ("cli", "tools"):
        return []
    findings = []
    for call in source.calls():
        verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if _commits(source, call, verb) and source.path != "chassis/persistence/database.py":
            advice = f".{verb}() outside chassis/persistence/database.py: take a Tx, the chassis opens and commits it"
            findings.append(source.finding(call, "commit", advice))
        elif verb == "emit" and source.room != "operations":
            advice = ".emit() outside operations: return the event from domain and emit it in the operation"
            findings.append(source.finding(call, "emit", advice))
        elif verb in ("produce", "send_and_wait") and not _may_produce(source):
            advice = f".{verb}() outside the relay and the stream: emit the event, the relay produces it"
            findings.append(source.finding(call, "produce", advice))
        if any(word.arg == "autocommit" for word in call.keywords):
            advice = "autocommit: a statement outside a Tx; take a Tx or say here why none can be had"
            findings.append(source.finding(call, "commit", advice))
    return findings


def _commits(source: SourceFile, call: ast.Call, verb: str) -> bool:
    """Tell a commit of the database: others say what they commit, and `Database.begin` of the chassis its context.

    What `stream` commits are offsets; that it reaches no database is import-linter's *Stream*.
    """
    if verb == "commit":
        return source.room != "stream" and not call.args and not call.keywords
    return verb == "begin" and (source.package != "chassis" or not call.args)


def _may_produce(source: SourceFile) -> bool:
    return source.path == "chassis/messaging/relay.py" or source.room == "stream"


def swallowed_errors(source: SourceFile) -> list[Finding]:
    """Find handlers that swallow: anything wide that tells nobody, anything narrow that only passes."""
    if source.is_test:
        return []
    findings = []
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_silent(source, node):
            advice = "swallows an error: count and log it under its own name, or let it rise"
            findings.append(source.finding(node, "silence", advice))
        elif isinstance(node, ast.Call) and _suppresses_everything(source, node):
            advice = "suppresses everything: name the one error that may be ignored"
            findings.append(source.finding(node, "silence", advice))
    return findings


def _is_silent(source: SourceFile, handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    is_wide = any(kind is None or source.full_name(kind) in WIDE for kind in kinds)
    if is_wide:
        said = (isinstance(node, ast.Raise | ast.Call) for part in handler.body for node in ast.walk(part))
        return not any(said)
    return all(
        isinstance(part, ast.Pass) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in handler.body
    )


def _suppresses_everything(source: SourceFile, call: ast.Call) -> bool:
    return source.full_name(call.func) == "contextlib.suppress" and any(
        source.full_name(argument) in WIDE for argument in call.args
    )


def sleeps(source: SourceFile) -> list[Finding]:
    """Find a sleep in place of a condition; the chassis and the command own the waiting loops."""
    if source.package in ("chassis", "cli"):
        return []
    advice = "sleeps: wait for the condition itself, or say here what the pause is for"
    polls = _polls(source) if source.is_test else set()
    sleeping = [call for call in source.calls() if source.full_name(call.func) == "time.sleep"]
    return [source.finding(call, "wait", advice) for call in sleeping if id(call) not in polls]


def _polls(source: SourceFile) -> set[int]:
    """Answer what stands in a loop until something: there a test may pause between two looks."""
    loops = (node for node in source.nodes if isinstance(node, ast.While))
    return {id(part) for loop in loops for part in ast.walk(loop)}


def unbounded_queues(source: SourceFile) -> list[Finding]:
    """Find a queue without a limit."""
    advice = "a queue without a limit: give it a maxsize with a name"
    return [
        source.finding(call, "bounds", advice)
        for call in source.calls()
        if source.full_name(call.func) in QUEUES
        and not call.args
        and not any(word.arg == "maxsize" for word in call.keywords)
    ]
