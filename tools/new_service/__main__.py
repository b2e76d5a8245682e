"""Make a new service: `python -m tools.new_service returns --noun return-order` (or `make new-service name=returns`).

It writes the rooms, the tests, the module of facts, a topic and a first migration, tells the three registers
(schemas/catalogue.py, schemas/topics.py, cli/stack/recipe.py), and makes example, contracts and canvas.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TESTS = ("domain", "operations", "queries", "api", "reactions")
ROOMS = (
    "__main__",
    "settings",
    "metrics",
    "tables",
    "domain",
    "repository",
    "operations",
    "queries",
    "api",
    "reactions",
)
MADE_AFTER = ("tools.make_examples", "tools.generate_contracts", "tools.canvas")


class CannotMake(Exception):
    """The service cannot be made; the text says why and what to do."""


def plural_of(noun: str) -> str:
    """Answer the plural of a regular noun; an irregular one is given by --plural."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(s|x|z|ch|sh)$", noun) else f"{noun}s"


def words_for(service: str, noun: str, plural: str) -> dict[str, str]:
    """Answer what stands for each placeholder of the templates; raises CannotMake for a name outside the grammar."""
    if not re.fullmatch(r"[a-z]+", service):
        raise CannotMake(f"{service!r} is no name for a service: lower-case letters only, one word")
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", noun):
        raise CannotMake(f"{noun!r} is no noun for its topic: lower-case words with hyphens between")
    return {
        "service": service,
        "Service": service.capitalize(),
        "subject": noun,
        "noun": noun.replace("-", "_"),
        "Noun": "".join(word.capitalize() for word in noun.split("-")),
        "said": noun.replace("-", " "),
        "plural": plural.replace("-", "_"),
        "said_plural": plural.replace("-", " "),
        "path": plural,
        "act": "keep-rules",
    }


def files_of(words: dict[str, str]) -> dict[str, str]:
    """Answer path and text of every file of the new service."""
    service = words["service"]
    templates = {f"services/{service}/{room}.py": f"{room}.py" for room in ROOMS}
    templates |= {f"tests/{service}/test_{room}.py": f"test_{room}.py" for room in TESTS}
    templates |= {
        f"services/{service}/README.md": "README.md",
        f"services/{service}/migrations/env.py": "migrations_env.py",
        f"tests/{service}/conftest.py": "conftest.py",
        f"schemas/{service}.py": "schema.py",
    }
    files = {path: _filled(template, words) for path, template in templates.items()}
    mako = ROOT / "services" / "logistics" / "migrations" / "script.py.mako"
    files |= {
        f"services/{service}/__init__.py": "",
        f"services/{service}/migrations/__init__.py": "",
        f"services/{service}/migrations/script.py.mako": mako.read_text(encoding="utf-8"),
        f"tests/{service}/__init__.py": "",
    }
    return files


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((HERE / "template" / f"{template}.txt").read_text(encoding="utf-8")).substitute(words)


def with_name(text: str, opening: str, line: str) -> str:
    """Add a line to the bracketed list that the opening starts, in order where the list is sorted.

    Raises CannotMake when the list is not where it was.
    """
    start = text.find(opening)
    end = text.find("\n)", start)
    if start < 0 or end < 0:
        raise CannotMake(f"no list opens with {opening!r} any more: add {line.strip()!r} by hand")
    head = start + len(opening)
    lines = [*text[head:end].strip("\n").split("\n")]
    if lines == sorted(lines):
        lines = sorted([*lines, line])
    else:
        lines.append(line)
    return text[:head] + "\n" + "\n".join(lines) + text[end:]


def registers(root: Path, words: dict[str, str]) -> dict[str, str]:
    """Answer the registers with the new service in them."""
    topic = f'    Topic("{words["service"]}.{words["subject"]}", "{words["noun"]}_id", ("{words["subject"]}",)),'
    entries = {
        "schemas/catalogue.py": (r"from schemas import \(.*", f"    {words['service']},"),
        "schemas/topics.py": (r"TOPICS: tuple\[Topic, \.\.\.\] = \(", topic),
        "cli/stack/recipe.py": (r"SERVICES = \(", f'    "{words["service"]}",'),
    }
    found = {}
    for path, (pattern, line) in entries.items():
        text = (root / path).read_text(encoding="utf-8")
        opening = re.search(pattern, text)
        found[path] = with_name(text, opening.group(0) if opening else pattern, line)
    return found


def make(root: Path, words: dict[str, str]) -> list[str]:
    """Write everything that does not need the new modules to be imported; answer the paths."""
    files = files_of(words)
    if taken := [path for path in files if (root / path).exists()]:
        raise CannotMake(f"{taken[0]} is there already: choose another name, or take the folder away first")
    files |= registers(root, words)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return sorted(files)


def main(arguments: list[str] | None = None) -> int:
    """Make the service; answer 2 when it cannot be made, with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_service", description="Make a new, empty service.")
    parser.add_argument("name", help="one lower-case word, the name of the context")
    parser.add_argument("--noun", help="what it owns first, in the singular; without it, its own name")
    parser.add_argument("--plural", help="the plural of an irregular noun")
    chosen = parser.parse_args(arguments)
    noun = chosen.noun or chosen.name.removesuffix("s") or chosen.name
    try:
        written = make(ROOT, words_for(chosen.name, noun, chosen.plural or plural_of(noun)))
    except CannotMake as why:
        print(why, file=sys.stderr)
        return 2
    for module in (f"tools.new_service.first_migration {chosen.name}", *MADE_AFTER):
        command = [sys.executable, "-m", *module.split()]
        subprocess.run(command, cwd=ROOT, check=True, timeout=300, stdout=subprocess.DEVNULL)
    python = [path for path in written if path.endswith(".py")]
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *python], cwd=ROOT, check=True, timeout=300)
    print("\n".join(written))
    print(
        f"Made services/{chosen.name}. Next: its README, its words in docs/glossary.md, its rows in schemas/access.py."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
