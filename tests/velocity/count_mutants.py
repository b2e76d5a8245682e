"""Count what the golden logs made of the mutants, and hold every survivor to the list of those that are explained."""

from __future__ import annotations

import ast
import difflib
import functools
import json
import re
import sys
from pathlib import Path

KILLED = {1, 3, 36, 24, -24, 152, 255}  # the tests failed, or took for ever
BAR = 0.95


def main(folder: Path, explained: Path) -> int:
    """Print counts and survivors; 1 where too few were caught or a survivor is not explained."""
    verdicts: dict[str, int | None] = {}
    for meta in sorted(folder.rglob("*.meta")):
        verdicts |= json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    survivors = sorted(name for name, code in verdicts.items() if code not in KILLED)
    caught = len(verdicts) - len(survivors)
    print(
        f"{len(verdicts)} mutants, {caught} caught by a golden log ({caught / len(verdicts):.1%}), {len(survivors)} survived"
    )
    known = explained.read_text(encoding="utf-8")
    changes = {name: change(folder, name) for name in survivors}
    for name, lines in changes.items():
        print(f"{name}{'' if told(lines, known) else '  NOT EXPLAINED'}", *lines, sep="\n    ")
    return int(caught < BAR * len(verdicts) or not all(told(lines, known) for lines in changes.values()))


def told(lines: list[str], known: str) -> bool:
    """Say whether the changed line stands in the explanations."""
    return any(line.startswith("+") and line[1:].strip() in known for line in lines)


@functools.cache
def bodies_of(path: Path) -> dict[str, list[str]]:
    """Return the lines of every function of a file, without the first."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }


def change(folder: Path, name: str) -> list[str]:
    """Return the lines by which a mutant differs from what it was made of."""
    module, _, function = name.rpartition(".")
    bodies = bodies_of(folder.joinpath(*module.split(".")).with_suffix(".py"))
    original = bodies[re.sub(r"mutmut_\d+$", "mutmut_orig", function)]
    compared = difflib.unified_diff(original, bodies[function], lineterm="", n=0)
    return [line[0] + " " + line[1:].strip() for line in compared if line[0] in "+-" and line[:3] not in ("+++", "---")]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
