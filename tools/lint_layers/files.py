"""What the rules read: a source file that knows its house and its room, and what they say: a finding."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("schemas", "formats", "velocity", "chassis", "services", "console", "simulator", "cli", "tools")
ALSO_READ = ("tests", "benchmarks")
# Written by a tool or run once by Alembic: their shape is not ours to judge.
UNREAD = ("versions", "generated", "node_modules", "__pycache__")
ALLOWANCE = re.compile(r"#\s*layers:\s*allow\s+(?P<rule>[a-z-]+)(?:\s*(?:—|--|-|:)\s*(?P<reason>\S.*))?")


@dataclass(frozen=True)
class Finding:
    """One broken rule: where, which, and what to do about it."""

    path: str
    line: int
    rule: str
    advice: str

    def __str__(self) -> str:
        """Render as an editor reads it."""
        return f"{self.path}:{self.line}: {self.rule}: {self.advice}"


@dataclass(frozen=True)
class SourceFile:
    """A Python file of the tree, its place in the house, and its syntax."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Parse once; every rule walks the same tree."""
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """List every node of the tree once: walking it anew for each rule took most of a run."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Split the path, without the suffix."""
        return Path(self.path).with_suffix("").parts

    @property
    def package(self) -> str:
        """Name the floor: schemas, chassis, services, …"""
        return self.parts[0]

    @property
    def service(self) -> str | None:
        """Name the house, for a file below services/."""
        return self.parts[1] if self.package == "services" and len(self.parts) > 2 else None

    @property
    def room(self) -> str | None:
        """Name the room, for a file below services/; a room may be a file or a package."""
        return self.parts[2] if self.service else None

    @property
    def is_test(self) -> bool:
        """Tell whether the file is a test or a benchmark."""
        return self.package in ALSO_READ

    @cached_property
    def tokens(self) -> tuple[tokenize.TokenInfo, ...]:
        """Cut the text once; comments and lines of code are counted from it."""
        return tuple(tokenize.generate_tokens(io.StringIO(self.text).readline))

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """List (line, comment): from the tokens, so that a text that looks like a comment is none."""
        return tuple((t.start[0], t.string) for t in self.tokens if t.type == tokenize.COMMENT)

    @cached_property
    def allowances(self) -> dict[int, tuple[str, str]]:
        """Map the line to (rule, reason) of each escape comment; the reason may be missing."""
        found = {}
        for line, comment in self.comments:
            if match := ALLOWANCE.search(comment):
                found[line] = (match["rule"], match["reason"] or "")
        return found

    def allows(self, finding: Finding) -> bool:
        """Tell whether the line, or a comment that stands alone right above it, allows it with a reason."""
        lines = (finding.line, finding.line - 1) if self.stands_alone(finding.line - 1) else (finding.line,)
        places = (self.allowances.get(line, ("", "")) for line in lines)
        return any(rule == finding.rule and reason for rule, reason in places)

    def stands_alone(self, line: int) -> bool:
        """Tell whether the line is a comment and nothing else."""
        return self.text.splitlines()[line - 1].lstrip().startswith("#") if line >= 1 else False

    def finding(self, node: ast.AST | int, rule: str, advice: str) -> Finding:
        """Make a finding at a node or at a line."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Finding(self.path, line, rule, advice)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Walk all functions and methods."""
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def public_functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Walk the module's own functions without a leading underscore."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        """Walk all calls."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node

    @cached_property
    def imports(self) -> tuple[tuple[int, str], ...]:
        """List (line, full name) of everything imported; `from a import b` counts as `a.b`."""
        found: list[tuple[int, str]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        return tuple(found)

    @cached_property
    def known_as(self) -> dict[str, str]:
        """Map each name that an import binds in this file to what it stands for."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                names |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
        return names

    def full_name(self, node: ast.expr) -> str:
        """Spell a name or a dotted name with its imports resolved; empty for anything else."""
        if isinstance(node, ast.Name):
            return self.known_as.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = self.parts[:-1]  # the package, for a module and for an `__init__` alike
        base = here[: len(here) - (node.level - 1)]
        return ".".join([*base, *([node.module] if node.module else [])])


def read_sources(root: Path) -> list[SourceFile]:
    """Read every Python file that the rules judge, sorted by path."""
    sources = []
    for package in (*PACKAGES, *ALSO_READ):
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root)
            if not set(relative.parts) & set(UNREAD):
                sources.append(SourceFile(relative.as_posix(), path.read_text(encoding="utf-8")))
    return sources
