"""Compare OpenAPI documents: a client of the earlier release must be answered as before.

Descriptions, titles, operation ids and names of components may change. Requests may grow by optional fields and
parameters, answers by fields and by values of a list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.compatibility.shapes import Comparison, Schema, Side

METHODS = ("get", "post", "put", "patch", "delete")
FROZEN_EXTENSIONS = (
    "x-act",
    "x-topic",
    "x-batch",
    "x-question",
)  # the right that a route asks for, the form of its answer


def compare(old: Schema, new: Schema) -> list[str]:
    """Return one sentence per change of a document that breaks a client of the old one."""
    before, after = dict(_operations(old)), dict(_operations(new))
    findings = [f"{name}: the route is gone" for name in before if name not in after]
    for name in [name for name in before if name in after]:
        findings += [f"{name} {finding}" for finding in _operation(old, new, before[name], after[name])]
    return findings


def compare_all(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """Compare the documents of all services by name."""
    findings = [f"{name}: the document is gone" for name in sorted(set(old) - set(new))]
    for name in sorted(set(old) & set(new)):
        findings += sorted(f"{name}: {finding}" for finding in compare(old[name], new[name]))
    return findings


def documents_in(folder: Path) -> dict[str, Schema]:
    """Read the OpenAPI documents of a folder, by service."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("openapi/*.json"))}


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def _operation(old: Schema, new: Schema, before: Schema, after: Schema) -> list[str]:
    definitions = _definitions(old), _definitions(new)
    findings = [
        f"{word}: changed from {before.get(word)!r} to {after.get(word)!r}"
        for word in FROZEN_EXTENSIONS
        if before.get(word) != after.get(word)
    ]
    for word in ("x-roles", "x-machine"):
        findings += [f"{word}: {who} may no longer" for who in before.get(word, []) if who not in after.get(word, [])]
    findings += _parameters(before, after, definitions)
    findings += _content(before.get("requestBody"), after.get("requestBody"), "body", definitions, Side.REQUEST)
    if "x-item" in before and "x-item" in after:
        item, item_now = before["x-item"], after["x-item"]
        comparison = Comparison(item.get("$defs", {}), item_now.get("$defs", {}), Side.REQUEST)
        findings += comparison.of(item, item_now, "item")
    for status, answer in before["responses"].items():
        if status not in after["responses"]:
            findings.append(f"answer {status}: is gone")
        else:
            now = after["responses"][status]
            findings += _content(answer, now, f"answer {status}", definitions, Side.ANSWER)
    return findings


def _parameters(before: Schema, after: Schema, definitions: tuple[Schema, Schema]) -> list[str]:
    old, new = _by_name(before), _by_name(after)
    findings = [f"{name}: the parameter is gone" for name in old if name not in new]
    for name, parameter in new.items():
        was_required = name in old and old[name].get("required", False)
        if parameter.get("required", False) and not was_required:
            findings.append(f"{name}: newly required")
    for name in [name for name in old if name in new]:
        findings += Comparison(*definitions, Side.REQUEST).of(old[name]["schema"], new[name]["schema"], name)
    return findings


def _by_name(operation: Schema) -> dict[str, Schema]:
    return {f"{one['in']} parameter {one['name']}": one for one in operation.get("parameters", [])}


def _content(before: Any, after: Any, path: str, definitions: tuple[Schema, Schema], side: Side) -> list[str]:
    if not before:
        return [f"{path}: newly required"] if after and after.get("required") and side is Side.REQUEST else []
    if not after:
        return [f"{path}: is gone"]
    findings = []
    if side is Side.REQUEST and after.get("required") and not before.get("required"):
        findings.append(f"{path}: newly required")
    for media, content in before.get("content", {}).items():
        if media not in after.get("content", {}):
            findings.append(f"{path}: no longer as {media}")
            continue
        now = after["content"][media]
        findings += Comparison(*definitions, side).of(content.get("schema", {}), now.get("schema", {}), path)
    return findings


def _definitions(document: Schema) -> Schema:
    return dict(document.get("components", {}).get("schemas", {}))
