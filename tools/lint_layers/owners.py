"""LAYERS 4.8: an event is made only in its owner's domain, and every event of a service is made there."""

import ast

from tools.lint_layers.files import Finding, SourceFile
from tools.lint_layers.names import event_name

MAKERS = frozenset({"model_construct", "model_validate", "model_validate_json"})
Owned = dict[str, dict[str, tuple[str, int]]]


def events_by_service(sources: list[SourceFile]) -> Owned:
    """Map each service to its event classes and the place of each, read from `schemas/<service>`."""
    owned: Owned = {}
    for source in sources:
        if source.package != "schemas" or len(source.parts) < 2:
            continue
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and event_name(node):
                owned.setdefault(source.parts[1], {})[node.name] = (source.path, node.lineno)
    return owned


def events_made_elsewhere(source: SourceFile, owned: Owned) -> list[Finding]:
    """Find a foreign event that is constructed, whatever it was imported as."""
    if source.is_test or source.package in ("schemas", "tools"):
        return []
    findings = []
    for call in source.calls():
        name = source.full_name(call.func)
        if name.rpartition(".")[2] in MAKERS:
            name = name.rpartition(".")[0]
        owner = _owner(name, owned)
        if owner and not (source.service == owner and source.room == "domain"):
            advice = f"{name.rpartition('.')[2]} is made in services/{owner}/domain only: call the act there"
            findings.append(source.finding(call, "owner", advice))
    return findings


def events_never_published(sources: list[SourceFile], owned: Owned) -> list[Finding]:
    """Find events whose owner exists but whose domain never makes them."""
    said: dict[str, set[str]] = {}
    for source in sources:
        if source.room == "domain" and source.service:
            said.setdefault(source.service, set()).update(_event_names(source, owned))
    findings = []
    for service, names in said.items():
        for name, (path, line) in sorted(owned.get(service, {}).items()):
            if name not in names:
                advice = f"{name} is never said: make it in services/{service}/domain, or take it away"
                findings.append(Finding(path, line, "owner", advice))
    return findings


def _event_names(source: SourceFile, owned: Owned) -> set[str]:
    """Names used as values; an annotation alone says nothing."""
    annotations = {
        id(part)
        for node in source.nodes
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if note is not None
        for part in ast.walk(note)
    }
    used = set()
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in annotations:
            name = source.full_name(node)
            if _owner(name, owned):
                used.add(name.rpartition(".")[2])
    return used


def _owner(name: str, owned: Owned) -> str:
    """Answer whose event `schemas.<service>[.<module>].<Class>` is, or nothing."""
    parts = name.split(".")
    if len(parts) >= 3 and parts[0] == "schemas" and parts[-1] in owned.get(parts[1], {}):
        return parts[1]
    return ""
