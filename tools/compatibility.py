"""May a published event change like this? Compare its generated schema with an earlier one.

`python -m tools.compatibility --against <git revision or folder>` compares `schemas/generated/` and answers 1
when a reader or writer of the earlier release would break. The way out of a finding is a new `v2` class.
Without `--against` it takes the point where this branch left `main`; on `main` itself the last release (a tag
`v…`), and before the first release the last commit, so that a change is judged before it is committed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "schemas/generated"
NOT_AN_EVENT = "asyncapi.json"
Schema = dict[str, Any]

# Bounds that narrow when they rise, and bounds that narrow when they fall.
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "multipleOf")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("format", "pattern", "const", "x-topic", "x-key")


def compare(old: Schema, new: Schema) -> list[str]:
    """Answer one sentence per change that breaks a reader or a writer of the old schema."""
    return _Comparison(old, new).of(old, new, "message")


def compare_all(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """Compare all events by name; an event that is gone breaks whoever hears it."""
    findings = [f"{name}: the event is gone" for name in sorted(set(old) - set(new))]
    for name in sorted(set(old) & set(new)):
        findings += [f"{name}: {finding}" for finding in compare(old[name], new[name])]
    return findings


class _Comparison:
    """Walk two documents side by side, following their references, each pair of definitions once."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old_definitions: Schema = old.get("$defs", {})
        self.new_definitions: Schema = new.get("$defs", {})
        self.seen: set[tuple[str, str]] = set()

    def of(self, old: Schema, new: Schema, path: str) -> list[str]:
        """Compare two schemas at a path."""
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self.seen:
                return []
            self.seen.add(pair)
        old, new = _resolve(old, self.old_definitions), _resolve(new, self.new_definitions)
        old_kinds, new_kinds = self._kinds(old, new)
        if set(old_kinds) != set(new_kinds):
            return [f"{path}: changed type from {' or '.join(old_kinds)} to {' or '.join(new_kinds)}"]
        findings = []
        for kind, before in old_kinds.items():
            after = new_kinds[kind]
            findings += _narrowed(before, after, path)
            findings += self._object(before, after, path)
            if "items" in before and "items" in after:
                findings += self.of(before["items"], after["items"], f"{path}[]")
        return findings

    def _kinds(self, old: Schema, new: Schema) -> tuple[dict[str, Schema], dict[str, Schema]]:
        return _alternatives(old, self.old_definitions), _alternatives(new, self.new_definitions)

    def _object(self, old: Schema, new: Schema, path: str) -> list[str]:
        before: Schema = old.get("properties", {})
        after: Schema = new.get("properties", {})
        must, must_now = set(old.get("required", [])), set(new.get("required", []))
        findings = [f"{path}.{name}: removed" for name in before if name not in after]
        findings += [f"{path}.{name}: newly required" for name in sorted(must_now - must)]
        findings += [f"{path}.{name}: may now be missing" for name in sorted((must - must_now) & set(after))]
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            findings.append(f"{path}: no longer tolerates fields it does not know")
        for name in before:
            if name in after:
                findings += self.of(before[name], after[name], f"{path}.{name}")
        extra_before, extra_after = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(extra_before, dict) and isinstance(extra_after, dict):
            findings += self.of(extra_before, extra_after, f"{path}.*")
        return findings


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = {**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _alternatives(schema: Schema, definitions: Schema) -> dict[str, Schema]:
    """Take `anyOf` apart by type; two alternatives of one type are told apart by their place."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices:
        return {str(schema.get("type", "anything")): schema}
    found: dict[str, Schema] = {}
    for choice in choices:
        resolved = _resolve(choice, definitions)
        kind = str(resolved.get("type", "anything"))
        while kind in found:
            kind = f"{kind} again"
        found[kind] = resolved
    return found


def _narrowed(old: Schema, new: Schema, path: str) -> list[str]:
    findings = []
    values, values_now = old.get("enum"), new.get("enum")
    if values is not None and values_now is not None:
        findings += [f"{path}: value {value!r} removed" for value in values if value not in values_now]
    elif values is None and values_now is not None:
        findings.append(f"{path}: narrowed to {values_now}")
    for word in EXACT:
        if old.get(word) != new.get(word):
            findings.append(f"{path}: changed {word} from {old.get(word)!r} to {new.get(word)!r}")
    for word in LOWER_BOUNDS:
        if word in new and (word not in old or new[word] > old[word]):
            findings.append(f"{path}: narrowed, {word} is now {new[word]}")
    for word in UPPER_BOUNDS:
        if word in new and (word not in old or new[word] < old[word]):
            findings.append(f"{path}: narrowed, {word} is now {new[word]}")
    return findings


def schemas_in(folder: Path) -> dict[str, Schema]:
    """Read the generated schemas of a folder, by event name."""
    paths = [path for path in sorted(folder.glob("*.json")) if path.name != NOT_AN_EVENT]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def schemas_at(revision: str, root: Path = ROOT) -> dict[str, Schema]:
    """Read the generated schemas of a git revision, by event name; none when it has none yet."""
    listed = _git(root, "ls-tree", "--name-only", revision, "--", f"{FOLDER}/").split("\n")
    paths = [Path(path) for path in listed if path.endswith(".json")]
    return {
        path.stem: json.loads(_git(root, "show", f"{revision}:{path.as_posix()}"))
        for path in paths
        if path.name != NOT_AN_EVENT
    }


def base_revision(root: Path = ROOT) -> str:
    """Answer the commit this branch left `main` at; on `main` itself the last release, or the last commit."""
    head = _git(root, "rev-parse", "HEAD")
    for branch in ("origin/main", "main"):
        base = _tried(root, "merge-base", "HEAD", branch)
        if base and base != head:
            return base
    return _tried(root, "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD") or "HEAD"


def _tried(root: Path, *arguments: str) -> str:
    """Answer what git says, or nothing where it has nothing to say."""
    try:
        return _git(root, *arguments)
    except subprocess.CalledProcessError:
        return ""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def main(arguments: list[str] | None = None) -> int:
    """Print every breaking change; answer 1 when there is one, 2 when there is nothing to compare with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", help="a git revision or a folder of generated schemas")
    against = parser.parse_args(arguments).against
    try:
        against = against or base_revision()
        old = schemas_in(Path(against)) if Path(against).is_dir() else schemas_at(against)
    except (subprocess.CalledProcessError, FileNotFoundError):
        print(f"There is no revision or folder {against!r} to compare {FOLDER}/ with: name one by --against.")
        return 2
    findings = compare_all(old, schemas_in(ROOT / FOLDER))
    if findings:
        print("\n".join(findings))
        print("A published event only grows: give it back, or say the new shape in a v2 class beside it.")
        return 1
    print(f"{len(old)} published events compared with {against}: nothing breaks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
