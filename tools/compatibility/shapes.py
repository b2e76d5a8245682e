"""Compare two JSON Schemas: which changes break a reader or a writer of the old one?"""

from __future__ import annotations

from enum import Enum
from typing import Any

Schema = dict[str, Any]

# Bounds that narrow when they rise, and bounds that narrow when they fall.
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "multipleOf")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("format", "pattern", "const", "x-topic", "x-key")


class Side(Enum):
    """The party that would break: an event has writers and readers, a request is written by others, an answer read."""

    EVENT = "event"
    REQUEST = "request"
    ANSWER = "answer"

    @property
    def written_by_others(self) -> bool:
        return self is not Side.ANSWER

    @property
    def read_by_others(self) -> bool:
        return self is not Side.REQUEST


class Comparison:
    """Walk two documents side by side, following their references, each pair of definitions once."""

    def __init__(self, old_definitions: Schema, new_definitions: Schema, side: Side) -> None:
        self.old_definitions, self.new_definitions, self.side = old_definitions, new_definitions, side
        self.seen: set[tuple[str, str]] = set()

    def of(self, old: Schema, new: Schema, path: str) -> list[str]:
        """Return one sentence per change of a schema that breaks somebody; `path` says where it stands."""
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self.seen:
                return []
            self.seen.add(pair)
        before = _alternatives(old, self.old_definitions)
        after = _alternatives(new, self.new_definitions)
        findings = self._kinds(before, after, path)
        for kind in [kind for kind in before if kind in after]:
            findings += self._narrowed(before[kind], after[kind], path)
            findings += self._object(before[kind], after[kind], path)
            if "items" in before[kind] and "items" in after[kind]:
                findings += self.of(before[kind]["items"], after[kind]["items"], f"{path}[]")
        if self.side is Side.REQUEST and "default" in old and old["default"] != new.get("default"):
            findings.append(f"{path}: changed default from {old['default']!r} to {new.get('default')!r}")
        return findings

    def _kinds(self, before: dict[str, Schema], after: dict[str, Schema], path: str) -> list[str]:
        gone, added = before.keys() - after.keys(), after.keys() - before.keys()
        if (gone and self.side.written_by_others) or (added and self.side.read_by_others):
            return [f"{path}: changed type from {' or '.join(before)} to {' or '.join(after)}"]
        return []

    def _object(self, old: Schema, new: Schema, path: str) -> list[str]:
        before: Schema = old.get("properties", {})
        after: Schema = new.get("properties", {})
        must, must_now = set(old.get("required", [])), set(new.get("required", []))
        findings = [f"{path}.{name}: removed" for name in before if name not in after]
        if self.side.written_by_others:
            findings += [f"{path}.{name}: newly required" for name in sorted(must_now - must)]
            if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
                findings.append(f"{path}: no longer tolerates fields it does not know")
        if self.side.read_by_others:
            findings += [f"{path}.{name}: may now be missing" for name in sorted((must - must_now) & set(after))]
        for name in [name for name in before if name in after]:
            findings += self.of(before[name], after[name], f"{path}.{name}")
        extra_before, extra_after = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(extra_before, dict) and isinstance(extra_after, dict):
            findings += self.of(extra_before, extra_after, f"{path}.*")
        return findings

    def _narrowed(self, old: Schema, new: Schema, path: str) -> list[str]:
        findings = []
        for word in EXACT:
            if old.get(word) != new.get(word) and (self.side.written_by_others or word != "pattern"):
                findings.append(f"{path}: changed {word} from {old.get(word)!r} to {new.get(word)!r}")
        if not self.side.written_by_others:
            return findings
        values, values_now = old.get("enum"), new.get("enum")
        if values is not None and values_now is not None:
            findings += [f"{path}: value {value!r} removed" for value in values if value not in values_now]
        elif values is None and values_now is not None:
            findings.append(f"{path}: narrowed to {values_now}")
        for word in LOWER_BOUNDS:
            if word in new and (word not in old or new[word] > old[word]):
                findings.append(f"{path}: narrowed, {word} is now {new[word]}")
        for word in UPPER_BOUNDS:
            if word in new and (word not in old or new[word] < old[word]):
                findings.append(f"{path}: narrowed, {word} is now {new[word]}")
        return findings


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = {**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _alternatives(schema: Schema, definitions: Schema) -> dict[str, Schema]:
    """Return the alternatives of a schema by type; two of one type are told apart by their place."""
    schema = _resolve(schema, definitions)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices:
        return {str(schema.get("type", "anything")): schema}
    found: dict[str, Schema] = {}
    for choice in choices:
        for kind, resolved in _alternatives(choice, definitions).items():
            name = kind
            while name in found:
                name = f"{name} again"
            found[name] = resolved
    return found
